"""What people call the widgets of an order form: for each leaf of an order, its aliases, its labels, and the kinds of
widget that can carry it. The first that fits takes a widget, and a widget is taken once."""

from __future__ import annotations

import msgspec

TEXTS = ("text", "textarea", "sn", "combo", "radiogroup")
NUMBERS = ("number",)
TIMES = ("datetime",)
PEOPLE = (*TEXTS, "user", "dept", "linkdata", "lookup")
PHONES = ("phone", "text", "textarea", "number")
PLACES = ("address", "location")


class Leaf(msgspec.Struct, frozen=True):
    """One leaf: `path` in the order (or in a line), `read` with `{}` for the widget, a `sample` value and what is
    `expected` of it."""

    path: str
    aliases: tuple[str, ...]
    labels: tuple[str, ...]
    kinds: tuple[str, ...]
    read: str = "{} | str"
    sample: object = "X-1"
    expected: str = ""


_MONEY = "{} | money(@cur)"
_PHONE = "({0}.phone ?? {0}) | str | phone('CN')"
_NAME = "({0}.name ?? {0}) | str"
_DAY = "{} | date_in('Asia/Shanghai')"
_MIDNIGHT = "2026-01-19T16:00:00.000Z"

ORDER = (
    Leaf("number", ("order_no", "order_number", "order_code", "order_sn", "order_id"),
         ("订单号", "订单编号", "订单单号", "销售单号", "单据编号", "单号"), TEXTS),
    Leaf("purchase_order", ("po_no", "po_number", "purchase_order", "customer_order_no"),
         ("客户订单号", "客户单号", "采购单号", "采购订单号"), TEXTS),
    Leaf("placed_at", ("order_date", "order_time", "placed_at", "ordered_at"),
         ("下单时间", "下单日期", "订单日期", "订单时间", "签单日期"), TIMES,
         "({} ?? createTime) | datetime", _MIDNIGHT, _MIDNIGHT),
    Leaf("requested_delivery.date", ("delivery_date", "due_date", "requested_date"),
         ("交货日期", "交付日期", "要求交期", "期望到货", "交期", "送货日期"), TIMES, _DAY, _MIDNIGHT, "2026-01-20"),
    Leaf("source_status", ("order_status", "status"), ("订单状态", "单据状态"), TEXTS),
    Leaf("customer_note", ("remark", "remarks", "note", "memo", "customer_note"),
         ("客户备注", "买家留言", "订单备注", "备注"), TEXTS, "{} | str | trim"),
    Leaf("buyer.company", ("company", "company_name"), ("公司名称", "客户公司", "单位名称", "公司"), PEOPLE, _NAME),
    Leaf("buyer.name", ("customer", "customer_name", "buyer", "buyer_name", "client"),
         ("客户名称", "客户姓名", "买家", "客户"), PEOPLE, _NAME),
    Leaf("buyer.email", ("email", "customer_email"), ("电子邮箱", "邮箱"), TEXTS, "{} | email", "a@example.cn",
         "a@example.cn"),
    Leaf("ship_to.name", ("receiver", "receiver_name", "consignee", "recipient"),
         ("收货人", "收件人", "收货人姓名"), PEOPLE, _NAME),
    Leaf("ship_to.phone", ("receiver_phone", "receiver_mobile", "consignee_phone", "ship_phone"),
         ("收货电话", "收货人电话", "收件人电话", "收货人手机", "收件电话"), PHONES, _PHONE, "13800001234",
         "+8613800001234"),
    Leaf("buyer.phone", ("customer_phone", "phone", "mobile", "tel"),
         ("客户电话", "联系电话", "联系方式", "手机号", "手机", "电话"), PHONES, _PHONE, "13800001234", "+8613800001234"),
    Leaf("totals.shipping", ("freight", "shipping_fee", "shipping"), ("运费", "快递费"), NUMBERS, _MONEY, 12.5, "12.5"),
    Leaf("totals.discount", ("discount", "discount_amount"), ("优惠金额", "折扣金额", "优惠"), NUMBERS, _MONEY, 12.5,
         "12.5"),
    Leaf("totals.total", ("total_amount", "order_amount", "total", "amount", "total_price"),
         ("订单总额", "订单金额", "总金额", "合计金额", "应付金额", "总价", "合计"), NUMBERS, _MONEY, 128.5, "128.5"),
)  # fmt: skip

PLACE = Leaf("ship_to", ("ship_to", "receiver_address", "shipping_address", "delivery_address", "address"),
             ("收货地址", "收件地址", "送货地址", "配送地址", "地址"), (*PLACES, *TEXTS))  # fmt: skip

CURRENCY = Leaf("currency", ("currency",), ("币种", "货币"), TEXTS)

LINES = Leaf("lines", ("items", "lines", "order_items", "details", "products", "goods", "order_lines"),
             ("商品明细", "订单明细", "产品明细", "货品明细", "商品清单", "产品清单", "明细"), ("subform",))  # fmt: skip

LINE = (
    Leaf("sku", ("sku", "sku_code", "product_code", "item_code", "goods_code", "code"),
         ("商品编码", "产品编码", "物料编码", "货号", "sku", "编码", "编号"), PEOPLE, _NAME),
    Leaf("name", ("product_name", "item_name", "goods_name", "name", "product", "title"),
         ("商品名称", "产品名称", "品名", "货品名称", "商品", "产品", "名称"), PEOPLE, _NAME),
    Leaf("variant", ("spec", "specification", "variant", "model"), ("规格型号", "规格", "型号"), TEXTS),
    Leaf("quantity.ordered", ("quantity", "qty", "num", "count"), ("订购数量", "数量", "件数"), (*NUMBERS, *TEXTS),
         "{} | dec", 2, "2"),
    Leaf("unit_price", ("unit_price", "price"), ("单价", "售价", "价格"), NUMBERS, _MONEY, 64.25, "64.25"),
    Leaf("total", ("subtotal", "line_total", "amount", "total"), ("小计", "金额", "总价"), NUMBERS, _MONEY, 128.5, "128.5"),
)  # fmt: skip

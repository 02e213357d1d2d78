"""The columns that we know, under the names that they go by in English, Chinese and German: of orders (a row for
each line of goods), of shipments (likewise) and of scans. Others are kept as they are called."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import msgspec

Kind = Literal["orders", "shipments", "scans"]


class Column(msgspec.Struct, frozen=True):
    """A column: its name, what it means, where it goes in the canon, an example, other names it goes by."""

    name: str
    about: str
    target: str
    example: str
    also: str = ""
    required: bool = False


ORDERS = (
    Column("order_ref", "The order's id where it comes from; rows with the same one are one order", "ref", "SO-1001",
           "order id|order no|order no.|order number|order|订单号|订单编号|单号|bestellnummer|auftragsnummer", True),
    Column("order_date", "When it was placed", "placed_at", "2026-02-01T10:30+01:00",
           "date|placed at|created at|下单时间|订单日期|下单日期|日期|datum|bestelldatum|auftragsdatum"),
    Column("updated_at", "When it was last changed; an older file then changes nothing", "source_revision",
           "2026-02-01T10:30+01:00", "updated|last modified|更新时间|修改时间|geändert am"),
    Column("currency", "ISO 4217; the connection's own where it is empty", "currency", "EUR", "币种|货币|währung"),
    Column("customer_ref", "The buyer's number", "buyer.ref", "C-17", "customer no|customer id|客户编号|客户编码|kundennummer"),
    Column("customer_name", "Who buys", "buyer.name", "Ada Brook", "customer|buyer|客户|客户名称|买家|kunde|name des kunden"),
    Column("customer_email", "", "buyer.email", "ada@example.org", "email|e-mail|mail|邮箱|电子邮箱"),
    Column("customer_phone", "", "buyer.phone", "+49 30 901820", "phone|mobile|客户电话|telefon"),
    Column("ship_name", "Who receives it", "ship_to.name", "Ada Brook", "recipient|ship to|收货人|收件人|收货人姓名|empfänger"),
    Column("ship_company", "", "ship_to.company", "", "company|公司|收货单位|firma"),
    Column("ship_street", "", "ship_to.lines[0]", "Kanal 4",
           "address|street|ship address|地址|详细地址|收货地址|straße|strasse|anschrift"),
    Column("ship_street2", "", "ship_to.lines[1]", "", "address 2|street 2|adresszusatz"),
    Column("ship_district", "", "ship_to.district", "", "district|区|区县"),
    Column("ship_city", "", "ship_to.city", "Halle", "city|城市|市|ort|stadt"),
    Column("ship_region", "", "ship_to.region", "", "state|province|region|省|省份|bundesland"),
    Column("ship_postal_code", "", "ship_to.postal_code", "06108", "zip|postcode|postal code|邮编|plz|postleitzahl"),
    Column("ship_country", "Two letters, or its name", "ship_to.country", "DE", "country|国家|land"),
    Column("ship_phone", "", "ship_to.phone", "", "ship to phone|收货电话|收件人电话|联系电话|手机"),
    Column("note", "What the buyer says", "customer_note", "", "remark|comment|备注|买家留言|bemerkung|notiz"),
    Column("purchase_order", "The buyer's own number", "purchase_order", "", "po|po number|采购单号|kundenbestellung"),
    Column("payment_status", "unpaid, authorized, partially_paid, paid, refunded", "source_payment_status", "paid",
           "paid|付款状态|支付状态|zahlungsstatus"),
    Column("line_ref", "The line's id; its SKU or place where there is none", "lines[].ref", "1",
           "line|line no|position|pos|行号|明细行号"),
    Column("sku", "", "lines[].sku", "LAMP", "article|article no|item|商品编码|货号|sku编码|artikelnummer|artikel"),
    Column("name", "", "lines[].name", "Desk lamp", "product|description|商品名称|品名|商品|bezeichnung|artikelname"),
    Column("quantity", "", "lines[].quantity.ordered", "2", "qty|数量|件数|menge|anzahl"),
    Column("unit", "", "lines[].unit", "", "单位|einheit"),
    Column("unit_price", "", "lines[].unit_price", "19.95", "price|单价|价格|preis|einzelpreis"),
    Column("line_total", "", "lines[].total", "39.90", "line amount|小计|行金额|zeilensumme"),
    Column("shipping_fee", "", "totals.shipping", "4.90", "shipping|freight|运费|versandkosten|versand"),
    Column("total", "What the whole order costs", "totals.total", "44.80", "order total|amount|总金额|合计|总价|订单金额|gesamt|summe"),
)  # fmt: skip

SHIPMENTS = (
    Column("order_ref", "The order's id where it comes from", "order", "SO-1001", ORDERS[0].also, True),
    Column("shipment_ref", "The shipment's id; its tracking number where there is none", "ref", "S-1",
           "shipment|shipment no|发货单号|出库单号|lieferscheinnummer"),
    Column("carrier", "", "carrier_name", "DHL", "courier|快递公司|物流公司|承运商|versanddienst|spediteur"),
    Column("service", "", "service", "", "服务|versandart"),
    Column("tracking_number", "", "tracking_number", "00340434161094042557",
           "tracking|tracking no|waybill|快递单号|运单号|物流单号|sendungsnummer"),
    Column("tracking_url", "", "tracking_url", "", "tracking link"),
    Column("status", "label_ready, ready, handed_over, shipped, delivered, cancelled", "status", "shipped",
           "状态|发货状态"),
    Column("shipped_at", "", "shipped_at", "2026-02-02 08:00", "ship date|发货时间|发货日期|versanddatum"),
    Column("delivered_at", "", "delivered_at", "", "签收时间|zustelldatum"),
    Column("updated_at", "When it was last changed", "source_revision", "", "updated|更新时间"),
    Column("line_ref", "The order's line", "lines[].line", "", "line|行号"),
    Column("sku", "", "lines[].sku", "LAMP", "article|item|商品编码|货号|artikelnummer"),
    Column("quantity", "", "lines[].quantity", "2", "qty|数量|件数|menge"),
    Column("connection", "Whose order it is: the name of a connection", "", "", ""),
)  # fmt: skip

SCANS = (
    Column("tracking_number", "", "number", "00340434161094042557", SHIPMENTS[4].also, True),
    Column("carrier", "", "carrier", "dhl", SHIPMENTS[2].also),
    Column("time", "When it was scanned", "scans[].at", "2026-02-03 09:12", "at|date|时间|扫描时间|zeit|datum", True),
    Column("status", "in_transit, out_for_delivery, delivered, exception …", "scans[].status", "delivered",
           "event|状态|物流状态"),
    Column("text", "What was said", "scans[].text", "Handed over to the recipient", "description|描述|轨迹|物流信息|beschreibung"),
    Column("location", "", "scans[].place.name", "", "place|地点|网点|ort"),
    Column("city", "", "scans[].place.city", "Halle", "城市|stadt"),
    Column("country", "", "scans[].place.country", "DE", "国家|land"),
)  # fmt: skip

COLUMNS: Mapping[Kind, tuple[Column, ...]] = {"orders": ORDERS, "shipments": SHIPMENTS, "scans": SCANS}

GROUPS: Mapping[Kind, tuple[str, ...]] = {
    "orders": ("order_ref",),
    "shipments": ("order_ref", "shipment_ref", "tracking_number"),
    "scans": ("tracking_number",),
}
"""The columns whose equal cells make one order, one shipment, one parcel."""


def names_of(kind: Kind) -> dict[str, str]:
    """From every name that a column goes by, in small letters, to ours."""
    found: dict[str, str] = {}
    for column in COLUMNS[kind]:
        plain = (column.name, column.name.replace("_", " "), *filter(None, column.also.split("|")))
        for name in plain:
            found.setdefault(name, column.name)
    return found


def missing(kind: Kind, columns: list[str], header: list[str]) -> str:
    """Which columns a table lacks that it cannot do without, or has twice; "" where none."""
    for column in COLUMNS[kind]:
        if column.required and column.name not in columns:
            names = ", ".join(filter(None, (column.name, *column.also.split("|")[:6])))
            return f"there is no column {column.name} (it may be called {names}); the row of names is {', '.join(header)}"
        if columns.count(column.name) > 1:
            which = [word for word, name in zip(header, columns, strict=True) if name == column.name]
            return f"{' and '.join(which)} are both {column.name}: name one of them in the setting `columns`"
    return ""


def column_of(kind: Kind, field: str) -> str:
    """The column that a field of the canon comes from, "" where none does."""
    plain = _indexless(field)
    for column in COLUMNS[kind]:
        target = _indexless(column.target)
        if target and (plain == target or plain.startswith(f"{target}.")):
            return column.name
    return ""


def _indexless(field: str) -> str:
    out, inside = "", False
    for sign in field:
        if sign == "[":
            inside = True
            out += sign
        elif sign == "]":
            inside = False
            out += sign
        elif not inside:
            out += sign
    return out

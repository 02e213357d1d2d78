"""Words that stand before values and above columns in orders of three languages; a partner's own come first."""

from __future__ import annotations

import re

from hub.inbound.mail.reading.rules import Words
from hub.inbound.mail.reading.values import plain

LABELS: Words = {
    "purchase_order": [
        "purchase order", "purchase order no", "purchase order number", "po", "po no", "po number", "order no",
        "order number", "order id", "your order", "order reference", "bestellnummer", "bestell-nr", "bestellnr",
        "bestellung nr", "auftragsnummer", "auftrags-nr", "bestellung", "采购订单号", "采购订单", "采购单号", "订单号",
        "订单编号", "订单号码", "单号",
    ],
    "placed_at": [
        "order date", "date of order", "date", "bestelldatum", "datum", "auftragsdatum", "下单日期", "订单日期", "日期",
        "下单时间",
    ],
    "requested_delivery": [
        "delivery date", "requested delivery", "requested delivery date", "required by", "deliver by", "needed by",
        "liefertermin", "lieferdatum", "wunschtermin", "wunschlieferdatum", "lieferung bis", "交货日期", "交期",
        "要求交货日期", "到货日期", "期望到货",
    ],
    "currency": ["currency", "währung", "币种", "货币"],
    "total": [
        "total", "grand total", "order total", "total amount", "gesamtsumme", "gesamtbetrag", "summe", "endbetrag",
        "总计", "合计", "总金额", "总价", "订单金额",
    ],
    "buyer.company": ["company", "firma", "公司", "采购方", "客户", "customer", "kunde", "buyer", "besteller"],
    "buyer.name": ["contact", "contact person", "ansprechpartner", "联系人", "采购员", "name"],
    "buyer.email": ["email", "e-mail", "邮箱", "电子邮件"],
    "ship_to.name": ["ship to", "deliver to", "recipient", "attention", "empfänger", "lieferung an", "收货人", "收件人"],
    "ship_to.line1": ["address", "street", "delivery address", "shipping address", "straße", "strasse", "anschrift",
                      "lieferadresse", "地址", "收货地址", "送货地址", "街道"],
    "ship_to.postal_code": ["postcode", "postal code", "zip", "zip code", "plz", "postleitzahl", "邮编", "邮政编码"],
    "ship_to.city": ["city", "town", "ort", "stadt", "城市", "市"],
    "ship_to.region": ["state", "province", "region", "bundesland", "省", "省份"],
    "ship_to.country": ["country", "land", "国家"],
    "ship_to.phone": ["phone", "telephone", "mobile", "telefon", "tel", "handy", "电话", "手机", "联系电话", "手机号"],
    "payment_terms": ["payment terms", "terms of payment", "zahlungsbedingungen", "zahlungsziel", "付款方式", "付款条件"],
    "incoterms": ["incoterms", "delivery terms", "lieferbedingungen", "贸易条款"],
    "customer_note": ["note", "notes", "remark", "remarks", "comment", "bemerkung", "hinweis", "anmerkung", "备注", "说明"],
}  # fmt: skip
"""Field → the words before its value."""

COLUMNS: Words = {
    "sku": [
        "sku", "item", "item no", "item number", "article", "article no", "article number", "product code", "part no",
        "part number", "code", "artikelnummer", "artikel-nr", "artikelnr", "art.-nr", "art-nr", "artikel", "bestellartikel",
        "商品编码", "货号", "编码", "产品编码", "物料编码", "物料号", "型号", "产品编号", "商品编号",
    ],
    "gtin": ["ean", "gtin", "barcode", "upc", "条码", "条形码"],
    "name": [
        "description", "product", "product name", "item description", "name", "bezeichnung", "beschreibung", "produkt",
        "artikelbezeichnung", "品名", "商品名称", "产品名称", "名称", "货品名称",
    ],
    "quantity": [
        "qty", "quantity", "pcs", "pieces", "units", "ordered", "menge", "anzahl", "stück", "stk", "bestellmenge", "数量",
        "订购数量", "采购数量", "件数",
    ],
    "unit": ["unit", "uom", "einheit", "me", "单位"],
    "unit_price": [
        "unit price", "price", "price each", "unit cost", "einzelpreis", "preis", "stückpreis", "e-preis", "单价", "价格",
        "含税单价",
    ],
    "total": ["amount", "line total", "total", "betrag", "gesamt", "gesamtpreis", "summe", "金额", "小计", "总价"],
    "ref": ["line", "pos", "position", "no", "#", "line no", "pos.", "序号", "行号", "项次"],
}  # fmt: skip
"""Field of a line → the words above its column."""

REMOVED = re.compile(
    r"(?i)\b(?:cancel|remove|drop|without|no longer need|storniere\w*|streiche\w*|entfällt|entfallen|stornieren)\b|取消|删除|不要"
)
"""Words by which a line is taken out."""

_ENDS = " \t:：.*#-–—()（）[]【】·"


def key(word: str) -> str:
    """A label or heading in the form in which it is compared."""
    return plain(word).lower().strip(_ENDS).removesuffix(" (optional)").strip(_ENDS)


def vocabulary(own: Words, common: Words) -> dict[str, tuple[str, bool]]:
    """Word → (field, whether it is the partner's own)."""
    known = {key(word): (field, False) for field, words in common.items() for word in words}
    return known | {key(word): (field, True) for field, words in own.items() for word in words}

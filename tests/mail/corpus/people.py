"""Invented buyers of three languages: who they are, how they write numbers and dates, and what they order."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal


@dataclass(frozen=True)
class Item:
    """One line of an order: our article, the buyer's name for it, how many, for how much."""

    sku: str
    name: str
    quantity: str
    price: str


@dataclass(frozen=True)
class Buyer:
    """A buyer with an order."""

    language: str
    locale: str
    zone: str
    currency: str
    charset: str
    po: str
    placed: str
    wanted: str
    person: str
    company: str
    mail: str
    street: str
    postal_code: str
    city: str
    country: str
    items: tuple[Item, ...]

    @property
    def total(self) -> str:
        """What the lines come to."""
        return str(sum(Decimal(one.quantity) * Decimal(one.price) for one in self.items))

    def number(self, value: str) -> str:
        """A number as this buyer writes it."""
        whole, _, fraction = value.partition(".")
        grouped = f"{int(whole):,}"
        if self.language == "de":
            return grouped.replace(",", ".") + (f",{fraction}" if fraction else "")
        return grouped + (f".{fraction}" if fraction else "")

    def day(self, value: str) -> str:
        """A date as this buyer writes it."""
        year, month, day = value.split("-")
        if self.language == "zh":
            return f"{year}年{int(month)}月{int(day)}日"
        return f"{day}.{month}.{year}" if self.language == "de" else f"{day}/{month}/{year}"

    def order(self, suffix: str) -> Buyer:
        """Another order of theirs."""
        return replace(self, po=f"{self.po}{suffix}")


ZH = Buyer(
    "zh", "zh-CN", "Asia/Shanghai", "CNY", "gb18030", "CG202701", "2027-01-05", "2027-01-20", "林小满", "青禾贸易有限公司",
    "xiaoman@qinghe.example", "长宁区虚构路88号", "200050", "上海", "CN",
    (Item("DL-100", "蓝色台灯", "20", "199.00"), Item("DL-205", "木质底座", "1500", "35.50")),
)  # fmt: skip
EN = Buyer(
    "en", "en-GB", "Europe/London", "GBP", "utf-8", "PO-7701", "2027-01-05", "2027-01-20", "Ada Marlowe", "Marlowe & Finch Ltd",
    "ada@marlowe-finch.example", "14 Imaginary Row", "LS1 4XX", "Leeds", "GB",
    (Item("DL-100", "Desk lamp, blue", "20", "24.90"), Item("DL-205", "Wooden base", "1500", "4.25")),
)  # fmt: skip
DE = Buyer(
    "de", "de-DE", "Europe/Berlin", "EUR", "cp1252", "B-2027-31", "2027-01-05", "2027-01-20", "Jörg Möwe", "Möwe Leuchten GmbH",
    "einkauf@moewe-leuchten.example", "Erfundene Straße 7", "04109", "Leipzig", "DE",
    (Item("DL-100", "Tischleuchte blau", "20", "22.90"), Item("DL-205", "Holzfuß", "1500", "3.75")),
)  # fmt: skip
BUYERS = (ZH, EN, DE)

WORDS = {
    "zh": {
        "po": "采购订单号", "placed": "下单日期", "wanted": "交货日期", "sku": "商品编码", "name": "商品名称", "quantity": "数量",
        "price": "单价", "line_total": "金额", "total": "合计", "ship_to": "收货人", "street": "收货地址", "postal": "邮编",
        "city": "城市", "country": "国家", "subject": "采购订单", "greeting": "您好，请按以下内容安排发货：",
        "regards": "此致\n敬礼", "currency": "币种", "units": "件",
    },
    "en": {
        "po": "PO number", "placed": "Order date", "wanted": "Delivery date", "sku": "SKU", "name": "Description",
        "quantity": "Qty", "price": "Unit price", "line_total": "Amount", "total": "Grand total", "ship_to": "Ship to",
        "street": "Delivery address", "postal": "Postcode", "city": "City", "country": "Country",
        "subject": "Purchase order", "greeting": "Hello, please send us:", "regards": "Kind regards", "currency": "Currency",
        "units": "pcs",
    },
    "de": {
        "po": "Bestellnummer", "placed": "Bestelldatum", "wanted": "Liefertermin", "sku": "Artikelnummer",
        "name": "Bezeichnung", "quantity": "Menge", "price": "Einzelpreis", "line_total": "Betrag", "total": "Gesamtsumme",
        "ship_to": "Lieferung an", "street": "Lieferadresse", "postal": "PLZ", "city": "Ort", "country": "Land",
        "subject": "Bestellung", "greeting": "Guten Tag, bitte liefern Sie:", "regards": "Mit freundlichen Grüßen",
        "currency": "Währung", "units": "Stück",
    },
}  # fmt: skip
"""The words of each language, as its buyers' forms have them."""

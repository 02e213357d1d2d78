"""Markup for machines within HTML: schema.org's Order and ParcelDelivery, as JSON-LD or microdata."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import msgspec
from selectolax.lexbor import LexborHTMLParser, LexborNode

from hub.inbound.mail.reading.form import Cell, OrderForm
from hub.inbound.mail.reading.found import Doc, Form, Found, Origin, Parcel
from hub.inbound.mail.reading.rules import Manner, Rules

ITEMS, DEEPEST = 2000, 40
_STATUS = {
    "OrderDelivered": "delivered", "OrderInTransit": "in_transit", "OrderPickupAvailable": "available_for_pickup",
    "OrderProblem": "exception", "OrderReturned": "returned",
}  # fmt: skip
"""schema.org's OrderStatus, where it speaks of the parcel."""


def items(page: LexborHTMLParser) -> Iterator[tuple[Form, str, Doc]]:
    """Every thing of the markup: its form, its place, and its members."""
    for number, script in enumerate(page.css('script[type="application/ld+json"]'), 1):
        try:
            told = json.loads(script.text() or "", parse_float=Decimal, parse_constant=str)
        except (ValueError, RecursionError):
            continue
        for n, one in enumerate(_graph(told, 0)):
            yield "jsonld", f"script {number}[{n}]", one
    for number, node in enumerate(page.css("[itemscope]:not([itemprop])")[:ITEMS], 1):
        yield "microdata", f"item {number}", _item(node, 0)


def _graph(told: Any, depth: int) -> Iterator[Doc]:
    if depth > DEEPEST:
        return
    for one in told if isinstance(told, list) else [told]:
        if isinstance(one, dict) and "@graph" in one:
            yield from _graph(one["@graph"], depth + 1)
        elif isinstance(one, dict):
            yield one


def _item(node: LexborNode, depth: int) -> Doc:
    """An item of microdata as JSON-LD would say it."""
    doc: Doc = {"@type": (node.attributes.get("itemtype") or "").rpartition("/")[2]}
    waiting = [*node.iter()][::-1]
    while waiting and depth < DEEPEST:
        child = waiting.pop()
        name = child.attributes.get("itemprop")
        nested = "itemscope" in child.attributes
        if name:
            value: Any = _item(child, depth + 1) if nested else _said(child)
            known = doc.get(name)
            doc[name] = (
                value if known is None else [*known, value] if isinstance(known, list) else [known, value]
            )
        if not nested:
            waiting += [*child.iter()][::-1]
    return doc


def _said(node: LexborNode) -> str:
    for name in ("content", "datetime", "href", "src"):
        if value := node.attributes.get(name):
            return value
    return node.text().strip()


def _type(one: Doc) -> str:
    told = one.get("@type")
    return str((told[0] if isinstance(told, list) and told else told) or "").rpartition("/")[2]


def _text(value: Any) -> str:
    """A member's text, whatever shape it was given."""
    if isinstance(value, list):
        value = value[0] if value else ""
    if isinstance(value, dict):
        value = value.get("name") or value.get("@value") or value.get("value") or ""
    return "" if value is None or isinstance(value, dict | list) else str(value)


def _first(value: Any) -> Doc:
    one = value[0] if isinstance(value, list) and value else value
    return one if isinstance(one, dict) else {}


def _all(value: Any) -> list[Doc]:
    return [one for one in (value if isinstance(value, list) else [value]) if isinstance(one, dict)][:ITEMS]


def orders(page: LexborHTMLParser, part: str, rules: Rules) -> list[Found]:
    """The orders that the markup tells."""
    manner = Manner(skus=rules.manner.skus, units=rules.manner.units, decimal=".", dates="ymd")
    typed = msgspec.structs.replace(rules, manner=manner)
    found: dict[str, Found] = {}
    for form, place, one in items(page):
        if _type(one) == "Order":
            order = _order(OrderForm(form, part, typed), place, one)
            found.setdefault(str(order.doc.get("purchase_order", place)), order)
    return list(found.values())


def _order(form: OrderForm, place: str, one: Doc) -> Found:
    customer, address = _first(one.get("customer")), _first(one.get("shippingAddress"))
    delivery = _first(one.get("orderDelivery"))
    address = address or _first(delivery.get("deliveryAddress")) or _first(one.get("billingAddress"))
    said = {
        "purchase_order": one.get("orderNumber"), "placed_at": _text(one.get("orderDate"))[:10],
        "currency": one.get("priceCurrency") or _first(one.get("totalPaymentDue")).get("priceCurrency"),
        "total": one.get("price") or _first(one.get("totalPaymentDue")).get("price"),
        "buyer.name": customer, "buyer.email": customer.get("email"), "ship_to.name": address.get("name") or customer,
        "ship_to.line1": address.get("streetAddress"), "ship_to.city": address.get("addressLocality"),
        "ship_to.region": address.get("addressRegion"), "ship_to.postal_code": address.get("postalCode"),
        "ship_to.country": address.get("addressCountry"), "ship_to.phone": address.get("telephone") or customer.get("telephone"),
        "requested_delivery": _text(delivery.get("expectedArrivalUntil"))[:10],
    }  # fmt: skip
    for name, value in said.items():
        if text := _text(value):
            form.put(name, Cell(text, f"{place}.{name}", typed=True, own=True))
    for n, line in enumerate(_all(one.get("acceptedOffer")) or _all(one.get("orderedItem"))):
        form.row(
            {
                name: Cell(text, f"{place}.line[{n}]", typed=True, own=True)
                for name, text in _line(line).items()
                if text
            }
        )
    return form.finish()


def _line(line: Doc) -> dict[str, str]:
    thing = _first(line.get("itemOffered")) or _first(line.get("orderedItem")) or line
    price = line.get("price") or _first(line.get("priceSpecification")).get("price")
    quantity = line.get("orderQuantity") or line.get("eligibleQuantity") or line.get("quantity")
    return {
        "sku": _text(line.get("sku") or thing.get("sku") or thing.get("productID")), "name": _text(thing.get("name")),
        "quantity": _text(quantity) or "1", "unit_price": _text(price), "gtin": _text(thing.get("gtin13") or thing.get("gtin")),
    }  # fmt: skip


def parcels(page: LexborHTMLParser, part: str, at: str) -> list[Parcel]:
    """The parcels that the markup tells, those of its orders too."""
    found: dict[str, Parcel] = {}
    for form, place, one in items(page):
        told = _all(one.get("orderDelivery")) if _type(one) == "Order" else [one]
        for delivery in told:
            if _type(delivery) == "ParcelDelivery" and (number := _text(delivery.get("trackingNumber"))):
                parcel = _parcel(delivery, one if _type(one) == "Order" else {}, number, at)
                origin = {"number": Origin(part, f"{place}.trackingNumber", number[:120], 0.97)}
                found.setdefault(number, Parcel(form=form, part=part, doc=parcel, fields=origin))
    return list(found.values())


def _parcel(one: Doc, order: Doc, number: str, at: str) -> Doc:
    of = _first(one.get("partOfOrder")) or order
    window = {
        name: text
        for name, key in (("earliest", "expectedArrivalFrom"), ("latest", "expectedArrivalUntil"))
        if (text := _text(one.get(key)))
    }
    status = _STATUS.get(_text(of.get("orderStatus")).rpartition("/")[2])
    doc: Doc = {"number": number[:200]}
    doc |= {"carrier": carrier} if (carrier := _text(one.get("carrier") or one.get("provider"))[:200]) else {}
    doc |= {"order_number": text[:200]} if (text := _text(of.get("orderNumber"))) else {}
    doc |= {"eta": window} if window else {}
    if status and at:
        doc["scans"] = [{"status": status, "at": at, "source_word": _text(of.get("orderStatus"))[:200]}]
    return doc

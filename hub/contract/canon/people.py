"""People: who is meant and where they are, and by which names far sides call a thing."""

from __future__ import annotations

from hub.contract.canon.scalars import Decimal, Key, Text, Value


class Identifier(Value):
    """A code under a scheme: gtin, sku, supplier_sku, buyer_sku, asin, mpn, hs, vat, eori, gln, uscc, po_no …"""

    scheme: Key
    value: Key


class Ref(Value):
    """What a far side calls this."""

    account: Text | None = None
    connection: Text | None = None
    type: Text | None = None
    id: Text | None = None
    number: Text | None = None
    url: Text | None = None


class Party(Value):
    """A person or company: the buyer, or another role of the order (`role`)."""

    ref: Text | None = None
    role: Text | None = None
    name: Text | None = None
    given: Text | None = None
    family: Text | None = None
    company: Text | None = None
    email: Text | None = None
    phone: Text | None = None
    locale: Text | None = None
    tax_ids: list[Identifier] | None = None
    masked: bool | None = None


class PickupPoint(Value):
    """A locker or shop that takes parcels."""

    network: Text | None = None
    id: Text | None = None
    name: Text | None = None


class Address(Value):
    """Where and to whom. `masked` marks privacy numbers and encrypted recipients: they never beat clear data."""

    name: Text | None = None
    given: Text | None = None
    family: Text | None = None
    company: Text | None = None
    lines: list[Text] | None = None
    line1: Text | None = None
    line2: Text | None = None
    line3: Text | None = None
    line4: Text | None = None
    district: Text | None = None
    town: Text | None = None
    city: Text | None = None
    region: Text | None = None
    region_code: Text | None = None
    postal_code: Text | None = None
    country: Text | None = None
    phone: Text | None = None
    phone_ext: Text | None = None
    email: Text | None = None
    tax_ids: list[Identifier] | None = None
    delivery_notes: Text | None = None
    formatted: Text | None = None
    masked: bool | None = None
    latitude: Decimal | None = None
    longitude: Decimal | None = None
    pickup_point: PickupPoint | None = None

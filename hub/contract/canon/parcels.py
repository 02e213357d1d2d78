"""Parcels: what is asked to be shipped, what moves, and what is said of it on its way."""

from __future__ import annotations

from typing import Literal

from hub.contract.canon.charges import LineQuantity
from hub.contract.canon.people import Ref
from hub.contract.canon.scalars import Decimal, Key, ShipmentStatus, Text, Time, TrackingStatus, Value


class Package(Value):
    """One parcel of a shipment."""

    ref: Text | None = None
    id: str | None = None
    carrier: Text | None = None
    carrier_name: Text | None = None
    service: Text | None = None
    tracking_number: Text | None = None
    tracking_url: Text | None = None
    weight: Decimal | None = None
    lines: list[LineQuantity] | None = None
    tracking: Tracking | None = None


class Handover(Value):
    """The moment the goods changed hands."""

    by: Text | None = None
    at: Time | None = None
    proof: Text | None = None


class Place(Value):
    """Where a scan happened."""

    name: Text | None = None
    city: Text | None = None
    region: Text | None = None
    postal_code: Text | None = None
    country: Text | None = None


class Scan(Value):
    """One event of a parcel's journey. `local_time` is the stamp as given, `utc_offset` minutes where known;
    `at` is UTC where it could be told. `effect` keep_last marks information that never moves the status."""

    status: TrackingStatus | None = None
    sub_status: Text | None = None
    at: Time | None = None
    local_time: Text | None = None
    utc_offset: int | None = None
    precision: Literal["second", "minute", "date"] | None = None
    position: int | None = None
    text: Text | None = None
    source_word: Text | None = None
    carrier_code: Text | None = None
    place: Place | None = None
    effect: Literal["status", "keep_last"] | None = None
    flags: list[Text] | None = None
    source: Text | None = None


class Window(Value):
    """From when to when; a date or a time each."""

    earliest: Text | None = None
    latest: Text | None = None


class Tracking(Value):
    """What a carrier or tracker says of one parcel, found by its number."""

    ref: Text | None = None
    number: Text | None = None
    carrier: Text | None = None
    instance: Text | None = None
    status: TrackingStatus | None = None
    sub_status: Text | None = None
    source_word: Text | None = None
    flags: list[Text] | None = None
    state: Literal["active", "stopped", "expired"] | None = None
    eta: Window | None = None
    signed_by: Text | None = None
    delivered_at: Time | None = None
    last_scan_at: Time | None = None
    is_return: bool | None = None
    scans: list[Scan] | None = None
    order: Text | None = None
    order_number: Text | None = None
    source_revision: Time | None = None


class Shipment(Value):
    """A physical movement of goods."""

    ref: Key
    id: str | None = None
    order: Text | None = None
    direction: Literal["outbound", "return"] | None = None
    fulfillment: Text | None = None
    location: Text | None = None
    packages: list[Package] | None = None
    lines: list[LineQuantity] | None = None
    carrier: Text | None = None
    carrier_name: Text | None = None
    service: Text | None = None
    tracking_number: Text | None = None
    tracking_url: Text | None = None
    status: ShipmentStatus | None = None
    source_status: Text | None = None
    tracking: Tracking | None = None
    handover: Handover | None = None
    shipped_at: Time | None = None
    delivered_at: Time | None = None
    source_revision: Time | None = None
    refs: list[Ref] | None = None
    note: Text | None = None


class Return(Value):
    """Goods on their way back."""

    ref: Key
    id: str | None = None
    order: Text | None = None
    rma: Text | None = None
    reason: Text | None = None
    lines: list[LineQuantity] | None = None
    outcome: Literal["refund", "exchange", "store_credit", "repair", "none"] | None = None
    status: Literal[
        "requested", "approved", "rejected", "label_ready", "in_transit", "received", "inspected", "completed",
        "cancelled", "expired",
    ] | None = None  # fmt: skip
    tracking_number: Text | None = None
    source_status: Text | None = None
    source_revision: Time | None = None


class Fulfillment(Value):
    """A request to someone to ship."""

    ref: Key
    id: str | None = None
    order: Text | None = None
    location: Text | None = None
    provider: Text | None = None
    lines: list[LineQuantity] | None = None
    status: Literal[
        "requested", "accepted", "rejected", "picking", "picked", "packing", "packed", "shipped", "on_hold",
        "cancelled",
    ] | None = None  # fmt: skip
    source_status: Text | None = None
    deadline: Time | None = None
    instructions: Text | None = None
    source_revision: Time | None = None

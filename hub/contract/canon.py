"""The canonical shapes: how orders, parcels and people look inside the hub, whatever said them.

Two readings of one set of structs. *Said*: what a fact's `doc` may carry, every field optional but the
natural keys. *Held*: the order document that the book composes, with ids, ledgers and roll-ups beside
what was said; fields marked "held" are the hub's own and refused from outside.

Scalars are texts: amounts and quantities are decimal strings, times RFC 3339 UTC with milliseconds and
`Z`, dates `YYYY-MM-DD`, countries ISO 3166-1 alpha-2, phones E.164 where they could be read as such.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

Text = Annotated[str, Meta(max_length=20_000)]
FITS = "fits"
"""Where a pattern has its own words: `Meta(extra={FITS: …})`. A regular expression tells an operator nothing."""
Decimal = Annotated[
    str,
    Meta(
        pattern=r"^-?\d{1,15}(\.\d{1,9})?$(?!\n)", description="an exact decimal number, as text",
        extra={FITS: "an exact decimal number as text, such as 12.50"},
    ),
]  # fmt: skip
Currency = Annotated[
    str,
    Meta(
        pattern=r"^[A-Z]{3}$(?!\n)", description="ISO 4217",
        extra={FITS: "a currency's three letters (ISO 4217), such as EUR"},
    ),
]  # fmt: skip
Country = Annotated[
    str,
    Meta(
        pattern=r"^[A-Z]{2}$(?!\n)", description="ISO 3166-1 alpha-2",
        extra={FITS: "a country's two letters (ISO 3166-1), such as DE"},
    ),
]  # fmt: skip
Time = Annotated[
    str,
    Meta(
        pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?Z$(?!\n)", description="RFC 3339, UTC, ends in Z",
        extra={FITS: "a time in UTC such as 2027-01-10T16:00:00Z"},
    ),
]  # fmt: skip
Date = Annotated[str, Meta(pattern=r"^\d{4}-\d\d-\d\d$(?!\n)", extra={FITS: "a day such as 2027-01-10"})]
Key = Annotated[str, Meta(min_length=1, max_length=200)]

PaymentStatus = Literal[
    "unpaid", "authorized", "partially_paid", "paid", "overpaid", "partially_refunded", "refunded", "voided",
    "expired", "on_credit", "unknown",
]  # fmt: skip
OrderChannel = Literal[
    "online", "marketplace", "pos", "email", "phone", "sales_rep", "edi", "form", "api", "import"
]
TrackingStatus = Literal[
    "unknown", "pre_transit", "in_transit", "out_for_delivery", "available_for_pickup", "delivery_attempted",
    "exception", "delivered", "returning", "returned", "failed", "cancelled",
]  # fmt: skip
ShipmentStatus = Literal[
    "draft", "label_ready", "ready", "handed_over", "shipped", "delivered", "confirmed", "cancelled"
]
CancelReason = Literal["customer", "declined", "fraud", "inventory", "staff", "expired", "other"]
HoldReason = Literal[
    "fraud", "address", "stock", "sku", "price", "payment", "approval", "manual", "duplicate", "mapping"
]


class Value(msgspec.Struct, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """The base of all canonical structs: absent and null are the same, unknown fields are refused."""


class Money(Value):
    """An exact amount in a currency."""

    amount: Decimal
    currency: Currency


class Identifier(Value):
    """A code under a scheme: gtin, sku, supplier_sku, buyer_sku, asin, mpn, hs, vat, eori, gln, uscc, po_no …"""

    scheme: Key
    value: Key


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


class Tax(Value):
    """One tax on a line or on the order."""

    name: Text | None = None
    rate: Decimal | None = None
    amount: Money | None = None


class Discount(Value):
    """One reduction, as a positive amount."""

    ref: Text | None = None
    code: Text | None = None
    name: Text | None = None
    amount: Money | None = None


class Fee(Value):
    """A charge that is neither goods nor shipping."""

    ref: Text | None = None
    name: Text | None = None
    amount: Money | None = None


class Shipping(Value):
    """A shipping service bought with the order."""

    ref: Text | None = None
    name: Text | None = None
    service_code: Text | None = None
    carrier: Text | None = None
    price: Money | None = None
    discounted_price: Money | None = None
    taxes: list[Tax] | None = None


class Quantity(Value):
    """The ledger of a line. Said: `original` and `ordered` (after edits), `cancelled`. The rest is held:
    counted from shipments, returns and refunds."""

    original: Decimal | None = None
    ordered: Decimal | None = None
    cancelled: Decimal | None = None
    picked: Decimal | None = None
    packed: Decimal | None = None
    shipped: Decimal | None = None
    delivered: Decimal | None = None
    return_requested: Decimal | None = None
    return_received: Decimal | None = None
    refunded: Decimal | None = None
    open: Decimal | None = None
    returnable: Decimal | None = None


class Line(Value):
    """One line; never deleted: one that vanished at the source has `ordered` 0 and status `removed`."""

    ref: Key
    id: str | None = None
    parent: Text | None = None
    kind: Literal["product", "service", "fee", "gift_card", "custom"] | None = None
    identifiers: list[Identifier] | None = None
    sku: Text | None = None
    name: Text | None = None
    variant: Text | None = None
    quantity: Quantity | None = None
    unit: Text | None = None
    unit_price: Money | None = None
    list_price: Money | None = None
    discounts: list[Discount] | None = None
    taxes: list[Tax] | None = None
    total: Money | None = None
    ship_to: Address | None = None
    requires_shipping: bool | None = None
    location: Text | None = None
    serials: list[Text] | None = None
    lots: list[Text] | None = None
    customizations: list[Text] | None = None
    status: Literal["removed", "open", "partial", "fulfilled", "delivered", "returned"] | None = None
    attributes: dict[str, Any] | None = None


class Totals(Value):
    """What the source states. The hub recomputes (`computed_totals`) and reports a difference, never mends it."""

    subtotal: Money | None = None
    discount: Money | None = None
    shipping: Money | None = None
    tax: Money | None = None
    fees: Money | None = None
    total: Money | None = None
    paid: Money | None = None
    refunded: Money | None = None
    due: Money | None = None


class LineQuantity(Value):
    """So many of a line, named by the source's line ref, by the hub's line id, or by SKU."""

    line: Text | None = None
    sku: Text | None = None
    quantity: Decimal | None = None
    amount: Money | None = None
    reason: Text | None = None
    condition: Text | None = None


class Transaction(Value):
    """One movement of money; append-only."""

    ref: Key
    type: Text | None = None
    amount: Money | None = None
    at: Time | None = None
    status: Text | None = None


class Payment(Value):
    """How the order is paid. No card data, ever."""

    ref: Key
    id: str | None = None
    order: Text | None = None
    method: (
        Literal["card", "wallet", "bank_transfer", "cod", "invoice", "credit", "gift_card", "other"] | None
    ) = None
    provider: Text | None = None
    kind: Text | None = None
    amount: Money | None = None
    status: Literal[
        "unpaid", "authorized", "partially_captured", "captured", "partially_refunded", "refunded", "voided",
        "expired", "failed", "disputed", "won", "lost", "pending", "unknown",
    ] | None = None  # fmt: skip
    parent: Text | None = None
    at: Time | None = None
    source_revision: Time | None = None
    source_status: Text | None = None


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


class Refund(Value):
    """Money given back."""

    ref: Key
    id: str | None = None
    order: Text | None = None
    payment: Text | None = None
    amount: Money | None = None
    lines: list[LineQuantity] | None = None
    shipping: Money | None = None
    reason: Text | None = None
    status: Literal["requested", "pending", "succeeded", "failed", "cancelled"] | None = None
    at: Time | None = None
    source_revision: Time | None = None


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


class Notification(Value):
    """Something said to a person of this order: `number` is the far side's name of it, by which receipts find
    it (`sms:aliyun:…`, a Message-ID)."""

    ref: Key
    id: str | None = None
    number: Text | None = None
    medium: Literal["mail", "sms", "chat", "webhook"] | None = None
    rule: Text | None = None
    template: Text | None = None
    event: Text | None = None
    status: Literal["sent", "delivered", "failed"] | None = None
    reason: Text | None = None
    at: Time | None = None


class Ref(Value):
    """What a far side calls this."""

    account: Text | None = None
    connection: Text | None = None
    type: Text | None = None
    id: Text | None = None
    number: Text | None = None
    url: Text | None = None


class Delivery(Value):
    """When the buyer wants it."""

    earliest: Date | None = None
    latest: Date | None = None
    date: Date | None = None


class Hold(Value):
    """A reason not to ship yet."""

    reason: HoldReason
    id: str | None = None
    at: Time | None = None
    by: Text | None = None
    note: Text | None = None


class Note(Value):
    """A remark on the order."""

    text: Text
    at: Time | None = None
    by: Text | None = None


class Doubt(Value):
    """A reason for a person to look at a draft: the field, what is wrong, the text, and all that it might mean."""

    field: Key
    reason: Text
    text: Text | None = None
    readings: list[Text] | None = None


class Entry(Value):
    """How an order was read where nobody typed it in: the form of the text, the message, the reasons for which it
    waits as a draft; `fields` tells of each value the `part`, `place`, `text` and `confidence` (0 to 1)."""

    form: Text | None = None
    message: Text | None = None
    confidence: Decimal | None = None
    reasons: list[Doubt] | None = None
    fields: dict[str, Any] | None = None


ActionKind = Literal[
    "set_quantity", "set_price", "add_line", "remove_line", "set_address", "set_delivery", "set_total", "note"
]


class Action(Value):
    """One change of an order: of the line of this ref (or SKU), or of the order."""

    kind: ActionKind
    line: Text | None = None
    sku: Text | None = None
    quantity: Decimal | None = None
    unit_price: Money | None = None
    add: Line | None = None
    ship_to: Address | None = None
    requested_delivery: Delivery | None = None
    total: Money | None = None
    text: Text | None = None


class ChangeSet(Value):
    """Changes that somebody asked for, to be confirmed or declined as one; at most one of an order is `requested`."""

    id: Key
    status: Literal["requested", "confirmed", "declined", "cancelled"]
    actions: list[Action]
    requested_at: Time | None = None
    requested_by: Text | None = None
    reason: Text | None = None
    message: Text | None = None
    decided_at: Time | None = None
    decided_by: Text | None = None
    decision: Text | None = None


class Anomaly(Value):
    """Something that cannot be, and is: kept, shown, never refused."""

    kind: Key
    subject: Text | None = None
    detail: Text | None = None


class Order(Value):
    """One order. As said by a source (`ref` is its id there) and as held (with the fields after `attributes`)."""

    ref: Text | None = None
    number: Text | None = None
    channel: OrderChannel | None = None
    kind: (
        Literal["standard", "exchange", "reship", "sample", "b2b", "subscription", "pre_order", "quote"]
        | None
    ) = None
    test: bool | None = None
    draft: bool | None = None
    currency: Currency | None = None
    prices_include_tax: bool | None = None
    incoterms: Text | None = None
    payment_terms: Text | None = None
    purchase_order: Text | None = None
    contract_ref: Text | None = None
    requested_delivery: Delivery | None = None
    priority: Literal["normal", "urgent", "critical"] | None = None
    customer_note: Text | None = None
    tags: list[Text] | None = None
    source_name: Text | None = None
    source_status: Text | None = None
    source_payment_status: PaymentStatus | None = None
    source_fulfillment_status: Text | None = None
    placed_at: Time | None = None
    cancelled_at: Time | None = None
    cancel_reason: CancelReason | None = None
    closed_at: Time | None = None
    deleted: bool | None = None
    source_revision: Time | None = None
    attributes: dict[str, Any] | None = None
    buyer: Party | None = None
    bill_to: Address | None = None
    ship_to: Address | None = None
    parties: list[Party] | None = None
    lines: list[Line] | None = None
    shipping: list[Shipping] | None = None
    discounts: list[Discount] | None = None
    taxes: list[Tax] | None = None
    fees: list[Fee] | None = None
    totals: Totals | None = None
    payments: list[Payment] | None = None
    refunds: list[Refund] | None = None
    fulfillments: list[Fulfillment] | None = None
    shipments: list[Shipment] | None = None
    returns: list[Return] | None = None
    entry: Entry | None = None
    # held
    notifications: list[Notification] | None = None
    id: str | None = None
    tenant: str | None = None
    version: int | None = None
    sequence: int | None = None
    hub_number: str | None = None
    connection: str | None = None
    account: str | None = None
    refs: list[Ref] | None = None
    state: Literal[
        "stub", "draft", "open", "confirmed", "rejected", "in_progress", "completed", "cancelled"
    ] | None = None  # fmt: skip
    ready: bool | None = None
    payment_status: PaymentStatus | None = None
    fulfillment_status: Literal[
        "unfulfilled", "partially_fulfilled", "fulfilled", "not_required", "over_fulfilled"
    ] | None = None  # fmt: skip
    delivery_status: Literal["none", "partially_delivered", "delivered"] | None = None
    return_status: Literal["none", "requested", "partially_returned", "returned"] | None = None
    holds: list[Hold] | None = None
    notes: list[Note] | None = None
    changes: list[ChangeSet] | None = None
    computed_totals: Totals | None = None
    anomalies: list[Anomaly] | None = None
    confirmed_at: Time | None = None
    rejected_at: Time | None = None
    completed_at: Time | None = None
    redacted_at: Time | None = None
    created_at: Time | None = None
    updated_at: Time | None = None


HELD = frozenset(
    """id tenant version sequence hub_number connection account refs state ready payment_status fulfillment_status
    delivery_status return_status holds notes changes computed_totals anomalies confirmed_at rejected_at completed_at
    redacted_at created_at updated_at notifications""".split()
)
"""The fields of an order that are the hub's own: refused from outside."""

TARGETS: dict[str, type[Value]] = {
    "order": Order,
    "shipment": Shipment,
    "fulfillment": Fulfillment,
    "tracking": Tracking,
    "payment": Payment,
    "refund": Refund,
    "return": Return,
    "notification": Notification,
}
"""What a mapping may aim at, by the first part of its `target:` (`order/1`)."""

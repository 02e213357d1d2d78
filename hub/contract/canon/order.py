"""The order: all of it, as a source says it and as the hub holds it, with what only the hub says."""

from __future__ import annotations

from typing import Any, Literal

from hub.contract.canon.charges import Discount, Fee, Line, Money, Shipping, Tax, Totals
from hub.contract.canon.parcels import Fulfillment, Return, Shipment
from hub.contract.canon.payments import Payment, Refund
from hub.contract.canon.people import Address, Party, Ref
from hub.contract.canon.scalars import (
    CancelReason,
    Currency,
    Date,
    Decimal,
    HoldReason,
    Key,
    OrderChannel,
    PaymentStatus,
    Text,
    Time,
    Value,
)


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

"""The canonical shapes: how orders, parcels and people look inside the hub, whatever said them.

Two readings of one set of structs. *Said*: what a fact's `doc` may carry, every field optional but the
natural keys. *Held*: the order document that the book composes, with ids, ledgers and roll-ups beside
what was said; fields marked "held" are the hub's own and refused from outside.

Scalars are texts: amounts and quantities are decimal strings, times RFC 3339 UTC with milliseconds and
`Z`, dates `YYYY-MM-DD`, countries ISO 3166-1 alpha-2, phones E.164 where they could be read as such.
"""

from __future__ import annotations

from hub.contract.canon.charges import (
    Discount,
    Fee,
    Line,
    LineQuantity,
    Money,
    Quantity,
    Shipping,
    Tax,
    Totals,
)
from hub.contract.canon.order import (
    HELD,
    Action,
    ActionKind,
    Anomaly,
    ChangeSet,
    Delivery,
    Doubt,
    Entry,
    Hold,
    Note,
    Notification,
    Order,
)
from hub.contract.canon.parcels import (
    Fulfillment,
    Handover,
    Package,
    Place,
    Return,
    Scan,
    Shipment,
    Tracking,
    Window,
)
from hub.contract.canon.payments import (
    Payment,
    Refund,
    Transaction,
)
from hub.contract.canon.people import (
    Address,
    Identifier,
    Party,
    PickupPoint,
    Ref,
)
from hub.contract.canon.scalars import (
    FITS,
    CancelReason,
    Country,
    Currency,
    Date,
    Decimal,
    HoldReason,
    Key,
    OrderChannel,
    PaymentStatus,
    ShipmentStatus,
    Text,
    Time,
    TrackingStatus,
    Value,
    spelt,
)

__all__ = [
    "FITS",
    "HELD",
    "TARGETS",
    "Action",
    "ActionKind",
    "Address",
    "Anomaly",
    "CancelReason",
    "ChangeSet",
    "Country",
    "Currency",
    "Date",
    "Decimal",
    "Delivery",
    "Discount",
    "Doubt",
    "Entry",
    "Fee",
    "Fulfillment",
    "Handover",
    "Hold",
    "HoldReason",
    "Identifier",
    "Key",
    "Line",
    "LineQuantity",
    "Money",
    "Note",
    "Notification",
    "Order",
    "OrderChannel",
    "Package",
    "Party",
    "Payment",
    "PaymentStatus",
    "PickupPoint",
    "Place",
    "Quantity",
    "Ref",
    "Refund",
    "Return",
    "Scan",
    "Shipment",
    "ShipmentStatus",
    "Shipping",
    "Tax",
    "Text",
    "Time",
    "Totals",
    "Tracking",
    "TrackingStatus",
    "Transaction",
    "Value",
    "Window",
    "spelt",
]

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

"""Scalars: what a leaf may be, as text, and the words that statuses and reasons are said in."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

FITS = "fits"


def spelt(pattern: str, fits: str, description: str | None = None) -> Meta:
    """A text of this pattern, to its very end, and what is said of one that is not: a regular expression tells an
    operator nothing."""
    return Meta(pattern=rf"^{pattern}$(?!\n)", description=description, extra={FITS: fits})


Text = Annotated[str, Meta(max_length=20_000)]
Decimal = Annotated[
    str,
    spelt(
        r"-?\d{1,15}(\.\d{1,9})?",
        "an exact decimal number as text, such as 12.50",
        "an exact decimal number, as text",
    ),
]
Currency = Annotated[
    str, spelt(r"[A-Z]{3}", "a currency's three letters (ISO 4217), such as EUR", "ISO 4217")
]
Country = Annotated[
    str, spelt(r"[A-Z]{2}", "a country's two letters (ISO 3166-1), such as DE", "ISO 3166-1 alpha-2")
]
Time = Annotated[
    str,
    spelt(
        r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?Z",
        "a time in UTC such as 2027-01-10T16:00:00Z",
        "RFC 3339, UTC, ends in Z",
    ),
]
Date = Annotated[str, spelt(r"\d{4}-\d\d-\d\d", "a day such as 2027-01-10")]
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

"""What we understood: facts, and how fresh each is.

A fact speaks of one thing of one order: the order itself, a shipment, a parcel's tracking, a refund.
It is never refused. `full` names the facets it carries whole: absence deletes only inside those.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

Subject = Literal[
    "order", "shipment", "fulfillment", "tracking", "payment", "refund", "return", "decision", "notification"
]  # fmt: skip

ORDER_FACETS = frozenset(
    {"order", "buyer", "ship_to", "bill_to", "lines", "shipping", "discounts", "taxes", "fees", "totals"}
)
"""The facets of an order that a snapshot carries whole unless it says otherwise.
`order` is the facet of the top-level scalars; `shipments`, `payments`, `refunds`, `returns` only grow."""


class Fact(msgspec.Struct, frozen=True, kw_only=True):
    """One thing said about one object of an order, in canonical words.

    `ref` is the object's id at the source, `order` the source's id of the order it belongs to (None:
    the object is the order, or, for `tracking` and `notification`, not known: the number in `doc` finds it); an `ord_…` is the
    hub's own id. `account` names whose order it is where that is another account of this channel, or
    `<channel>:<account>`, or `connection:<name or id>`. `revision` is the source's own
    clock in unix microseconds or its sequence; None means the time of arrival. `doc` has the canonical
    shape of its subject (hub.contract.canon); a partial fact (`full` empty) writes just its leaves.
    """

    subject: Subject
    ref: str
    doc: dict[str, Any]
    order: str | None = None
    account: str | None = None
    revision: int | None = None
    full: frozenset[str] = frozenset()
    occurred_at: int | None = None
    topic: str = ""


class Redaction(msgspec.Struct, frozen=True, kw_only=True):
    """A person asked to be forgotten: by the source's ids of orders, by e-mail, phone or buyer reference."""

    orders: tuple[str, ...] = ()
    email: str | None = None
    phone: str | None = None
    buyer: str | None = None
    whole_account: bool = False
    reason: str = ""


class Notice(msgspec.Struct, frozen=True, kw_only=True):
    """News of the connection itself: the app was removed, a scope was taken, a subscription ended."""

    kind: Literal["uninstalled", "reauth_required", "subscription_lost"]
    detail: str = ""


class Stale(msgspec.Struct, frozen=True, kw_only=True):
    """A hint without the news itself: the object has to be read again from the source (`Channel.fetch`)."""

    subject: Subject
    ref: str
    order: str | None = None


Read = Fact | Redaction | Notice | Stale
"""All that a reader may yield."""

Freshness = Literal["updated_at", "sequence", "append_only", "fetch", "arrival"]
"""How a channel's facts are ordered: by the source's update time, by its sequence, not at all because
each is a new event, by reading again after every push, or by arrival (the last resort, flagged)."""

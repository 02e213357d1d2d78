"""Events: what we say to the world when an order changes, named in the past tense.

Pure: two versions of a document in, what happened between them out. The list may differ with the order
in which facts arrived; the snapshot that the last event carries may not.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from hub.orders.diff import Change, diff

Doc = dict[str, Any]


class Event(msgspec.Struct):
    """One thing that happened: its type, what it happened to, and the leaves that changed."""

    type: str
    subject_type: str
    subject: str
    changes: list[Change]


_PAID = ("paid", "overpaid")
_TRACKED = {
    "in_transit": "shipment.in_transit",
    "out_for_delivery": "shipment.out_for_delivery",
    "available_for_pickup": "shipment.available_for_pickup",
    "delivery_attempted": "shipment.attempt_failed",
    "exception": "shipment.exception",
    "returning": "shipment.returning",
    "returned": "shipment.returned",
    "failed": "shipment.lost",
}
_SHIPPED = {
    "label_ready": "shipment.label_ready",
    "handed_over": "shipment.handed_over",
    "shipped": "shipment.shipped",
    "delivered": "shipment.delivered",
    "confirmed": "shipment.delivery_confirmed",
    "cancelled": "shipment.cancelled",
}
_RANK = ("draft", "label_ready", "ready", "handed_over", "shipped", "delivered", "confirmed")
_PARTS = {
    "payments": ("payment", {
        "authorized": "payment.authorized", "captured": "payment.captured", "failed": "payment.failed",
        "voided": "payment.voided", "disputed": "payment.disputed",
    }),
    "refunds": ("refund", {
        "requested": "refund.requested", "pending": "refund.requested", "succeeded": "refund.succeeded",
        "failed": "refund.failed",
    }),
    "returns": ("return", {
        word: f"return.{word}"
        for word in (
            "requested", "approved", "rejected", "label_ready", "in_transit", "received", "inspected", "completed",
            "cancelled", "expired",
        )
    }),
    "notifications": ("notification", {
        word: f"notification.{word}" for word in ("sent", "delivered", "failed")
    }),
    "fulfillments": ("fulfillment", {
        word: f"fulfillment.{word}"
        for word in ("requested", "accepted", "rejected", "picking", "picked", "packed", "cancelled")
    }),
}  # fmt: skip
_COMMERCE = ("lines", "shipping", "discounts", "fees", "currency", "requested_delivery", "purchase_order")
_LEDGER = frozenset(
    (
        "open",
        "shipped",
        "delivered",
        "returnable",
        "cancelled",
        "refunded",
        "return_requested",
        "return_received",
    )
)
_TOLD = frozenset(
    """state ready payment_status fulfillment_status delivery_status return_status holds notes changes anomalies shipments
    payments refunds returns fulfillments notifications confirmed_at rejected_at cancelled_at cancel_reason completed_at
    source_payment_status source_fulfillment_status source_revision computed_totals redacted_at refs""".split()
)
"""Parts of a document that have events of their own, or only follow: a change of these alone is no `order.updated`."""


def events(before: Doc | None, after: Doc) -> list[Event]:
    """What happened between two versions of an order; nothing for a version that says the same."""
    if before is not None and before == after:
        return []
    old = before or {"state": "stub"}
    if after.get("redacted_at") and not old.get("redacted_at"):
        return [_event("order.redacted", after)]  # what changed is what is to be forgotten
    changes = diff(old, after) if before is not None else []
    out = list(_order(old, after, changes))
    out += _shipments(old, after)
    for part in _PARTS:
        if part in after:
            out += _parts(old, after, part)
    out += _closing(old, after)
    if not out and after["state"] != "stub" and changes:
        rest = [one for one in changes if _top(one) not in _TOLD]
        if rest:
            out.append(_event("order.updated", after, rest))
    return out


def _event(type_: str, doc: Doc, changes: list[Change] | None = None) -> Event:
    return Event(type_, "order", doc.get("id", ""), changes or [])


def _top(change: Change) -> str:
    return str(change["path"]).partition(".")[0].partition("[")[0]


def _order(old: Doc, new: Doc, changes: list[Change]) -> Iterator[Event]:
    was, now = old["state"], new["state"]
    if now == "stub":
        return
    if now == "draft" and was == "stub":
        yield _event("order.draft_created", new)
    born = was in ("stub", "draft") and now != "draft"
    if born:
        yield _event("order.created", new)
    if new.get("confirmed_at") and not old.get("confirmed_at") and now != "draft":
        yield _event("order.confirmed", new)
    if new["payment_status"] in _PAID and old.get("payment_status") not in _PAID:
        yield _event("order.paid", new, _of(changes, "payment_status"))
    yield from _changes(old, new)
    if not born and was != "stub":
        yield from _edits(old, new, changes)
    yield from _holds(old, new)


def _edits(old: Doc, new: Doc, changes: list[Change]) -> Iterator[Event]:
    edited = [one for one in changes if _top(one) in _COMMERCE and not _counted(one)]
    if edited:
        yield _event("order.edited", new, edited)
    moved = _of(changes, "ship_to")
    if moved and old.get("ship_to"):
        yield _event("order.address_changed", new, moved)
    if len(new.get("notes", ())) > len(old.get("notes", ())):
        yield _event("order.note_added", new, _of(changes, "notes"))
    rest = [one for one in changes if _top(one) not in _TOLD and _top(one) not in (*_COMMERCE, "ship_to")]
    rest = [one for one in rest if not _counted(one) and _top(one) != "totals"]
    if rest:
        yield _event("order.updated", new, rest)


def _counted(change: Change) -> bool:
    """A change of a line's counts or status: the ledger's, not the source's."""
    path = change["path"]
    return path.startswith("lines[") and (path.endswith(".status") or path.rpartition(".")[2] in _LEDGER)


def _of(changes: list[Change], *tops: str) -> list[Change]:
    return [one for one in changes if _top(one) in tops]


def _holds(old: Doc, new: Doc) -> Iterator[Event]:
    if "holds" not in old and "holds" not in new:
        return
    had = {one["id"]: one for one in old.get("holds", ())}
    has = {one["id"]: one for one in new.get("holds", ())}
    for name in sorted(has.keys() - had.keys()):
        yield _event("order.on_hold", new, [{"path": "holds", "to": has[name]}])
    for name in sorted(had.keys() - has.keys()):
        yield _event("order.released", new, [{"path": "holds", "from": had[name]}])


def _changes(old: Doc, new: Doc) -> Iterator[Event]:
    """Change sets that were asked for or decided; one whose place another took is told by that other."""
    was = {one["id"]: one["status"] for one in old.get("changes", ())}
    for index, one in enumerate(new.get("changes", ())):
        told = [one["status"]] if one["status"] != was.get(one["id"]) else []
        if told and one["id"] not in was and one["status"] != "requested":
            told = ["requested", *told]
        for word in told:
            if word != "cancelled":
                yield Event(
                    f"order_change.{word}",
                    "order_change",
                    one["id"],
                    [{"path": f"changes[{index}].status", "to": word}],
                )


def _shipments(old: Doc, new: Doc) -> Iterator[Event]:
    had = {one["id"]: one for one in old.get("shipments", ())}
    for index, one in enumerate(new.get("shipments", ())):
        before = had.get(one["id"])
        if before == one:
            continue
        changes = diff(before, one, f"shipments[{index}]") if before else []
        types = ["shipment.created"] if before is None else []
        types += _steps(before or {}, one)
        types += _tracked(before or {}, one)
        for type_ in types or ["shipment.updated"]:
            yield Event(type_, "shipment", one["id"], changes)


def _steps(before: Doc, after: Doc) -> list[str]:
    """Shipped and delivered are told even when the report jumps over what lies between."""
    was, now = before.get("status"), after["status"]
    if was == now:
        return []
    if now == "cancelled":
        return ["shipment.cancelled"]
    passed = _RANK[_RANK.index(was) + 1 if was in _RANK else 0 : _RANK.index(now) + 1]
    return [_SHIPPED[word] for word in passed if word in _SHIPPED and word in (now, "shipped")]


def _tracked(before: Doc, after: Doc) -> list[str]:
    was, now = before.get("tracking", {}), after.get("tracking", {})
    out = []
    if was.get("status") != now.get("status") and now.get("status") in _TRACKED:
        out.append(_TRACKED[now["status"]])
    if "delayed" in now.get("flags", ()) and "delayed" not in was.get("flags", ()):
        out.append("shipment.delayed")
    return out


def _parts(old: Doc, new: Doc, part: str) -> Iterator[Event]:
    kind, words = _PARTS[part]
    had = {one["id"]: one for one in old.get(part, ())}
    for index, one in enumerate(new.get(part, ())):
        before = had.get(one["id"], {})
        status = one.get("status") or ("succeeded" if part == "refunds" else "")
        earlier = before.get("status") or ("succeeded" if part == "refunds" and before else "")
        if status != earlier and status in words:
            changes = diff(before, one, f"{part}[{index}]") if before else []
            yield Event(words[status], kind, one["id"], changes)


def _closing(old: Doc, new: Doc) -> Iterator[Event]:
    """What follows from all else: shipped, delivered, completed, cancelled, ready, anomalies."""
    was, now = old["state"], new["state"]
    if now == "stub":
        return
    fulfilled = new["fulfillment_status"]
    if fulfilled != old.get("fulfillment_status") and fulfilled in _FULFILLED:
        yield _event(_FULFILLED[fulfilled], new)
    if new["delivery_status"] == "delivered" and old.get("delivery_status") != "delivered":
        yield _event("order.delivered", new)
    if now != was and {was, now} & _ENDED:
        yield _event(f"order.{now}" if now in _ENDED else "order.reopened", new)
    if new["ready"] and not old.get("ready"):
        yield _event("order.ready", new)
    yield from _found(old, new)


_ENDED = frozenset({"rejected", "cancelled", "completed"})
_FULFILLED = {
    "fulfilled": "order.fulfilled",
    "over_fulfilled": "order.fulfilled",
    "partially_fulfilled": "order.partially_fulfilled",
}


def _found(old: Doc, new: Doc) -> Iterator[Event]:
    """What cannot be, and was not there before."""
    known = {(one["kind"], one.get("subject")) for one in old.get("anomalies", ())}
    for one in new.get("anomalies", ()):
        if (one["kind"], one.get("subject")) not in known:
            yield _event("order.anomaly", new, [{"path": "anomalies", "to": one}])

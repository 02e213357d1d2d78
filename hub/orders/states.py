"""The order's state: a word that follows from facts and decisions, and the arrows decisions must follow.

    stub → open;  draft → open | cancelled;  open → confirmed | rejected | cancelled
    confirmed → in_progress | cancelled;  in_progress → completed | cancelled (the unshipped rest)

Facts may jump; only decisions are refused, with what would be allowed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hub.orders import changes, registers

Doc = dict[str, Any]

ALLOWED: dict[str, frozenset[str]] = {
    "confirm": frozenset({"draft", "open"}),
    "reject": frozenset({"draft", "open"}),
    "cancel": frozenset({"stub", "draft", "open", "confirmed", "in_progress"}),
    "hold": frozenset({"draft", "open", "confirmed", "in_progress"}),
    "release": frozenset({"draft", "open", "confirmed", "in_progress"}),
    "note": frozenset(
        {"stub", "draft", "open", "confirmed", "rejected", "in_progress", "completed", "cancelled"}
    ),
    "complete": frozenset({"draft"}),
    "change": frozenset({"draft", "open", "confirmed", "in_progress"}),
    "confirm_change": frozenset({"draft", "open", "confirmed", "in_progress"}),
    "decline_change": frozenset({"draft", "open", "confirmed", "in_progress", "completed", "cancelled"}),
}
"""Decision → the states in which it may be taken."""


ATTENDED = frozenset({"phone", "sales_rep", "email"})
"""Orders that a person took or wrote: they wait to be confirmed, whatever their source's default is."""


def refusal(decision: str, doc: Doc, said: Doc) -> str:
    """Why this decision cannot be taken now, "" when it can."""
    state = doc.get("state", "stub")
    if state in ALLOWED[decision]:
        if decision in changes.KINDS:
            return changes.refusal(decision, doc, said)
        empty = decision == "confirm" and state == "draft" and not doc.get("lines")
        return "the draft has no lines: complete it first" if empty else ""
    return f"{decision} is not allowed while the order is {state}; allowed: {', '.join(allowed(doc)) or 'nothing'}"


def allowed(doc: Doc) -> list[str]:
    """The decisions that may be taken now."""
    state = doc.get("state", "stub")
    idle = frozenset() if changes.pending(doc) else frozenset({"confirm_change", "decline_change"})
    return sorted(name for name, states in ALLOWED.items() if state in states and name not in idle)


@dataclass(slots=True)
class Verdict:
    """What decisions and the source say of the order as a whole."""

    cancelled: bool
    rejected: Doc | None
    confirmed: Doc | None
    draft: bool
    told: bool
    holds: list[Doc]
    notes: list[Doc]
    changes: list[Doc]
    reason: str
    at: str

    def write(self, doc: Doc) -> None:
        """Set state, its times, holds, notes and readiness."""
        doc["state"] = self._state(doc)
        if self.cancelled and self.at:
            doc["cancelled_at"] = self.at
            if self.reason:
                doc["cancel_reason"] = self.reason
        if self.confirmed and self.confirmed.get("at"):
            doc["confirmed_at"] = self.confirmed["at"]
        if self.rejected:
            doc["rejected_at"] = self.rejected["at"]
        if self.holds:
            doc["holds"] = self.holds
        if self.notes:
            doc["notes"] = self.notes
        if self.changes:
            doc["changes"] = self.changes
        doc["ready"] = _ready(doc)

    def _state(self, doc: Doc) -> str:
        if not self.told:
            return "stub"
        if self.cancelled:
            return "cancelled"
        if self.rejected:
            return "rejected"
        if doc["delivery_status"] == "delivered":
            return "completed"
        if doc["fulfillment_status"] in ("partially_fulfilled", "fulfilled", "over_fulfilled"):
            return "in_progress"
        if self.confirmed:
            return "confirmed"
        return "draft" if self.draft else "open"


def decide(doc: Doc, state: registers.State, home: str) -> Verdict:
    """Read the decisions in the order they were taken."""
    sources = state["sources"]
    taken = [
        value
        for _, source in sorted(sources.items())
        if "decisions" in source["facets"]
        for _, value, _ in registers.members(source["facets"], "decisions")
    ]
    taken.sort(key=lambda one: (one.get("at", ""), one.get("ref", "")))
    by_kind: dict[str, Doc] = {}
    for one in taken:
        by_kind.setdefault(one["kind"], one)
    source = sources.get(home, {})
    auto = source.get("auto") and not doc.get("draft") and doc.get("channel") not in ATTENDED
    confirmed = by_kind.get("confirm") or ({"at": doc.get("placed_at")} if auto else None)
    cancel = by_kind.get("cancel", {})
    return Verdict(
        cancelled=bool(cancel or doc.get("cancelled_at") or doc.get("deleted")),
        rejected=None if confirmed else by_kind.get("reject"),
        confirmed=confirmed,
        draft=bool(doc.get("draft")),
        told="order" in source.get("facets", {}),
        holds=_holds(taken),
        notes=[_note(one) for one in taken if one["kind"] == "note"],
        changes=changes.fold(taken),
        reason=doc.get("cancel_reason") or cancel.get("reason", ""),
        at=doc.get("cancelled_at") or cancel.get("at", ""),
    )


def _holds(taken: list[Doc]) -> list[Doc]:
    open_holds: dict[str, Doc] = {}
    for one in taken:
        if one["kind"] == "hold":
            hold = {"id": one["ref"], "reason": one.get("reason", "manual"), "at": one["at"]}
            open_holds[one["ref"]] = hold | {name: one[name] for name in ("by", "note") if one.get(name)}
        elif one["kind"] == "release":
            if one.get("hold"):
                open_holds.pop(one["hold"], None)
            else:
                open_holds.clear()
    return list(open_holds.values())


def _note(decision: Doc) -> Doc:
    return {name: decision[name] for name in ("text", "at", "by") if decision.get(name)}


def _ready(doc: Doc) -> bool:
    """Ship it: paid or on credit, confirmed, nothing held, an address where one is needed, not a test."""
    return (
        doc["state"] in ("confirmed", "in_progress")
        and doc["payment_status"] in ("paid", "overpaid", "on_credit", "partially_refunded")
        and not doc.get("holds")
        and not doc.get("test")
        and doc["fulfillment_status"] in ("unfulfilled", "partially_fulfilled")
        and _addressed(doc.get("ship_to") or {})
    )


def _addressed(address: Doc) -> bool:
    where = address.get("lines") or address.get("formatted") or address.get("pickup_point")
    return bool(where and (address.get("name") or address.get("company")))

"""The tracking fold: what carriers and trackers say of one parcel becomes one status.

A fold over the set of scans, not a state machine: a late scan is inserted at its time, and the same
scans in any order, any number of times, give the same answer.

    delivered, returned   hold; a return, an explicit correction or two sources that agree move them, any
                          other later scan only sets the flag `conflict`
    returning             holds on the way back; what is delivered then, is returned
    pre_transit, unknown  never follow movement
    keep_last             information, estimates, photos: never move the status
    expired               is a state of the tracker, not a status of the parcel
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from hub.contract import clock
from hub.contract.message import json_body
from hub.orders.scans import RANK, Event, alone, before, fingerprint, ordered, seconds, union

__all__ = ["fingerprint", "fold", "shipment_status"]

Doc = Mapping[str, Any]

_END = frozenset({"delivered", "returned"})
_PROBLEMS = ("exception", "delivery_attempted", "failed", "returning", "returned")
_NONE: frozenset[str] = frozenset()
_LASTING = frozenset({"damaged", "partner_leg", "is_return"})
"""Flags that stay once raised; `delayed` stays until the end, all others until the parcel moves again."""
_ACTION = frozenset(
    """action_required address_problem contact_carrier customs_information_needed documents_needed duty_not_paid
    held_for_payment identification_failed incorrect_declaration information_needed pickup_missed
    reschedule_needed""".split()
)
_PARTNER = frozenset({"by_partner", "handed_to_partner", "received_by_partner", "partner_exception"})
_NOT_BACK_YET = ("returning", "returned", "failed", "cancelled")
_STATES = ("active", "stopped", "expired")
_QUARANTINE = 7 * 86_400.0


def fold(
    reports: Sequence[Doc], *, since: str | None = None, destination: Doc | None = None
) -> dict[str, Any]:
    """One Tracking of all reports on a parcel (one per tracker's object, each with its scans).

    `since` is when the shipment came to be: scans of more than a week before belong to an earlier parcel
    of a recycled number. `destination` is the buyer's address: what is delivered there is not returned.
    """
    heads = _heads(reports)
    events = union(reports)
    if since is not None and (start := seconds(since)):
        events = [event for event in events if not event.dated or event.high > start - _QUARANTINE]
    course = _Course(back=any([head.get("is_return") for head in heads]), destination=destination)
    for event in ordered(events + _bare(heads, {event.status for event in events})):
        course.take(event)
    return _outcome(course, heads)


def _heads(reports: Sequence[Doc]) -> list[Doc]:
    """What each tracker's object says of itself, the newest telling of each, newest first."""
    if len(reports) == 1:
        return list(reports)
    held: dict[str, tuple[tuple[float, bytes], Doc]] = {}
    for report in reports:
        name = report.get("ref") or report.get("instance") or report.get("number") or ""
        words = {key: value for key, value in report.items() if key != "scans"}
        age = (seconds(report.get("source_revision")), json_body(words))
        if name not in held or age > held[name][0]:
            held[name] = (age, report)
    return [report for _, report in sorted(held.values(), key=lambda one: one[0], reverse=True)]


def _bare(heads: list[Doc], said: set[str | None]) -> list[Event]:
    """The reports' own words that none of the scans says, as events of the reports' times."""
    out = []
    for head in heads:
        status = head.get("status")
        if not status or status in said:
            continue
        name, sub, word = head.get("ref") or "", head.get("sub_status"), head.get("source_word")
        event = Event(
            status, sub, {"source_word": word} if word else {}, alone(name), f"{status}|{sub}|{name}"
        )
        event.bare, event.rank = True, RANK.get(status, 0)
        event.low = event.high = seconds(head.get("source_revision"))
        event.dated = bool(event.low)
        out.append(event)
    return out


class _Course:
    """Where the parcel stands after the events taken so far."""

    def __init__(self, *, back: bool, destination: Doc | None) -> None:
        self.back = back
        self.destination = destination
        self.status = "unknown"
        self.sub: str | None = None
        self.word: str | None = None
        self.end: Event | None = None
        self.scans: list[Doc] = []
        self.last: Event | None = None
        self.conflict = False
        self.dissent: dict[str, frozenset[str]] = {}
        self.flags: set[str] = set()
        self.lasting: set[str] = set()

    def take(self, event: Event) -> None:
        """The next event in time."""
        if not event.bare:
            self._note(event)
        raised = _raised(event)
        if event.status is not None and self._moves(event, event.status, corrected="correction" in raised):
            self.flags &= {"delayed"} if self.status not in _END else _NONE
        if raised:
            self.lasting |= raised & _LASTING
            self.flags |= raised - _LASTING

    def _note(self, event: Event) -> None:
        self.scans.append(event.scan)
        known = event.status is not None and event.dated and not event.floating
        if known and (self.last is None or event.low >= self.last.low):
            self.last = event

    def _moves(self, event: Event, status: str, *, corrected: bool) -> bool:
        if corrected:
            return self._set(event, status)
        if status == "unknown":
            return self.status == "unknown" and self._set(event, status)
        if self.status in _END:
            return self._after_end(event, status)
        if self.status == "returning" or (self.back and status == "delivered"):
            return self._on_the_way_back(event, status)
        if status == "pre_transit" and self.status not in ("unknown", "pre_transit", "cancelled"):
            return False
        return self._set(event, status)

    def _on_the_way_back(self, event: Event, status: str) -> bool:
        if status == "delivered":
            home = not self.back and _is_at(event.scan.get("place"), self.destination)
            return self._set(event, "delivered" if home else "returned")
        return status in _NOT_BACK_YET and self._set(event, status)

    def _after_end(self, event: Event, status: str) -> bool:
        if status == self.status:
            self.sub, self.word = event.sub_status or self.sub, event.scan.get("source_word") or self.word
            return False
        if self.status == "returned" and status in ("delivered", "returning"):
            return False
        if status in ("returning", "returned"):
            return self._set(event, status)
        return self._contradicted(event, status)

    def _contradicted(self, event: Event, status: str) -> bool:
        """Two sources that agree are believed; one, if certainly later, is a conflict to be asked about."""
        if event.bare:
            self.conflict |= status in _PROBLEMS or status == "cancelled"
            return False
        if self.end is None or not before(self.end, event):
            return False
        self.dissent[status] = self.dissent.get(status, frozenset()) | event.sources
        if len(self.dissent[status]) > 1:
            return self._set(event, status)
        self.conflict = True
        return False

    def _set(self, event: Event, status: str) -> bool:
        self.status = status
        self.sub = event.sub_status if event.status == status else None
        self.word = event.scan.get("source_word")
        self.end = event
        self.conflict = False
        self.dissent = {}
        return True


def _raised(event: Event) -> frozenset[str]:
    """The flags of a scan: those it says and those that follow from its finer word."""
    implied = _implied(event.sub_status) if event.sub_status and event.status else _NONE
    said = event.scan.get("flags")
    return implied.union(said) if said else implied


@lru_cache(maxsize=1024)
def _implied(sub_status: str) -> frozenset[str]:
    detail = sub_status.partition(".")[2]
    rules = {
        "action_required": detail in _ACTION,
        "partner_leg": detail in _PARTNER,
        "damaged": detail == "damaged",
        "delayed": detail.startswith("delay"),
        "customs": "customs" in detail and detail != "customs_cleared",
    }
    return frozenset(flag for flag, holds in rules.items() if holds)


def _is_at(place: Doc | None, destination: Doc | None) -> bool:
    """Whether a scan's place is the buyer's: same postal code, or same city where none is told."""
    if not place or not destination:
        return False
    for name in ("postal_code", "city"):
        here, there = place.get(name), destination.get(name)
        if here and there:
            return bool(here.replace(" ", "").casefold() == there.replace(" ", "").casefold())
    return False


def _outcome(course: _Course, heads: list[Doc]) -> dict[str, Any]:
    status, sub = course.status, course.sub
    if course.back and status in ("in_transit", "out_for_delivery"):
        status, sub = "returning", "returning.returning"
    returns = course.back or status in ("returning", "returned")
    out = {
        "ref": _newest(heads, "ref"),
        "number": _newest(heads, "number"),
        "carrier": _newest(heads, "carrier"),
        "instance": _newest(heads, "instance"),
        "status": status,
        "sub_status": sub or (f"{status}.{status}" if status == "returned" else None),
        "source_word": course.word,
        "flags": _flags(course, heads, returns=returns),
        "state": _state(heads),
        "eta": _newest(heads, "eta"),
        "signed_by": _newest(heads, "signed_by"),
        "delivered_at": _delivered_at(course, heads),
        "last_scan_at": _instant(course.last) if course.last else None,
        "is_return": returns,
    }
    out = {name: value for name, value in out.items() if value}
    out["scans"] = course.scans
    return out


def _flags(course: _Course, heads: list[Doc], *, returns: bool) -> list[str]:
    flags = course.flags | course.lasting
    for head in heads:
        flags.update(head.get("flags") or ())
    if course.conflict:
        flags.add("conflict")
    if returns:
        flags.add("is_return")
    flags.discard("correction")
    return sorted(flags)


def _newest(heads: list[Doc], name: str) -> Any:
    for head in heads:
        if value := head.get(name):
            return value
    return None


def _state(heads: list[Doc]) -> str | None:
    """Active while any tracker is; what has no say is not counted."""
    words = [head["state"] for head in heads if "state" in head]
    return min(words, key=_STATES.index) if words else None


def _delivered_at(course: _Course, heads: list[Doc]) -> str | None:
    if course.status != "delivered" or course.end is None:
        return None
    return _instant(course.end) or _newest(heads, "delivered_at")


def _instant(event: Event) -> str | None:
    """The scan's time in UTC, where it can be told."""
    at: str | None = event.scan.get("at")
    if at or event.floating or not event.dated or event.bare:
        return at
    return clock.text(round(event.low * 1_000_000))


def shipment_status(packages: Sequence[Doc], *, count: int | None = None) -> tuple[str, list[str]]:
    """The status of a shipment of several parcels, and its flags.

    All delivered: delivered; some: partially_delivered; else the least advanced of those without trouble,
    the troubles of the others as flags. Never delivered while `count` says that more parcels exist.
    """
    tracked = [package.get("tracking") or {} for package in packages]
    words = [one.get("status") or "unknown" for one in tracked]
    flags = {flag for one in tracked for flag in one.get("flags") or ()}
    alive = [word for word in words if word != "cancelled"] or words
    status = _together(alive, complete=count is None or count <= len(alive))
    flags |= {word for word in alive if word in _PROBLEMS and word != status}
    return status, sorted(flags)


def _together(words: list[str], *, complete: bool) -> str:
    if not words:
        return "unknown"
    if "delivered" in words:
        return "delivered" if complete and set(words) == {"delivered"} else "partially_delivered"
    smooth = [word for word in words if word not in _PROBLEMS]
    return min(smooth or words, key=lambda word: RANK.get(word, 0))

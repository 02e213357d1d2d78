"""Forgetting: what stays of an order whose people asked to be forgotten.

    fact(subject, doc)    a fact's document without people
    snapshot(doc)         an order document without people
    changes(list)         the changes of an event without people

Names, addresses, contacts, free text and places are taken out. Of an address its country stays, which
taxes and customs need; amounts, quantities, times, numbers of orders and parcels and the source's ids stay.
To forget twice is to forget once, so a fact may be forgotten before it is folded, after, or both.
"""

from __future__ import annotations

import re
from typing import Any

Doc = dict[str, Any]

PLURAL = {
    "shipment": "shipments",
    "fulfillment": "fulfillments",
    "payment": "payments",
    "refund": "refunds",
    "return": "returns",
    "decision": "decisions",
    "notification": "notifications",
}
"""The list of an order in which a subject stands."""

GONE = "redacted"
"""What stands where a text has to be."""

_PEOPLE = frozenset({"buyer", "ship_to", "bill_to", "parties"})
_DROPPED = frozenset(
    """customer_note attributes customizations signed_by instructions delivery_notes proof note
    tracking_url""".split()
)
_FREE = {
    "refunds": {"reason"},
    "returns": {"reason"},
    "notifications": {"reason"},
    "scans": {"text"},
    "handover": {"by"},
}
"""What else is dropped, by where it stands: words there that people write."""

_INDEX = re.compile(r"\[[^\]]*\]")


def fact(subject: str, doc: Doc) -> Doc:
    """The document of a fact without people."""
    return _tree(doc, PLURAL.get(subject, ""))


def snapshot(doc: Doc) -> Doc:
    """An order document without people."""
    return _tree(doc, "")


def changes(told: list[Doc]) -> list[Doc]:
    """An event's changes: those of people only say where."""
    return [_change(one) for one in told]


def _tree(doc: Doc, within: str) -> Doc:
    out = {}
    for name, value in doc.items():
        kept = _member(name, value, within)
        if kept is not None:
            out[name] = kept
    return out


def _member(name: str, value: Any, within: str) -> Any:
    """What stays of a member, None where nothing does."""
    if _dropped(name, within):
        return None
    if name == "parties":
        return [_person(one) for one in value]
    if name in _PEOPLE:
        return _person(value) if isinstance(value, dict) else None
    if name == "place" and isinstance(value, dict):
        return {"country": value["country"]} if value.get("country") else None
    if name == "text":
        return GONE
    return _value(value, name)


def _dropped(name: str, within: str) -> bool:
    return name in _DROPPED or name in _FREE.get(within, ())


def _value(value: Any, name: str) -> Any:
    if isinstance(value, dict):
        return _tree(value, name)
    return [_value(one, name) for one in value] if isinstance(value, list) else value


def _person(value: Doc) -> Doc:
    """A person or address: that there was one, in which role, in which country."""
    kept = {name: value[name] for name in ("role", "country") if value.get(name)}
    return {**kept, "masked": True}


def _change(told: Doc) -> Doc:
    names = _INDEX.sub("", told["path"]).split(".")
    above = ["", *names]
    where: Doc = {"path": told["path"]}
    if any(_hidden(name, within) for within, name in zip(above, names, strict=False)):
        return {**where, "masked": True}
    for side in ("from", "to"):
        if side in told:
            where[side] = _value(told[side], names[-1])
    return where


def _hidden(name: str, within: str) -> bool:
    return name in _PEOPLE or name in ("place", "text") or _dropped(name, within)

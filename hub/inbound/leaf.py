"""A leaf of the book: one order on its way through a recording, and the names under which facts find it."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from hub.inbound.hear import NUMBERED, Heard, Identity
from hub.orders import book
from hub.orders.book import Names, Page, Turned
from hub.store.engine import Row

_APART = re.compile(r"[^\d+]+")


class Input(msgspec.Struct, kw_only=True):
    """The facts of one message, and whose it is; `quiet` keeps its news at home. A `decision` is judged by
    the order's state, and by the `version` it was taken on, before it becomes a fact."""

    message: str
    tenant: str
    connection: str
    heard: list[Heard]
    actor: str = "source"
    quiet: bool = False
    decision: str = ""
    version: int | None = None


class Run(msgspec.Struct):
    """What one connection said of an order in this recording, and what came of it: so that news is known to be
    whose it is, and is not written back to whom it came from, nor kept from others."""

    facts: list[tuple[Heard, Input]]
    turned: Turned


class Leaf(msgspec.Struct, kw_only=True):
    """An order being turned: its page, the facts for it, what came of them, what it was filed under."""

    page: Page
    tenant: str
    fresh: bool
    hub_number: str = ""
    created_at: int = 0
    connection: str = ""
    facts: list[tuple[Heard, Input]] = []
    runs: list[Run] = []
    stamps: dict[str, Any] = {}

    @property
    def forgotten(self) -> bool:
        """Whether its people are."""
        return "redacted_at" in self.page.state

    def turn(self, new_id: Names) -> Turned:
        """Fold its facts, connection by connection, into one next version."""
        before, version = self.page.doc, self.page.version
        said: dict[str, list[tuple[Heard, Input]]] = {}
        for heard, one in self.facts:
            said.setdefault(one.connection, []).append((heard, one))
        self.runs = [
            Run(facts, book.turn(self.page, [heard.said for heard, _ in facts], new_id))
            for facts in said.values()
        ]
        turns = [run.turned for run in self.runs]
        if len(turns) == 1:
            return turns[0]
        changed = any(one.changed for one in turns)
        self.page.version = version + changed
        return Turned(
            page=self.page, used=[was for one in turns for was in one.used], written=any(one.written for one in turns),
            changed=changed, events=[event for one in turns for event in one.events], before=before,
        )  # fmt: skip


STAMPS = ("hub_number", "tenant", "connection", "version", "sequence", "created_at", "updated_at")


def plain(snapshot: bytes) -> dict[str, Any]:
    """A stored snapshot as the book composed it, without what the hub stamped on it."""
    doc: dict[str, Any] = msgspec.json.decode(snapshot)
    for name in STAMPS:
        doc.pop(name, None)
    return doc


def people(doc: dict[str, Any]) -> set[tuple[str, str]]:
    """The names under which the people of an order may be asked for: mail, phone, buyer reference."""
    found = set()
    for part in ("buyer", "ship_to", "bill_to"):
        person = doc.get(part) or {}
        if person.get("email"):
            found.add(("email", person["email"]))
        if person.get("phone"):
            found.add(("phone", digits(person["phone"])))
        if part == "buyer" and person.get("ref"):
            found.add(("buyer", person["ref"]))
    return found


def digits(phone: str) -> str:
    """A phone number as the person index knows it."""
    return _APART.sub("", phone)


def numbers(leaf: Leaf) -> set[str]:
    """The parcel numbers that this turn's facts give an order."""
    return {number for heard, _ in leaf.facts if heard.order for number in heard.numbers}


def names(one: Input, heard: Heard) -> list[Row]:
    """Every identity under which a fact finds its orders: a parcel's is its number too, whoever names its order."""
    names = [identity(one, heard)]
    if heard.order and heard.numbers and heard.said.subject in NUMBERED:
        names.append((one.tenant, *tracking(heard)))
    return names


def owned(owners: dict[Row, list[str]], one: Input, heard: Heard) -> set[str]:
    """The orders that a fact is of, as far as they are known."""
    return {id_ for key in names(one, heard) for id_ in owners.get(key, ())}


def identity(one: Input, heard: Heard) -> Row:
    """The identity that a fact is filed under: tenant, source, type, ref."""
    source, type_, ref = heard.order or tracking(heard)
    return (one.tenant, source, type_, ref)


def tracking(heard: Heard) -> Identity:
    """The identity of a parcel: its number, whoever speaks of it."""
    return ("", "tracking", heard.numbers[0])

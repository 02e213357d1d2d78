"""Hearing: what an adapter's reader said becomes facts as they are kept, with who said them and how fresh."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

import msgspec

from hub.contract.channel import Channel
from hub.contract.errors import Place, Unreadable
from hub.contract.fact import Fact
from hub.directory import Connection
from hub.orders.numbers import normal
from hub.orders.registers import Said
from hub.store.rows import JSON

Identity = tuple[str, str, str]
"""(source, type, ref): what a far side calls a thing."""


class Heard(msgspec.Struct, kw_only=True):
    """A fact on its way into the book: which order it is of (None: its parcel number finds it), the
    numbers it brings, its digest (the same fact again has the same)."""

    said: Said
    order: Identity | None
    numbers: list[str]
    digest: str
    mapping: str
    blob: bytes


NUMBERED = frozenset({"tracking", "notification"})
"""What may speak of a thing by its number alone: a parcel's scans, a message's receipts."""

Find = Callable[[str], Connection | None]
"""Finds a connection by its name or id."""


def source(channel: str, account: str) -> str:
    """Who speaks: an account of a channel. It outlives the connection, so a re-made one finds its orders."""
    return f"{channel}:{account}"


def speaker(connection: Connection) -> str:
    """The source that a connection speaks as."""
    return source(connection.channel, connection.account or connection.id)


def hear(
    fact: Fact, channel: Channel, connection: Connection, find: Find, *, arrived: int, rank: int, mapping: str
) -> Heard:
    """One fact as it is kept; raises Unreadable where it speaks of a connection that does not exist."""
    said_by = speaker(connection)
    body = JSON.encode(fact.doc)
    digest = hashlib.blake2b(body, digest_size=8).hexdigest()
    said = Said(
        source=said_by,
        subject=fact.subject,
        ref=fact.ref,
        rev=[_at(fact, channel, arrived), rank, digest],
        full=sorted(fact.full),
        doc=fact.doc,
        auto=fact.subject == "order" and (connection.confirm or channel.confirm) == "auto",
    )
    home = _home(fact.account, channel.name, find) if fact.account else said_by
    return Heard(
        said=said,
        order=_order(fact, home),
        numbers=_numbers(fact),
        digest=hashlib.blake2b(
            f"{said_by}\0{fact.subject}\0{fact.ref}\0{said.rev}\0{said.full}".encode(), digest_size=12
        ).hexdigest(),
        mapping=mapping,
        blob=JSON.encode(msgspec.structs.replace(said, doc=msgspec.Raw(body))),
    )


def _home(account: str, channel: str, find: Find) -> str:
    kind, colon, name = account.partition(":")
    if not colon:
        return source(channel, account)
    if kind != "connection":
        return account
    other = find(name)
    if other is None:
        raise Unreadable(f"there is no connection {name!r}", place=Place(field="connection", value=name))
    return speaker(other)


def _at(fact: Fact, channel: Channel, arrived: int) -> int:
    if channel.freshness_of(fact.subject) == "arrival" or fact.revision is None:
        return arrived
    return fact.revision


def _order(fact: Fact, home: str) -> Identity | None:
    if fact.order is not None and fact.order.startswith("ord_"):
        return ("", "id", fact.order)
    if fact.subject == "order":
        return (home, "order", fact.ref)
    if fact.order is not None:
        return (home, "order", fact.order)
    return None if fact.subject in NUMBERED else (home, "order", f"{fact.subject}:{fact.ref}")


def _numbers(fact: Fact) -> list[str]:
    """The parcel numbers a fact brings: a shipment's own, or those of shipments within an order."""
    if fact.subject in NUMBERED:
        return [normal(number)] if (number := str(fact.doc.get("number", ""))) or not fact.order else []
    parts: list[dict[str, Any]] = [fact.doc] if fact.subject in ("shipment", "return") else []
    if fact.subject == "order":
        parts = [*fact.doc.get("shipments", ()), *fact.doc.get("returns", ())]
    found = [one.get("tracking_number") for part in parts for one in (part, *part.get("packages", ()))]
    return sorted({normal(number) for number in found if number})

"""Redaction: a person who asked to be forgotten is, in everything that is kept of their orders.

    find       orders by the source's ids, by keyed hashes of mail, phone or buyer, or all of an account
    forget     each order in one transaction: its messages blanked, facts and snapshots without people,
               what events told of them gone, renderings dropped, the order folded anew, `order.redacted`
    search     messages that gave no facts (failed, ignored) are blanked where their bytes name the person

Ids, sequence, numbers and dedupe keys stay; of an address its country does. The order's registers remember
it (`redacted_at`): later facts, replayed or new, are stored and folded without people, and their messages
are blanked in the same transaction. Deliveries that wait are rendered anew: the one exception to "the same
bytes"; other processes hear of it and let go of what they had ready. What is on the wire at that moment nobody can
recall, and a process that cannot hear the others then may send what it has claimed for as long as its lease runs.

Why a message is blanked whole, even a polled page that speaks of other orders too: raw bytes hold what no
mapping knows of. The others keep their facts and lose only that this one page can be read again.
Why a redaction survives a crash: see hub.inbound.errand.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from typing import Any

import msgspec

from hub.announce import Cause
from hub.contract.clock import text
from hub.contract.errors import Rejected
from hub.contract.fact import Redaction
from hub.directory import Connection
from hub.inbound.hear import speaker
from hub.inbound.leaf import digits
from hub.inbound.normalise import blank
from hub.inbound.record import Again, Recorded
from hub.orders import forget, registers
from hub.orders.registers import Said
from hub.repair.parts import Parts, note, repaired, take_turn
from hub.store.engine import Row, Unit
from hub.store.rows import JSON, PLAIN

_PAGE = 200
_SHORTEST = 5
"""Texts shorter than this are in too many bytes by chance to be searched for."""

_SAID = msgspec.json.Decoder(Said)
_GAP = b',"data":\0,'


class Redacted(msgspec.Struct, kw_only=True):
    """What was, or without `applied` would be, forgotten: orders, and messages that gave no facts."""

    applied: bool
    orders: list[str] = []
    already: list[str] = []
    messages: list[str] = []


async def redact(
    hub: Parts, tenant: str, wish: Redaction, *, connection: Connection | None = None, message: str = "",
    apply: bool = False, actor: str = "",
) -> Redacted:  # fmt: skip
    """Forget whom `wish` names. One that came through a connection reaches the orders of its account only.
    Raises Rejected where it names nobody."""
    if wish.whole_account and connection is None:
        raise Rejected("all of an account is redacted by its connection", field="connection")
    if not (wish.whole_account or wish.orders or wish.email or wish.phone or wish.buyer):
        raise Rejected("names neither orders nor a person", field="orders")
    source = speaker(connection) if connection else ""
    cause = repaired(hub, message, connection.id if connection else "", actor="redaction")
    out = Redacted(applied=apply)
    async for order in _found(hub, tenant, wish, source):
        done = await _forget(hub, tenant, order, cause, apply=apply)
        (out.orders if done else out.already).append(order)
    whose = connection.id if connection and wish.whole_account else ""
    out.messages = [id_ async for id_ in _named(hub, tenant, wish, whose)]
    if apply:
        await hub.engine.transact(lambda unit: _finish(unit, hub, tenant, out, message, actor, wish))
        await _hush(hub, tenant)
    return out


async def _finish(
    unit: Unit, hub: Parts, tenant: str, out: Redacted, message: str, actor: str, wish: Redaction
) -> None:
    """Blank the messages found by search and the one that asked; leave a trace without a person in it."""
    ids = sorted({*out.messages, *([message] if message else [])})
    unit.add("messages_blank", [(tenant, id_) for id_ in ids], head=blank(hub.world.now()))
    await hub.troubles.clear(unit, out.messages)
    detail = {"orders": len(out.orders), "messages": len(ids), "message": message, "reason": wish.reason}
    await note(unit, hub, tenant, actor or "hub", "person.redacted", message, detail)


async def _hush(hub: Parts, tenant: str) -> None:
    """Exceptions about messages that are not held any more quote nothing of them."""
    after = 0
    while rows := await hub.engine.fetch("exceptions_list", tenant=tenant, after=after, state="", most=_PAGE):
        docs = {row[0]: msgspec.json.decode(row[8]) for row in rows}
        told = {
            doc["subject"] for doc in docs.values() if doc["subject"].startswith("msg_") and doc.get("place")
        }
        held = {
            row[1]
            for row in await hub.engine.fetch("messages_of", [(id_,) for id_ in sorted(told)], tenant=tenant)
        }
        quiet = [
            (id_, PLAIN.encode(_quiet(doc))) for id_, doc in docs.items() if doc["subject"] in told - held
        ]

        async def work(unit: Unit, quiet: list[Row] = quiet) -> None:
            unit.add("exceptions_put", quiet)

        await hub.engine.transact(work)
        after = rows[-1][2]


def _quiet(doc: dict[str, Any]) -> dict[str, Any]:
    place = {name: value for name, value in doc["place"].items() if name != "value"}
    return doc | {"place": place, "title": doc["title"].partition(": ")[0]}


async def _found(hub: Parts, tenant: str, wish: Redaction, source: str) -> AsyncIterator[str]:
    """The orders that a wish reaches, each once; all of an account in pages."""
    if wish.whole_account:
        after = ""
        while rows := await hub.engine.fetch(
            "identities_of_source", tenant=tenant, source=source, after=after, most=_PAGE
        ):
            for _, order in rows:
                yield order
            after = rows[-1][0]
        return
    for order in sorted(
        await _of_person(hub, tenant, wish, source) | await _of_refs(hub, tenant, wish, source)
    ):
        yield order


async def _of_person(hub: Parts, tenant: str, wish: Redaction, source: str) -> set[str]:
    """Orders in the person index."""
    said = (("email", wish.email or ""), ("phone", digits(wish.phone or "")), ("buyer", wish.buyer or ""))
    hashes = [(tenant, hub.vault.person(tenant, kind, value)) for kind, value in said if value]
    rows = [(row[0],) for row in await hub.engine.fetch("persons_find", hashes)]
    if source:
        rows = await hub.engine.fetch("orders_of_source", rows, tenant=tenant, source=source)
    return {row[0] for row in rows}


async def _of_refs(hub: Parts, tenant: str, wish: Redaction, source: str) -> set[str]:
    """Orders by the source's ids; without a source, by those of any account, or by our own."""
    sources = {source} if source else {speaker(one) for one in hub.directory.all(Connection, tenant)}
    rows = [(tenant, one, "order", ref) for one in sorted(sources) for ref in wish.orders]
    found = {row[4] for row in await hub.engine.fetch("identities_find", rows)}
    own = [(tenant, ref) for ref in wish.orders if ref.startswith("ord_")]
    return found | {row[1] for row in await hub.engine.fetch("orders_owned", own)}


async def _forget(hub: Parts, tenant: str, order: str, cause: Cause, *, apply: bool) -> bool:
    """Forget the people of one order; False where they are forgotten already."""
    again = Again(tenant=tenant, orders=frozenset({order}), cause=cause, redacted_at=text(hub.world.now()))

    async def work(unit: Unit) -> Recorded | None:
        state = await unit.fetch("orders_lock", [(order,)])
        if not state or "redacted_at" in msgspec.json.decode(state[0][4]):
            return None
        await _rewrite(unit, hub, tenant, order)
        return await hub.recorder.record(unit, [], again)

    recorded = await take_turn(hub, work, apply=apply)
    if recorded is not None and apply:
        hub.deliver.forget({order})
        await hub.normalise.hand_over(recorded)
    return recorded is not None


async def _rewrite(unit: Unit, hub: Parts, tenant: str, order: str) -> None:
    """Everything that is kept of an order, without its people."""
    facts = await unit.fetch("facts_of_order", tenant=tenant, order_id=order)
    names = await unit.fetch("identities_of_order", order_id=order)
    parked = await unit.fetch(
        "facts_parked_at", [(tenant, ref) for _, type_, ref in names if type_ == "tracking"]
    )
    unit.add(
        "facts_redact",
        [(row[0], _fact(row[8])) for row in facts] + [(row[0], _fact(row[2])) for row in parked],
    )
    messages = sorted({row[1] for row in facts} | {row[1] for row in parked})
    unit.add("messages_blank", [(tenant, id_) for id_ in messages], head=blank(hub.world.now()))
    snapshots = await unit.fetch("snapshots_of_order", order_id=order)
    unit.add("snapshots_put", [(order, version, _snapshot(doc)) for version, doc in snapshots])
    envelopes = await unit.fetch("envelopes_of_order", order_id=order)
    unit.add("envelopes_put", [(position, envelope(whole)) for position, whole in envelopes])
    unit.add("renderings_of_order", order_id=order)
    attempts = await unit.fetch("attempts_of_order", order_id=order)
    unit.add("attempts_put", [(delivery, number, _attempt(detail)) for delivery, number, detail in attempts])
    unit.add("persons_drop", tenant=tenant, order_id=order)
    if hub.deliver.claim:
        unit.add("deliveries_unclaim", order_id=order, claim=hub.deliver.claim)


def _fact(said: bytes) -> bytes:
    return JSON.encode(registers.forgotten(_SAID.decode(said)))


def _snapshot(doc: bytes) -> bytes:
    return JSON.encode(forget.snapshot(msgspec.json.decode(doc)))


def envelope(whole: bytes) -> bytes:
    """An event's envelope whose changes tell of no person any more."""
    head, gap, tail = whole.partition(_GAP)
    if not gap:
        return whole
    before: dict[str, Any] = msgspec.json.decode(head + b"}")
    before["changes"] = forget.changes(before["changes"])
    return JSON.encode(before)[:-1] + gap + tail


def _attempt(detail: bytes) -> bytes:
    """The log of an attempt without what the receiver answered: it may have said our words back."""
    known: dict[str, Any] = msgspec.json.decode(detail)
    return PLAIN.encode(
        {name: value for name, value in known.items() if name not in ("body", "headers", "reason")}
    )


async def _named(hub: Parts, tenant: str, wish: Redaction, whose: str) -> AsyncIterator[str]:
    """Messages without facts whose bytes name the person or an order, or that are of the connection `whose`."""
    texts = [
        one for one in (wish.email, wish.phone, wish.buyer, *wish.orders) if one and len(one) >= _SHORTEST
    ]
    if not (texts or whose):
        return
    found = re.compile(b"|".join(_alone(one) for one in texts) or b"(?!)", re.IGNORECASE)
    after = 0
    while rows := await hub.engine.fetch("messages_factless", tenant=tenant, after=after, most=_PAGE):
        for _, id_, body, connection in rows:
            if connection == whose or found.search(bytes(body)):
                yield id_
        after = _last(rows)


def _alone(said: str) -> bytes:
    """A text that is not part of a longer word or number."""
    return rb"(?<![0-9A-Za-z])" + re.escape(said.encode()) + rb"(?![0-9A-Za-z])"


def _last(rows: list[Row]) -> int:
    position: int = rows[-1][0]
    return position

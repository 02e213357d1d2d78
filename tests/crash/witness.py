"""What the tables say, read with plain SQL by no code of the hub's, and what of it is wrong."""

from __future__ import annotations

import sqlite3
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

import asyncpg

from tests.crash.feed import Feed
from tests.crash.partner import Letter, Partner
from tests.crash.shop import Push, Shop

_MESSAGES = "SELECT dedupe_key, id, status FROM messages"
_EVENTS = "SELECT id, order_id, sequence, type, position FROM events ORDER BY position"
_ORDERS = "SELECT number, id, sequence FROM orders"
_UNSENT = (
    "SELECT event, status, attempts, outcome FROM deliveries WHERE status <> 'delivered' ORDER BY position"
)
_POSITIONS = " UNION ALL ".join(
    f"SELECT position FROM {table}"
    for table in ("messages", "facts", "orders", "events", "deliveries", "things")
)
_OPEN = (
    "SELECT (SELECT count(*) FROM messages WHERE status = 'received'),"
    " (SELECT count(*) FROM deliveries WHERE status <> 'delivered')"
)
Rows = list[tuple[Any, ...]]


async def ask(database: str, sql: str) -> Rows:
    """One query, on either engine."""
    if database.startswith("sqlite:"):
        with closing(sqlite3.connect(database.removeprefix("sqlite:"))) as connection:
            return connection.execute(sql).fetchall()
    found = await asyncpg.connect(database)
    try:
        return [tuple(row) for row in await found.fetch(sql)]
    finally:
        await found.close()


async def waiting(database: str) -> tuple[int, int]:
    """Messages that are not understood yet, deliveries that are not made yet."""
    messages, deliveries = (await ask(database, _OPEN))[0]
    return messages, deliveries


@dataclass(frozen=True)
class Books:
    """The tables after the last start."""

    messages: dict[str, tuple[str, str]]
    keys: list[str]
    events: Rows
    orders: Rows
    unsent: Rows
    positions: list[int]
    broken: list[str]


async def books(database: str) -> Books:
    messages = await ask(database, _MESSAGES)
    return Books(
        messages={key: (id_, status) for key, id_, status in messages},
        keys=[key for key, _, _ in messages],
        events=await ask(database, _EVENTS),
        orders=await ask(database, _ORDERS),
        unsent=await ask(database, _UNSENT),
        positions=[row[0] for row in await ask(database, _POSITIONS)],
        broken=await _broken(database),
    )


async def _broken(database: str) -> list[str]:
    """What SQLite itself finds wrong with its file; PostgreSQL mends itself when it starts, and was not killed."""
    if not database.startswith("sqlite:"):
        return []
    return [row[0] for row in await ask(database, "PRAGMA integrity_check") if row[0] != "ok"]


def faults(shop: Shop, kept: Books, partner: Partner, feed: Feed) -> list[str]:
    """A sentence for each thing that was lost, doubled or out of order; none is what the hub promises."""
    letters = partner.letters
    return [
        *kept.broken, *partner.faults, *_refused(shop), *_messages(shop, kept), *_orders(shop, kept), *_numbers(kept),
        *_delivered(kept, letters), *_bodies(letters), *_order_of(letters), *_once(letters),
        *_newest(shop, kept, letters), *_fed(kept, feed),
    ]  # fmt: skip


def _refused(shop: Shop) -> Iterator[str]:
    for push in shop.refused():
        yield f"an honest message was refused: {push}"


def _messages(shop: Shop, kept: Books) -> Iterator[str]:
    for push in shop.pushes:
        status = kept.messages.get(push.key, ("", ""))[1]
        if push.accepted and not status:
            yield f"accepted and lost: {push}"
        elif status not in ("", "processed"):
            yield f"kept and {status}: {push}"
    for key, count in Counter(kept.keys).items():
        if count > 1:
            yield f"{key} is kept {count} times"


def _orders(shop: Shop, kept: Books) -> Iterator[str]:
    known = Counter(row[0] for row in kept.orders)
    for number in sorted({push.number for push in stored(shop, kept)} | set(known)):
        if known[number] != 1:
            yield f"order {number} exists {known[number]} times"


def stored(shop: Shop, kept: Books) -> list[Push]:
    """The messages that the hub has: all that it accepted, and some whose answer never came."""
    return [push for push in shop.pushes if push.key in kept.messages]


def _numbers(kept: Books) -> Iterator[str]:
    for position, count in Counter(kept.positions).items():
        if count > 1:
            yield f"position {position} was given {count} times"
    sequences: dict[str, list[int]] = defaultdict(list)
    for _, order, sequence, _, _ in kept.events:
        sequences[order].append(sequence)
    for number, order, last in kept.orders:
        if sequences[order] != list(range(1, last + 1)):
            yield f"order {number} counts its events {sequences[order]}, and says that the last is {last}"


def _delivered(kept: Books, letters: list[Letter]) -> Iterator[str]:
    taken = {letter.id for letter in letters if letter.taken}
    known = {row[0] for row in kept.events}
    for id_, order, sequence, type_, _ in kept.events:
        if id_ not in taken:
            yield f"never delivered: {id_} ({type_}, {order} sequence {sequence})"
    for id_ in sorted({letter.id for letter in letters} - known):
        yield f"{id_} was delivered and is no event of the store"
    for event, status, attempts, outcome in kept.unsent:
        yield f"the delivery of {event} is {status} after {attempts} attempts: {outcome}"


def _bodies(letters: list[Letter]) -> Iterator[str]:
    first: dict[str, Letter] = {}
    for letter in letters:
        known = first.setdefault(letter.id, letter)
        if (known.body, known.previous) != (letter.body, letter.previous):
            yield f"{letter.id} was first {known.previous} {known.body!r}, then {letter.previous} {letter.body!r}"


def _order_of(letters: list[Letter]) -> Iterator[str]:
    """No event is sent before the one before it was taken."""
    taken: dict[str, int] = {}
    last: dict[str, str] = {}
    for letter in letters:
        told = letter.told
        order, sequence = told["order"], told["sequence"]
        had = taken.get(order, 0)
        if sequence > had + 1:
            yield f"{letter.id} of {order}, sequence {sequence}, was sent when only {had} was taken"
        if letter.taken and sequence == had + 1:
            if letter.previous != last.get(order, ""):
                yield f"{letter.id} says that {letter.previous or 'none'} is before it, not {last.get(order, 'none')}"
            taken[order], last[order] = sequence, letter.id


def _once(letters: list[Letter]) -> Iterator[str]:
    """The same news has one id: no order is created twice, no message makes the same event twice."""
    ids: dict[tuple[str, ...], set[str]] = defaultdict(set)
    for letter in letters:
        told = letter.told
        ids["sequence", told["order"], str(told["sequence"])].add(letter.id)
        ids["cause", told["cause"]["message"], told["type"], told["subject"]["id"]].add(letter.id)
        if told["type"] == "order.created":
            ids["created", told["order"]].add(letter.id)
    for what, found in ids.items():
        if len(found) > 1:
            yield f"told under {len(found)} ids: {' '.join(what)}: {sorted(found)}"


def _newest(shop: Shop, kept: Books, letters: list[Letter]) -> Iterator[str]:
    """What the partner was told last of an order is its newest revision."""
    newest: dict[str, int] = {}
    for push in stored(shop, kept):
        newest[push.number] = max(push.revision, newest.get(push.number, 0))
    shown: dict[str, tuple[int, str]] = {}
    for letter in letters:
        told = letter.told
        number, sequence = told["data"]["number"], told["sequence"]
        shown[number] = max(shown.get(number, (0, "")), (sequence, told["data"].get("customer_note", "")))
    for number, revision in newest.items():
        if shown.get(number, (0, ""))[1] != f"revision {revision}":
            yield f"order {number} is at {shown.get(number)}, its newest revision is {revision}"


def _fed(kept: Books, feed: Feed) -> Iterator[str]:
    """Who pages by cursor reads each event once, in the order of their positions."""
    told = [row[0] for row in kept.events]
    if feed.ids != told:
        yield f"the feed missed {sorted(set(told) - set(feed.ids))}"
        yield f"the feed told {[id_ for id_, count in Counter(feed.ids).items() if count > 1 or id_ not in told]} too often"
        place = next(n for n, pair in enumerate(zip_longest(told, feed.ids)) if pair[0] != pair[1])
        yield f"the feed goes astray after {place} events"

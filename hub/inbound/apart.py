"""Taking a message apart: where the whole cannot be read, what can be is, and each other part fails by itself.

A part that fails becomes a message of its own, kept in the transaction that settles the whole: it stands in the
exceptions with its place, is read again by itself after a fix, and is the same when the whole is read again.
"""

from __future__ import annotations

import hashlib
from typing import Any

from hub.contract.channel import Channel
from hub.contract.message import Message
from hub.contract.settings import Settings
from hub.store.engine import Row
from hub.store.rows import PLAIN, Arrival, Head


def parts_of(one: Arrival, channel: Channel, message: Message, settings: Settings) -> list[Arrival]:
    """The parts of a message, as if each had come by itself; none where it is one piece. `message` is as it was
    kept, before anything is undone."""
    found = channel.parts(message, settings) if channel.parts else []
    return [_arrival(one, part) for part in found] if len(found) > 1 else []


def _arrival(one: Arrival, part: Message) -> Arrival:
    mark = hashlib.blake2b(part.body, digest_size=6).hexdigest()
    head = Head(
        headers=tuple((name, value) for name, value in part.headers.pairs if name != "content-encoding"),
        method=one.head.method, url=one.head.url, path=one.head.path, query=one.head.query, rank=one.head.rank,
        quiet=one.head.quiet,
    )  # fmt: skip
    return Arrival(
        0,
        f"{one.id}-{mark}",
        one.tenant,
        one.connection,
        one.transport,
        one.topic,
        head,
        part.body,
        one.received_at,
    )


def row(part: Arrival, position: int, status: str) -> Row:
    """A part as the store keeps it, known by what it is a part of."""
    found: tuple[Any, ...] = (
        position, part.id, part.tenant, part.connection, part.transport, part.topic, f"part:{part.id}",
        PLAIN.encode(part.head), part.body, status, part.received_at, 0,
    )  # fmt: skip
    return found

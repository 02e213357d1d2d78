"""Keeping: messages become durable, all that wait at the same moment in one transaction."""

from __future__ import annotations

import hashlib
from typing import Any

import msgspec

from hub.contract.message import Message
from hub.inbound.inbox import Inbox
from hub.store.engine import Engine, Unit
from hub.store.group import Group
from hub.store.rows import PLAIN, Arrival, Head
from hub.world import World

MAIL = "email"
"""The transport of what has a stage of its own (hub.inbound.mail.post)."""
_LEASE = 60_000_000


class Letter(msgspec.Struct):
    """A message on its way into the store; `key` is what makes it the same as another, `opened` what its
    reader will see, where that is at hand."""

    tenant: str
    connection: str
    transport: str
    topic: str
    key: str
    head: Head
    body: bytes
    received_at: int
    status: str = "received"
    opened: Message | None = None


class Kept(msgspec.Struct):
    """What became of it: its id, and whether it is new."""

    id: str
    new: bool


class Keeper:
    """Writes letters into `messages` and hands the new ones on: mail to the `post`, the rest to the `inbox`."""

    def __init__(self, engine: Engine, inbox: Inbox, world: World, post: Inbox) -> None:
        self._engine = engine
        self._inbox = inbox
        self._post = post
        self._world = world
        self._group: Group[Letter, Kept] = Group(self._write)

    @property
    def waiting(self) -> int:
        """How many messages wait in memory to be understood."""
        return len(self._inbox)

    async def keep(self, letter: Letter) -> Kept:
        """Durable when this returns; raises Unavailable or Poisoned."""
        return await self._group.add(letter)

    async def _write(self, letters: list[Letter]) -> list[Kept]:
        ids = [self._world.new_id("msg") for _ in letters]
        arrivals: list[Arrival] = []

        async def work(unit: Unit) -> Unit:
            first = await unit.positions(len(letters), "messages")
            arrivals[:] = [
                Arrival(first + n, id_, one.tenant, one.connection, one.transport, one.topic, one.head, one.body,
                        one.received_at, one.opened)
                for n, (id_, one) in enumerate(zip(ids, letters, strict=True))
            ]  # fmt: skip
            unit.add(
                "messages_add",
                [self._row(arrival, one) for arrival, one in zip(arrivals, letters, strict=True)],
            )
            return unit

        unit = await self._engine.transact(work)
        new = set(ids)
        if unit.counts["messages_add"] < len(letters):
            new = {row[0] for row in await self._engine.fetch("messages_present", [(id_,) for id_ in ids])}
        fresh = [
            one
            for one, letter in zip(arrivals, letters, strict=True)
            if one.id in new and letter.status == "received"
        ]
        self._inbox.put([one for one in fresh if one.transport != MAIL])
        if mails := [one for one in fresh if one.transport == MAIL]:
            self._post.put(mails)
        return [Kept(id_, id_ in new) for id_ in ids]

    def _row(self, arrival: Arrival, letter: Letter) -> tuple[Any, ...]:
        until = self._world.now() + _LEASE if self._engine.shared else 0
        return (
            arrival.position, arrival.id, arrival.tenant, arrival.connection, arrival.transport, arrival.topic,
            letter.key, PLAIN.encode(letter.head), letter.body, letter.status, letter.received_at, until,
        )  # fmt: skip


def body_key(body: bytes) -> str:
    """The key of a message that its sender gave no id."""
    return "sha256:" + hashlib.sha256(body).hexdigest()


def clean(text: str) -> str:
    """Text from outside as every store can keep it: no NUL, no lone surrogates, not endless."""
    if text.isascii() and len(text) <= 500 and "\0" not in text:
        return text
    return text.replace("\0", "").encode("utf-8", "replace").decode()[:500]

"""Reports and decisions: what people and systems tell the hub over its API, recorded before the answer.

A call is a message too: kept byte for byte, read by the same adapter, folded by the same book, in one
transaction with its facts, events and its idempotency key. Whoever calls at the same moment shares it.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
from collections.abc import AsyncIterator, Callable
from functools import partial
from typing import Any

import msgspec

from hub.contract.errors import HubError
from hub.contract.fact import Fact
from hub.directory import Connection, Directory
from hub.inbound.hear import hear
from hub.inbound.leaf import Input
from hub.inbound.normalise import Normalise, blank
from hub.inbound.record import Recorded, Recorder
from hub.store.engine import Engine, Row, Unit
from hub.store.group import Group
from hub.store.rows import PLAIN, Head
from hub.world import World

_KEPT_FOR = 72 * 3600 * 1_000_000


class Mismatch(HubError):
    """The idempotency key was used before, for another request."""


class Call(msgspec.Struct, kw_only=True):
    """One call: its body as it came, what its adapter read in it, what kind of actor made it, and by whose
    name the audit knows it. A `quiet` one (an import) is told to nobody."""

    connection: Connection
    topic: str
    body: bytes
    facts: list[Fact]
    actor: str
    by: str = ""
    key: str = ""
    mapping: str = ""
    decision: str = ""
    version: int | None = None
    quiet: bool = False
    head: Head = Head(method="POST")


class Told(msgspec.Struct):
    """What came of a call: its message, its orders, whether one is new, or why it was refused. `again` marks
    an answer given before under the same key."""

    message: str
    orders: list[str]
    created: bool = False
    refused: str = ""
    again: bool = False


class Reporter:
    """Records calls in groups, under the same turn as the normalise stage."""

    def __init__(
        self, engine: Engine, directory: Directory, recorder: Recorder, normalise: Normalise, world: World
    ) -> None:
        self._engine = engine
        self._directory = directory
        self._recorder = recorder
        self._normalise = normalise
        self._world = world
        self._group: Group[tuple[Call, Input, int], Told] = Group(self._write, most=64)
        self._under_way: dict[Row, asyncio.Event] = {}
        self._last = 0
        self.marked: Callable[[Head], Head] = lambda head: head
        """Says in a head which trace a call belongs to."""

    async def tell(self, call: Call) -> Told:
        """Recorded when this returns; raises Rejected, Mismatch or Unavailable."""
        call.head = self.marked(call.head)
        if not call.key:
            return await self._judged(call)
        async with self._only(("key", call.connection.tenant, call.key)):
            return await self._known(call) or await self._judged(call)

    async def _judged(self, call: Call) -> Told:
        """What is judged by an order's state or version shares no transaction with another such call on it:
        both would be judged by what was before either."""
        if not call.decision and call.version is None:
            return await self._record(call)
        async with self._only(("order", *await self._order(call))):
            return await self._record(call)

    async def _order(self, call: Call) -> Row:
        """The order that a call is of: its id, or the name by which nobody knows it yet."""
        said = self._input(call, 0).heard[0].order or ("", "", "")
        known = (
            []
            if said[1] == "id"
            else await self._engine.fetch("identities_find", [(call.connection.tenant, *said)])
        )
        return ("", "id", known[0][4]) if known else said

    @contextlib.asynccontextmanager
    async def _only(self, name: Row) -> AsyncIterator[None]:
        """One at a time of this name."""
        while name in self._under_way:
            await self._under_way[name].wait()
        self._under_way[name] = done = asyncio.Event()
        try:
            yield
        finally:
            del self._under_way[name]
            done.set()

    async def _record(self, call: Call) -> Told:
        self._last = now = max(self._world.now(), self._last + 1)  # no two calls are equally fresh
        return await self._group.add((call, self._input(call, now), now))

    async def _known(self, call: Call) -> Told | None:
        since = self._world.now() - _KEPT_FOR
        rows = await self._engine.fetch("calls_get", tenant=call.connection.tenant, key=call.key, since=since)
        if not rows:
            return None
        digest, _, answer = rows[0]
        if digest != _digest(call):
            raise Mismatch("this Idempotency-Key was used for another request")
        told = msgspec.json.decode(answer, type=Told)
        told.again = True
        return told

    async def _write(self, group: list[tuple[Call, Input, int]]) -> list[Told]:
        now = self._world.now()
        calls = [call for call, _, _ in group]
        inputs = [input_ for _, input_, _ in group]
        ids = [one.message for one in inputs]

        async def work(unit: Unit) -> tuple[Recorded, list[Told]]:
            recorded = await self._recorder.record(unit, inputs)
            told = [
                Told(id_, orders, not recorded.fresh.isdisjoint(orders), recorded.refused.get(n, ""))
                for n, (id_, orders) in enumerate(zip(ids, recorded.orders, strict=True))
            ]
            audits = [(n, call) for n, call in enumerate(calls) if call.decision]
            place = await unit.positions(len(audits))
            unit.add(
                "audit_add",
                [self._audit(place + at, call, told[n], now) for at, (n, call) in enumerate(audits)],
            )
            first = await unit.positions(len(calls), "messages")
            rows = [
                self._row(first + n, call, told[n], arrived) for n, (call, _, arrived) in enumerate(group)
            ]
            unit.add("messages_add", rows)
            unit.add("messages_blank", recorded.blank, head=blank(now))
            for call, one in zip(calls, told, strict=True):
                if call.key and not one.refused:
                    unit.add("calls_add", tenant=call.connection.tenant, key=call.key, digest=_digest(call), at=now,
                             status=200, answer=PLAIN.encode(one))  # fmt: skip
            return recorded, told

        async with self._normalise.turn:
            recorded, told = await self._engine.transact(work)
        await self._normalise.hand_over(recorded)
        return told

    def _input(self, call: Call, now: int) -> Input:
        channel = self._directory.channel(call.connection)
        find: Callable[[str], Connection | None] = partial(
            self._directory.get, Connection, tenant=call.connection.tenant
        )
        return Input(
            message=self._world.new_id("msg"),
            tenant=call.connection.tenant,
            connection=call.connection.id,
            actor=call.actor,
            decision=call.decision,
            version=call.version,
            quiet=call.quiet,
            heard=[
                hear(fact, channel, call.connection, find, arrived=now, rank=0, mapping=call.mapping)
                for fact in call.facts
            ],
        )

    def _row(self, place: int, call: Call, told: Told, now: int) -> tuple[Any, ...]:
        status = "ignored" if told.refused else "processed"
        return (place, told.message, call.connection.tenant, call.connection.id, "api", call.topic,
                told.message, PLAIN.encode(call.head), call.body, status, now, 0)  # fmt: skip

    def _audit(self, place: int, call: Call, told: Told, now: int) -> tuple[Any, ...]:
        action = f"order.{call.decision}" + (".refused" if told.refused else "")
        detail = PLAIN.encode({"message": told.message, "reason": told.refused})
        return (
            place,
            call.connection.tenant,
            now,
            call.by or call.actor,
            action,
            ",".join(told.orders),
            detail,
        )


def _digest(call: Call) -> str:
    head = f"{call.topic}\0{call.head.path}?{call.head.query}\0".encode()
    return hashlib.sha256(head + call.body).hexdigest()

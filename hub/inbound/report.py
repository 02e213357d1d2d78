"""Reports and decisions: what people and systems tell the hub over its API, recorded before the answer.

A call is a message too: kept byte for byte, read by the same adapter, folded by the same book, in one
transaction with its facts, events and its idempotency key. Whoever calls at the same moment shares it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import partial
from typing import Any

import msgspec

from hub.contract.errors import HubError
from hub.contract.fact import Fact
from hub.directory import Connection, Directory
from hub.inbound.hear import hear
from hub.inbound.normalise import Normalise
from hub.inbound.record import Input, Recorded, Recorder
from hub.store.engine import Engine, Unit
from hub.store.group import Group
from hub.store.rows import PLAIN, Head
from hub.world import World

_KEPT_FOR = 72 * 3600 * 1_000_000


class Mismatch(HubError):
    """The idempotency key was used before, for another request."""


class Call(msgspec.Struct, kw_only=True):
    """One call: its body as it came, what its adapter read in it, and who made it."""

    connection: Connection
    topic: str
    body: bytes
    facts: list[Fact]
    actor: str
    key: str = ""
    mapping: str = ""
    decision: str = ""
    version: int | None = None
    head: Head = Head(method="POST")


class Told(msgspec.Struct):
    """What came of a call: its message, the orders by fact, or why it was refused. `again` marks an answer
    given before under the same key."""

    message: str
    orders: list[str]
    refused: str = ""
    again: bool = False


class Reporter:
    """Records calls in groups, under the same turn as the normalise stage."""

    def __init__(self, engine: Engine, directory: Directory, recorder: Recorder, normalise: Normalise, world: World) -> None:
        self._engine = engine
        self._directory = directory
        self._recorder = recorder
        self._normalise = normalise
        self._world = world
        self._group: Group[tuple[Call, Input], Told] = Group(self._write, most=64)

    async def tell(self, call: Call) -> Told:
        """Recorded when this returns; raises Rejected, Mismatch or Unavailable."""
        if call.key:
            known = await self._known(call)
            if known is not None:
                return known
        return await self._group.add((call, self._input(call)))

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

    async def _write(self, group: list[tuple[Call, Input]]) -> list[Told]:
        now = self._world.now()
        calls = [call for call, _ in group]
        inputs = [input_ for _, input_ in group]
        ids = [one.message for one in inputs]

        async def work(unit: Unit) -> tuple[Recorded, list[Told]]:
            recorded = await self._recorder.record(unit, inputs)
            told = [
                Told(id_, recorded.orders[n], recorded.refused.get(n, "")) for n, id_ in enumerate(ids)
            ]
            first = await unit.positions(2 * len(calls))
            rows = [self._row(first + n, call, told[n], now) for n, call in enumerate(calls)]
            unit.add("messages_add", rows)
            for call, one in zip(calls, told, strict=True):
                if call.key and not one.refused:
                    unit.add("calls_add", tenant=call.connection.tenant, key=call.key, digest=_digest(call), at=now,
                             status=200, answer=PLAIN.encode(one))  # fmt: skip
            audits = [(n, call) for n, call in enumerate(calls) if call.decision]
            unit.add("audit_add", [self._audit(first + len(calls) + n, call, told[n], now) for n, call in audits])
            return recorded, told

        async with self._normalise.turn:
            recorded, told = await self._engine.transact(work)
        await self._normalise.hand_over(recorded)
        return told

    def _input(self, call: Call) -> Input:
        now = self._world.now()
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
            heard=[
                hear(fact, channel, call.connection, find, arrived=now, rank=0, mapping=call.mapping) for fact in call.facts
            ],
        )

    def _row(self, place: int, call: Call, told: Told, now: int) -> tuple[Any, ...]:
        status = "ignored" if told.refused else "processed"
        return (place, told.message, call.connection.tenant, call.connection.id, "api", call.topic,
                call.key or told.message, PLAIN.encode(call.head), call.body, status, now, 0)  # fmt: skip

    def _audit(self, place: int, call: Call, told: Told, now: int) -> tuple[Any, ...]:
        action = f"order.{call.decision}" + (".refused" if told.refused else "")
        detail = PLAIN.encode({"message": told.message, "reason": told.refused})
        return (place, call.connection.tenant, now, call.actor, action, ",".join(told.orders), detail)


def _digest(call: Call) -> str:
    return hashlib.sha256(f"{call.topic}\0".encode() + call.body).hexdigest()

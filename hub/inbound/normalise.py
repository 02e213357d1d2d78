"""Normalising: durable messages become facts, orders, events and deliveries, many messages to a transaction.

What cannot be understood is kept, marked `failed` with its place, and stands in the exceptions; a replay
after a fix closes it. A message that poisons a transaction is found by halving, and fails alone.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial

import msgspec
import structlog

from hub.contract.channel import Channel
from hub.contract.errors import Misconfigured, Rejected, Unreadable
from hub.contract.fact import Fact, Notice, Read, Redaction, Stale
from hub.contract.message import Message
from hub.directory import Connection, Directory
from hub.inbound.accounts import Accounts
from hub.inbound.apart import parts_of, row
from hub.inbound.errand import errands
from hub.inbound.hear import hear
from hub.inbound.hints import hint
from hub.inbound.inbox import Inbox
from hub.inbound.leaf import Input
from hub.inbound.record import Recorded, Recorder
from hub.registry import Reading, Registry
from hub.store.engine import Engine, Poisoned, Row, Unavailable, Unit
from hub.store.rows import PLAIN, Arrival, Due, Head, arrival
from hub.troubles import Trouble, Troubles, cause, place
from hub.vault import Locked
from hub.world import World

log = structlog.get_logger("orderhub.normalise")
_BATCH = 128
_LEASE = 60_000_000


class Understood(msgspec.Struct, kw_only=True):
    """One message with what it meant, or why it means nothing; `apart` are those of its parts that cannot be read,
    where the rest of it can."""

    arrival: Arrival
    status: str
    input: Input
    troubles: list[Trouble] = []
    error: bytes | None = None
    asides: list[Redaction | Notice | Stale] = []
    apart: list[Understood] = []


@dataclass(slots=True)
class Normalise:
    """The stage between messages and orders. `hand` takes the deliveries that may go out at once, `aside`
    what readers said beyond facts (redactions, notices, hints to read again)."""

    engine: Engine
    directory: Directory
    recorder: Recorder
    troubles: Troubles
    world: World
    inbox: Inbox
    hand: Callable[[list[Due], list[int]], Awaitable[None]]
    aside: Callable[[Connection, Redaction | Notice | Stale], None]
    accounts: Accounts
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def step(self) -> int:
        """Understand and record what waits; returns how many messages, 0 when there are none."""
        arrivals = self.inbox.take(_BATCH)
        if not arrivals and self.inbox.spilled:
            self.inbox.put(await self._left())
            arrivals = self.inbox.take(_BATCH)
        if not arrivals:
            return 0
        try:
            if self.engine.shared:
                await self.directory.refresh()
            await self.accounts.learn(arrivals)
            await self._settle([self.understand(one) for one in arrivals])
        except Unavailable:
            arrivals = self._put_back(arrivals)
            raise
        finally:
            self.inbox.done(arrivals)
        return len(arrivals)

    def _put_back(self, arrivals: list[Arrival]) -> list[Arrival]:
        """The store went away: what nobody else may take yet stays the next here, or it would wait for our own lease
        to end. Returns the rest, which is given up: it is found in the store."""
        if not self.engine.shared:
            return arrivals
        since = self.world.now() - _LEASE
        self.inbox.back([one for one in arrivals if one.received_at > since])
        return [one for one in arrivals if one.received_at <= since]

    async def _left(self) -> list[Arrival]:
        """What the store has and memory has not."""
        now = self.world.now()
        params = {"until": now + _LEASE} if self.engine.shared else {}
        rows = await self._claimed(now, params) if self.engine.shared else await self.engine.fetch(
            "messages_open", now=now, most=_BATCH * 8)  # fmt: skip
        self.inbox.spilled = len(rows) == _BATCH * 8
        return [arrival(row) for row in sorted(rows)]

    async def _claimed(self, now: int, params: dict[str, int]) -> list[tuple[object, ...]]:
        async def work(unit: Unit) -> list[tuple[object, ...]]:
            return await unit.fetch("messages_open", now=now, most=_BATCH * 8, **params)

        return await self.engine.transact(work)

    def understand(self, one: Arrival, registry: Registry | None = None) -> Understood:
        """What a message means, with the mappings in force or with those of another registry. Never an exception: a
        reader that stumbles fails its own message and holds up no other."""
        try:
            return self._understood(one, registry)
        except Exception as error:
            log.exception("a message made a reader stumble", message=one.id, connection=one.connection)
            kind = type(error).__name__
            return self._failed(one, f"its reader stumbled over it ({kind}): a fault of the adapter", kind)

    def _understood(self, one: Arrival, registry: Registry | None) -> Understood:
        connection = self.directory.get(Connection, one.connection)
        if connection is None:
            return self._failed(one, "the connection of this message is gone", "connection gone", "")
        try:
            reading = self._read(one, connection, registry or self.directory.registry)
        except Rejected as error:
            return self._apart(one, connection, registry) or self._refused(one, connection, error)
        except (Locked, Misconfigured) as error:
            return self._refused(one, connection, error)
        if reading is None:
            empty = Input(message=one.id, tenant=one.tenant, connection=one.connection, heard=[])
            return Understood(arrival=one, status="ignored", input=empty)
        try:
            return self._heard(one, connection, reading)
        except Rejected as error:
            return self._refused(one, connection, error)

    def _apart(self, one: Arrival, connection: Connection, registry: Registry | None) -> Understood | None:
        """A message of many documents, of which some cannot be read: those that can be, and the others by
        themselves. None where it is one piece."""
        parts = self.parts(one, connection)
        found = [self._understood(part, registry) for part in parts]
        if not found:
            return None
        whole = [part for part in found if part.status == "processed"]
        empty = Input(message=one.id, tenant=one.tenant, connection=one.connection, heard=[])
        return Understood(
            arrival=one, status="processed",
            input=msgspec.structs.replace(
                whole[0].input if whole else empty, message=one.id,
                heard=[heard for part in whole for heard in part.input.heard],
            ),
            troubles=[trouble for part in whole for trouble in part.troubles],
            asides=[aside for part in whole for aside in part.asides],
            apart=[part for part in found if part.status == "failed"],
        )  # fmt: skip

    def parts(self, one: Arrival, connection: Connection) -> list[Arrival]:
        """The parts of a message of many documents, none where it is one piece."""
        channel = self.directory.channel(connection)
        if channel.parts is None:
            return []
        try:
            return parts_of(one, channel, self._kept(one, connection), self.directory.settings(connection))
        except (Rejected, Locked, Misconfigured):
            return []

    def _read(self, one: Arrival, connection: Connection, registry: Registry) -> Reading | None:
        override = connection.mappings.get(one.topic) or connection.mappings.get("*")
        return registry.read(connection.channel, self.opened(one, connection), override)

    def opened(self, one: Arrival, connection: Connection) -> Message:
        """A message as its reader sees it: out of its envelope, with what its connection knows."""
        if one.opened is not None:
            return one.opened
        message = self._kept(one, connection)
        channel = self.directory.channel(connection)
        return channel.open(message, self.directory.settings(connection)) if channel.open else message

    def _kept(self, one: Arrival, connection: Connection) -> Message:
        """A message as it was kept, with what its connection knows."""
        return one.message(
            zone=connection.time_zone, account=connection.account, currency=connection.currency
        )

    def _heard(self, one: Arrival, connection: Connection, reading: Reading) -> Understood:
        channel = self.directory.channel(connection)
        find = partial(self.directory.get, Connection, tenant=one.tenant)
        said = (
            reading.facts
            if self._believes(one, connection, channel)
            else [_hint(fact) for fact in reading.facts]
        )
        facts = [
            hear(
                fact,
                channel,
                connection,
                find,
                arrived=one.received_at,
                rank=one.head.rank,
                mapping=reading.hash,
            )
            for fact in said
            if isinstance(fact, Fact)
        ]
        return Understood(
            arrival=one,
            status="processed",
            input=Input(
                message=one.id, tenant=one.tenant, connection=one.connection, heard=facts, quiet=one.head.quiet,
                actor="carrier" if channel.kind in ("carrier", "tracker") else "source",
            ),
            troubles=[self._unknown(one, connection, word) for word in reading.unknown],
            asides=[fact for fact in said if not isinstance(fact, Fact)],
        )  # fmt: skip

    def _believes(self, one: Arrival, connection: Connection, channel: Channel) -> bool:
        """Whether a message speaks for itself. A push whose proof does not vouch for its body is only a hint
        where the source can be asked: then it is read again, and that is believed."""
        if (
            one.transport != "webhook"
            or channel.fetch is None
            or not self.directory.can(connection, channel.needs)
        ):
            return True
        return self.directory.vouched(connection)

    def _refused(self, one: Arrival, connection: Connection, error: Exception) -> Understood:
        where = place(error) if isinstance(error, Unreadable) else {}
        source = self._blamed(one, connection, error)
        same = (str(where.get("file", "")), str(where.get("line", "")), str(where.get("field", "")))
        title = f"{connection.channel} {one.topic or 'message'} cannot be read: {_spot(source)}{error}"
        failed = (
            self._failed(one, title, *same)
            if any(same)
            else self._failed(one, title, type(error).__name__, "")
        )
        where |= {"source": source} if source else {}
        failed.troubles[0].place = where or None
        failed.error = PLAIN.encode({"error": str(error), "place": where})
        return failed

    def _blamed(self, one: Arrival, connection: Connection, error: Exception) -> dict[str, object]:
        """Where in the sender's own document a fault lies, where its channel can tell."""
        channel = self.directory.registry.channels.get(connection.channel)
        if channel is None or channel.blame is None or not isinstance(error, Unreadable):
            return {}
        try:
            return channel.blame(self.opened(one, connection), error.place)
        except (Rejected, Locked, Misconfigured):
            return {}

    def _failed(self, one: Arrival, title: str, *same: str) -> Understood:
        trouble = Trouble(
            tenant=one.tenant,
            cause=cause("message", one.connection, one.topic, *same),
            subject=one.id,
            title=title,
            hint="Mend the mapping or the source, then `orderhub exceptions retry` this one.",
            connection=one.connection,
        )
        empty = Input(message=one.id, tenant=one.tenant, connection=one.connection, heard=[])
        return Understood(
            arrival=one,
            status="failed",
            input=empty,
            troubles=[trouble],
            error=PLAIN.encode({"error": title}),
        )

    def _unknown(self, one: Arrival, connection: Connection, word: str) -> Trouble:
        return Trouble(
            tenant=one.tenant,
            cause=cause("unknown", connection.channel, word),
            subject=f"unknown:{connection.id}:{word}",
            severity="warning",
            title=f"{connection.channel}: {word}",
            hint="Add the word to the mapping's table, then `orderhub map activate` it.",
            connection=connection.id,
        )

    async def _settle(self, group: list[Understood]) -> None:
        """One transaction for all; halved until only the culprit stands alone and fails, be it that the
        store refuses it or that our own code stumbles over it."""
        try:
            await self.commit(group)
        except Unavailable:
            raise
        except Exception as error:
            if len(group) > 1:
                half = len(group) // 2
                await self._settle(group[:half])
                await self._settle(group[half:])
                return
            if not isinstance(error, Poisoned):
                log.exception("a message made our own code stumble", message=group[0].arrival.id)
            failed = self._failed(group[0].arrival, f"cannot be recorded: {error}", type(error).__name__)
            await self.commit([failed])

    async def commit(self, group: list[Understood]) -> Recorded:
        """Record a group and settle its messages; hand over what is due."""

        async def work(unit: Unit) -> Recorded:
            recorded = await self.recorder.record(unit, [one.input for one in group])
            for n, why in recorded.refused.items():
                group[n] = self._failed(group[n].arrival, why, "refused")
            apart = [part for one in group for part in one.apart]
            await self._keep_apart(unit, apart)
            unit.add(
                "messages_settle", [(one.arrival.position, one.status, one.error) for one in [*group, *apart]]
            )
            unit.add("messages_blank", recorded.blank, head=blank(self.world.now()))
            unit.add("memories_put", [row for one in group for row in _errands(one)])
            hint(unit, self.world, [pair for one in group for pair in _stale(one)])
            mended = [one.arrival.id for one in group if one.status != "failed"]
            await self.troubles.clear(unit, mended)
            await self.troubles.open(unit, [trouble for one in [*group, *apart] for trouble in one.troubles])
            return recorded

        async with self.turn:
            recorded = await self.engine.transact(work)
        self.inbox.done([one.arrival for one in group])
        await self.hand_over(recorded)
        for one in group:
            self.beside(one)
        return recorded

    async def _keep_apart(self, unit: Unit, apart: list[Understood]) -> None:
        """Parts that failed are messages of their own; those of a whole that is read again are there already."""
        if not apart:
            return
        first = await unit.positions(len(apart), "messages")
        for place_, part in enumerate(apart, first):
            part.arrival.position = place_
        unit.add("messages_add", [row(part.arrival, part.arrival.position, "failed") for part in apart])

    def beside(self, one: Understood) -> None:
        """Pass on what a message said beyond facts."""
        connection = self.directory.get(Connection, one.arrival.connection) if one.asides else None
        if connection is not None:
            for aside in one.asides:
                self.aside(connection, aside)

    async def hand_over(self, recorded: Recorded) -> None:
        """Give the deliverer what may go out now. It is committed: what cannot be handed over now is found in the store
        by its status, and must not look like a failure of what was recorded."""
        with contextlib.suppress(Unavailable):
            await self.hand(recorded.due, recorded.asked)


def _spot(source: dict[str, object]) -> str:
    """A place in a sender's document in words."""
    parts = [f"{name} {source[name]}" if name != "file" else str(source[name]) for name in ("file", "row", "column")
             if source.get(name)]  # fmt: skip
    return f"{', '.join(parts)}: " if parts else ""


def _hint(said: Read) -> Read:
    return Stale(subject=said.subject, ref=said.ref, order=said.order) if isinstance(said, Fact) else said


def blank(now: int) -> bytes:
    """What is kept of the head of a message whose content was taken away."""
    return PLAIN.encode(Head(redacted_at=now))


def _stale(one: Understood) -> list[tuple[str, Stale]]:
    return [(one.arrival.connection, said) for said in one.asides if isinstance(said, Stale)]


def _errands(one: Understood) -> list[Row]:
    return errands(one.arrival.tenant, one.arrival.connection, one.arrival.id, one.asides)

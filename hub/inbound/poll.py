"""Polling: what a source does not push is read, and kept verbatim as if it had been pushed.

Each connection with credentials sweeps its source by update time; the channel's cursor is stored once
its page is durable, so a crash reads a page again and never skips one. What is read again and is the same text is no
news. One process reads a source at a time; what was hinted at waits in the store (hub.inbound.hints).
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Protocol

import structlog

from hub.contract.errors import HubError, Postponed, Refused, Rejected
from hub.contract.flow import Page
from hub.converse import Converser
from hub.directory import Connection, Directory
from hub.inbound.keep import Keeper, Kept, Letter, body_key, clean
from hub.reach import Down
from hub.store.engine import Engine, Row, Unavailable, Unit
from hub.store.rows import Head
from hub.troubles import Trouble, Troubles, cause
from hub.world import World

log = structlog.get_logger("orderhub.poll")
SECOND = 1_000_000
_LATER = 60 * SECOND
_LEASE = 300 * SECOND
_HINTS = 100


class Eye(Protocol):
    """Looks on while a source is swept."""

    async def begins(self, connection: Connection) -> None:
        """A sweep begins: what the one before it found has been understood."""

    async def listens(self) -> int:
        """Look who is pushed to and who is silent; how many messages were looked at."""

    async def sees(self, connection: Connection, page: Page) -> Callable[[Unit, str], Awaitable[None]] | None:
        """A page with another text than last time, before it is kept; what to write once it is, with its message."""


@dataclass(slots=True)
class Sweeper:
    """The stage that reads sources; `claim` is this process's mark ("" where it is alone)."""

    engine: Engine
    directory: Directory
    converser: Converser
    keeper: Keeper
    troubles: Troubles
    world: World
    claim: str = ""
    looks: Eye | None = None
    _held: dict[str, int] = field(default_factory=dict)
    _after: dict[str, int] = field(default_factory=dict)
    _until: dict[str, int] = field(default_factory=dict)
    _running: dict[str, asyncio.Task[int]] = field(default_factory=dict)

    async def step(self) -> int:
        """Sweep every connection whose time has come, read again what was hinted at, and wait for all of it."""
        await self.begin()
        return sum(await asyncio.gather(*self._running.values()))

    async def begin(self) -> None:
        """Begin what is due, each connection by itself: one whose far side is slow or gone delays no other."""
        now = self.world.now()
        hinted = {row[0] for row in await self.engine.fetch("hints_due", now=now)}
        known = {row[0]: row for row in await self.engine.fetch("sweeps_all")}
        for connection in self.directory.all(Connection):
            _, claim, until, due_at, _ = known.get(connection.id, ("", "", 0, 0, 0))
            taken = claim != self.claim and until > now
            if taken or connection.id in self._running or self._held.get(connection.id, 0) > now:
                continue
            if connection.id in hinted or due_at <= now:
                task = asyncio.get_running_loop().create_task(self._turn(connection, now, due_at <= now))
                self._running[connection.id] = task
                task.add_done_callback(partial(self._ended, connection.id))

    async def listen(self) -> int:
        """Look who is pushed to and who is silent; how many messages were looked at."""
        return await self.looks.listens() if self.looks else 0

    def stop(self) -> None:
        """Give up what is under way: a cursor is stored with its page, so nothing is skipped."""
        for task in self._running.values():
            task.cancel()

    def _ended(self, id_: str, _: asyncio.Task[int]) -> None:
        self._running.pop(id_, None)

    async def _turn(self, connection: Connection, now: int, due: bool) -> int:
        """One connection's hints, then its sweep; whatever goes wrong stays with it."""
        try:
            hints = await self.engine.fetch("hints_of", connection=connection.id, now=now, most=_HINTS)
            self._held[connection.id] = now + _LATER
            sweeps = due and self._sweeps(connection)
            del self._held[connection.id]
            if (hints or sweeps) and await self._claimed(connection):
                try:
                    return await self._mine(connection, now, hints, sweeps=sweeps)
                finally:
                    await self._released(connection)
        except Exception:
            log.exception("a source could not be swept; it is tried again", connection=connection.id)
        return 0

    async def _mine(self, connection: Connection, now: int, hints: list[Row], *, sweeps: bool) -> int:
        count = 0
        for subject, ref, stamp in hints:
            count += await self._again(connection, subject, ref, stamp)
        if sweeps:
            self._after[connection.id] = now + int(self.directory.channel(connection).poll_every * SECOND)
            count += await self.sweep(connection)
        return count

    async def _claimed(self, connection: Connection) -> bool:
        """Whether the source is ours to read, and nobody else's, until it is released."""
        now = self.world.now()

        async def work(unit: Unit) -> Unit:
            unit.add("sweeps_claim", connection=connection.id, claim=self.claim, until=now + _LEASE, now=now)
            return unit

        return bool((await self.engine.transact(work)).counts["sweeps_claim"])

    async def _released(self, connection: Connection) -> None:
        """Anybody may read it, when its time has come again."""
        due_at = self._after.pop(connection.id, None)
        name = "sweeps_free" if due_at is None else "sweeps_end"

        async def work(unit: Unit) -> None:
            params = {} if due_at is None else {"due_at": due_at}
            unit.add(name, connection=connection.id, claim=self.claim, **params)

        with contextlib.suppress(Unavailable):  # then the claim ends by itself
            await self.engine.transact(work)

    async def _again(self, connection: Connection, subject: str, ref: str, stamp: str) -> int:
        """Read what was hinted at. A hint is kept until its far side has answered: nothing else may tell; one that came
        again meanwhile is another."""
        named = {"connection": connection.id, "subject": subject, "ref": ref, "stamp": stamp}

        async def later(unit: Unit) -> None:
            unit.add("hints_later", **named, due_at=self.world.now() + _LATER)

        async def done(unit: Unit) -> None:
            unit.add("hints_drop", **named)

        await self.engine.transact(later)
        error = await self._fetch(connection, subject, ref)
        if error is None or isinstance(error, Refused | Rejected):
            await self.engine.transact(done)
        return int(error is None)

    def _sweeps(self, connection: Connection) -> bool:
        channel = self.directory.registry.channels.get(connection.channel)
        return bool(
            channel and channel.poll and connection.sweep and connection.status == "active"
            and self.directory.can(connection, channel.needs)
        )  # fmt: skip

    async def sweep(self, connection: Connection, cursor: str | None = None) -> int:
        """Read the source from its cursor on; 1 when it went through."""
        channel = self.directory.channel(connection)
        assert channel.poll is not None  # noqa: S101  asked only where there is one
        if self.looks is not None:
            await self.looks.begins(connection)
        if cursor is None:
            rows = await self.engine.fetch(
                "memories_get", owner=f"sweep:{connection.id}", name="cursor", now=self.world.now()
            )
            cursor = bytes(rows[0][0]).decode() if rows else ""
        context = await self.converser.context(connection)
        conversation = self.converser.run(connection, channel.poll(context, cursor))
        return int(await self._tell(connection, "sweep", conversation) is None)

    async def _fetch(self, connection: Connection, subject: str, ref: str) -> HubError | None:
        """Read one object again; what kept us from it."""
        channel = self.directory.channel(connection)
        if channel.fetch is None or not self.directory.can(connection, channel.needs):
            return Refused("this connection cannot ask")
        context = await self.converser.context(connection)
        conversation = self.converser.run(connection, channel.fetch(context, subject, ref), page=self.reread)
        return await self._tell(connection, "fetch", conversation)

    async def _tell(self, connection: Connection, what: str, running: Awaitable[Any]) -> HubError | None:
        """Run a conversation; what stopped it stands in the exceptions until one goes through."""
        subject = f"{what}:{connection.id}"
        try:
            await running
        except Down as error:  # its own exception is open, and tells more
            self._after[connection.id] = self.world.now() + int((error.after or 0) * SECOND)
            return error
        except HubError as error:
            log.warning("a source could not be read", connection=connection.id, what=what, error=str(error))
            trouble = Trouble(
                tenant=connection.tenant, cause=cause(what, connection.id), subject=subject,
                severity="warning" if isinstance(error, Postponed) else "error",
                title=f"{connection.name}: its source cannot be read: {error}",
                hint="`orderhub connections test` tells more.", connection=connection.id,
            )  # fmt: skip
            await self.engine.transact(lambda unit: self.troubles.open(unit, [trouble]))
            return error
        await self.engine.transact(lambda unit: self.troubles.clear(unit, [subject]))
        return None

    async def page(self, connection: Connection, page: Page) -> None:
        """Keep a page of a sweep, unless it was read last time too, then its cursor."""
        await self._renewed(connection)
        if not await self.known(connection, page):
            seen = await self.looks.sees(connection, page) if self.looks else None
            kept = await self.keep(connection, page)
            if seen is not None and kept.new:
                await self.engine.transact(partial(_call, seen, kept.id))
        await self._read(connection, page, cursor=page.cursor)

    async def reread(self, connection: Connection, page: Page) -> None:
        """Keep a page that was asked for: it is believed over what was said before, though it says what was read last."""
        await self.keep(connection, page)
        await self._read(connection, page)

    async def known(self, connection: Connection, page: Page) -> bool:
        """Whether this very text was read of its object last time."""
        if not page.ref:
            return False
        rows = await self.engine.fetch("readings_get", connection=connection.id, ref=clean(page.ref))
        return bool(rows) and rows[0][0] == _text(page)

    async def keep(self, connection: Connection, page: Page, *, quiet: bool = False, run: str = "") -> Kept:
        """Keep a page; `quiet` tells nobody of what it brings, `run` is the reconciliation that it belongs to."""
        now = self.world.now()
        letter = Letter(
            tenant=connection.tenant,
            connection=connection.id,
            transport="poll",
            topic=page.topic,
            key=(clean(page.dedupe) if not run else "") or f"{run or now}:{body_key(page.body)}",
            head=Head(headers=page.headers.pairs, rank=now if page.reread else 0, quiet=quiet, run=run),
            body=page.body,
            received_at=now,
        )
        return await self.keeper.keep(letter)

    async def _renewed(self, connection: Connection) -> None:
        """A long sweep keeps its claim."""
        until = self.world.now() + _LEASE
        if self.engine.shared and until - self._until.get(connection.id, 0) > _LEASE // 5:
            self._until[connection.id] = until
            await self.engine.transact(lambda unit: _renew(unit, connection.id, self.claim, until))

    async def _read(self, connection: Connection, page: Page, *, cursor: str = "") -> None:
        async def work(unit: Unit) -> None:
            self.noted(unit, connection, page)
            if cursor:
                unit.add("memories_put", [(f"sweep:{connection.id}", "cursor", cursor.encode(), 0)])

        if page.ref or cursor:
            await self.engine.transact(work)

    def noted(self, unit: Unit, connection: Connection, page: Page) -> None:
        """Remember, within a unit, that this text was read last of its object."""
        if page.ref:
            unit.add("readings_put", [(connection.id, clean(page.ref), _text(page), self.world.now())])


async def _call(seen: Callable[[Unit, str], Awaitable[None]], message: str, unit: Unit) -> None:
    await seen(unit, message)


def _text(page: Page) -> str:
    return hashlib.blake2b(f"{page.topic}\0".encode() + page.body, digest_size=16).hexdigest()


async def _renew(unit: Unit, connection: str, claim: str, until: int) -> None:
    unit.add("sweeps_renew", connection=connection, claim=claim, until=until)

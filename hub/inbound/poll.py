"""Polling: what a source does not push is read, and kept verbatim as if it had been pushed.

Each connection with credentials sweeps its source by update time; the channel's cursor is stored once
its page is durable, so a crash reads a page again and never skips one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import structlog

from hub.contract.errors import HubError, Postponed, Refused, Rejected
from hub.contract.fact import Stale
from hub.contract.flow import Page
from hub.converse import Converser
from hub.directory import Connection, Directory
from hub.inbound.keep import Keeper, Letter, body_key, clean
from hub.reach import Down
from hub.store.engine import Engine, Unit
from hub.store.rows import Head
from hub.troubles import Trouble, Troubles, cause
from hub.world import World

log = structlog.get_logger("orderhub.poll")
SECOND = 1_000_000
_LATER = 60 * SECOND
_HINTS = 10_000


@dataclass(slots=True)
class Sweeper:
    """The stage that reads sources."""

    engine: Engine
    directory: Directory
    converser: Converser
    keeper: Keeper
    troubles: Troubles
    world: World
    _next: dict[str, int] = field(default_factory=dict)
    _hints: dict[str, dict[tuple[str, str], int]] = field(default_factory=dict)
    _running: dict[str, asyncio.Task[int]] = field(default_factory=dict)

    async def step(self) -> int:
        """Sweep every connection whose time has come, read again what was hinted at, and wait for all of it."""
        self.begin()
        return sum(await asyncio.gather(*self._running.values()))

    def begin(self) -> None:
        """Begin what is due, each connection by itself: one whose far side is slow or gone delays no other."""
        now = self.world.now()
        for connection in self.directory.all(Connection):
            due = any(at <= now for at in self._hints.get(connection.id, {}).values())
            if connection.id not in self._running and (due or self._next.get(connection.id, 0) <= now):
                task = asyncio.get_running_loop().create_task(self._turn(connection, now))
                self._running[connection.id] = task
                task.add_done_callback(partial(self._ended, connection.id))

    def stop(self) -> None:
        """Give up what is under way: a cursor is stored with its page, so nothing is skipped."""
        for task in self._running.values():
            task.cancel()

    def _ended(self, id_: str, _: asyncio.Task[int]) -> None:
        self._running.pop(id_, None)

    async def _turn(self, connection: Connection, now: int) -> int:
        """One connection's hints, then its sweep; whatever goes wrong stays with it."""
        count = 0
        try:
            hints = self._hints.get(connection.id, {})
            for subject, ref in [name for name, at in hints.items() if at <= now]:
                count += await self._again(connection, subject, ref)
            if self._next.get(connection.id, 0) <= now:
                self._next[connection.id] = now + _LATER
                if self._sweeps(connection):
                    every = self.directory.channel(connection).poll_every
                    self._next[connection.id] = now + int(every * SECOND)
                    count += await self.sweep(connection)
                else:
                    del self._next[connection.id]
        except Exception:
            log.exception("a source could not be swept; it is tried again", connection=connection.id)
        return count

    async def _again(self, connection: Connection, subject: str, ref: str) -> int:
        """Read what was hinted at. A hint is kept until its far side has answered: nothing else may tell."""
        hints = self._hints[connection.id]
        hints[subject, ref] = held = self.world.now() + _LATER
        error = await self._fetch(connection, subject, ref)
        if hints.get((subject, ref)) == held and (error is None or isinstance(error, Refused | Rejected)):
            del hints[subject, ref]
        return int(error is None)

    def _sweeps(self, connection: Connection) -> bool:
        channel = self.directory.registry.channels.get(connection.channel)
        return bool(
            channel and channel.poll and connection.sweep and connection.status == "active"
            and self.directory.can(connection, channel.needs)
        )  # fmt: skip

    def stale(self, connection: Connection, hint: Stale) -> None:
        """This has to be read again; hints for one object at one time count as one."""
        hints = self._hints.setdefault(connection.id, {})
        name = (hint.subject, hint.order or hint.ref)
        if len(hints) < _HINTS or name in hints:
            hints[name] = 0
        else:
            log.warning("too many hints at once; a sweep has to find the rest", connection=connection.id)
            self._next.pop(connection.id, None)

    async def sweep(self, connection: Connection, cursor: str | None = None) -> int:
        """Read the source from its cursor on; 1 when it went through."""
        channel = self.directory.channel(connection)
        assert channel.poll is not None  # noqa: S101  asked only where there is one
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
        conversation = self.converser.run(connection, channel.fetch(context, subject, ref))
        return await self._tell(connection, "fetch", conversation)

    async def _tell(self, connection: Connection, what: str, running: Awaitable[Any]) -> HubError | None:
        """Run a conversation; what stopped it stands in the exceptions until one goes through."""
        subject = f"{what}:{connection.id}"
        try:
            await running
        except Down as error:  # its own exception is open, and tells more
            self._next[connection.id] = self.world.now() + int((error.after or 0) * SECOND)
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
        """Keep a page, then its cursor."""
        now = self.world.now()
        letter = Letter(
            tenant=connection.tenant,
            connection=connection.id,
            transport="poll",
            topic=page.topic,
            key=clean(page.dedupe) or f"{now}:{body_key(page.body)}",
            head=Head(headers=page.headers.pairs, rank=now if page.reread else 0),
            body=page.body,
            received_at=now,
        )
        await self.keeper.keep(letter)
        if page.cursor:

            async def work(unit: Unit) -> None:
                unit.add("memories_put", [(f"sweep:{connection.id}", "cursor", page.cursor.encode(), 0)])

            await self.engine.transact(work)

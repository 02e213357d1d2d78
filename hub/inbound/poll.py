"""Polling: what a source does not push is read, and kept verbatim as if it had been pushed.

Each connection with credentials sweeps its source by update time; the channel's cursor is stored once
its page is durable, so a crash reads a page again and never skips one.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import structlog

from hub.contract.errors import HubError, Postponed
from hub.contract.fact import Stale
from hub.contract.flow import Page
from hub.converse import Converser
from hub.directory import Connection, Directory
from hub.inbound.keep import Keeper, Letter, body_key, clean
from hub.store.engine import Engine, Unit
from hub.store.rows import Head
from hub.troubles import Trouble, Troubles, cause
from hub.world import World

log = structlog.get_logger("orderhub.poll")
SECOND = 1_000_000


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
    _stale: dict[tuple[str, str, str], Connection] = field(default_factory=dict)

    async def step(self) -> int:
        """Sweep every connection whose time has come, and read again what was hinted at."""
        count = 0
        while self._stale:
            (_, subject, ref), connection = self._stale.popitem()
            count += await self.fetch(connection, subject, ref)
        now = self.world.now()
        for connection in self.directory.all(Connection):
            if self._sweeps(connection) and self._next.get(connection.id, 0) <= now:
                channel = self.directory.channel(connection)
                self._next[connection.id] = now + int(channel.poll_every * SECOND)
                count += await self.sweep(connection)
        return count

    def _sweeps(self, connection: Connection) -> bool:
        channel = self.directory.registry.channels.get(connection.channel)
        return bool(
            channel and channel.poll and connection.sweep and connection.status == "active"
            and self.directory.can(connection, channel.needs)
        )  # fmt: skip

    def stale(self, connection: Connection, hint: Stale) -> None:
        """This has to be read again; hints for one object at one time count as one."""
        self._stale[(connection.id, hint.subject, hint.order or hint.ref)] = connection

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
        return await self._tell(
            connection, "sweep", self.converser.run(connection, channel.poll(context, cursor))
        )

    async def fetch(self, connection: Connection, subject: str, ref: str) -> int:
        """Read one object again; 1 when it went through."""
        channel = self.directory.channel(connection)
        if channel.fetch is None or not self.directory.can(connection, channel.needs):
            return 0
        context = await self.converser.context(connection)
        return await self._tell(
            connection, "fetch", self.converser.run(connection, channel.fetch(context, subject, ref))
        )

    async def _tell(self, connection: Connection, what: str, running: object) -> int:
        subject = f"{what}:{connection.id}"
        try:
            await running  # type: ignore[misc]
        except HubError as error:
            log.warning("a source could not be read", connection=connection.id, what=what, error=str(error))
            trouble = Trouble(
                tenant=connection.tenant, cause=cause(what, connection.id), subject=subject,
                severity="warning" if isinstance(error, Postponed) else "error",
                title=f"{connection.name}: its source cannot be read: {error}",
                hint="`orderhub connections test` tells more.", connection=connection.id,
            )  # fmt: skip
            await self.engine.transact(lambda unit: self.troubles.open(unit, [trouble]))
            return 0
        await self.engine.transact(lambda unit: self.troubles.clear(unit, [subject]))
        return 1

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

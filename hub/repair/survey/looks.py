"""Looks: what a sweep finds that no push had told is named, counted, and reported when it has been put right.

Only where pushes are to be expected, and only what is old enough to have been pushed: a change of a moment ago is on
its way, one of before the connection was made was nobody's to push.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

from hub.contract.flow import Page
from hub.directory import Connection
from hub.metrics import Metrics
from hub.repair.survey.finding import add, judge
from hub.repair.survey.pushes import Pushes
from hub.repair.survey.report import Reports, Run
from hub.repair.survey.silence import Pulse
from hub.repair.survey.walk import Sources, look
from hub.store.engine import Unit
from hub.store.rows import Due

GRACE = 120_000_000
"""How long a push may take."""


@dataclass(frozen=True, slots=True)
class Looks:
    """Looks on while sources are swept; `hand` gets the deliveries of what is told."""

    hub: Sources
    reports: Reports
    metrics: Metrics
    hand: Callable[[list[Due]], None]
    pushes: Pushes
    pulse: Pulse

    async def begins(self, connection: Connection) -> None:
        """See that it pushes; report what the sweep before found, once it has been understood."""
        await self.pushes.look(connection)
        if not self._pushed(connection):
            return
        rows = await self.reports.proven(connection.tenant, "", connection.id)
        if not rows:
            return
        run = Run(
            id=self.hub.world.new_id("rec"), kind="sweep", connection=connection.id, begun_at=rows[0][5],
            checked=len(rows),
        )  # fmt: skip

        async def work(unit: Unit) -> list[Due]:
            return await self.reports.end(unit, connection, run, rows, loud=True)

        self.hand(await self.hub.engine.transact(work))

    async def listens(self) -> int:
        """Count what was pushed, and hear who is silent."""
        return await self.pulse.step()

    async def sees(self, connection: Connection, page: Page) -> Callable[[Unit, str], Awaitable[None]] | None:
        """Whether this page tells what a push should have told before."""
        if not self._pushed(connection):
            return None
        seen = look(self.hub, connection, page)
        if not connection.created_at < seen.revision < self.hub.world.now() - GRACE:
            return None
        found = await judge(self.hub, [seen])
        for one in found:
            self.metrics.missed.labels(connection.tenant, connection.id, one.kind).inc()

        async def write(unit: Unit, message: str) -> None:
            await add(unit, self.hub, connection, "", [replace(one, message=message) for one in found])

        return write if found else None

    def _pushed(self, connection: Connection) -> bool:
        channel = self.hub.directory.channel(connection)
        return channel.subscription is not None or connection.silence_after > 0

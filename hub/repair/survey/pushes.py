"""Pushes: what should be registered at a far side is looked at each hour, and made again where it was dropped.

What was lost meanwhile is read: a reconciliation goes back to the last message that was pushed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import msgspec
import structlog

from hub.contract.errors import HubError, Postponed
from hub.contract.fact import Notice
from hub.directory import Connection
from hub.inbound.notices import Notices
from hub.repair.jobs import Jobs
from hub.repair.survey.backfill import GRACE
from hub.repair.survey.reconcile import KIND as RECONCILE
from hub.repair.survey.walk import Sources, Wish
from hub.store.engine import Unit
from hub.store.rows import PLAIN, Due
from hub.troubles import Trouble, cause

EVERY = 3600 * 1_000_000
REVIVED = "revived"
log = structlog.get_logger("orderhub.pushes")


@dataclass(frozen=True, slots=True)
class Pushes:
    """Looks after registrations; `held` of a hub that says nothing to far sides."""

    hub: Sources
    jobs: Jobs
    notices: Notices
    hand: Callable[[list[Due]], None]
    held: bool

    async def look(self, connection: Connection) -> None:
        """Register what is missing, where an hour has passed since the last look."""
        channel, now = self.hub.directory.channel(connection), self.hub.world.now()
        spec = channel.subscription
        if spec is None or self.held or not self.hub.directory.can(connection, spec.needs):
            return
        rows = await self.hub.engine.fetch("sweeps_all")
        ensured = next((row[4] for row in rows if row[0] == connection.id), 0)
        if now - ensured < EVERY:
            return
        context = await self.hub.converser.context(connection)
        subject = f"subscribe:{connection.id}"
        try:
            standing: dict[str, str] = await self.hub.converser.run(connection, spec.ensure(context))
        except Postponed as error:
            log.warning("registrations could not be looked at", connection=connection.id, error=str(error))
            return
        except HubError as error:
            await self._refused(connection, subject, error)
            return
        await self._compared(connection, standing, subject)

    async def _compared(self, connection: Connection, standing: dict[str, str], subject: str) -> None:
        """What stood before and does not, or not as itself, was dropped."""
        now, engine = self.hub.world.now(), self.hub.engine
        owner = f"subscription:{connection.id}"
        rows = await engine.fetch("memories_get", owner=owner, name="standing", now=now)
        before: dict[str, str] = msgspec.json.decode(rows[0][0]) if rows else {}
        state = (await self.hub.converser.context(connection)).state
        lost = {topic for topic, id_ in before.items() if standing.get(topic) != id_}
        lost |= set(state.get(REVIVED, "").split())
        last = int((await engine.fetch("pulses_last", connection=connection.id))[0][0])

        async def work(unit: Unit) -> list[Due]:
            unit.add("memories_put", [(owner, "standing", PLAIN.encode(standing), 0)])
            unit.add("sweeps_ensured", connection=connection.id, now=now)
            await self.hub.troubles.clear(unit, [subject])
            if not lost:
                return []
            detail = f"{', '.join(sorted(lost))} had gone; registered again"
            due = await self.notices.take(unit, connection, Notice(kind="subscription_lost", detail=detail))
            if self.hub.directory.channel(connection).since is not None:
                since = max(last or now - 24 * EVERY, now - 30 * 24 * EVERY) - GRACE
                await self.jobs.add(
                    unit, connection.tenant, RECONCILE, connection.id, Wish(since=since), "hub"
                )
            return due

        self.hand(await engine.transact(work))
        if lost and lost <= standing.keys():
            log.warning("registrations had gone", connection=connection.id, topics=sorted(lost))
            self.jobs.wake()
            await self.notices.recovered(connection)

    async def _refused(self, connection: Connection, subject: str, error: HubError) -> None:
        trouble = Trouble(
            tenant=connection.tenant, cause=cause("subscribe", connection.id), subject=subject, severity="warning",
            title=f"{connection.name}: its pushes cannot be registered: {error}", connection=connection.id,
            hint="`orderhub connections test` tells more; it is tried again each hour.",
        )  # fmt: skip

        async def work(unit: Unit) -> None:
            unit.add("sweeps_ensured", connection=connection.id, now=self.hub.world.now())
            await self.hub.troubles.open(unit, [trouble])

        await self.hub.engine.transact(work)

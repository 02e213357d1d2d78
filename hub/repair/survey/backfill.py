"""Backfilling: a source's history is read and kept, and by default tells nobody anything."""

from __future__ import annotations

from dataclasses import dataclass

from hub.directory import Connection
from hub.repair.jobs import Job, Turn
from hub.repair.survey.walk import Look, Sources, Walk, wish_of
from hub.store.engine import Unit

KIND = "backfill"
_PAGES = 50
_AHEAD = 500
GRACE = 600_000_000
"""What changed so shortly before a survey began may be on its way to us as a push: it is news, not history."""


@dataclass(frozen=True, slots=True)
class Backfill:
    """Works at backfills."""

    hub: Sources
    walk: Walk

    async def total(self, job: Job) -> int:
        """Nobody says how much there is: how far it has come is told by the span of time."""
        return -1

    async def turn(self, job: Job) -> Turn | None:
        """The next pages; None while the connection rests, or enough waits to be understood."""
        connection = self.hub.directory.get(Connection, job.subject)
        if connection is None:
            return Turn(cursor=job.cursor, ended=True, note="the connection was removed")
        if connection.status != "active" or self.hub.keeper.waiting > _AHEAD:
            return None
        quiet = wish_of(job).emit == "none"

        async def take(look: Look) -> None:
            if not await self.hub.sweeper.known(connection, look.page):
                history = look.revision < job.created_at - GRACE
                await self.hub.sweeper.keep(connection, look.page, quiet=quiet and history)

        part = await self.walk.part(job, connection, _PAGES, take)

        async def write(unit: Unit) -> None:
            for look in part.looks:
                self.hub.sweeper.noted(unit, connection, look.page)

        return Turn(
            cursor=self.walk.settled(job, part.mark), done=len(part.looks), ended=part.ended, note=part.note, wait=part.wait,
            write=write,
        )  # fmt: skip

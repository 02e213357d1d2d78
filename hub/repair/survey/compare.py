"""Comparing: what the hub holds beside what the source says now, order by order; nothing is written, nobody is told."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from hub.directory import Connection
from hub.repair.jobs import Job, Turn
from hub.repair.survey.finding import add, judge
from hub.repair.survey.report import Reports, Run
from hub.repair.survey.walk import Mark, Part, Sources, Walk, wish_of
from hub.store.engine import Unit

KIND = "compare"
_PAGES = 50


@dataclass(frozen=True, slots=True)
class Compare:
    """Works at comparisons; the report is a run with its drifts."""

    hub: Sources
    walk: Walk
    reports: Reports

    async def total(self, job: Job) -> int:
        """Nobody says how much there is."""
        return -1

    async def turn(self, job: Job) -> Turn | None:
        """The next pages; None while the connection rests."""
        connection = self.hub.directory.get(Connection, job.subject)
        if connection is None:
            return Turn(cursor=job.cursor, ended=True, note="the connection was removed")
        if connection.status != "active":
            return None
        part = await self.walk.part(job, connection, _PAGES)
        found = await judge(self.hub, part.looks)
        mark = counted(part, [one.kind for one in found])
        run = run_of(job, KIND, connection, mark)

        async def write(unit: Unit) -> None:
            await add(unit, self.hub, connection, run.id, found)
            if part.ended:
                run.found = mark.counts
                await self.reports.kept(unit, connection, run)

        return Turn(
            cursor=self.walk.settled(job, mark), done=len(part.looks), ended=part.ended, wait=part.wait, write=write,
            note=f"see reconciliation {run.id}" if part.ended else part.note,
        )  # fmt: skip


def counted(part: Part, kinds: list[str]) -> Mark:
    """The mark of a part, with what was found in it."""
    mark = part.mark
    mark.counts = dict(Counter(mark.counts) + Counter(kinds))
    mark.unreadable += sum(look.understood.status == "failed" for look in part.looks)
    mark.named = mark.named or any(look.page.ref.startswith("order:") for look in part.looks)
    return mark


def run_of(job: Job, kind: str, connection: Connection, mark: Mark) -> Run:
    """The run that a job is; its id is the job's."""
    wish = wish_of(job)
    drifted = sum(mark.counts.values())
    return Run(
        id=f"rec_{job.id.partition('_')[2]}", kind=kind, connection=connection.id, job=job.id, begun_at=job.created_at,
        since=wish.since, until=min(wish.until, job.created_at), checked=mark.checked, unreadable=mark.unreadable,
        equal=max(0, mark.checked - drifted - mark.unreadable),
    )  # fmt: skip

"""Reconciling: a source is read again over a span, and what differs is put right by the usual path and proved.

reading    each page is judged; those that differ are kept, as if a sweep had read them
missing    orders of the span that the source did not list are asked for one by one
marking    news of ours that a write should have carried there is looked for (hub.repair.survey.marking)
proving    all that was kept is understood; then it is told
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from hub.contract.errors import Refused
from hub.contract.flow import Page
from hub.directory import Connection
from hub.inbound.hear import speaker
from hub.repair.jobs import Job, Turn
from hub.repair.survey.backfill import GRACE
from hub.repair.survey.compare import counted, run_of
from hub.repair.survey.finding import MISSING_THERE, Finding, add, judge
from hub.repair.survey.marking import Marking
from hub.repair.survey.report import Reports
from hub.repair.survey.walk import Look, Mark, Sources, Walk, look, mark_of, wish_of
from hub.store.engine import Unit
from hub.store.rows import Due

KIND = "reconcile"
_PAGES = 50
_ASKED = 10


@dataclass(frozen=True, slots=True)
class Reconcile:
    """Works at reconciliations."""

    hub: Sources
    walk: Walk
    reports: Reports
    marking: Marking
    hand: Callable[[list[Due]], None]

    async def total(self, job: Job) -> int:
        """Nobody says how much there is."""
        return -1

    async def turn(self, job: Job) -> Turn | None:
        """The next step of its phase; None while the connection rests or what was kept waits to be understood."""
        connection = self.hub.directory.get(Connection, job.subject)
        if connection is None:
            return Turn(cursor=job.cursor, ended=True, note="the connection was removed")
        if connection.status != "active":
            return None
        mark = mark_of(job)
        if mark.phase == "reading":
            return await self._reading(job, connection)
        if mark.phase == "missing":
            return await self._missing(job, connection, mark)
        if mark.phase == "marking":
            return await self._marking(job, connection, mark)
        return await self._proving(job, connection, mark)

    async def _reading(self, job: Job, connection: Connection) -> Turn:
        part = await self.walk.part(job, connection, _PAGES)
        found = await self._kept(job, connection, await judge(self.hub, part.looks))
        mark = counted(part, [one.kind for one in found])
        if part.ended:
            asks = self.hub.directory.channel(connection).fetch is not None and (
                mark.named or not mark.checked
            )
            mark.phase, mark.cursor = ("missing" if asks else "marking"), ""

        async def write(unit: Unit) -> None:
            for one in part.looks:
                self.hub.sweeper.noted(unit, connection, one.page)
            await add(unit, self.hub, connection, _run(job), found)

        return Turn(cursor=self.walk.settled(job, mark), done=len(part.looks), wait=part.wait, note=part.note,
                    write=write)  # fmt: skip

    async def _kept(self, job: Job, connection: Connection, found: Sequence[Finding]) -> list[Finding]:
        """What differs is kept; the usual path does the rest."""
        out, kept = [], {}
        for one in found:
            page = one.look.page if one.look else None
            if page is not None and id(page) not in kept:
                kept[id(page)] = (await self.hub.sweeper.keep(connection, page, run=_run(job))).id
            out.append(replace(one, message=kept.get(id(page), "")))
        return out

    async def _missing(self, job: Job, connection: Connection, mark: Mark) -> Turn:
        wish = wish_of(job)
        rows = await self.hub.engine.fetch(
            "orders_unseen", tenant=connection.tenant, source=speaker(connection), connection=connection.id,
            since=wish.since, until=min(wish.until, job.created_at - GRACE), after=mark.after, begun=job.created_at,
            most=_ASKED,
        )  # fmt: skip
        found: list[Finding] = []
        for order, ref in rows:
            found += await self._asked(job, connection, order, ref)
        mark.counts = dict(Counter(mark.counts) + Counter(one.kind for one in found))
        mark.checked += len(rows)
        mark.after = rows[-1][0] if rows else ""
        mark.phase = "missing" if len(rows) == _ASKED else "marking"
        mark.after = mark.after if mark.phase == "missing" else ""

        async def write(unit: Unit) -> None:
            await add(unit, self.hub, connection, _run(job), found)

        return Turn(cursor=self.walk.settled(job, mark), done=len(rows), write=write)

    async def _asked(self, job: Job, connection: Connection, order: str, ref: str) -> list[Finding]:
        """What the source says of an order that it did not list."""
        channel = self.hub.directory.channel(connection)
        assert channel.fetch is not None  # noqa: S101  asked only where there is one
        looks: list[Look] = []

        async def take(_: Connection, page: Page) -> None:
            looks.append(look(self.hub, connection, page))

        context = await self.hub.converser.context(connection)
        try:
            await self.hub.converser.run(connection, channel.fetch(context, "order", ref), page=take)
        except Refused as error:
            return [Finding(order, ref, MISSING_THERE, [{"path": "", "to": str(error)}], [])]
        found = [replace(one, kind=MISSING_THERE) for one in await judge(self.hub, looks)]
        return await self._kept(job, connection, found)

    async def _marking(self, job: Job, connection: Connection, mark: Mark) -> Turn:
        part = await self.marking.part(connection, int(mark.after or 0), wish_of(job).since)
        mark.counts = dict(Counter(mark.counts) + Counter(one.kind for one in part.found))
        mark.phase = "marking" if part.more else "proving"
        mark.after = str(part.after) if part.more else ""

        async def write(unit: Unit) -> None:
            await self.marking.send(unit, connection, part)
            await add(unit, self.hub, connection, _run(job), part.found)

        return Turn(cursor=self.walk.settled(job, mark), write=write, after=self.marking.woken)

    async def _proving(self, job: Job, connection: Connection, mark: Mark) -> Turn | None:
        rows = await self.reports.proven(job.tenant, _run(job), connection.id)
        if rows is None:
            return None
        due: list[Due] = []
        run = run_of(job, KIND, connection, mark)

        async def write(unit: Unit) -> None:
            due[:] = await self.reports.end(unit, connection, run, rows, loud=True)

        note = f"see reconciliation {run.id}: {len(rows)} differed"
        return Turn(cursor=self.walk.settled(job, mark), ended=True, write=write, after=lambda: self.hand(due),
                    note=note)  # fmt: skip


def _run(job: Job) -> str:
    return f"rec_{job.id.partition('_')[2]}"

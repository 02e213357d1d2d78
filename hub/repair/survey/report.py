"""Reports: what a reconciliation found and repaired, proved by events and kept as a row.

A drift counts as repaired when the message that told it otherwise has gone the usual path, and was understood.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import msgspec

from hub.directory import Connection
from hub.repair.survey.walk import Sources
from hub.store.engine import Row, Unit
from hub.store.rows import PLAIN, Due

TOLD = 200
"""Drifts of one run that are told one by one; the counts tell the rest."""
_MOST = 10_000


class Run(msgspec.Struct, kw_only=True):
    """One run over a source: a `sweep` that found what no push had told, a `reconcile` or a `compare`; `found` and
    `repaired` count drifts by their class, `rewritten` what was not marked there and is written again."""

    id: str
    kind: str
    connection: str
    job: str = ""
    begun_at: int = 0
    since: int = 0
    until: int = 0
    checked: int = 0
    equal: int = 0
    unreadable: int = 0
    found: dict[str, int] = {}
    repaired: dict[str, int] = {}
    rewritten: int = 0
    told: int = 0


@dataclass(frozen=True, slots=True)
class Reports:
    """Ends runs; `hand` gets the deliveries of what is told."""

    hub: Sources
    hand: Callable[[list[Due]], None]

    async def proven(self, tenant: str, run: str, connection: str) -> list[Row] | None:
        """The drifts of a run, those repaired that are by now; None while some of their messages wait."""
        engine = self.hub.engine
        rows = await engine.fetch(
            "drifts_of_run", tenant=tenant, run=run, connection=connection, after=0, most=_MOST
        )
        told = {row[0]: msgspec.json.decode(row[7])["message"] for row in rows}
        asked = sorted({(message,) for message in told.values() if message})
        states = {row[0]: row[1] for row in await engine.fetch("messages_status", asked)}
        if "received" in states.values():
            return None
        now = self.hub.world.now()
        return [
            (
                *row[:6],
                row[6] or (now if states.get(told[row[0]]) in ("processed", "duplicate") else 0),
                row[7],
            )
            for row in rows
        ]

    async def end(
        self, unit: Unit, connection: Connection, run: Run, rows: list[Row], *, loud: bool
    ) -> list[Due]:
        """Write a run's end within a unit, and tell of it where it is `loud`; the deliveries to hand over."""
        run.found = dict(Counter(row[4] for row in rows))
        run.repaired = dict(Counter(row[4] for row in rows if row[6]))
        unit.add("drifts_repaired", [(row[0], row[6]) for row in rows if row[6]])
        unit.add("drifts_name", [(row[0],) for row in rows], run=run.id)
        due: list[Due] = []
        if loud:
            for row in rows[:TOLD]:
                due += await self._tell(unit, connection, run, "drift_found", _drift(row))
                if row[6]:
                    due += await self._tell(unit, connection, run, "repaired", _drift(row))
            run.told = min(len(rows), TOLD)
            due += await self._tell(unit, connection, run, "completed", counts(run))
        await self.kept(unit, connection, run)
        return due

    async def kept(self, unit: Unit, connection: Connection, run: Run) -> None:
        """Write a run as it stands within a unit."""
        position = await unit.positions(1)
        unit.add("reconciliations_add", position=position, id=run.id, tenant=connection.tenant, kind=run.kind,
                 connection=connection.id, job=run.job, begun_at=run.begun_at, now=self.hub.world.now(),
                 doc=PLAIN.encode(run))  # fmt: skip

    async def _tell(
        self, unit: Unit, connection: Connection, run: Run, what: str, more: dict[str, Any]
    ) -> list[Due]:
        data = {"id": run.id, "kind": run.kind, "connection": connection.id, "name": connection.name, **more}
        draft = self.hub.announcer.plain(
            connection.tenant, f"reconciliation.{what}", ("reconciliation", run.id), data
        )
        return draft.write(unit, await unit.positions(draft.size), {})


def _drift(row: Row) -> dict[str, Any]:
    told = msgspec.json.decode(row[7])
    return {"order": row[2], "ref": row[3], "class": row[4], "fields": told["fields"]}


def counts(run: Run) -> dict[str, Any]:
    """What a run counted."""
    return {
        "checked": run.checked, "equal": run.equal, "unreadable": run.unreadable, "found": run.found,
        "repaired": run.repaired, "rewritten": run.rewritten, "since": run.since, "until": run.until,
    }  # fmt: skip

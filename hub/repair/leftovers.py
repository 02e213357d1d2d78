"""Leftovers: rows that nothing removes by itself, found in a pass over their keys, a page at a time, once a day.

The heads of orders of which nothing is outstanding and whose last event is no longer kept (what comes after it then
names no `previous`), jobs that ended long ago, the flows of targets that were removed, shares of processes that died.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from hub.store.engine import Engine, Row, Unit
from hub.world import World, told_at

_PAGE = 500
_DAY = 86_400_000_000
_BEGIN: dict[str, Row] = {"heads": ("", ""), "jobs": (0,), "flows": ("",), "shares": ("", "")}
_READ = {
    "heads": ("heads_page", ("target", "order_id")), "jobs": ("jobs_page", ("after",)),
    "flows": ("flows_page", ("after",)), "shares": ("shares_page", ("target", "claim")),
}  # fmt: skip
_DROP = {"heads": "heads_purge", "jobs": "jobs_purge", "flows": "flows_purge", "shares": "shares_purge"}


class Kept(Protocol):
    """A hub with a store and a clock."""

    @property
    def engine(self) -> Engine:
        """The store."""

    @property
    def world(self) -> World:
        """The clock."""


@dataclass(slots=True)
class Leftovers:
    """Goes over the tables; where it is in each is remembered until the pass ends, and begun anew a day later."""

    hub: Kept
    _at: dict[str, Row] = field(default_factory=lambda: dict(_BEGIN))
    _again: dict[str, int] = field(default_factory=dict)

    async def step(self, events: int, jobs: int) -> int:
        """The next page of each table: heads whose last event, and jobs whose end, were before these moments go.
        0 means that all have been gone over."""
        now = self.hub.world.now()
        count = 0
        for table in _BEGIN:
            if self._again.get(table, 0) <= now:
                count += await self._page(table, {"heads": events, "jobs": jobs}.get(table, now - _DAY))
        return count

    async def _page(self, table: str, before: int) -> int:
        name, keys = _READ[table]
        rows = await self.hub.engine.fetch(name, most=_PAGE, **dict(zip(keys, self._at[table], strict=True)))
        old = await self._old(table, rows, before)
        if old:
            await self._drop(table, old, before)
        if len(rows) == _PAGE:
            self._at[table] = rows[-1][: len(keys)]
            return _PAGE
        self._at[table], self._again[table] = _BEGIN[table], self.hub.world.now() + _DAY
        return len(old)

    async def _old(self, table: str, rows: list[Row], before: int) -> list[Row]:
        if table == "heads":
            return [row for row in rows if not row[2] or 0 < told_at(row[2].rpartition("_")[2]) < before]
        if table == "flows":
            return await self._gone(rows)
        return [row[:-1] for row in rows if row[-1] < before]

    async def _gone(self, rows: list[Row]) -> list[Row]:
        """Those whose endpoint, connection or notifier there is no more."""
        owners = sorted({(row[0].partition("/")[0],) for row in rows})
        known = {row[0] for row in await self.hub.engine.fetch("things_known", owners)}
        return [row for row in rows if row[0].partition("/")[0] not in known]

    async def _drop(self, table: str, old: list[Row], before: int) -> None:
        """What was taken up again since it was read stays."""

        async def work(unit: Unit) -> None:
            unit.add(_DROP[table], old, **({"before": before} if table in ("jobs", "shares") else {}))

        await self.hub.engine.transact(work)

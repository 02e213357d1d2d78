"""Watching: an exception that opened or closed is told to the world as an event, and to alerts as an alarm.

Whoever opens or closes one only writes it; this stage finds what is untold and tells it in one transaction with its
mark that it was told. So it is told once, whatever process it happened in, and whatever dies between.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import msgspec

from hub.alerts.message import wants
from hub.announce import Announcer
from hub.contract.clock import text
from hub.directory import Directory
from hub.store.engine import Engine, Row, Unit
from hub.store.rows import Due
from hub.things import Alert
from hub.world import World

_MOST = 100
SECOND = 1_000_000


@dataclass(frozen=True, slots=True)
class Watch:
    """The stage; `hand` takes the deliveries of what is told."""

    engine: Engine
    directory: Directory
    announcer: Announcer
    world: World
    hand: Callable[[list[Due]], None]

    async def step(self) -> int:
        """Tell what is untold; returns how many exceptions."""
        if not await self.engine.fetch("exceptions_untold", most=1):
            return 0
        due, count = await self.engine.transact(self._tell)
        self.hand(due)
        return count

    async def _tell(self, unit: Unit) -> tuple[list[Due], int]:
        if self.engine.shared:
            await unit.claim("alarms_gate", [("alerts", "watch", b"")])
            await unit.fetch("alarms_lock")
        rows = await unit.fetch("exceptions_untold", most=_MOST)
        news = [(row, what) for row in rows for what in _news(row)]
        drafts = [
            self.announcer.plain(row[1], f"exception.{what}", ("exception", row[0]), _data(row, what))
            for row, what in news
        ]
        first = await unit.positions(sum(one.size for one in drafts)) if drafts else 0
        due: list[Due] = []
        for draft in drafts:
            due += draft.write(unit, first, {})
            first += draft.size
        closed = [(row[0],) for row in rows if row[4] == "closed"]
        unit.add("exceptions_told", [(row[0], "closed" if row[4] == "closed" else "opened") for row in rows])
        unit.add("alarms_add", [one for row in rows if row[4] != "closed" for one in self._alarms(row)])
        unit.add("alarms_hush", closed)
        unit.add("alarms_end", closed, now=self.world.now())
        return due, len(rows)

    def _alarms(self, row: Row) -> list[Row]:
        now, doc = self.world.now(), msgspec.json.decode(row[9])
        return [
            (one.id, row[0], row[1], "pending", now, now + int(one.gather * SECOND))
            for one in self.directory.all(Alert, row[1])
            if wants(one, row[5], row[2], doc)
        ]


def _news(row: Row) -> list[str]:
    """What is untold of it: one that came and went unseen is told as both."""
    closed = row[4] == "closed"
    return [*(["opened"] if row[10] == "" else []), *(["closed"] if closed else [])]


def _data(row: Row, what: str) -> dict[str, Any]:
    doc = msgspec.json.decode(row[9])
    shown = {name: doc.get(name) for name in ("title", "hint", "subject", "connection", "orders", "place")}
    return {
        **{name: value for name, value in shown.items() if value}, "id": row[0], "cause": row[2], "severity": row[5],
        "state": "open" if what == "opened" else "closed", "count": row[6], "first_at": text(row[7]),
        "last_at": text(row[8]),
    }  # fmt: skip

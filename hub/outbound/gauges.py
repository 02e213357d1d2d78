"""Gauges: how much waits for whom and for how long, read from the store when somebody looks, not as it happens.

Counted no further than ten thousand for a target, for no more than a few hundred targets, and not twice within
some seconds: whoever scrapes costs the deliverer nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

from hub.circuit import SECOND
from hub.metrics import Metrics
from hub.outbound.tally import Tally
from hub.store.engine import Engine
from hub.world import World, told_at

_COUNT = 10_000
_MOST = 200
_FRESH = 5 * SECOND


@dataclass(slots=True)
class Gauges:
    """Reads queue depths, ages and circuits."""

    engine: Engine
    metrics: Metrics
    tally: Tally
    world: World
    _read_at: int = 0

    async def read(self) -> None:
        """Set the gauges as the store stands."""
        now = self.world.now()
        if self._read_at and now - self._read_at < _FRESH:
            return
        self._read_at = now
        depth, oldest = self.metrics.depth, self.metrics.oldest
        depth.clear()
        oldest.clear()
        for target in await self._targets():
            due, waiting, held = (await self.engine.fetch("queue_depth", target=target, most=_COUNT))[0]
            name = self.tally.label(target)
            for status, count in (("due", due), ("waiting", waiting), ("held", held)):
                depth.labels(name, status).inc(count)
            for event, due_at in await self.engine.fetch("queue_oldest", target=target):
                told = told_at(event.rpartition("_")[2]) or due_at
                oldest.labels(name).set(max(0.0, (now - told) / SECOND))
        for row in await self.engine.fetch("flows_open"):
            self.metrics.circuit.labels(self.tally.label(row[0])).set(1)

    async def _targets(self) -> list[str]:
        found: set[str] = set()
        for name in ("deliveries_targets", "deliveries_waiting_targets", "deliveries_held_targets"):
            found |= {row[0] for row in await self.engine.fetch(name)}
        return sorted(found)[:_MOST]

"""Heads are looked after: an order whose head is refused for too long is passed by, one that waits for nothing goes on.

It looks at a page of each target at a time and remembers where it was, so that a hundred thousand deliveries
that wait for one partner cost the others nothing. A target that is down is left alone: it refuses nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from hub.directory import Directory, Endpoint
from hub.outbound.holding import RESUMED, abandon, hold, release, removed
from hub.outbound.lanes import Lane
from hub.outbound.settle import Settler
from hub.outbound.verdict import SECOND
from hub.store.engine import Engine, Row, Unit
from hub.world import World

_PAGE = 500
_BLOCK = 900.0
_DELIVERIES = "dlv_"
_PATIENCE = 21_600.0
"""Seconds for which a notice to a person may hold back the next of its order."""


@dataclass(slots=True)
class Heads:
    """Goes round the targets; `turn` looks at the next page of each."""

    engine: Engine
    directory: Directory
    settler: Settler
    world: World
    freed: bool = False
    _tried: dict[str, tuple[int, int]] = field(default_factory=dict)
    _waiting: dict[str, tuple[str, int]] = field(default_factory=dict)
    _troubled: str = _DELIVERIES

    async def turn(self, lanes: Iterable[Lane]) -> bool:
        """The next page of each target; whether there are more pages before it has gone round. `freed` says that
        deliveries became due."""
        known = {lane.target: lane for lane in lanes}
        for lane in known.values():
            if not await self._cleared(lane.target):
                await self._pass(lane)
        for (target,) in await self.engine.fetch("deliveries_waiting_targets"):
            if await self._cleared(target):
                continue
            found = known.get(target)
            if found is None or not (found.circuit.is_open or found.paused):
                await self._free(target)
        await self._align()
        await self._mend()
        return bool(self._tried or self._waiting or self._troubled != _DELIVERIES)

    async def _mend(self) -> None:
        """Troubles of deliveries that ended well, or were given up, meanwhile are over, and those of endpoints that
        were removed: a page of them each turn."""
        rows = await self.engine.fetch("troubles_of_deliveries", after=self._troubled, most=_PAGE)
        dead = {target for _, status, target in rows if status == "dead"}
        gone = {target for target in sorted(dead) if await self._gone(target)}
        over = [
            subject
            for subject, status, target in rows
            if status in (None, "delivered", "skipped", "dropped") or target in gone
        ]
        if over:
            await self.settler.over(over)
        self._troubled = rows[-1][0] if len(rows) == _PAGE else _DELIVERIES

    async def _gone(self, target: str) -> bool:
        return self.directory.by_id(Endpoint, target) is None and await removed(self.engine, target)

    async def _cleared(self, target: str) -> bool:
        """Whether this was an endpoint, and is no more: what it is owed is dropped, whoever died while removing it."""
        gone = await self._gone(target)
        if gone:
            await abandon(self.engine, target, batches=1)
        return gone

    async def _pass(self, lane: Lane) -> None:
        """Later events of an order pass a head that has failed for longer than its endpoint lets it; one that was
        paused meanwhile has all of that time again."""
        endpoint = self.directory.get(Endpoint, lane.target)
        usual = _PATIENCE if lane.target.endswith("/notice") else _BLOCK
        before = self.world.now() - int((endpoint.block_for if endpoint else usual) * SECOND)
        if lane.circuit.is_open or lane.paused or lane.circuit.since > before:
            self._tried.pop(lane.target, None)
            return
        at, position = self._tried.pop(lane.target, (0, 0))
        page = {"target": lane.target, "before": before, "at": at, "position": position}
        blocked = await self.engine.fetch("heads_blocked", most=_PAGE, **page)
        looked = await self.engine.fetch("deliveries_tried_page", most=_PAGE, **page)
        if len(looked) == _PAGE:
            self._tried[lane.target] = (looked[-1][0], looked[-1][1])
        if blocked and not await self.engine.fetch(
            "memories_get", owner=lane.target, name=RESUMED, now=self.world.now()
        ):
            await self.settler.pass_over(blocked, endpoint.name if endpoint else lane.target)
            self.freed = True

    async def _free(self, target: str) -> None:
        """Orders that wait though nothing of theirs is outstanding (a crash between two writes of another process)."""
        order, position = self._waiting.pop(target, ("", 0))
        page = {"target": target, "order_id": order, "position": position}
        stuck = await self.engine.fetch("heads_stuck", most=_PAGE, **page)
        looked = await self.engine.fetch("deliveries_waiting_page", most=_PAGE, **page)
        if len(looked) == _PAGE:
            self._waiting[target] = (looked[-1][0], looked[-1][1])
        if stuck:
            await self._restart(sorted(stuck))
            self.freed = True

    async def _restart(self, pairs: list[Row]) -> None:
        async def work(unit: Unit) -> None:
            await unit.claim("heads_take_empty", pairs)
            if self.engine.shared:
                await unit.fetch("heads_lock", pairs)
            unit.add("heads_restart", pairs)
            unit.add("deliveries_promote", pairs, now=self.world.now(), claim="", until=0)

        await self.engine.transact(work)

    async def _align(self) -> None:
        """Deliveries stand as their endpoint does, whoever died while it was disabled or enabled."""
        for endpoint in self.directory.all(Endpoint):
            if endpoint.status == "disabled":
                await hold(self.engine, endpoint.id, batches=1)
        for (target,) in await self.engine.fetch("deliveries_held_targets"):
            found = self.directory.get(Endpoint, target)
            if found is None:
                await self._cleared(target)
            elif found.status != "disabled":
                await release(self.engine, self.world, found, batches=1)
                self.freed = True

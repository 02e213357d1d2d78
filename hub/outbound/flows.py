"""Flows: what all processes share of a target. Its circuit, so that a restart does not hammer who is down and one
probe serves all; its slots and its rate, a few at a time, so that no delivery pays for asking.

A share runs out by itself: a process that dies leaks nothing. Where one process owns the store, rates and slots
are its own, and only circuits are kept.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from hub.circuit import SECOND
from hub.outbound.lanes import Lane
from hub.store.engine import Engine, Row, Unit
from hub.world import World

_SHARE = 15 * SECOND
_PROBE = 60 * SECOND


@dataclass(slots=True)
class Flows:
    """Reads and writes them; `claim` is this process's mark."""

    engine: Engine
    world: World
    claim: str
    _open: dict[str, Row] = field(default_factory=dict)
    _looked: bool = False

    def begin(self, lane: Lane) -> None:
        """A lane opens: its circuit stands as the store had it last."""
        lane.shared = self.engine.shared
        if (row := self._open.get(lane.target)) is not None:
            lane.circuit.adopt(*row[1:])

    async def look(self, lanes: Iterable[Lane]) -> list[Lane]:
        """See what others found out; those lanes whose target is back."""
        if self._looked and not self.engine.shared:
            return []
        self._looked = True
        self._open = {row[0]: row for row in await self.engine.fetch("flows_open")}
        back = []
        for lane in lanes:
            row = self._open.get(lane.target)
            if row is not None:
                lane.circuit.adopt(*row[1:])
            elif lane.circuit.is_open and not lane.circuit.kept:
                await self.keep(
                    lane
                )  # the store was away when it opened: unknown to it, nobody could win its probe
            elif lane.circuit.is_open:
                lane.circuit.answered(self.world.now(), accepted=False)
                back.append(lane)
        return back

    async def keep(self, lane: Lane) -> None:
        """A circuit opened, was probed in vain, or closed."""
        circuit = lane.circuit
        row = (lane.target, circuit.opened_at, circuit.probe_at, circuit.probes, circuit.since)

        async def work(unit: Unit) -> None:
            unit.add("flows_put", [row])

        await self.engine.transact(work)
        circuit.kept = circuit.is_open

    async def probe(self, lane: Lane) -> bool:
        """Whether the probe that is due is ours to make."""
        if not self.engine.shared:
            return True
        now = self.world.now()

        async def work(unit: Unit) -> Unit:
            unit.add("flows_probe", target=lane.target, now=now, next=now + _PROBE)
            return unit

        won = (await self.engine.transact(work)).counts.get("flows_probe", 0) > 0
        if not won:
            lane.circuit.probe_at = max(lane.circuit.probe_at, now + _PROBE)
        lane.circuit.granted = won
        return won

    async def share(self, lanes: list[Lane]) -> list[Lane]:
        """Take slots and rate for these lanes, or renew them; those that got no slot, since others have them all."""
        names = sorted((lane.target,) for lane in lanes)
        now = self.world.now()

        async def work(unit: Unit) -> list[tuple[Lane, int, int]]:
            await unit.claim("flows_begin", names)
            allowed: dict[str, int] = dict(await unit.fetch("flows_lock", names))
            others: dict[str, list[int]] = {}
            for target, slots in await unit.fetch("shares_of", names, now=now, claim=self.claim):
                others.setdefault(target, []).append(slots)
            got, shares = [], []
            for lane in lanes:
                part = lane.part(others.get(lane.target, []))
                allowed[lane.target], more = lane.bucket.draw(allowed[lane.target], now, len(lane.ready))
                got.append((lane, part, more))
                shares.append((lane.target, self.claim, max(part, lane.sending), now + _SHARE))
            unit.add("shares_put", sorted(shares))
            unit.add("flows_allow", sorted(allowed.items()))
            return got

        for lane, part, more in await self.engine.transact(work):  # theirs only now: a unit may be run again
            lane.grant(part, more, now, now + _SHARE)
        return [lane for lane in lanes if not lane.concurrency]

    async def leave(self) -> None:
        """This process ends: its slots are anyone's."""
        if not self.engine.shared:
            return

        async def work(unit: Unit) -> None:
            unit.add("shares_leave", claim=self.claim, before=self.world.now() - _SHARE)

        await self.engine.transact(work)

"""Silence: how often each connection is pushed to is learned hour by hour; one that says nothing for too long is named.

What an operator set (`silence_after`) is taken at its word. Else a connection is silent when it says nothing for twice
as long as it ever did in the last fourteen days, and some twenty messages are due.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise

import msgspec

from hub.directory import Connection
from hub.repair.survey.walk import Sources
from hub.store.engine import Unit
from hub.troubles import Trouble, cause

SECOND = 1_000_000
HOUR = 3600 * SECOND
_DAYS = 14
_LEAST_HOURS = 72
_LEAST = 50
_DUE = 20
_BATCH = 5000
_LEASE = 60 * SECOND
_NAME = "*pulse"
_PUSHED = ("webhook", "email", "file")


class Usual(msgspec.Struct, frozen=True):
    """What is usual: messages an hour, and after how many seconds without one something is wrong."""

    an_hour: float
    silence: float


def usual(hours: Mapping[int, int], now: int) -> Usual | None:
    """What is usual of a connection, from its messages by hour; None while too little is known."""
    total = sum(hours.values())
    if not hours or total < _LEAST:
        return None
    first, last = min(hours), max(hours)
    if now - first < _LEAST_HOURS:
        return None
    seen = sorted(hour for hour, count in hours.items() if count)
    longest = max((after - before - 1 for before, after in pairwise(seen)), default=0)
    rate = total / (last - first + 1)
    return Usual(rate, max(2 * longest + 1, _DUE / rate) * 3600)


@dataclass(slots=True)
class Pulse:
    """Counts pushes, and names who is silent; `claim` is this process's mark."""

    hub: Sources
    claim: str
    _told: set[str] = field(default_factory=set)
    _first: bool = True

    async def step(self) -> int:
        """Count what came and look who is silent; returns how many messages were looked at."""
        now = self.hub.world.now()

        async def work(unit: Unit) -> Unit:
            unit.add("sweeps_claim", connection=_NAME, claim=self.claim, until=now + _LEASE, now=now)
            return unit

        if not (await self.hub.engine.transact(work)).counts["sweeps_claim"]:
            return 0
        count = await self._count(now)
        if count < _BATCH:
            await self._look(now)
        return count

    async def _count(self, now: int) -> int:
        engine = self.hub.engine
        held = await engine.fetch("memories_get", owner="pulse", name="position", now=now)
        after = int(bytes(held[0][0])) if held else 0
        rows = await engine.fetch("messages_pulse", after=after, most=_BATCH)
        if not rows:
            return 0
        pushed = [row for row in rows if row[2] in _PUSHED]
        counts = Counter((row[1], row[3] // HOUR) for row in pushed)
        last: dict[tuple[str, int], int] = {}
        for _, connection, _, at in pushed:
            last[connection, at // HOUR] = max(at, last.get((connection, at // HOUR), 0))

        async def work(unit: Unit) -> None:
            unit.add("pulses_add", [(*key, counts[key], last[key]) for key in sorted(counts)])
            unit.add("pulses_purge", hour=now // HOUR - _DAYS * 24)
            unit.add("memories_put", [("pulse", "position", str(rows[-1][0]).encode(), 0)])

        await engine.transact(work)
        return len(rows)

    async def _look(self, now: int) -> None:
        hours: dict[str, dict[int, int]] = {}
        last: dict[str, int] = {}
        for connection, hour, count, at in await self.hub.engine.fetch("pulses_since", hour=0):
            hours.setdefault(connection, {})[hour] = count
            last[connection] = max(at, last.get(connection, 0))
        for one in self.hub.directory.all(Connection):
            if one.status != "active":
                continue
            known = usual(hours.get(one.id, {}), now // HOUR)
            limit = one.silence_after or (known.silence if known else 0.0)
            quiet = (now - max(last.get(one.id, 0), one.created_at)) / SECOND
            if limit and quiet > limit:
                await self._silent(one, quiet, known)
            elif one.id in self._told or self._first:
                await self._heard(one)
        self._first = False

    async def _silent(self, one: Connection, quiet: float, known: Usual | None) -> None:
        if one.id in self._told:
            return
        rate = f"; {known.an_hour:.1f} messages an hour are usual" if known else ""
        trouble = Trouble(
            tenant=one.tenant, cause=cause("silence", one.id), subject=f"silence:{one.id}", severity="warning",
            title=f"{one.name}: nothing was pushed for {quiet / 3600:.1f} h{rate}", connection=one.id,
            hint="Its registrations are looked at now; `orderhub connections test` and `orderhub compare` tell more.",
        )  # fmt: skip

        async def work(unit: Unit) -> None:
            unit.add("sweeps_ensured", connection=one.id, now=0)
            unit.add("sweeps_soon", connection=one.id)
            await self.hub.troubles.open(unit, [trouble])

        await self.hub.engine.transact(work)
        self._told.add(one.id)

    async def _heard(self, one: Connection) -> None:
        self._told.discard(one.id)
        await self.hub.engine.transact(lambda unit: self.hub.troubles.clear(unit, [f"silence:{one.id}"]))

"""Holding: what an endpoint that is disabled is owed waits aside, flows again in its order, or is dropped for good.

A thousand deliveries at a time: a partner with a hundred thousand waiting holds up no other while they turn.
"""

from __future__ import annotations

from hub.directory import Endpoint
from hub.store.engine import Engine, Row, Unit
from hub.world import World

_BATCH = 1000
_ALL = 1 << 30
_REMOVED = "the endpoint was removed"
RESUMED = "resumed"
"""Remembered of an endpoint since it is active again, for as long as a head may block it."""


async def hold(engine: Engine, target: str, *, batches: int = _ALL) -> int:
    """Put aside what is due or waits; returns how many were."""
    return await _away(engine, target, "held", "", batches)


async def abandon(engine: Engine, target: str, *, batches: int = _ALL) -> int:
    """Drop what an endpoint that was removed is still owed; returns how much that was."""
    count = await _away(engine, target, "dropped", _REMOVED, batches)
    for _ in range(batches):
        rows = await engine.fetch("deliveries_held", target=target, most=_BATCH)
        if not rows:
            break
        await _put(engine, target, rows, "dropped", _REMOVED)
        count += len(rows)
    return count


async def removed(engine: Engine, target: str) -> bool:
    """Whether a target is an endpoint that there is no more, as the store knows: another process may have made it."""
    return "/" not in target and not await engine.fetch("things_status", kind="endpoint", id=target)


async def discard(engine: Engine, target: str) -> int:
    """Drop what is held for an endpoint that is disabled; returns how much that was."""
    count = 0
    while rows := await engine.fetch("deliveries_held", target=target, most=_BATCH):
        await _put(engine, target, rows, "dropped", "dropped by hand")
        count += len(rows)
    return count


async def _away(engine: Engine, target: str, status: str, outcome: str, batches: int) -> int:
    count = 0
    for _ in range(batches):
        rows = await engine.fetch("deliveries_going", target=target, most=_BATCH)
        if not rows:
            break
        await _put(engine, target, rows, status, outcome)
        count += len(rows)
    return count


async def _put(engine: Engine, target: str, rows: list[Row], status: str, outcome: str) -> None:
    pairs = sorted({(target, row[1]) for row in rows if row[1]})

    async def work(unit: Unit) -> None:
        if engine.shared and pairs:
            await unit.fetch("heads_lock", pairs)
        unit.add("deliveries_put_aside", [(row[0], status, outcome) for row in rows])
        unit.add("heads_leave", pairs)

    await engine.transact(work)


async def release(engine: Engine, world: World, endpoint: Endpoint, *, batches: int = _ALL) -> None:
    """Let what was held flow, in order per order where the endpoint wants it. While it is not active nothing of it
    goes out, so that what is told meanwhile stays behind."""
    for _ in range(batches):
        rows = await engine.fetch("deliveries_held", target=endpoint.id, most=_BATCH)
        if not rows:
            return

        async def work(unit: Unit, rows: list[Row] = rows) -> None:
            await let_go(unit, engine, world, endpoint, rows)

        await engine.transact(work)
        if len(rows) < _BATCH:
            return


async def let_go(unit: Unit, engine: Engine, world: World, endpoint: Endpoint, rows: list[Row]) -> None:
    """Add the release of these deliveries (position, order) to a unit."""
    ordered = int(endpoint.ordering == "per_order")
    pairs = sorted({(endpoint.id, row[1]) for row in rows if row[1]}) if ordered else []
    await unit.claim("heads_take_empty", pairs)
    if engine.shared and pairs:
        await unit.fetch("heads_lock", pairs)
    unit.add("deliveries_release", [(row[0], ordered, world.now()) for row in rows])
    unit.add("heads_restart", pairs)
    unit.add("deliveries_promote", pairs, now=world.now(), claim="", until=0)

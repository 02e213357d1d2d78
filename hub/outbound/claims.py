"""Claims: what is due to a target is taken from the store, for this process alone where there are several."""

from __future__ import annotations

from collections.abc import Iterable

from hub.announce import LEASE
from hub.outbound.lanes import Lane
from hub.store.engine import Engine, Row, Unavailable, Unit
from hub.store.rows import Due, due


async def take(engine: Engine, target: str, now: int, most: int, claim: str) -> list[Due]:
    """The oldest that are due; claimed for a lease where other processes may take them too."""
    if not engine.shared:
        rows = await engine.fetch("deliveries_due", target=target, now=now, most=most)
        return [due(row) for row in rows]

    async def work(unit: Unit) -> list[Row]:
        taken = await unit.fetch(
            "deliveries_claim", target=target, now=now, most=most, claim=claim, until=now + LEASE
        )
        rows = await unit.fetch("deliveries_load", sorted((row[0],) for row in taken), claim=claim)
        return sorted(rows, key=lambda row: (row[10], row[0]))

    return [due(row, now + LEASE) for row in await engine.transact(work)]


async def keep(engine: Engine, positions: list[int], claim: str, *, until: int) -> None:
    """Our claim on these is good until then; 0 gives them back."""
    if not positions:
        return

    async def work(unit: Unit) -> None:
        unit.add("deliveries_renew", [(position, claim) for position in positions], until=until)

    await engine.transact(work)


async def read(engine: Engine, asked: list[int], claim: str, now: int, astray: set[int]) -> list[Due]:
    """Those of these that are due and ours. Where the store is away they are `astray`: ours, and not in memory."""
    try:
        rows = await engine.fetch("deliveries_load", [(one,) for one in asked], claim=claim)
    except Unavailable:
        astray.update(asked)
        return []
    return [due(row, now + LEASE if claim else 0) for row in rows]


async def give_back(engine: Engine, lanes: Iterable[Lane], claim: str, astray: set[int]) -> None:
    """What we have claimed and do not hold is anyone's again; what could not be given back is astray until it can."""
    for lane in lanes:
        astray.update(lane.spare)
        lane.spare.clear()
    given = sorted(astray)
    await keep(engine, given, claim, until=0)
    astray.difference_update(given)

"""Claims: what is due to a target is taken from the store, for this process alone where there are several."""

from __future__ import annotations

from hub.announce import LEASE
from hub.store.engine import Engine, Row, Unit
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

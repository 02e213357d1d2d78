"""Standing: whether an endpoint works, is paused or is disabled, and what follows from a change of that."""

from __future__ import annotations

from typing import Protocol

import structlog

from hub.circuit import SECOND
from hub.directory import Endpoint
from hub.outbound.health import Health
from hub.outbound.holding import RESUMED, hold, let_go, release
from hub.repair.parts import Parts
from hub.store.engine import Unit
from hub.store.rows import Due

_LEFT = 1000
log = structlog.get_logger("orderhub")


class Cared(Parts, Protocol):
    """A hub that looks after its endpoints."""

    health: Health


async def set_status(hub: Cared, endpoint: Endpoint, status: str, reason: str = "") -> None:
    """Pause, enable or disable an endpoint; a disabled one holds its deliveries, an enabled one lets them go. Many
    deliveries turn in many small transactions; whoever dies between them, the sweep of heads goes on. A `reason`
    says that no person did it."""

    async def work(unit: Unit) -> list[Due]:
        endpoint.status = status
        if was == "disabled" != status:
            left = await unit.fetch("deliveries_held", target=endpoint.id, most=_LEFT)
            await let_go(unit, hub.engine, hub.world, endpoint, left)
        if was != "active" == status:
            now = hub.world.now()
            until = now + int(endpoint.block_for * SECOND)
            unit.add("memories_put", [(endpoint.id, RESUMED, str(now).encode(), until)])
        due = await hub.health.turned(unit, endpoint, status, reason)
        await hub.directory.stand(unit, endpoint, hub.world.now())
        return due

    was = endpoint.status
    if was == "disabled" != status:
        await release(hub.engine, hub.world, endpoint)
    async with hub.normalise.turn:  # or else news that is being written would still follow the old status
        due = await hub.engine.transact(work)
        await hub.directory.refresh()
    hub.deliver.configure()
    hub.health.hand(due)
    if status == "disabled":
        await hold(hub.engine, endpoint.id)
    hub.deliver.spilled()
    if reason:
        log.warning("an endpoint was set", endpoint=endpoint.id, status=status, reason=reason)

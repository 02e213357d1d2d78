"""What repair needs of a hub, and how it takes its turn: as the normalise stage does, whole or not at all."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Generic, Protocol, TypeVar

from hub.announce import Announcer, Cause
from hub.audience import Audience
from hub.directory import Directory
from hub.inbound.inbox import Inbox
from hub.inbound.normalise import Normalise
from hub.inbound.record import Recorder
from hub.outbound.deliver import Deliver
from hub.store.engine import Engine, Unit
from hub.store.rows import PLAIN
from hub.troubles import Troubles
from hub.vault import Vault
from hub.world import World

T = TypeVar("T")

ACTOR = "rebuild"


class Parts(Protocol):
    """The parts of a hub that repair works with."""

    world: World
    engine: Engine
    vault: Vault
    directory: Directory
    audience: Audience
    troubles: Troubles
    inbox: Inbox
    announcer: Announcer
    recorder: Recorder
    normalise: Normalise
    deliver: Deliver


class _Undone(Exception, Generic[T]):
    def __init__(self, result: T) -> None:
        super().__init__("a dry run")
        self.result = result


async def take_turn(hub: Parts, work: Callable[[Unit], Awaitable[T]], *, apply: bool) -> T:
    """Run `work` as one transaction that no other turns an order in; without `apply` nothing of it stays."""

    async def dry(unit: Unit) -> T:
        raise _Undone(await work(unit))

    async with hub.normalise.turn:
        if apply:
            return await hub.engine.transact(work)
        try:
            return await hub.engine.transact(dry)
        except _Undone as done:
            result: T = done.result
            return result


def repaired(hub: Parts, message: str = "", connection: str = "", actor: str = ACTOR) -> Cause:
    """The cause of events that a repair emits."""
    return Cause(message=message, connection=connection, actor=actor, occurred_at=hub.world.now())


async def note(
    unit: Unit, hub: Parts, tenant: str, actor: str, action: str, subject: str, detail: Any
) -> None:
    """An audit row: who repaired what."""
    position = await unit.positions(1)
    unit.add("audit_add", [(position, tenant, hub.world.now(), actor, action, subject, PLAIN.encode(detail))])

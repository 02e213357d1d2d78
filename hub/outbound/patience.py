"""Patience: what a far side answered is not asked again because the store was away when it was to be kept."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

import structlog

from hub.announce import LEASE
from hub.store.engine import Unavailable
from hub.store.rows import Due
from hub.world import World

T = TypeVar("T")
_PAUSE = 1.0
log = structlog.get_logger("orderhub.deliver")


async def patiently(world: World, one: Due, do: Callable[[], Awaitable[T]]) -> T:
    """Do it when the store is back; raises Unavailable where the claim on the delivery ends before, or a lease has
    passed: then it is anyone's to send."""
    until = one.claimed_until or world.now() + LEASE
    while True:
        try:
            return await do()
        except Unavailable as error:
            if world.now() >= max(until, one.claimed_until):
                raise
            log.warning("the store is away; an attempt waits for it", target=one.target, error=str(error))
            await world.sleep(_PAUSE)

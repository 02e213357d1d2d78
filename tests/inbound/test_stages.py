"""A stage ends when it is told to, and not because something that it waited for was given up."""

from __future__ import annotations

import asyncio
import contextlib

from hub.run import Hub
from hub.serve import loop


async def test_a_stage_outlives_what_it_waited_for(hub: Hub) -> None:
    turns = 0
    again = asyncio.Event()

    async def turn(_: Hub) -> None:
        nonlocal turns
        turns += 1
        if turns == 1:
            given_up = asyncio.get_running_loop().create_future()
            given_up.cancel()
            await given_up
        again.set()
        await asyncio.Event().wait()

    running = asyncio.ensure_future(loop("tried", hub, turn))
    async with asyncio.timeout(20):
        await again.wait()
    running.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await running
    assert running.cancelled()

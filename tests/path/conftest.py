"""A town on each engine in turn. Its clock stands at today, since other people's verifiers look at theirs."""

from __future__ import annotations

import contextlib
import time
from collections.abc import AsyncIterator

import pytest

from hub.config import Config
from hub.run import open_hub
from hub.world import World
from tests.path.town import Town


@pytest.fixture
async def town(config: Config) -> AsyncIterator[Town]:
    async with contextlib.AsyncExitStack() as stack:
        hub = await stack.enter_async_context(open_hub(config, World.still(time.time_ns() // 1000)))
        yield Town(hub, stack)

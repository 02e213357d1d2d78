"""A hub over each engine in turn, with an invented shop and tracker connected (tests/repair/shop.py)."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from hub.config import Config
from hub.run import open_hub
from hub.world import World
from tests.repair.shop import Shop, connect, registry


@pytest.fixture
async def shop(config: Config) -> AsyncIterator[Shop]:
    async with open_hub(config, World.still(), registry()) as hub:
        corner = await connect(hub, "corner", "corner")
        beacon = await connect(hub, "beacon", "beacon")
        yield Shop(hub, corner, beacon)

"""A fleet: what several processes would be, in one. On PostgreSQL each member has a pool of its own; a SQLite
file has one owner, whose tasks are the fleet."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from hub.config import Config
from hub.run import Hub, open_hub
from hub.store.engine import Engine
from hub.store.postgres import Postgres
from hub.store.sqlite import SQLite
from hub.world import Still, World
from tests.engines import ADMIN, KEY
from tests.repair.shop import registry

CHANNELS = registry()


@asynccontextmanager
async def engines(database: str, count: int) -> AsyncIterator[list[Engine]]:
    """So many members at the store alone."""
    path = database.removeprefix("sqlite:")
    found: list[Engine] = (
        [SQLite(path)] if path != database else [Postgres(database, size=2) for _ in range(count)]
    )
    for one in found:
        await one.open()
    yield [found[n % len(found)] for n in range(count)]
    for one in found:
        await one.close()


@asynccontextmanager
async def hubs(database: str, count: int, world: Still | None = None) -> AsyncIterator[list[Hub]]:
    """So many members, whole hubs over one still world."""
    world = world or World.still()
    config = Config(database=database, keys=(KEY,), admin_token=ADMIN)
    async with AsyncExitStack() as stack:
        own = 1 if config.sqlite_path else count
        found = [await stack.enter_async_context(open_hub(config, world, CHANNELS)) for _ in range(own)]
        yield [found[n % own] for n in range(count)]

"""The bell: what one process commits another hears of at once, and a connection that broke is made again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from hub.serve import loop
from hub.store.bell import Bell
from hub.store.engine import Unit
from hub.store.postgres import Postgres
from hub.world import Skew


async def test_who_waits_is_woken_by_a_commit(engine):
    rung = engine.bell.count("events")
    waiting = asyncio.create_task(engine.bell.after("events", rung, 30))
    await asyncio.sleep(0)
    await say(engine, "evt_1")

    assert await waiting


async def test_a_ring_between_looking_and_waiting_is_not_missed():
    bell = Bell()
    rung = bell.count("events")
    bell.ring("events")

    assert await bell.after("events", rung, 30)
    assert not await bell.after("events", bell.count("events"), 0.001)
    assert not bell._waiting["events"]


async def say(engine, id_: str) -> None:
    async def work(unit: Unit) -> None:
        position = await unit.positions(1)
        unit.add("events_add", [(position, id_, "main", "", None, "test.said", 0, 0, 0, b"{}", 0)])

    await engine.transact(work)


class _Heard:
    """As much of a hub as the loop wants."""

    def __init__(self, engine):
        self.engine = engine


@asynccontextmanager
async def two(url: str) -> AsyncIterator[list[Postgres]]:
    """Two processes that listen."""
    engines = [Postgres(url, size=2) for _ in range(2)]
    for one in engines:
        await one.open()
    tasks = [
        asyncio.create_task(loop("bell", _Heard(one), lambda hub: hub.engine.listen())) for one in engines
    ]
    try:
        for one in engines:
            while not one._wire.listening:
                await asyncio.sleep(0.01)
        yield engines
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for one in engines:
            await one.close()


async def test_another_process_hears_what_was_committed(postgres_url):
    async with two(postgres_url) as (speaks, hears):
        rung = hears.bell.count("events")
        await say(speaks, "evt_1")

        assert await hears.bell.after("events", rung, 30)


async def test_who_speaks_does_not_hear_itself_twice(postgres_url):
    async with two(postgres_url) as (speaks, hears):
        rung, own = hears.bell.count("events"), speaks.bell.count("events")
        await say(speaks, "evt_1")
        assert await hears.bell.after("events", rung, 30)

        assert speaks.bell.count("events") == own + 1


async def test_a_connection_that_was_cut_is_made_again_and_begins_by_ringing(postgres_url):
    async with two(postgres_url) as (speaks, hears):
        rung = hears.bell.count("things")
        cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN%' OR query LIKE '%pg_notify%'"
        await speaks._pool.fetch(
            f"{cut} AND pid <> pg_backend_pid()".replace("WHERE ", "WHERE (").replace(" AND", ") AND")
        )
        assert await hears.bell.after("things", rung, 30)
        while not (speaks._wire.listening and hears._wire.listening):
            await asyncio.sleep(0.01)
        rung = hears.bell.count("events")
        await say(speaks, "evt_2")

        assert await hears.bell.after("events", rung, 30)


async def test_the_clock_of_the_store_is_everyones(postgres_url):
    engine = Postgres(postgres_url, size=1)
    await engine.open()
    ahead = Skew()

    async def moment() -> int:
        return await engine.moment() + 3_600_000_000

    await ahead.measure(moment)
    assert abs(ahead.by - 3_600_000_000) < 60_000_000
    await ahead.measure(engine.moment)
    assert abs(ahead.by) < 60_000_000
    await engine.close()

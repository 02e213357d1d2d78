"""What all processes share of a target: one circuit with one probe, one rate, so many slots; and what a restart knows."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import asyncpg
import pytest

from hub.circuit import Circuit
from hub.config import Config
from hub.outbound.lanes import Bucket, Lane
from hub.run import Hub, open_hub
from hub.store.engine import Engine, Unavailable
from hub.world import World
from tests.outbound.desk import DOWN, OK, Desk, Script, desk

SECOND = 1_000_000


@pytest.fixture
def shared(postgres_url: str) -> Config:
    return Config(
        database=postgres_url, keys=(bytes(32),), admin_token="oh_a", allow_private=("127.0.0.1/32",)
    )


@asynccontextmanager
async def two(config: Config, **fields: object) -> AsyncIterator[tuple[list[Hub], Desk]]:
    """Two processes over one store with one partner, whose script both send to."""
    world = World.still()
    async with AsyncExitStack() as stack:
        hubs = [await stack.enter_async_context(open_hub(config, world)) for _ in range(2)]
        d = await desk(hubs[0])
        await d.endpoint(**fields)
        for one in hubs:
            await one.directory.refresh()
            one.deliver.sender = d.script
        yield hubs, d


async def test_a_restart_does_not_hammer_who_is_down(config: Config) -> None:
    world = World.still()
    async with open_hub(config, world) as hub:
        d = await desk(hub, DOWN)
        await d.endpoint(concurrency=1)
        for n in range(20):
            await d.tell(f"A{n}", "1")
        await hub.settle()
        assert len(d.script.take()) == 5
    world.move(20)
    async with open_hub(config, world) as hub:
        hub.deliver.sender = script = Script(DOWN)
        await hub.settle()
        assert script.posts == []
        world.move(61)
        await hub.settle()
        assert len(script.take()) == 1
        script.says = OK
        world.move(301)
        await hub.settle()

        assert len(script.take()) == 20


async def test_processes_know_of_each_others_circuit_and_one_of_them_probes(shared: Config) -> None:
    async with two(shared, concurrency=1) as ((one, other), d):
        d.script.says = DOWN
        for n in range(30):
            await d.tell(f"A{n}", "1")
        await one.settle()
        assert len(d.script.take()) == 5
        await other.settle()
        assert d.script.posts == []
        for _ in range(5):
            one.world.move(61)
            await asyncio.gather(one.deliver.step(), other.deliver.step())
        assert 1 <= len(d.script.take()) <= 5, "no more than one probe at a time"

        d.script.says = OK
        for _ in range(4):
            one.world.move(301)
            await asyncio.gather(one.deliver.step(), other.deliver.step())
        await one.settle()
        await other.settle()

        assert set(await d.statuses()) == {"delivered"}
        assert not any(lane.circuit.is_open for hub in (one, other) for lane in hub.deliver.lanes.values())


async def test_probes_in_turn_grow_to_five_minutes_though_two_processes_look(shared: Config) -> None:
    async with two(shared, concurrency=1) as ((one, other), d):
        d.script.says = DOWN
        for n in range(6):
            await d.tell(f"A{n}", "1")
        await one.settle()
        d.script.take()
        at, gaps = one.world.now(), []
        for _ in range(120):
            one.world.move(10)
            await one.deliver.step()
            await other.deliver.step()
            posts = d.script.take()
            assert len(posts) <= 1
            if posts:
                gaps.append(round((one.world.now() - at) / 60 / SECOND))
                at = one.world.now()

    assert gaps == [1, 2, 3, 4, 5, 5]


async def test_the_rate_is_that_of_all_processes_together(shared: Config) -> None:
    async with two(shared, rate=5.0, concurrency=50, ordering="none") as ((one, other), d):
        for n in range(100):
            await d.tell(f"A{n}", "1")
        await one.deliver.step()
        d.script.take()
        counts = []
        for _ in range(40):
            one.world.move(0.5)
            await asyncio.gather(one.deliver.step(), other.deliver.step())
            counts.append(len(d.script.take()))

    seconds = [counts[n] + counts[n + 1] for n in range(0, 40, 2)]
    assert max(seconds) <= 6
    assert 85 <= sum(counts) <= 101


async def test_slots_are_those_of_all_processes_together(shared: Config) -> None:
    async with two(shared, concurrency=4, ordering="none") as ((one, other), d):
        d.script.gate = asyncio.Event()
        for n in range(40):
            await d.tell(f"A{n}", "1")
        one.deliver.lanes.clear()
        one.world.move(61)
        tasks = [asyncio.ensure_future(each.deliver.step()) for each in (one, other)]
        while d.script.under_way < 4:
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.1)
        assert d.script.under_way == 4
        d.script.gate.set()
        await asyncio.gather(*tasks)
        await one.settle()
        await other.settle()

        assert d.script.most == 4
        assert set(await d.statuses()) == {"delivered"}


async def test_the_slots_of_a_process_that_died_are_free_again_soon(shared: Config) -> None:
    async with two(shared, concurrency=2, ordering="none") as ((dies, lives), d):
        for n in range(4):
            await d.tell(f"A{n}", "1")
        await dies.deliver._share(list(dies.deliver.lanes.values()))
        [held] = dies.deliver.lanes.values()
        assert held.concurrency == 2
        lives.world.move(62)
        await lives.settle()

        assert len(d.script.posts) == 4


async def test_a_process_without_a_slot_leaves_its_news_to_who_has_them(shared: Config) -> None:
    async with two(shared, concurrency=1, ordering="none") as ((one, other), d):
        await d.tell("A", "1")
        await one.deliver.step()
        await Desk(other, d.script, d.shop).tell("B", "1")
        await other.deliver.step()
        assert len(d.script.posts) == 1
        await one.deliver.step()

        assert len(d.script.posts) == 2


def test_where_another_has_none_a_process_keeps_a_fair_part() -> None:
    lane = Lane("end_1", 8, Bucket(0), limit=8, shared=True)

    assert [lane.part(others) for others in ([], [0], [4], [4, 4, 0])] == [8, 4, 4, 0]


def test_a_shared_bucket_draws_no_more_than_the_rate() -> None:
    bucket = Bucket(10.0, tokens=0.0, shared=True)
    allowed, now, taken = 0, 1_000 * SECOND, 0
    for _ in range(100):
        allowed, more = bucket.draw(allowed, now, 50)
        bucket.tokens += more
        while bucket.take(now):
            taken += 1
        now += 100_000

    assert 99 <= taken <= 111


def test_what_the_store_says_of_a_circuit_does_not_undo_a_probe_under_way() -> None:
    circuit = Circuit()
    circuit.adopt(1, 60, 0)
    circuit.probing = True
    circuit.adopt(1, 900, 0)

    assert circuit.probe_at == 60


class Away:
    """A store that takes nothing for a while."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.away = True

    def __getattr__(self, name: str) -> Any:
        return getattr(self.engine, name)

    async def transact(self, work: Any) -> Any:
        if self.away:
            raise Unavailable("the store is away")
        return await self.engine.transact(work)


async def test_a_circuit_that_the_store_did_not_hear_of_is_probed_all_the_same(shared: Config) -> None:
    async with two(shared, concurrency=1) as ((one, _), d):
        d.script.says = DOWN
        for n in range(6):
            await d.tell(f"A{n}", "1")
        await one.deliver.load()
        one.deliver.flows.engine = away = Away(one.engine)
        for _ in range(8):
            await one.deliver._round()
            while one.deliver._tasks:
                await asyncio.wait(set(one.deliver._tasks))
        assert [lane.circuit.is_open for lane in one.deliver.lanes.values()] == [True]
        away.away = False
        d.script.says = OK
        for _ in range(4):
            one.world.move(61)
            await one.settle()

        assert set(await d.statuses()) == {"delivered"}


@pytest.mark.parametrize("lost", [0, 2])
async def test_a_share_whose_transaction_is_run_again_is_taken_once(shared: Config, lost: int) -> None:
    async with open_hub(shared, World.still()) as hub:
        d = await desk(hub)
        await d.endpoint(rate=10.0)
        for n in range(8):
            await d.tell(f"A{n}", "1")
        whole, left = hub.engine.transact, [lost]

        async def transact(work: Any) -> Any:
            async def raced(unit: Any) -> Any:
                found = await work(unit)
                if work.__qualname__.startswith("Flows.share") and left[0]:
                    left[0] -= 1
                    raise asyncpg.SerializationError("another was first")
                return found

            return await whole(raced)

        hub.engine.transact = transact  # type: ignore[method-assign]
        await hub.deliver.step()

    assert (left, len(d.script.posts)) == ([0], 2)

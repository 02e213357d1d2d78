"""The hub is killed without a warning, again and again; nothing that it accepted is lost or told twice."""

from __future__ import annotations

import asyncio
import os
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.crash import witness
from tests.crash.doomed import PLACES
from tests.crash.feed import Feed, followed
from tests.crash.partner import Partner, listening
from tests.crash.process import ADMIN, LEASE, Hub, prepare, secret
from tests.crash.shop import Shop

KILLS = int(os.environ.get("ORDERHUB_TEST_KILLS", "50"))
_RATE = 400


@dataclass
class Trial:
    """A shop that speaks, a hub that dies, a partner that is told, a reader that asks for himself."""

    hub: Hub
    shop: Shop
    partner: Partner
    feed: Feed

    async def verdict(self) -> str:
        """One last start: what was not answered is said again, everything goes out, the hub is told to stop.
        What is wrong then, in sentences, and what the hub logged; "" where nothing is."""
        await self.hub.start()
        await self.shop.finish(self.hub.port)
        await self._drained()
        await self.feed.caught_up(len((await witness.books(self.hub.database)).events))
        code = await self.hub.stop()
        wrong = witness.faults(self.shop, await witness.books(self.hub.database), self.partner, self.feed)
        wrong += [f"it was told to stop and ended with {code}"] * bool(code)
        return "\n".join([*wrong[:40], f"… {len(wrong)} faults in all", self.hub.said()]) if wrong else ""

    async def _drained(self) -> None:
        """Until everything is understood and delivered, or nothing more comes of it."""
        idle, before = 0, (0, 0, 0)
        for _ in range(4000):
            left = await witness.waiting(self.hub.database)
            if left == (0, 0) or idle > 100:
                return
            now = (*left, len(self.partner.letters))
            idle, before = (idle + 1 if now == before else 0), now
            await asyncio.sleep(0.05)


@asynccontextmanager
async def trial(database: str, folder: Path) -> AsyncIterator[Trial]:
    shop, key, hub = Shop(seed=7), secret(), Hub(database, folder)
    async with listening(key) as partner, followed(hub.port, ADMIN) as feed:
        await prepare(database, shop, partner.url, key)
        try:
            yield Trial(hub, shop, partner, feed)
        finally:
            await hub.kill()


async def test_killed_at_random_under_load_it_loses_nothing_and_tells_nothing_twice(
    database: str, tmp_path: Path
):
    chance = random.Random()
    async with trial(database, tmp_path) as one:
        for _ in range(KILLS):
            await one.hub.start()
            talk = asyncio.ensure_future(one.shop.talk(one.hub.port, rate=_RATE))
            await asyncio.sleep(chance.uniform(0.15, 1.0))
            await one.hub.kill()
            await talk
        assert not (wrong := await one.verdict()), wrong

    assert sum(push.accepted for push in one.shop.pushes) > 5 * KILLS


async def test_killed_at_its_worst_moments_it_loses_nothing_and_tells_nothing_twice(
    database: str, tmp_path: Path
):
    async with trial(database, tmp_path) as one:
        for place in PLACES:
            await one.hub.start(trap=place, after=7)
            await asyncio.wait_for(one.shop.talk(one.hub.port, rate=_RATE), 30)
            assert await one.hub.ended() == -9, f"it did not die when {place}\n{one.hub.said()}"
        assert not (wrong := await one.verdict()), wrong


async def test_of_two_processes_one_or_the_other_is_killed_and_nothing_is_lost_or_told_twice(
    postgres_url: str, tmp_path: Path
):
    async with trial(postgres_url, tmp_path) as one:
        other = Hub(postgres_url, tmp_path)
        try:
            codes = await _in_turn(one.shop, (one.hub, other))
        finally:
            await other.kill()
        assert codes == [0, 0], one.hub.said()
        one.hub.ahead = LEASE
        assert not (wrong := await one.verdict()), wrong


async def _in_turn(shop: Shop, hubs: tuple[Hub, Hub]) -> list[int]:
    """Kill one, start it again, kill the other, while the shop speaks to both; their exit codes in the end."""
    chance = random.Random()
    talks: dict[int, asyncio.Future[None]] = {}

    async def start(hub: Hub) -> None:
        hub.lease = 0
        await hub.start()
        talks[hub.port] = asyncio.ensure_future(shop.talk(hub.port, rate=_RATE / 2))

    await asyncio.gather(*map(start, hubs))
    for turn in range(max(2, KILLS // 10)):
        hub = hubs[turn % 2]
        await asyncio.sleep(chance.uniform(0.15, 1.0))
        await hub.kill()
        await talks[hub.port]
        await start(hub)
    codes = [await hub.stop() for hub in hubs]
    await asyncio.gather(*talks.values())
    return codes


async def test_told_to_stop_under_load_it_understands_what_it_accepted_and_ends_well(
    database: str, tmp_path: Path
):
    async with trial(database, tmp_path) as one:
        await one.hub.start()
        talk = asyncio.ensure_future(one.shop.talk(one.hub.port, rate=_RATE))
        await asyncio.sleep(0.5)
        assert await one.hub.stop() == 0, one.hub.said()
        await talk
        messages, _ = await witness.waiting(one.hub.database)

        assert messages == 0
        assert not (wrong := await one.verdict()), wrong


@pytest.mark.parametrize("file", ["", "-wal", ".key", ".run"])
async def test_killed_while_it_makes_its_database_it_starts_again(file: str, tmp_path: Path):
    made = tmp_path / f"hub.db{file}"
    hub = Hub(f"sqlite:{tmp_path}/hub.db", tmp_path)
    await hub.launch()
    while hub.runs and not made.exists():
        await asyncio.sleep(0.001)
    await hub.kill()
    await hub.start()

    assert await hub.stop() == 0, hub.said()

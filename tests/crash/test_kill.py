"""The hub is killed as a power cut kills it, again and again; nothing that it accepted is lost or doubled."""

from __future__ import annotations

import asyncio
import os
import random
from pathlib import Path

import pytest

from tests.crash import witness
from tests.crash.doomed import PLACES
from tests.crash.partner import Partner, listening
from tests.crash.process import Hub, prepare, secret
from tests.crash.shop import Shop

KILLS = int(os.environ.get("ORDERHUB_TEST_KILLS", "50"))
_RATE = 400


async def drained(hub: Hub, partner: Partner) -> None:
    """Until everything is understood and delivered, or nothing comes of it any more."""
    idle, before = 0, (0, 0, 0)
    for _ in range(1200):
        left = await witness.waiting(hub.database)
        if left == (0, 0):
            return
        now = (*left, len(partner.letters))
        idle, before = (idle + 1 if now == before else 0), now
        if idle > 60:
            return
        await asyncio.sleep(0.05)


async def judged(hub: Hub, shop: Shop, partner: Partner) -> str:
    """The last start: what was not answered is said again, everything goes out, the hub is told to stop."""
    await hub.start()
    await shop.finish(hub.port)
    await drained(hub, partner)
    code = await hub.stop()
    wrong = witness.faults(shop, await witness.books(hub.database), partner)
    if code:
        wrong.append(f"it was told to stop and ended with {code}")
    return "\n".join([*wrong[:40], f"… {len(wrong)} faults in all", hub.said()]) if wrong else ""


async def test_killed_at_random_under_load_it_loses_nothing_and_doubles_nothing(
    database: str, tmp_path: Path
):
    chance, shop, key = random.Random(), Shop(seed=KILLS), secret()
    async with listening(key) as partner:
        await prepare(database, shop, partner.url, key)
        hub = Hub(database, tmp_path)
        for _ in range(KILLS):
            await hub.start()
            talk = asyncio.ensure_future(shop.talk(hub.port, rate=_RATE))
            await asyncio.sleep(chance.uniform(0.15, 1.0))
            await hub.kill()
            await talk
        assert not (wrong := await judged(hub, shop, partner)), wrong

    assert sum(push.accepted for push in shop.pushes) > KILLS


@pytest.mark.parametrize("place", PLACES)
async def test_killed_when(place: str, database: str, tmp_path: Path):
    shop, key = Shop(seed=7), secret()
    async with listening(key) as partner:
        await prepare(database, shop, partner.url, key)
        hub = Hub(database, tmp_path)
        await hub.start(trap=place, after=5)
        await shop.talk(hub.port, rate=200, enough=lambda: len(shop.pushes) > 400)
        assert await hub.ended() == -9, hub.said()
        assert not (wrong := await judged(hub, shop, partner)), wrong

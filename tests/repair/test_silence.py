"""The subscription that was dropped, and the shop that says nothing any more: noticed, registered again, made up for."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator

import msgspec
import pytest

from hub.config import Config
from hub.repair.survey.silence import HOUR, Usual, usual
from hub.world import World
from tests.path.corner import Corner
from tests.repair.source import Source, readable
from tests.repair.test_surveys import DAY, SECOND, runs, source, world


@pytest.fixture
async def corner(config: Config) -> AsyncIterator[Corner]:
    async with readable(config, World.still(time.time_ns() // 1000 - int(DAY) * SECOND), Source()) as one:
        yield one


def test_nights_are_no_silence_and_little_knowledge_is_none() -> None:
    days = {day * 24 + hour: 5 for day in range(10) for hour in range(8, 20)}

    assert usual(days, 240) == Usual(60 * 10 / (9 * 24 + 12), 25 * 3600)
    assert usual(dict.fromkeys(range(200), 10), 200) == Usual(10, 2 * 3600)
    assert usual(dict.fromkeys(range(24), 10), 24) is None, "a day"
    assert usual({0: 1, 100: 1}, 200) is None, "two messages"
    assert usual({}, 200) is None


async def test_a_connection_that_says_nothing_for_too_long_is_named_until_it_speaks(corner: Corner) -> None:
    hub = corner.town.hub
    await corner.town.put(msgspec.structs.replace(corner.connection, silence_after=3600.0))
    await corner.order()
    await hub.sweeper.listen()
    assert await corner.town.exceptions() == []
    world(corner).move(4000)
    for _ in range(3):
        await hub.sweeper.listen()
    (one,) = await corner.town.exceptions()
    assert (one["count"], "nothing was pushed for 1.1 h" in one["title"]) == (1, True)

    await corner.push("order", {"ref": "O2", "number": "C-2", "currency": "EUR"})
    await hub.settle()
    await hub.sweeper.listen()
    assert await corner.town.exceptions() == []


async def test_how_often_a_connection_speaks_is_learned_by_the_hour(corner: Corner) -> None:
    hub = corner.town.hub
    half_past = world(corner).now() // HOUR * HOUR + HOUR // 2  # no push falls into the hour after its own
    world(corner).at = half_past - 100 * HOUR
    for number in range(100):
        if number < 96:
            await corner.push("order", {"ref": f"O{number}", "number": f"C-{number}", "currency": "EUR"})
        world(corner).move(3600)
    await hub.sweeper.listen()
    assert await corner.town.exceptions() == []
    world(corner).move(22 * 3600)
    await hub.sweeper.listen()

    (one,) = await corner.town.exceptions()
    assert "1.0 messages an hour are usual" in one["title"]


async def test_a_registration_that_was_dropped_is_noticed_made_again_and_the_gap_is_read(
    corner: Corner,
) -> None:
    hub, shop = corner.town.hub, source(corner)
    await hub.sweeper.step()
    assert shop.hooks == {"news": "hook-1"}
    world(corner).move(3700)
    await hub.sweeper.step()
    assert shop.registered == 1
    shop.hooks.clear()
    shop.put("LOST", world(corner).now() - 1800 * SECOND)
    world(corner).at += int(DAY) * SECOND - 3700 * SECOND
    partner = await corner.town.partner(events=["connection.*", "reconciliation.completed"])
    await hub.sweeper.step()
    await hub.settle()

    assert shop.hooks == {"news": "hook-2"}
    told = partner.told()
    assert sorted(told[:2]) == ["connection.recovered", "connection.subscription_lost"]
    assert told[2:] == ["reconciliation.completed"]
    assert [order["number"] for order in await corner.town.orders()] == ["C-LOST"]
    assert (await runs(corner))[-1]["kind"] == "reconcile"
    assert await corner.town.exceptions() == []


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
async def test_a_hub_that_holds_its_outbound_registers_nothing(config: Config) -> None:
    held = msgspec.structs.replace(config, hold_outbound=True)
    async with readable(held, World.still(time.time_ns() // 1000), Source()) as one:
        source(one).put("O1", world(one).now() - 60 * SECOND)
        await one.town.hub.sweeper.step()
        assert source(one).registered == 0
        assert source(one).listed > 0, "it reads all the same"

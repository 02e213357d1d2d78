"""Echo: what we wrote to a far side comes back as its own news, before its answer, after it, after a crash between.
In the end it is one shipment, and nothing was written twice."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from typing import Any

import pytest

from hub.config import Config
from hub.directory import Connection
from hub.world import World
from tests.path.corner import Corner, Shop, opened
from tests.path.town import served


@pytest.fixture
def world() -> Any:
    return World.still(time.time_ns() // 1000)


@pytest.fixture
async def corner(config: Config, world: World) -> AsyncIterator[Corner]:
    async with opened(config, world, Shop()) as one:
        await one.order()
        yield one


async def one_shipment(corner: Corner) -> dict[str, Any]:
    """The only shipment there is, known by both names, its goods counted once."""
    order = await corner.town.order()
    (shipment,) = order["shipments"]
    assert sorted(ref["id"] for ref in shipment["refs"]) == ["F1", "W1"]
    assert order["lines"][0]["quantity"]["shipped"] == "2"
    assert order["fulfillment_status"] == "fulfilled"
    assert "anomalies" not in order
    assert list(corner.shop.made) == ["F1"], "written once"
    return shipment


@pytest.mark.parametrize("number", ["N1", ""])
async def test_an_echo_after_the_answer_is_known_for_our_own(corner: Corner, number: str) -> None:
    await corner.ship(number)
    await corner.town.hub.settle()
    assert list(corner.shop.made) == ["F1"]
    await corner.echo("F1")
    await corner.town.hub.settle()

    await one_shipment(corner)


@pytest.mark.parametrize("number", ["N1", ""])
async def test_an_echo_before_the_answer_is_one_with_ours_in_the_end(corner: Corner, number: str) -> None:
    corner.shop.before = corner.echo
    await corner.ship(number)
    await corner.town.hub.settle()

    await one_shipment(corner)


@pytest.mark.parametrize("number", ["N1", ""])
@pytest.mark.parametrize("echoed", [True, False])
async def test_after_a_crash_between_writing_and_hearing_the_answer_it_is_found_and_not_made_again(
    config: Config, world: Any, number: str, echoed: bool
) -> None:
    shop = Shop()
    async with opened(config, world, shop) as corner:
        await corner.order()

        async def dies(_id: str) -> None:
            """The far side has made it; the process ends before it hears so."""
            for task in corner.town.hub.deliver._tasks:
                task.cancel()

        shop.before = dies
        await corner.ship(number)
        await corner.town.hub.deliver.step()
        assert list(shop.made) == ["F1"]
        shop.before = None
        world.move(120)
        async with served(shop) as url:
            if config.database.startswith("sqlite"):
                await corner.town.hub.engine.close()
            async with opened(config, world, shop, corner) as again:
                live = again.town.hub.directory.get(Connection, corner.connection.id)
                assert live is not None
                live.settings["base_url"] = url
                if echoed:
                    await again.echo("F1")
                await again.town.hub.settle()
                if not echoed:
                    await again.echo("F1")
                    await again.town.hub.settle()
                await one_shipment(again)
            if config.database.startswith("sqlite"):
                await corner.town.hub.engine.open()


async def test_a_write_that_failed_half_way_is_searched_before_it_is_made_again(corner: Corner) -> None:
    corner.shop.broken = True
    await corner.ship("N1")
    await corner.town.hub.settle()
    assert list(corner.shop.made) == ["F1"], "what may have been done is not done again at once"
    corner.shop.broken = False
    for _ in range(3):
        corner.town.hub.world.move(600)
        await corner.town.hub.settle()

    await corner.echo("F1")
    await corner.town.hub.settle()

    await one_shipment(corner)


async def test_what_the_shop_said_is_never_written_back_to_it(corner: Corner) -> None:
    await corner.push("shipment", {"ref": "F9", "status": "shipped", "tracking_number": "N9",
                                   "lines": [{"line": "l1", "quantity": "2"}]}, order="O1")  # fmt: skip
    await corner.town.hub.settle()

    assert corner.shop.made == {}


async def test_an_echo_makes_no_second_news_of_the_shipment(corner: Corner) -> None:
    partner = await corner.town.partner(events=["shipment.created", "shipment.shipped", "order.fulfilled"])
    corner.shop.before = corner.echo
    await corner.ship("N1")
    await corner.town.hub.settle()

    assert sorted(partner.told()) == ["order.fulfilled", "shipment.created", "shipment.shipped"]

"""Echo: what we wrote to a far side comes back as its own news, before its answer, after it, after a crash between.
In the end it is one shipment, and nothing was written twice."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest

from hub.config import Config
from hub.contract.message import Message
from hub.directory import Connection
from hub.world import World
from tests.path.corner import PLACED, Corner, Shop, opened
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


async def test_news_of_two_connections_in_one_step_is_known_for_whose_it_is(corner: Corner) -> None:
    """The warehouse ships while the shop speaks of the same order: the shop has to be told all the same."""
    hub = corner.town.hub
    partner = await corner.town.partner(events=["shipment.shipped", "order.updated"])
    rows = [{"ref": "l1", "quantity": {"original": "2", "ordered": "2"}}]
    note = {"ref": "O1", "number": "C-1", "currency": "EUR", "placed_at": PLACED, "lines": rows,
            "source_payment_status": "paid", "customer_note": "ring"}  # fmt: skip
    depot = await corner.town.connect("corner", name="depot", settings={}, account="depot")
    await corner.push("order", note)
    told = {"subject": "shipment", "order": "O1", "account": "corner:lamps", "at": hub.world.now(),
            "doc": {"ref": "D1", "status": "shipped", "lines": [{"line": "l1", "quantity": "2"}]}}  # fmt: skip
    await corner.town.push(depot, Message(body=json.dumps(told).encode()))
    await corner.push("order", note | {"tags": ["vip"]})
    before = (await corner.town.order())["version"]
    await hub.settle()

    assert list(corner.shop.made) == ["F1"]
    causes = {hook.event["type"]: hook.event["cause"]["connection"] for hook in partner.take()}
    assert causes == {"shipment.shipped": depot.id, "order.updated": corner.connection.id}
    order = await corner.town.order()
    assert order["version"] == before + 1
    events = await corner.town.events(order["id"])
    assert [sequence for sequence, _ in events] == list(range(1, len(events) + 1))

"""What is in doubt is read again: an order that nobody told, and a revision that two texts claim."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from typing import Any

import pytest

from hub.config import Config
from hub.world import World
from tests.path.corner import PLACED, Corner, Shop, opened


@pytest.fixture
async def corner(config: Config) -> AsyncIterator[Corner]:
    async with opened(config, World.still(time.time_ns() // 1000), Shop()) as one:
        yield one


def order(note: str) -> dict[str, Any]:
    """The shop's order, with this note on it."""
    rows = [{"ref": "l1", "quantity": {"original": "2", "ordered": "2"}}]
    return {
        "ref": "O1",
        "number": "C-1",
        "currency": "EUR",
        "placed_at": PLACED,
        "customer_note": note,
        "lines": rows,
    }


async def turns(corner: Corner) -> None:
    """The hub does all that follows, its sweeper too."""
    for _ in range(3):
        await corner.town.hub.settle()
        await corner.town.hub.sweeper.step()
    await corner.town.hub.settle()


async def test_news_of_an_order_that_nobody_told_has_the_order_read(corner: Corner) -> None:
    corner.shop.order = {"subject": "order", "doc": order("ring"), "at": corner.town.hub.world.now()}
    await corner.push("shipment", {"ref": "F1", "status": "shipped"}, order="O1")
    await corner.town.hub.settle()
    assert (await corner.town.order())["state"] == "stub"
    await turns(corner)

    assert corner.shop.asked == ["O1"]
    told = await corner.town.order()
    assert (told["number"], told["state"]) == ("C-1", "in_progress")


async def test_a_report_of_our_own_about_an_order_that_nobody_told_has_it_read_at_its_source(
    corner: Corner,
) -> None:
    corner.shop.order = {"subject": "order", "doc": order("ring"), "at": corner.town.hub.world.now()}
    await corner.ship("N1")
    await turns(corner)

    assert corner.shop.asked == ["O1"]
    assert (await corner.town.order())["number"] == "C-1"


async def test_two_texts_of_one_revision_are_settled_by_reading_again(corner: Corner) -> None:
    at = corner.town.hub.world.now()
    corner.shop.order = {"subject": "order", "doc": order("ring"), "at": at}
    for note in ("ring", "knock"):
        await corner.push("order", order(note), at=at)
        await corner.town.hub.settle()
    assert [one["kind"] for one in (await corner.town.order())["anomalies"]] == ["ambiguous_revision"]
    await turns(corner)

    told = await corner.town.order()
    assert corner.shop.asked == ["O1"]
    assert told["customer_note"] == "ring"
    assert "anomalies" not in told


async def test_what_is_clear_is_not_asked_for(corner: Corner) -> None:
    await corner.push("order", order("ring"))
    await corner.push("order", order("knock"))
    await turns(corner)

    assert corner.shop.asked == []

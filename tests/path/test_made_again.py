"""A connection that is made again finds its orders; a second live one to the same account is refused or named."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from typing import Any

import httpx
import msgspec
import pytest

from hub.config import Config
from hub.contract import Context, Conversation
from hub.directory import Route
from hub.http.app import build
from hub.repair.redelivery import Wish
from hub.run import Hub
from hub.store.engine import Unit
from hub.world import World
from tests.http.conftest import House
from tests.path.town import Town
from tests.repair import source as far
from tests.repair.source import Source, readable


def account(ctx: Context[Any]) -> Conversation[str]:
    """The shop's own name for itself."""
    return "lamps"
    yield


@pytest.fixture
async def house(config: Config, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[tuple[House, Source]]:
    named = msgspec.structs.replace(far.READABLE, find_account=account)
    monkeypatch.setattr(far, "READABLE", named)
    shop = Source()
    async with readable(
        config, World.still(time.time_ns() // 1000), shop, account="", name="first"
    ) as corner:
        shop.url = await corner.town.stack.enter_async_context(far.served(shop))  # type: ignore[attr-defined]
        transport = httpx.ASGITransport(build(corner.town.hub))
        async with httpx.AsyncClient(transport=transport, base_url="http://hub.test") as client:
            yield House(corner.town.hub, client), shop


async def orders(hub: Hub) -> list[str]:
    return [row[0] for row in await hub.engine.fetch("orders_after", tenant="main", after="", most=10)]


async def test_an_account_that_the_far_side_tells_brings_a_remade_connection_its_orders(
    house: tuple[House, Source],
) -> None:
    one, shop = house
    assert (await one.post("/v1/connections/first/test"))["connection"]["account"] == "lamps"
    shop.put("O1", one.hub.world.now() - 3_600_000_000)
    await one.post("/v1/connections/first/sweep")
    await one.hub.settle()
    before = await orders(one.hub)
    body = {
        "name": "second",
        "channel": "corner",
        "account": "lamps",
        "settings": {"base_url": "http://127.0.0.1:9"},
    }
    assert (await one.say("POST", "/v1/connections", body)).status_code == 409

    assert (await one.say("DELETE", "/v1/connections/first")).status_code == 204
    settings = {"base_url": shop.url}  # type: ignore[attr-defined]
    await one.post("/v1/connections", {"name": "second", "channel": "corner", "settings": settings})
    assert (await one.post("/v1/connections/second/test"))["connection"]["account"] == "lamps"
    shop.put("O1", one.hub.world.now() - 60_000_000, customer_note="ring")
    await one.post("/v1/connections/second/sweep")
    await one.hub.settle()

    assert await orders(one.hub) == before
    assert (await one.get("/v1/orders"))["data"][0]["customer_note"] == "ring"


async def test_two_live_connections_whose_messages_name_one_account_stand_in_the_exceptions(
    town: Town,
) -> None:
    first = await town.connect("shopify", name="first", account="")
    await town.say(first, "orders-create.plain")
    second = await town.connect("shopify", name="second", account="")
    await town.say(second, "orders-updated.edited", "orders-cancelled.plain")

    (trouble,) = await town.exceptions()
    assert (trouble["count"], trouble["title"].startswith("second and first are two live connections")) == (
        1,
        True,
    )


async def test_an_observed_connection_is_written_to_by_no_route(town: Town) -> None:
    shop = await town.connect("shopify")
    other = await town.connect("shopify", name="other", account="elsewhere", mode="observe")
    await town.put(Route(id="rou_1", name="way", event="order.*", connection=other.id, write="order.cancel"))
    await town.say(shop, "orders-create.plain")
    rows = await town.hub.engine.fetch(
        "deliveries_list", tenant="main", after=0, target="", status="", event="", order_id="", most=10
    )
    assert rows == []

    await town.put(msgspec.structs.replace(other, mode="live"))
    await town.say(shop, "orders-updated.edited")
    rows = await town.hub.engine.fetch(
        "deliveries_list", tenant="main", after=0, target="", status="", event="", order_id="", most=10
    )
    assert {row[1] for row in rows} == {f"{other.id}/order.cancel"}, "what was before is not made up for"
    assert {row[11] for row in rows}.isdisjoint({"order.created"})


async def test_a_hub_that_holds_its_outbound_folds_and_sends_nothing(config: Config) -> None:
    held = msgspec.structs.replace(config, hold_outbound=True)
    async with readable(held, World.still(time.time_ns() // 1000), Source()) as corner:
        partner = await corner.town.partner()
        await corner.order()
        await corner.ship("N1")
        await corner.town.hub.settle()

        assert (await corner.town.order())["fulfillment_status"] == "fulfilled"
        assert (partner.got, corner.shop.made) == ([], {})


async def test_what_was_observed_is_told_to_nobody_by_no_replay_once_the_connection_is_live(
    town: Town,
) -> None:
    hub = town.hub
    shop, partner = await town.connect("shopify", mode="observe"), await town.partner()
    await town.say(shop, "orders-create.plain")
    await town.put(msgspec.structs.replace(shop, mode="live"))
    await town.say(shop, "orders-updated.edited")
    assert partner.told() == ["order.edited"]
    wish = Wish(only="missing", first=0, last=2**40)

    async def work(unit: Unit) -> str:
        return await hub.jobs.add(unit, "main", "replay", partner.endpoint.id, wish, "test")

    await hub.engine.transact(work)
    await hub.settle()
    assert partner.told() == []

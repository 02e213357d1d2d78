"""Beside the integration that the hub replaces: what is observed, or older than the cut-over, folds in silence."""

from __future__ import annotations

from hub.contract.clock import micros
from hub.contract.flow import Page
from tests.path.town import Partner, Town, changed

CREATE = "orders-create.plain"
LATER = "2026-05-01T10:00:00+02:00"


async def quiet(town: Town, partner: Partner) -> None:
    """Nobody was told anything, though the events are there."""
    assert partner.got == []
    rows = await town.hub.engine.fetch("deliveries_list", tenant="main", after=0, target="", status="", event="",
                                       order_id="", most=10)  # fmt: skip
    assert rows == []
    assert await town.events()


async def test_an_observed_connection_folds_and_tells_nobody(town: Town) -> None:
    shop, partner = await town.connect("shopify", mode="observe"), await town.partner()
    await town.say(shop, CREATE, "fulfillments-create.plain", "orders-cancelled.plain")

    await quiet(town, partner)
    assert (await town.order())["state"] == "cancelled"


async def test_an_order_placed_before_the_cut_over_tells_nobody_whatever_becomes_of_it(town: Town) -> None:
    shop = await town.connect("shopify", cutover_at=micros("2026-04-01T00:00:00Z"))
    partner = await town.partner()
    await town.say(shop, CREATE, "fulfillments-create.plain", "orders-updated.edited")

    await quiet(town, partner)
    assert (await town.order())["fulfillment_status"] == "partially_fulfilled"


async def test_an_order_placed_after_the_cut_over_is_told(town: Town) -> None:
    shop = await town.connect("shopify", cutover_at=micros("2026-04-01T00:00:00Z"))
    partner = await town.partner()
    create = town.fixture("shopify", CREATE)
    await town.say(shop, create)
    assert partner.got == []
    await town.say(
        shop, changed(create, id=6_120_110_019_999, processed_at=LATER, created_at=LATER, updated_at=LATER)
    )

    assert partner.told() == ["order.created", "order.confirmed", "order.paid", "order.ready"]


async def test_from_live_on_news_of_new_orders_is_told(town: Town) -> None:
    shop, partner = await town.connect("shopify", mode="observe"), await town.partner()
    create = town.fixture("shopify", CREATE)
    await town.say(shop, create)
    shop.mode, shop.cutover_at = "live", micros("2026-04-15T00:00:00Z")
    await town.put(shop)
    await town.say(shop, changed(create, updated_at="2026-04-16T10:00:00+02:00", note="old order, new note"))
    assert partner.got == []
    await town.say(
        shop, changed(create, id=6_120_110_019_999, processed_at=LATER, created_at=LATER, updated_at=LATER)
    )

    assert partner.told()[0] == "order.created"


async def test_a_new_endpoint_hears_of_nothing_that_was(town: Town) -> None:
    shop = await town.connect("shopify")
    await town.say(shop, CREATE)
    partner = await town.partner()
    await town.hub.settle()

    assert partner.got == []
    await town.say(shop, "orders-updated.edited")
    hooks = partner.take()
    assert [hook.event["type"] for hook in hooks] == ["order.edited"]
    assert "orderhub-previous" not in hooks[0].headers


async def test_a_second_connection_of_the_same_account_finds_its_orders_again(town: Town) -> None:
    first = await town.connect("shopify", name="first")
    await town.say(first, CREATE)
    first.status = "paused"
    await town.put(first)
    again = await town.connect("shopify", name="again")
    await town.say(again, "orders-updated.edited")

    order = await town.order()
    assert order["version"] == 2
    assert order["connection"] == again.id


async def test_what_a_sweep_reads_is_told_as_if_it_had_been_pushed(town: Town) -> None:
    shop, partner = await town.connect("shopify"), await town.partner()
    page = town.fixture("shopify", "poll-orders.plain")
    await town.hub.sweeper.page(shop, Page(topic=page.topic, body=page.body, headers=page.headers))
    await town.hub.settle()

    assert "order.created" in partner.told()
    (row,) = await town.messages()
    assert row[4] == "poll"

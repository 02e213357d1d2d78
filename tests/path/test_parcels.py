"""Parcels: scans find the shipment whose number they speak of, whichever came first, and all orders in the box."""

from __future__ import annotations

import json
from itertools import permutations
from typing import Any

import pytest

from hub.contract.fact import Fact
from hub.contract.message import Message
from hub.directory import Connection
from hub.inbound.report import Call
from hub.orders.book import content
from tests.path.town import DHL, ORDER, Town, changed

CREATE, SHIPPED = "orders-create.plain", "fulfillments-create.plain"


def scan(
    town: Town, name: str = "tracking_update.in_transit", *, id: str = "one", number: str = DHL, **more: Any
) -> Message:
    """A tracker's message about a parcel."""
    message = town.fixture("aftership", name)
    body = json.loads(message.body)
    return changed(
        message, event_id=id, msg={**body["msg"], "tracking_number": number, "order_id": None, **more}
    )


def other(message: Message, ref: int, **more: Any) -> Message:
    """Shopify's message about another order."""
    body = json.loads(message.body)
    if "order_id" in body:
        return changed(message, key=f"other-{ref}-{body['id']}", order_id=ref, **{"id": ref + 5, **more})
    return changed(message, key=f"other-{ref}", **{"id": ref, "name": f"LL-{ref}", **more})


def tracked(order: dict[str, Any]) -> str:
    """What the first parcel's tracking says."""
    shipments = order.get("shipments") or [{"packages": []}]
    return str((shipments[0]["packages"] or [{}])[0].get("tracking", {}).get("status", ""))


async def pair(town: Town) -> tuple[Connection, Connection]:
    """A shop and a tracker."""
    return await town.connect("shopify"), await town.connect("aftership")


@pytest.mark.parametrize("together", [True, False])
async def test_scans_join_their_shipment_whichever_comes_first(town: Town, together: bool) -> None:
    shop, tracker = await pair(town)
    told = [
        (shop, town.fixture("shopify", CREATE)),
        (shop, town.fixture("shopify", SHIPPED)),
        (tracker, scan(town)),
    ]
    contents = []
    for n, turn in enumerate(permutations(told)):
        for connection, message in turn:
            ref = 7_000_000 + n
            mine = other(message, ref, tracking_number=f"N{n}", tracking_numbers=[f"N{n}"]) if connection is shop else (
                scan(town, id=f"turn{n}", number=f"N{n}"))  # fmt: skip
            assert (await town.push(connection, mine)).status == 202
            if not together:
                await town.hub.settle()
        await town.hub.settle()
        order = next(one for one in await town.orders() if one["ref"] == str(ref))
        assert tracked(order) == "in_transit", [
            message.headers.get("x-shopify-topic", "scan") for _, message in turn
        ]
        text = (
            json.dumps(content(order)).replace(str(ref + 5), "F").replace(str(ref), "O").replace(f"N{n}", "N")
        )
        contents.append(json.loads(text))

    assert all(one == contents[0] for one in contents)


async def test_scans_of_a_number_that_nobody_has_wait_and_are_told_nobody(town: Town) -> None:
    _, tracker = await pair(town)
    partner = await town.partner()
    await town.say(tracker, scan(town))

    assert await town.orders() == []
    assert partner.got == []
    assert await town.statuses() == ["processed"]
    (row,) = await town.hub.engine.fetch("facts_unmatched", tenant="main", after=0, most=10)
    assert row[4] == DHL


async def test_a_box_with_two_orders_is_scanned_for_both(town: Town) -> None:
    shop, tracker = await pair(town)
    create, shipped = town.fixture("shopify", CREATE), town.fixture("shopify", SHIPPED)
    await town.say(shop, create, other(create, 81), shipped, other(shipped, 81))
    await town.say(tracker, scan(town))

    assert [tracked(order) for order in await town.orders()] == ["in_transit", "in_transit"]


@pytest.mark.parametrize("moment", range(4))
async def test_every_order_in_a_box_knows_every_scan_whenever_it_joined(town: Town, moment: int) -> None:
    shop, tracker = await pair(town)
    create, shipped = town.fixture("shopify", CREATE), town.fixture("shopify", SHIPPED)
    await town.say(shop, create, other(create, 82))
    steps = [
        (shop, shipped),
        (tracker, scan(town)),
        (tracker, scan(town, "tracking_update.delivered", id="two")),
    ]
    steps.insert(moment, (shop, other(shipped, 82)))
    for connection, message in steps:
        await town.say(connection, message)

    one, two = await town.orders()
    assert tracked(one) == tracked(two) == "delivered"
    scans = [order["shipments"][0]["packages"][0]["tracking"]["scans"] for order in (one, two)]
    assert scans[0] == scans[1]


async def test_a_shop_that_names_the_order_of_a_scan_tells_the_others_in_the_box_too(town: Town) -> None:
    shop, _ = await pair(town)
    create, shipped = town.fixture("shopify", CREATE), town.fixture("shopify", SHIPPED)
    await town.say(shop, create, other(create, 83), shipped)
    desk = await town.connect("api", settings={})
    named = Fact(subject="tracking", ref=DHL, order=ORDER, account=f"shopify:{shop.account}", full=frozenset({"*"}),
                 doc={"number": DHL, "status": "in_transit"})  # fmt: skip
    await town.hub.reporter.tell(
        Call(connection=desk, topic="scans", body=b"", facts=[named], actor="carrier")
    )
    await town.say(shop, other(shipped, 83))

    assert [tracked(order) for order in await town.orders()] == ["in_transit", "in_transit"]


async def test_what_made_the_news_is_the_shipment_and_not_the_scan_that_waited_for_it(town: Town) -> None:
    shop, tracker = await pair(town)
    partner = await town.partner(events=["shipment.*"])
    await town.say(tracker, scan(town))
    await town.say(shop, CREATE)
    await town.say(shop, SHIPPED)

    causes = {hook.event["cause"]["connection"] for hook in partner.take()}
    assert causes == {shop.id}


async def test_a_tracker_that_names_an_order_we_never_had_is_heard_by_its_number(town: Town) -> None:
    shop, tracker = await pair(town)
    await town.say(shop, CREATE, SHIPPED)
    await town.say(tracker, scan(town, order_id="ord_01JGZ0000000000000000000A1"))

    assert tracked(await town.order()) == "in_transit"
    assert await town.exceptions() == []


async def test_two_trackers_of_one_parcel_make_one_journey(town: Town) -> None:
    shop, tracker = await pair(town)
    await town.say(shop, CREATE, SHIPPED, "fulfillment_events-create.in_transit")
    await town.say(tracker, scan(town, "tracking_update.delivered"))

    order = await town.order()
    (package,) = order["shipments"][0]["packages"]
    assert package["tracking"]["status"] == "delivered"
    assert order["shipments"][0]["status"] == "delivered"


async def test_the_source_of_the_order_is_its_ref_and_never_the_trackers(town: Town) -> None:
    shop, tracker = await pair(town)
    await town.say(tracker, scan(town))
    await town.say(shop, CREATE, SHIPPED)

    order = await town.order()
    assert (order["ref"], order["connection"]) == (ORDER, shop.id)

"""Messages that are still held are read again with another mapping; orders follow only when told to."""

from __future__ import annotations

import json
import random

import pytest

from hub.contract.errors import Misconfigured
from hub.inbound.keep import Letter
from hub.repair.rebuild import rebuild
from hub.repair.remap import remap
from hub.store.rows import Head
from tests.repair.shop import ORDER, SCANS, connect, order, parcel, scans
from tests.repair.test_rebuild import STREAM

SHOUTED = {"corner.order": ORDER.replace("      sku: sku\n", "      sku: sku | lower\n")}
"""The same mapping with the SKU in small letters."""


async def everything(shop, texts, *, most=3, **told):
    """All pages of a remap."""
    pages, after = [], 0
    while after is not None:
        pages.append(await remap(shop.hub, "main", texts, after=after, most=most, **told))
        after = pages[-1].next
    return pages


@pytest.mark.parametrize("seed", range(3))
async def test_with_the_mappings_in_force_nothing_differs(shop, seed):
    chance = random.Random(seed)
    for topic, body in chance.sample(STREAM * 2, k=len(STREAM) * 2):
        await shop.say(topic, body)
        shop.hub.world.move(1)
    await shop.hub.settle()

    pages = await everything(shop, None, most=4)

    assert sum(page.checked for page in pages) == len(STREAM) * 2
    assert [one for page in pages for one in page.orders] == []
    assert [one for page in pages for one in page.unread] == []


async def test_a_dry_run_shows_exactly_the_orders_that_would_differ(shop):
    await shop.tell("orders", order(1))
    await shop.tell("orders", order(2, items=[{"id": "a", "sku": "tea-1", "qty": 1, "price": "1.00"}]))
    before = await shop.orders()

    page = await remap(shop.hub, "main", SHOUTED)

    (one,) = page.orders
    assert one.order == before[0]["id"]
    assert one.ref == "7000001"
    assert one.messages == [shop.said[0]]
    assert one.changes == [
        {"path": "lines[0].sku", "from": "TEA-1", "to": "tea-1"},
        {"path": "lines[1].sku", "from": "CUP-9", "to": "cup-9"},
    ]
    assert one.events == ["order.edited"]
    assert await shop.orders() == before


async def test_applying_replaces_facts_and_tells_what_changed_in_turn(shop):
    await shop.tell("orders", order(1))
    await shop.tell("parcels", parcel(1))
    before = await shop.order()

    await remap(shop.hub, "main", SHOUTED, apply=True, actor="ops")

    after = await shop.order()
    assert [line["sku"] for line in after["lines"]] == ["tea-1", "cup-9"]
    assert [line["id"] for line in after["lines"]] == [line["id"] for line in before["lines"]]
    assert "anomalies" not in after
    last = (await shop.events())[-1]
    assert last["type"] == "order.edited"
    assert last["cause"] == {"actor": "rebuild", "connection": shop.corner.id, "message": shop.said[0]}
    assert last["sequence"] == before["sequence"] + 1
    facts = await shop.hub.engine.fetch("facts_of_order", tenant="main", order_id=after["id"])
    assert sorted(row[1] for row in facts) == sorted(shop.said)
    assert (await remap(shop.hub, "main", SHOUTED)).orders == []
    assert (await rebuild(shop.hub, "main")).data[0].same
    rows = await shop.hub.engine.fetch("audit_list", tenant="main", after=0, subject="corner.order", most=10)
    assert [(row[2], row[3]) for row in rows] == [("ops", "messages.remapped")]


async def test_an_order_of_many_messages_is_judged_once_over_all_pages(shop):
    for at in range(7):
        await shop.say("orders", order(1, at=at))
        await shop.say("orders", order(2, at=at))
    await shop.hub.settle()

    pages = await everything(shop, SHOUTED)

    assert [len(page.orders) for page in pages] == [2, 0, 0, 0, 0]
    assert all(len(one.messages) == 7 for one in pages[0].orders)


async def test_a_run_that_was_cut_off_goes_on_where_it_stopped(shop):
    for number in range(1, 8):
        await shop.say("orders", order(number))
    await shop.hub.settle()

    first = await remap(shop.hub, "main", SHOUTED, apply=True, most=3)
    rest = await remap(shop.hub, "main", SHOUTED, apply=True, after=first.next, most=3)
    again = await remap(shop.hub, "main", SHOUTED, apply=True, most=100)

    assert [len(page.orders) for page in (first, rest, again)] == [3, 3, 1]
    assert {line["sku"] for doc in await shop.orders() for line in doc["lines"]} == {"tea-1", "cup-9"}


async def test_a_page_that_speaks_of_many_orders_changes_only_those_that_differ(shop):
    lower = [{"id": "a", "sku": "tea-1", "qty": 1, "price": "1.00"}]
    await shop.tell(
        "orders", {"orders": [order(n, **({} if n % 2 else {"items": lower})) for n in range(1, 90)]}
    )
    before = {doc["id"]: doc["version"] for doc in await shop.orders()}

    page = await remap(shop.hub, "main", SHOUTED, apply=True)

    assert len(page.orders) == 45
    moved = {doc["id"] for doc in await shop.orders() if doc["version"] != before[doc["id"]]}
    assert moved == {one.order for one in page.orders}
    assert (await remap(shop.hub, "main", SHOUTED)).orders == []


async def test_since_and_connection_bound_what_is_read(shop):
    other = await connect(shop.hub, "second", "corner")
    await shop.tell("orders", order(1))
    shop.hub.world.move(3600)
    await shop.tell("orders", order(2))
    await shop.tell("orders", order(3), other)

    late = await remap(shop.hub, "main", SHOUTED, since=shop.hub.world.now())
    theirs = await remap(shop.hub, "main", SHOUTED, connection=other.id)

    assert [one.ref for one in late.orders] == ["7000002", "7000003"]
    assert [one.ref for one in theirs.orders] == ["7000003"]


async def test_a_fact_that_names_another_order_moves_there(shop):
    await shop.tell("orders", order(1))
    await shop.tell("orders", order(2))
    await shop.tell("parcels", parcel(1, note="7000002"))
    texts = {
        "corner.parcel": shop.hub.directory.registry.texts["corner.parcel"].text.replace(
            "order: order | str", "order: note | str"
        )
    }

    page = await remap(shop.hub, "main", texts, apply=True)

    first, second = await shop.orders()
    assert len(page.orders) == 2
    assert "shipments" not in first
    assert second["shipments"][0]["ref"] == "p1-CP1234567"


async def test_scans_that_nobody_waits_for_are_read_again_too(shop):
    await shop.tell("scans", scans("in_transit"))
    texts = {"beacon.parcel": SCANS.replace("in_transit: in_transit", "in_transit: delivered")}

    await remap(shop.hub, "main", texts, apply=True)
    await shop.tell("orders", order())
    await shop.tell("parcels", parcel())

    assert (await shop.order())["shipments"][0]["tracking"]["status"] == "delivered"


async def test_what_cannot_be_read_any_more_keeps_its_facts_and_is_named(shop):
    id_ = await shop.tell("orders", order())
    texts = {"corner.order": ORDER.replace("number: name", "number: label | required")}

    page = await remap(shop.hub, "main", texts, apply=True)

    (one,) = page.unread
    assert (one.message, one.was_read) == (id_, True)
    assert "corner.order.yaml" in one.reason
    assert "label" in one.reason or "number" in one.reason
    assert (await shop.order())["number"] == "C-1"


async def test_what_could_not_be_read_before_makes_its_order_and_closes_its_exception(shop):
    id_ = await shop.tell("orders", order(total="a lot"))
    assert await shop.status(id_) == "failed"
    texts = {
        "corner.order": ORDER.replace(
            "totals: {total: total | money(currency)}", "tags: {value: total, as: []}"
        ).replace("  tags: {value: total, as: []}\n", "")
    }

    dry = await remap(shop.hub, "main", texts)
    assert (dry.mended, dry.orders[0].fresh, dry.orders[0].order) == ([id_], True, "")
    assert await shop.orders() == []
    done = await remap(shop.hub, "main", texts, apply=True)

    assert done.orders[0].order == (await shop.order())["id"]
    assert done.orders[0].events[0] == "order.created"
    assert await shop.status(id_) == "processed"
    assert await shop.exceptions() == []


async def test_what_came_quietly_stays_quiet(shop):
    await shop.endpoint("http://127.0.0.1:9/none")
    await shop.tell("orders", order(), quiet=True)

    await remap(shop.hub, "main", SHOUTED, apply=True)

    rows = await shop.hub.engine.fetch(
        "deliveries_list", tenant="main", after=0, target="", status="", event="", order_id="", most=10
    )
    assert (await shop.order())["lines"][0]["sku"] == "tea-1"
    assert rows == []


async def test_calls_of_the_api_are_never_judged_again(shop):
    body = json.dumps(order()).encode()
    await shop.hub.keeper.keep(
        Letter("main", shop.corner.id, "api", "orders", "x", Head(), body, shop.hub.world.now())
    )
    await shop.hub.settle()

    page = await remap(shop.hub, "main", SHOUTED)

    assert (page.checked, page.orders) == (0, [])


async def test_a_mapping_that_does_not_compile_is_told_with_every_fault(shop):
    with pytest.raises(Misconfigured) as caught:
        await remap(
            shop.hub,
            "main",
            {"corner.order": "map: corner.order\ntarget: order/1\nfields: {nonsense: a, more: b}"},
        )

    assert len(caught.value.faults) >= 2
    assert all(fault.startswith("corner.order.yaml") for fault in caught.value.faults)

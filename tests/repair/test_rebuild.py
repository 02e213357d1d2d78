"""Orders folded anew from their facts are what was stored, and what was tampered with is mended."""

from __future__ import annotations

import random

import msgspec
import pytest

from hub.orders.book import dense
from hub.repair.rebuild import rebuild
from hub.store.rows import PLAIN
from tests.repair.shop import connect, order, parcel, same, scans

STREAM = [
    ("orders", order(1, at=0)),
    (
        "orders",
        order(1, at=5, items=[{"id": "a", "sku": "TEA-1", "title": "Green tea", "qty": 3, "price": "7.00"}]),
    ),
    ("orders", order(1, at=5, note="another text of the same minute")),
    ("orders", order(2, at=1, customer=None)),
    ("orders", order(2, at=9, address={"country": "DE"})),
    ("parcels", parcel(1)),
    ("parcels", parcel(2, tracking="CP777")),
    ("parcels", parcel(3, tracking="CP888")),
    ("scans", scans("in_transit", "out_for_delivery")),
    ("scans", scans("in_transit", "delivered", tracking="CP777")),
    ("scans", scans("pre_transit", tracking="CP000")),
]


@pytest.mark.parametrize("seed", range(4))
async def test_after_any_stream_a_rebuild_finds_no_difference(shop, seed):
    chance = random.Random(seed)
    stream = chance.choices(STREAM, k=6) + chance.sample(STREAM, k=len(STREAM))
    for topic, body in stream:
        await (shop.tell if chance.random() < 0.5 else shop.say)(topic, body)
        shop.hub.world.move(1)
    await shop.hub.settle()

    found = await rebuild(shop.hub, "main")

    assert await shop.exceptions() == []
    assert len(found.data) == 3
    assert [one for one in found.data if not one.same] == []


async def tamper(shop, **changes):
    """Spoil the registers and the snapshot of the only order, as a bug of an older release may have."""
    held = await shop.order()
    ((version, registers),) = await shop.hub.engine.fetch("registers_get", tenant="main", id=held["id"])
    state = msgspec.json.decode(registers)
    source = state["sources"]["corner:corner.example"]
    source["facets"]["order"]["cells"][""]["v"]["number"] = "spoiled"
    row = (held["id"], "main", 10_000, version, held["sequence"], held["hub_number"], "spoiled", shop.corner.id, "open",
           "", "", 0, 0, (await shop.events())[-1]["id"], 0, 1, 1, PLAIN.encode(state))  # fmt: skip
    await shop.write("orders_put", [row])
    await shop.write(
        "snapshots_put", [(held["id"], version, PLAIN.encode(held | {"number": "spoiled"} | changes))]
    )
    return held


async def test_a_dry_run_tells_what_was_tampered_with_and_changes_nothing(shop):
    await shop.tell("orders", order())
    held = await tamper(shop)

    found = await rebuild(shop.hub, "main", [held["id"]])

    (one,) = found.data
    assert not one.same
    assert one.changes == [{"path": "number", "from": "spoiled", "to": "C-1"}]
    assert (await shop.order())["number"] == "spoiled"
    assert not found.applied


async def test_an_applied_rebuild_mends_it_under_the_same_names_and_tells_of_it(shop):
    await shop.tell("orders", order())
    await shop.tell("parcels", parcel())
    await shop.tell("scans", scans("in_transit"))
    held = await tamper(shop)

    found = await rebuild(shop.hub, "main", apply=True, actor="ops")

    mended = await shop.order()
    assert found.data[0].events == ["order.updated"]
    assert mended["number"] == "C-1"
    assert [line["id"] for line in mended["lines"]] == [line["id"] for line in held["lines"]]
    assert [one["id"] for one in mended["shipments"]] == [one["id"] for one in held["shipments"]]
    assert (mended["hub_number"], mended["version"]) == (held["hub_number"], held["version"] + 1)
    last = (await shop.events())[-1]
    assert last["cause"] == {"actor": "rebuild", "connection": shop.corner.id}
    assert last["sequence"] == held["sequence"] + 1
    assert last["data"]["number"] == "C-1"
    rows = await shop.hub.engine.fetch("audit_list", tenant="main", after=0, subject=held["id"], most=10)
    assert [(row[2], row[3]) for row in rows] == [("ops", "order.rebuilt")]
    assert (await rebuild(shop.hub, "main")).data[0].same


async def test_registers_alone_are_mended_without_a_word(shop):
    await shop.tell("orders", order())
    await tamper(shop, number="C-1")
    count = len(await shop.events())

    found = await rebuild(shop.hub, "main", apply=True)

    assert not found.data[0].same
    assert found.data[0].changes == []
    assert len(await shop.events()) == count
    assert (await rebuild(shop.hub, "main")).data[0].same


async def test_a_rebuild_goes_through_all_orders_page_by_page(shop):
    for number in range(1, 6):
        await shop.say("orders", order(number))
    await shop.hub.settle()

    first = await rebuild(shop.hub, "main", most=2)
    second = await rebuild(shop.hub, "main", most=2, after=first.next)
    last = await rebuild(shop.hub, "main", most=2, after=second.next)

    seen = [one.order for page in (first, second, last) for one in page.data]
    assert seen == [one["id"] for one in await shop.orders()]
    assert last.next is None


async def test_another_tenant_s_order_is_as_unknown_as_none(shop):
    theirs = await connect(shop.hub, "corner", "corner", tenant="theirs")
    await shop.tell("orders", order(), theirs)
    (held,) = await shop.orders("theirs")

    found = await rebuild(shop.hub, "main", [held["id"], "ord_nothing"], apply=True)

    assert found.data == []
    assert found.unknown == [held["id"], "ord_nothing"]


async def test_what_a_dry_run_would_change_stays_as_it_is(shop):
    await shop.tell("orders", order())
    before = await shop.order()
    await rebuild(shop.hub, "main")
    await shop.tell("orders", order(at=3, total="25.00"))

    after = await shop.order()
    assert after["version"] == before["version"] + 1
    assert not same(before, after)


def test_empty_places_in_registers_are_no_difference():
    assert dense({"a": {"cells": {}}, "b": {"v": 1}}) == {"b": {"v": 1}}

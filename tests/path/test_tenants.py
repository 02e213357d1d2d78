"""Two tenants with the same numbers, refs, names and parcels never meet."""

from __future__ import annotations

import json
from typing import Any

import pytest

from hub.contract.fact import Fact
from hub.directory import Connection, Endpoint
from hub.inbound.report import Call
from tests.path.test_parcels import scan, tracked
from tests.path.town import DHL, SHOP, Partner, Town, changed, knock

STREAM = ("orders-create.plain", "fulfillments-create.plain", "orders-updated.edited")


async def house(town: Town, tenant: str, secret: str) -> tuple[Connection, Connection, Partner]:
    """A tenant's shop, tracker and partner; all but the secrets are the same as everyone's."""
    given = {"webhook_secret": secret}
    shop = await town.connect("shopify", name="shop", settings=given, tenant=tenant, account=SHOP)
    tracker = await town.connect("aftership", name="tracker", tenant=tenant, account="one")
    return shop, tracker, await town.partner(tenant=tenant, name="partner", include_test=True)


async def pair(town: Town) -> list[tuple[Connection, Connection, Partner]]:
    return [await house(town, tenant, f"secret-of-{tenant}") for tenant in ("north", "south")]


async def test_the_same_order_of_two_tenants_is_two_orders(town: Town) -> None:
    (north, _, hears), (south, _, listens) = await pair(town)
    for message in STREAM:
        for shop in (north, south):
            assert (await town.push(shop, message)).status == 202
    await town.hub.settle()

    one, other = await town.order("north"), await town.order("south")
    assert one["id"] != other["id"]
    assert (one["ref"], one["tenant"], other["tenant"]) == (other["ref"], "north", "south")
    assert one["connection"] == north.id
    for partner, order, tenant in ((hears, one, "north"), (listens, other, "south")):
        events = [hook.event for hook in partner.take()]
        assert events
        assert {event["tenant"] for event in events} == {tenant}
        assert {event["order"] for event in events} == {order["id"]}
        assert [event["sequence"] for event in events] == list(range(1, len(events) + 1))


async def test_one_tenants_news_changes_nothing_of_the_other(town: Town) -> None:
    (north, _, _), (south, _, listens) = await pair(town)
    await town.say(north, STREAM[0])
    await town.say(south, STREAM[0])
    before = await town.order("south")
    listens.take()
    await town.say(north, "orders-cancelled.plain")

    assert (await town.order("north"))["state"] == "cancelled"
    assert await town.order("south") == before
    assert listens.got == []


@pytest.mark.parametrize("first", ["scan", "parcel"])
async def test_a_scan_finds_only_its_own_tenants_parcel(town: Town, first: str) -> None:
    (north, sees, _), (south, _, _) = await pair(town)
    if first == "scan":
        await town.say(sees, scan(town))
    for shop in (north, south):
        await town.push(shop, STREAM[0])
        await town.push(shop, STREAM[1])
    await town.hub.settle()
    if first == "parcel":
        await town.say(sees, scan(town))

    assert tracked(await town.order("north")) == "in_transit"
    assert tracked(await town.order("south")) == ""


async def test_waiting_scans_of_two_tenants_join_each_its_own_in_one_step(town: Town) -> None:
    (north, sees, _), (south, watches, _) = await pair(town)
    await town.say(sees, scan(town))
    await town.say(watches, scan(town, "tracking_update.delivered", id="two"))
    for shop in (north, south):
        await town.push(shop, STREAM[0])
        await town.push(shop, STREAM[1])
    await town.hub.settle()

    assert tracked(await town.order("north")) == "in_transit"
    assert tracked(await town.order("south")) == "delivered"


async def test_dedupe_keys_of_two_tenants_are_apart(town: Town) -> None:
    (north, _, _), (south, _, _) = await pair(town)

    assert (await town.push(north, STREAM[0])).status == 202
    assert (await town.push(south, STREAM[0])).status == 202


async def test_a_message_signed_for_one_tenant_is_forged_for_the_other(town: Town) -> None:
    (north, _, _), (south, _, _) = await pair(town)
    signed = town.signed(north, town.fixture("shopify", STREAM[0]))

    assert (await knock(town.hub.intake, signed, f"/in/{south.key}")).status == 401
    assert await town.messages("south") == []


async def test_a_name_that_two_tenants_share_is_nobodys_address(town: Town) -> None:
    (north, _, _), _ = await pair(town)
    signed = town.signed(north, town.fixture("shopify", STREAM[0]))

    assert (await knock(town.hub.intake, signed, "/in/shop")).status == 404
    assert (await knock(town.hub.intake, signed, f"/in/{north.key}")).status == 202


async def test_our_own_id_of_another_tenants_order_names_no_order(town: Town) -> None:
    (north, _, _), (south, _, _) = await pair(town)
    await town.say(north, STREAM[0])
    order = await town.order("north")
    doc: dict[str, Any] = {"kind": "cancel", "ref": "dec_1", "at": "2026-03-20T12:00:00.000Z"}
    fact = Fact(subject="decision", ref="dec_1", order=order["id"], doc=doc, full=frozenset({"decision"}))
    told = await town.hub.reporter.tell(
        Call(
            connection=south,
            topic="decisions",
            body=json.dumps(doc).encode(),
            facts=[fact],
            actor="user",
            decision="cancel",
        )
    )
    await town.hub.settle()

    assert told.refused == f"there is no order {order['id']}"
    assert await town.order("north") == order
    assert await town.orders("south") == []


async def test_a_scan_that_names_another_tenants_order_is_not_heard_there(town: Town) -> None:
    (north, _, _), (_, watches, _) = await pair(town)
    await town.say(north, STREAM[0], STREAM[1])
    order = await town.order("north")
    fact = Fact(
        subject="tracking",
        ref="t",
        order=order["id"],
        doc={"number": DHL, "status": "delivered"},
        full=frozenset({"*"}),
    )
    await town.hub.reporter.tell(
        Call(connection=watches, topic="scans", body=b"", facts=[fact], actor="carrier")
    )
    await town.hub.settle()

    assert await town.order("north") == order


async def test_exceptions_of_one_thing_in_two_tenants_are_two(town: Town) -> None:
    (north, _, _), (south, _, _) = await pair(town)
    await town.say(north, "orders-create.not_json")
    await town.say(south, "orders-create.not_json")

    assert [one["count"] for one in await town.exceptions(tenant="north")] == [1]
    assert [one["count"] for one in await town.exceptions(tenant="south")] == [1]


async def test_news_reaches_no_endpoint_of_another_tenant_whatever_it_listens_to(town: Town) -> None:
    (north, _, _), (_, _, listens) = await pair(town)
    listens.endpoint.connections = [north.id]
    await town.put(listens.endpoint)
    await town.say(north, changed(town.fixture("shopify", STREAM[0])))

    assert listens.got == []
    rows = await town.hub.engine.fetch("deliveries_list", tenant="south", after=0, target="", status="", event="",
                                       order_id="", most=10)  # fmt: skip
    assert rows == []
    assert [one.tenant for one in town.hub.directory.all(Endpoint, "south")] == ["south"]

"""An order's life, told by a shop and its parcels: what partners hear at each step, and where the order stands."""

from __future__ import annotations

import json
from typing import Any

from hub.contract.fact import Fact
from hub.contract.flow import Page
from hub.directory import Connection
from hub.inbound.report import Call, Told
from tests.path.town import DHL, ORDER, Partner, Town, changed

CREATE = "orders-create.plain"


async def begin(town: Town) -> tuple[Connection, Partner]:
    """A shop, a partner, and a paid order of two lamps and a shade."""
    shop, partner = await town.connect("shopify"), await town.partner()
    await town.say(shop, CREATE)
    assert partner.told() == ["order.created", "order.confirmed", "order.paid", "order.ready"]
    return shop, partner


async def decide(town: Town, kind: str, **more: Any) -> Told:
    """A decision, as the admin API takes it."""
    desk = town.hub.directory.all(Connection)[0]
    order = await town.order()
    now = town.hub.world.now()
    doc = {"kind": kind, "ref": town.hub.world.new_id("dec"), "at": "2026-03-20T12:00:00.000Z", **more}
    fact = Fact(
        subject="decision",
        ref=doc["ref"],
        order=order["id"],
        doc=doc,
        revision=now,
        full=frozenset({"decision"}),
    )
    told = await town.hub.reporter.tell(
        Call(
            connection=desk,
            topic="decisions",
            body=json.dumps(doc).encode(),
            facts=[fact],
            actor="user",
            decision=kind,
        )
    )
    await town.hub.settle()
    return told


async def test_an_unpaid_order_is_told_and_told_again_when_it_is_paid(town: Town) -> None:
    shop, partner = await town.connect("shopify"), await town.partner()
    create = town.fixture("shopify", CREATE)
    await town.say(shop, changed(create, financial_status="pending"))
    assert partner.told() == ["order.created", "order.confirmed"]
    assert (await town.order())["ready"] is False
    await town.say(shop, changed(create, topic="orders/paid", updated_at="2026-03-14T10:31:02+01:00"))

    assert partner.told() == ["order.paid", "order.ready"]
    assert (await town.order())["payment_status"] == "paid"


async def test_an_edit_says_what_changed(town: Town) -> None:
    shop, partner = await begin(town)
    await town.say(shop, "orders-updated.edited")

    hooks = partner.take()
    assert [hook.event["type"] for hook in hooks] == ["order.edited"]
    paths = {change["path"] for change in hooks[0].event["changes"]}
    assert any(path.startswith("lines[2]") for path in paths), "a line was added"
    order = await town.order()
    assert len(order["lines"]) == 3
    assert order["version"] == 2


async def test_a_new_address_is_news_of_its_own(town: Town) -> None:
    shop, partner = await begin(town)
    create = town.fixture("shopify", CREATE)
    body = json.loads(create.body)
    body["shipping_address"] |= {"address1": "Neue Straße 9", "zip": "01067", "city": "Dresden"}
    await town.say(shop, changed(create, topic="orders/updated", updated_at="2026-03-14T10:40:00+01:00",
                                 shipping_address=body["shipping_address"]))  # fmt: skip

    assert partner.told() == ["order.address_changed"]
    assert (await town.order())["ship_to"]["city"] == "Dresden"


async def test_goods_that_leave_in_two_shipments_are_told_each(town: Town) -> None:
    shop, partner = await begin(town)
    await town.say(shop, "fulfillments-create.plain")
    assert partner.told() == ["shipment.created", "shipment.shipped", "order.partially_fulfilled"]
    order = await town.order()
    assert (order["state"], order["fulfillment_status"]) == ("in_progress", "partially_fulfilled")
    assert [line["quantity"].get("shipped", "0") for line in order["lines"]] == ["1", "0"]

    await town.say(shop, "orders-partially_fulfilled.plain")
    assert partner.told() == [], "the order says what its fulfilment has said"

    await town.say(shop, "fulfillments-update.two_parcels_delivered")
    told = partner.told()
    assert told[0] == "shipment.created"
    assert "order.fulfilled" in told
    order = await town.order()
    assert order["fulfillment_status"] == "fulfilled"
    assert len(order["shipments"]) == 2


async def test_a_parcel_on_its_way_is_told_and_delivered_ends_it(town: Town) -> None:
    shop, partner = await begin(town)
    await town.say(shop, "fulfillments-create.plain")
    partner.take()
    await town.say(shop, "fulfillment_events-create.in_transit")
    assert partner.told() == ["shipment.in_transit"]
    await town.say(shop, "fulfillment_events-create.delivered")

    assert partner.told() == ["shipment.delivered"]
    order = await town.order()
    assert order["delivery_status"] == "partially_delivered"
    assert order["shipments"][0]["status"] == "delivered"
    assert order["shipments"][0]["tracking"]["status"] == "delivered"


async def test_scans_out_of_order_tell_the_same_end(town: Town) -> None:
    shop, partner = await begin(town)
    await town.say(shop, "fulfillments-create.plain", "fulfillment_events-create.delivered")
    partner.take()
    await town.say(shop, "fulfillment_events-create.in_transit")

    assert partner.told() == ["shipment.updated"]
    assert (await town.order())["shipments"][0]["tracking"]["status"] == "delivered"


async def test_an_order_whose_goods_have_all_arrived_is_completed(town: Town) -> None:
    shop, partner = await begin(town)
    parcel = town.fixture("shopify", "fulfillments-create.plain")
    body = json.loads(parcel.body)
    create = json.loads(town.fixture("shopify", CREATE).body)
    items = [{**body["line_items"][0], "id": line["id"], "quantity": line["quantity"], "sku": line["sku"]}
             for line in create["line_items"]]  # fmt: skip
    await town.say(shop, changed(parcel, line_items=items), "fulfillment_events-create.delivered")

    assert partner.told() == [
        "shipment.created", "shipment.shipped", "shipment.delivered", "order.fulfilled", "order.delivered",
        "order.completed",
    ]  # fmt: skip
    order = await town.order()
    assert (order["state"], order["delivery_status"]) == ("completed", "delivered")


async def test_a_return_and_its_refund_are_told(town: Town) -> None:
    shop, partner = await begin(town)
    await town.say(shop, "fulfillments-create.plain", "fulfillment_events-create.delivered")
    partner.take()
    await town.say(shop, "returns-request.plain")
    assert partner.told() == ["return.requested"]
    later = {"x-shopify-triggered-at": "2026-03-18T08:00:00.000000001Z"}
    await town.say(shop, changed(town.fixture("shopify", "returns-approve.plain"), headers=later))
    assert partner.told() == ["return.approved"]
    await town.say(shop, "refunds-create.with_lines")
    told = partner.told()
    assert told[0] == "refund.succeeded"
    order = await town.order()
    assert order["return_status"] == "requested"
    assert order["refunds"][0]["status"] == "succeeded"
    assert any(line["quantity"].get("refunded") for line in order["lines"])


async def test_a_cancelled_order_cancels_what_has_not_left(town: Town) -> None:
    shop, partner = await begin(town)
    await town.say(shop, "orders-cancelled.plain")

    told = partner.told()
    assert "order.cancelled" in told
    order = await town.order()
    assert order["state"] == "cancelled"
    assert all(line["quantity"]["open"] == "0" for line in order["lines"])
    assert order["ready"] is False


async def test_an_order_cancelled_after_it_was_shipped_is_an_anomaly_that_is_told(town: Town) -> None:
    shop, partner = await begin(town)
    await town.say(shop, "fulfillments-create.plain")
    partner.take()
    await town.say(shop, "orders-cancelled.plain")

    hooks = partner.take()
    assert "order.cancelled" in [hook.event["type"] for hook in hooks]
    odd = [hook.event["changes"][0]["to"]["kind"] for hook in hooks if hook.event["type"] == "order.anomaly"]
    assert "cancelled_after_shipping" in odd
    order = await town.order()
    assert [line["quantity"].get("shipped", "0") for line in order["lines"]] == ["1", "0"], (
        "what left has left"
    )


async def test_a_shipment_that_is_taken_back_opens_its_goods_again(town: Town) -> None:
    shop, partner = await begin(town)
    await town.say(shop, "fulfillments-create.plain")
    partner.take()
    await town.say(shop, "fulfillments-update.cancelled")

    assert partner.told()[0] == "shipment.cancelled"
    order = await town.order()
    assert order["fulfillment_status"] == "unfulfilled"
    assert [line["quantity"]["open"] for line in order["lines"]] == ["2", "1"]


async def test_an_order_that_its_shop_deleted_is_cancelled_and_kept(town: Town) -> None:
    shop, partner = await begin(town)
    await town.say(shop, "orders-delete.plain")

    assert "order.cancelled" in partner.told()
    assert (await town.order())["deleted"] is True


async def test_news_of_an_order_nobody_told_makes_a_stub_that_the_order_fills(town: Town) -> None:
    shop, partner = await town.connect("shopify"), await town.partner()
    await town.say(shop, "fulfillments-create.plain")
    stub = await town.order()
    assert stub["state"] == "stub"
    assert "order.created" not in partner.told()
    await town.say(shop, CREATE)

    order = await town.order()
    assert order["id"] == stub["id"]
    assert order["fulfillment_status"] == "partially_fulfilled"
    assert partner.told()[0] == "order.created"


async def test_holds_keep_an_order_from_being_ready_until_they_are_released(town: Town) -> None:
    _, partner = await begin(town)
    held = await decide(town, "hold", reason="fraud", note="card and address differ")
    assert held.refused == ""
    assert partner.told() == ["order.on_hold"]
    assert (await town.order())["ready"] is False
    await decide(town, "release", at="2026-03-20T13:00:00.000Z")

    assert partner.told() == ["order.released", "order.ready"]


async def test_a_decision_against_the_arrows_is_refused_with_what_is_allowed(town: Town) -> None:
    _, partner = await begin(town)
    await decide(town, "cancel", reason="customer")
    assert partner.told() == ["order.cancelled"]
    version = (await town.order())["version"]
    told = await decide(town, "confirm")

    assert told.refused == "confirm is not allowed while the order is cancelled; allowed: note"
    assert partner.told() == []
    assert (await town.order())["version"] == version
    audit = await town.hub.engine.fetch("audit_list", tenant="main", after=0, subject="", most=10)
    assert [row[3] for row in audit] == ["order.cancel", "order.confirm.refused"]


async def test_the_events_of_an_order_are_numbered_without_a_gap(town: Town) -> None:
    shop, _ = await begin(town)
    await town.say(
        shop, "order_transactions-create.sale", "fulfillments-create.plain", "orders-partially_fulfilled.plain",
        "fulfillment_events-create.in_transit", "fulfillments-update.two_parcels_delivered",
        "refunds-create.with_lines", "orders-updated.twin", CREATE,
    )  # fmt: skip
    order = await town.order()
    events = await town.events(order["id"])

    assert [sequence for sequence, _ in events] == list(range(1, len(events) + 1))
    assert order["sequence"] == len(events)
    rows = await town.hub.engine.fetch(
        "events_of_order", tenant="main", order_id=order["id"], after=0, most=1000
    )
    envelopes = [json.loads(bytes(row[6]).replace(b"\0", b"null")) for row in rows]
    assert [one["previous"] for one in envelopes] == [None, *[row[1] for row in rows[:-1]]]


async def test_pushed_and_polled_tell_one_order(town: Town) -> None:
    shop, partner = await begin(town)
    partner.take()
    page = town.fixture("shopify", "poll-orders.plain")
    await town.hub.sweeper.page(shop, Page(topic=page.topic, body=page.body, headers=page.headers))
    await town.hub.settle()

    order = await town.order()
    assert order["ref"] == ORDER
    assert "order.created" not in partner.told()


async def test_what_is_withheld_later_does_not_take_away_what_was_known(town: Town) -> None:
    shop, partner = await begin(town)
    before = await town.order()
    create = town.fixture("shopify", CREATE)
    blank = {"first_name": None, "last_name": None, "address1": None, "phone": None, "city": "Leipzig", "zip": None,
             "province": "Sachsen", "country": "Germany", "address2": None, "company": None, "name": None,
             "country_code": "DE", "province_code": "SN"}  # fmt: skip
    await town.say(shop, changed(create, topic="orders/updated", updated_at="2026-06-14T10:40:00+02:00", email="",
                                 contact_email=None, customer=None, shipping_address=blank, billing_address=None))  # fmt: skip

    after = await town.order()
    assert after["ship_to"] == before["ship_to"]
    assert after["buyer"] == before["buyer"]
    assert "order.address_changed" not in partner.told()


async def test_a_parcels_number_is_found_however_it_is_spelt(town: Town) -> None:
    shop, partner = await begin(town)
    await town.say(shop, "fulfillments-create.plain")
    tracker = await town.connect("aftership")
    scan = town.fixture("aftership", "tracking_update.in_transit")
    spelt = json.loads(scan.body)
    spelt["msg"]["tracking_number"] = f"{DHL[:8]} {DHL[8:14]}-{DHL[14:]}"
    partner.take()
    await town.say(tracker, changed(scan, event_id="spelt", msg=spelt["msg"]))

    order = await town.order()
    assert order["shipments"][0]["packages"][0]["tracking"]["status"] == "in_transit"
    assert "shipment.in_transit" in partner.told()


async def test_a_report_for_a_version_that_is_not_there_makes_no_order(town: Town) -> None:
    shop = await town.connect("shopify")
    fact = Fact(subject="order", ref="77", doc={"ref": "77", "number": "A"}, full=frozenset({"order"}))
    told = await town.hub.reporter.tell(
        Call(connection=shop, topic="orders", body=b"", facts=[fact], actor="user", version=3)
    )
    await town.hub.settle()

    assert told.refused == "the order is at version 0, not 3"
    assert await town.orders() == []
    await town.hub.reporter.tell(Call(connection=shop, topic="orders", body=b"", facts=[fact], actor="user"))
    assert (await town.order())["number"] == "A"

"""Events: what is told when an order changes. Named in the past tense, each thing once, nothing for the same."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

from hub.orders import book
from hub.orders.events import Event, events
from hub.world import World
from tests.orders.sayings import SHOP, TRACKER, WAREHOUSE, fresh, said, sayings
from tests.orders.test_states import decision, order, ship


def told(*batches: list[Any]) -> list[list[str]]:
    """The events of each batch."""
    page, names = fresh(), World.still().new_id
    out = []
    for batch in batches:
        turned = book.turn(page, batch, names)
        page = turned.page
        out.append([event.type for event in turned.events])
    return out


def last(*batches: list[Any]) -> list[Event]:
    """The last batch's events, whole."""
    page, names = fresh(), World.still().new_id
    for batch in batches:
        turned = book.turn(page, batch, names)
        page = turned.page
    return turned.events


def parcel(status: str | None, day: int = 3, **more: Any) -> Any:
    scan = {"at": f"2026-02-0{day}T10:00:00.000Z", **({"status": status} if status else {}), **more}
    return said(TRACKER, "tracking", {"ref": "t1", "number": "N1", "scans": [scan]}, day)


BOX = said(WAREHOUSE, "shipment", {"ref": "s1", "status": "shipped", "tracking_number": "N1",
                                   "lines": [{"line": "l1", "quantity": "2"}]})  # fmt: skip


def test_a_new_order_is_created_confirmed_paid_and_ready_in_this_order() -> None:
    assert told([order()]) == [["order.created", "order.confirmed", "order.paid", "order.ready"]]


def test_an_order_that_waits_for_a_person_is_created_only() -> None:
    assert told([order(auto=False, source_payment_status="unpaid")]) == [["order.created"]]


def test_the_same_again_makes_no_event() -> None:
    assert told([order()], [order()], [order(time=2)]) == [
        ["order.created", "order.confirmed", "order.paid", "order.ready"], [], [],
    ]  # fmt: skip


def test_an_older_snapshot_makes_no_event() -> None:
    assert told([order(time=3, customer_note="new")], [order(time=2, customer_note="old")])[1] == []


def test_a_stub_is_not_created_until_its_order_is_told() -> None:
    assert told([BOX], [order()]) == [
        ["shipment.created", "shipment.shipped"],
        ["order.created", "order.confirmed", "order.paid", "order.fulfilled"],
    ]


def test_a_draft_is_created_when_it_is_confirmed() -> None:
    draft = order(auto=False, draft=True, source_payment_status="unpaid")

    assert told([draft], [decision("confirm")]) == [
        ["order.draft_created"],
        ["order.created", "order.confirmed"],
    ]


def test_payment_is_told_once() -> None:
    unpaid = order(source_payment_status="unpaid")

    assert told([unpaid], [order(time=2)], [order(time=3, customer_note="x")])[1:] == [
        ["order.paid", "order.ready"], ["order.updated"],
    ]  # fmt: skip


def test_an_edit_tells_what_changed() -> None:
    lines = [{"ref": "l1", "quantity": {"original": "2", "ordered": "1"}}]
    (event,) = last([order()], [order(time=2, lines=lines)])

    assert event.type == "order.edited"
    assert event.changes == [{"path": "lines[0].quantity.ordered", "from": "2", "to": "1"}]


def test_a_new_address_is_told_as_such() -> None:
    moved = {"name": "Ada Weiss", "lines": ["Neue Gasse 2"], "city": "Ulm", "country": "DE"}
    (event,) = last([order()], [order(time=2, ship_to=moved)])

    assert event.type == "order.address_changed"
    assert [one["path"] for one in event.changes] == ["ship_to.city", "ship_to.lines"]


def test_a_part_of_the_goods_then_the_rest() -> None:
    assert told([order()], [ship("1")], [ship("1", ref="s2")])[1:] == [
        ["shipment.created", "shipment.shipped", "order.partially_fulfilled"],
        ["shipment.created", "shipment.shipped", "order.fulfilled"],
    ]


def test_a_report_that_jumps_tells_what_it_jumps_over() -> None:
    assert told([order()], [ship("2", "delivered")])[1] == [
        "shipment.created", "shipment.shipped", "shipment.delivered", "order.fulfilled", "order.delivered",
        "order.completed",
    ]  # fmt: skip


def test_a_shipment_tells_each_step_once() -> None:
    steps = [said(WAREHOUSE, "shipment", {"ref": "s1", "status": word, "lines": [{"line": "l1", "quantity": "2"}]}, time)
             for time, word in enumerate(("draft", "label_ready", "handed_over", "shipped", "delivered"), 1)]  # fmt: skip

    assert [one[0] if one else "" for one in told([order()], *[[step] for step in steps])[1:]] == [
        "shipment.created", "shipment.label_ready", "shipment.handed_over", "shipment.shipped", "shipment.delivered",
    ]  # fmt: skip


def test_a_parcels_journey_is_told_as_it_goes() -> None:
    words = ("in_transit", "delivery_attempted", "out_for_delivery", "available_for_pickup", "delivered")

    assert [one[0] for one in told([order(), BOX], *[[parcel(word, day)] for day, word in enumerate(words, 3)])[1:]] == [
        "shipment.in_transit", "shipment.attempt_failed", "shipment.out_for_delivery", "shipment.available_for_pickup",
        "shipment.delivered",
    ]  # fmt: skip


def test_a_delay_is_told_once() -> None:
    late = parcel("in_transit", 3, flags=["delayed"])

    assert told([order(), BOX], [late], [parcel("in_transit", 4, flags=["delayed"])])[1:] == [
        ["shipment.in_transit", "shipment.delayed"], ["shipment.updated"],
    ]  # fmt: skip


@pytest.mark.parametrize(("word", "type_"), [("exception", "shipment.exception"), ("returning", "shipment.returning"),
                                             ("returned", "shipment.returned"), ("failed", "shipment.lost")])  # fmt: skip
def test_trouble_on_the_way_is_told(word: str, type_: str) -> None:
    assert type_ in told([order(), BOX], [parcel(word)])[1]


def test_a_late_scan_of_an_earlier_place_tells_no_step_back() -> None:
    assert told([order(), BOX], [parcel("delivered", 5)], [parcel("in_transit", 3)])[2] == [
        "shipment.updated"
    ]


def test_a_cancelled_order_is_told_and_so_is_the_parcel_that_is_on_its_way() -> None:
    assert told([order()], [order(time=2, cancelled_at="2026-02-02T00:00:00.000Z")])[1] == ["order.cancelled"]
    after = told([order(), ship("2")], [order(time=2, cancelled_at="2026-02-02T00:00:00.000Z")])[1]
    assert after == ["order.cancelled", "order.anomaly"]


def test_an_anomaly_is_told_once() -> None:
    assert told([order()], [ship("3")], [ship("3", ref="s1"), order(time=2, customer_note="x")])[1:] == [
        ["shipment.created", "shipment.shipped", "order.fulfilled", "order.anomaly"], ["order.updated"],
    ]  # fmt: skip


def test_money_and_returns_are_told_by_their_own_words() -> None:
    pay = said(SHOP, "payment", {"ref": "p1", "status": "captured"})
    give = said(SHOP, "refund", {"ref": "r1", "status": "succeeded"})
    asked = said(SHOP, "return", {"ref": "t1", "status": "requested"}, 1)
    came = said(SHOP, "return", {"ref": "t1", "status": "received"}, 2)

    assert told([order()], [pay], [give], [asked], [came])[1:] == [
        ["payment.captured"], ["refund.succeeded"], ["return.requested"], ["return.received"],
    ]  # fmt: skip


def test_holds_and_notes_are_told() -> None:
    hold, note = decision("hold", "h1"), decision("note", "n1", text="called")
    free = decision("release", "r1", "2026-02-03T00:00:00.000Z")

    assert told([order()], [hold], [note], [free])[1:] == [
        ["order.on_hold"], ["order.note_added"], ["order.released", "order.ready"],
    ]  # fmt: skip


def test_a_completed_order_that_gets_more_to_ship_is_reopened() -> None:
    more = [{"ref": "l1", "quantity": {"original": "2", "ordered": "5"}}]

    assert "order.reopened" in told([order()], [ship("2", "delivered")], [order(time=2, lines=more)])[2]


@settings(max_examples=250)
@given(st.lists(sayings(), min_size=1, max_size=7))
def test_whatever_is_said_events_speak_of_what_is_there_and_of_nothing_twice(facts: list[Any]) -> None:
    page, names = fresh(), World.still().new_id
    created: Counter[str] = Counter()
    for fact in facts:
        turned = book.turn(page, [fact], names)
        page = turned.page
        assert page.doc is not None
        parts = {part["id"] for name in ("shipments", "payments", "refunds", "returns", "fulfillments", "changes")
                 for part in page.doc.get(name, ())} | {page.id}  # fmt: skip
        for event in turned.events:
            assert re.fullmatch(r"[a-z_]+(\.[a-z_]+)+", event.type)
            assert event.subject in parts
        assert bool(turned.events) <= turned.changed
        created.update(event.type for event in turned.events)
        created["draft"] += page.doc["state"] == "draft"
        assert events(page.doc, page.doc) == []
    assert created["order.created"] <= 1 + created["draft"], "again only after it was called a draft again"

"""Shipments as held: one movement told by several sources, and the way of its parcels."""

from __future__ import annotations

from itertools import permutations
from typing import Any

from hub.orders import book
from tests.orders.sayings import SHOP, TRACKER, WAREHOUSE, folded, said

ORDER = said(
    SHOP, "order", {"ref": "o1", "lines": [{"ref": "l1", "quantity": {"ordered": "2", "original": "2"}}]}
)


def shipments(*facts: Any) -> list[dict[str, Any]]:
    """The shipments that these facts make, in whatever order they come."""
    docs = [folded([[ORDER], *[[one] for one in some]]).doc for some in permutations(facts)]
    assert all(book.content(one) == book.content(docs[0]) for one in docs if one)
    assert docs[0] is not None
    found: list[dict[str, Any]] = docs[0]["shipments"]
    return found


def box(source: str, ref: str, time: int = 1, **more: Any) -> Any:
    return said(source, "shipment", {"ref": ref, "status": "shipped", **more}, time)


def bind(theirs: str, ours: str) -> Any:
    return said(SHOP, "decision", {"kind": "bind", "ref": f"bind:{theirs}", "ours": ours, "theirs": theirs})


def scan(status: str, day: int, **more: Any) -> dict[str, Any]:
    return {"at": f"2026-02-0{day}T10:00:00.000Z", "status": status, **more}


def told(status: str, day: int) -> Any:
    """A shop's word about one step of a shipment, as it comes: one scan, and nothing of the others."""
    return said(
        SHOP,
        "shipment",
        {"ref": "s1", "tracking": {"status": status, "scans": [scan(status, day)]}},
        day,
        full=frozenset(),
    )


def test_what_two_sources_say_of_one_number_is_one_shipment() -> None:
    (one,) = shipments(box(WAREHOUSE, "w1", tracking_number="N 1"), box(SHOP, "f1", tracking_number="n1"))

    assert [ref["id"] for ref in one["refs"]] == ["f1", "w1"]
    assert len(one["packages"]) == 1


def test_what_a_write_bound_is_one_shipment_though_no_number_tells() -> None:
    (one,) = shipments(box(WAREHOUSE, "w1"), box(SHOP, "f1"), bind(f"{SHOP}/f1", f"{WAREHOUSE}/w1"))

    assert {ref["id"] for ref in one["refs"]} == {"f1", "w1"}


def test_what_nothing_binds_are_two_shipments() -> None:
    assert (
        len(shipments(box(WAREHOUSE, "w1", tracking_number="N1"), box(SHOP, "f1", tracking_number="N2"))) == 2
    )


def test_two_shipments_of_one_source_are_never_one() -> None:
    assert len(shipments(box(SHOP, "f1", tracking_number="N1"), box(SHOP, "f2", tracking_number="N1"))) == 2


def test_one_movement_ships_its_goods_once() -> None:
    items = [{"line": "l1", "quantity": "2"}]
    doc = folded(
        [
            [
                ORDER,
                box(WAREHOUSE, "w1", tracking_number="N1", lines=items),
                box(SHOP, "f1", tracking_number="N1", lines=items),
            ]
        ]
    ).doc

    assert doc is not None
    assert doc["lines"][0]["quantity"]["shipped"] == "2"
    assert "anomalies" not in doc


def test_the_furthest_that_any_source_says_is_the_status() -> None:
    (one,) = shipments(
        box(WAREHOUSE, "w1", tracking_number="N1", status="label_ready"),
        box(SHOP, "f1", tracking_number="N1"),
    )

    assert one["status"] == "shipped"


def test_cancelled_by_all_is_cancelled_and_by_one_is_not() -> None:
    gone = box(SHOP, "f1", tracking_number="N1", status="cancelled")

    assert shipments(gone)[0]["status"] == "cancelled"
    assert shipments(gone, box(WAREHOUSE, "w1", tracking_number="N1"))[0]["status"] == "shipped"


def test_a_shops_own_scans_are_a_journey_and_not_its_last_word() -> None:
    (one,) = shipments(box(SHOP, "s1", tracking_number="N1"), told("in_transit", 2), told("delivered", 3))

    assert one["status"] == "delivered"
    assert [step["status"] for step in one["packages"][0]["tracking"]["scans"]] == ["in_transit", "delivered"]


def test_a_late_scan_of_a_shop_does_not_take_delivered_back() -> None:
    (one,) = shipments(box(SHOP, "s1", tracking_number="N1"), told("delivered", 2), told("in_transit", 3))

    assert one["tracking"]["status"] == "delivered"
    assert one["status"] == "delivered"


def test_a_shipment_without_a_number_has_a_way_too() -> None:
    (one,) = shipments(box(SHOP, "s1"), told("in_transit", 2))

    assert one["packages"] == []
    assert one["tracking"]["status"] == "in_transit"
    assert len(one["tracking"]["scans"]) == 1


def test_a_shop_and_a_tracker_tell_one_journey() -> None:
    tracker = said(
        TRACKER, "tracking", {"ref": "t1", "number": "N1", "scans": [scan("out_for_delivery", 3)]}, 3
    )
    (one,) = shipments(box(SHOP, "s1", tracking_number="N1"), told("in_transit", 2), tracker)

    assert one["tracking"]["status"] == "out_for_delivery"
    assert [step["status"] for step in one["packages"][0]["tracking"]["scans"]] == [
        "in_transit",
        "out_for_delivery",
    ]


def test_of_several_parcels_each_has_its_own_way() -> None:
    two = box(SHOP, "s1", packages=[{"tracking_number": "N1"}, {"tracking_number": "N2"}])
    first = said(TRACKER, "tracking", {"ref": "t1", "number": "N1", "scans": [scan("delivered", 3)]}, 3)
    (one,) = shipments(two, first)

    assert one["status"] == "shipped"
    assert one["tracking"]["sub_status"] == "partially_delivered"
    (done,) = shipments(
        two,
        first,
        said(TRACKER, "tracking", {"ref": "t2", "number": "N2", "scans": [scan("delivered", 4)]}, 4),
    )
    assert (done["status"], done["delivered_at"]) == ("delivered", "2026-02-04T10:00:00.000Z")


def test_a_parcel_that_moves_has_left_whatever_the_warehouse_says() -> None:
    ready = box(WAREHOUSE, "w1", tracking_number="N1", status="label_ready")
    moves = said(TRACKER, "tracking", {"ref": "t1", "number": "N1", "scans": [scan("in_transit", 3)]}, 3)
    known = said(TRACKER, "tracking", {"ref": "t1", "number": "N1", "scans": [scan("pre_transit", 2)]}, 2)

    assert shipments(ready, known)[0]["status"] == "label_ready"
    assert shipments(ready, moves)[0]["status"] == "shipped"


def test_a_name_given_once_stays_when_two_shipments_turn_out_to_be_one() -> None:
    page = folded([[ORDER, box(WAREHOUSE, "w1")], [box(SHOP, "f1")]])
    assert page.doc is not None
    before = {one["id"] for one in page.doc["shipments"]}
    after = book.turn(page, [bind(f"{SHOP}/f1", f"{WAREHOUSE}/w1")], lambda prefix: f"{prefix}_never").page

    assert after.doc is not None
    assert [one["id"] for one in after.doc["shipments"]] == [min(before)]

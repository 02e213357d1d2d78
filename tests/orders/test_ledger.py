"""The ledger of a line: counted from shipments, returns and refunds; what cannot be is an anomaly, never an error."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

from hub.orders.amounts import units
from tests.orders.sayings import SHOP, WAREHOUSE, folded, said, sayings


def order(counts: dict[str, str], **more: Any) -> Any:
    rows = [
        {"ref": ref, "sku": ref.upper(), "quantity": {"original": count, "ordered": count}}
        for ref, count in counts.items()
    ]
    return said(
        SHOP,
        "order",
        {"ref": "o1", "currency": "EUR", "placed_at": "2026-02-01T00:00:00.000Z", "lines": rows, **more},
    )


def ship(ref: str, lines: dict[str, str], status: str = "shipped", **more: Any) -> Any:
    items = [{"line": line, "quantity": count} for line, count in lines.items()]
    return said(WAREHOUSE, "shipment", {"ref": ref, "status": status, "lines": items, **more})


def back(ref: str, lines: dict[str, str], status: str) -> Any:
    items = [{"line": line, "quantity": count} for line, count in lines.items()]
    return said(SHOP, "return", {"ref": ref, "status": status, "lines": items})


def refund(ref: str, lines: dict[str, str], status: str = "succeeded", amount: str = "5.00") -> Any:
    items = [{"line": line, "quantity": count} for line, count in lines.items()]
    return said(
        SHOP,
        "refund",
        {"ref": ref, "status": status, "amount": {"amount": amount, "currency": "EUR"}, "lines": items},
    )


def doc(*facts: Any) -> dict[str, Any]:
    found = folded([[one] for one in facts]).doc
    assert found is not None
    return found


def test_what_is_not_shipped_nor_cancelled_is_open() -> None:
    (line,) = doc(order({"l1": "5"}), ship("s1", {"l1": "2"}))["lines"]

    assert line["quantity"] == {"original": "5", "ordered": "5", "shipped": "2", "open": "3"}
    assert line["status"] == "partial"


def test_a_shipment_finds_its_line_by_ref_by_sku_and_by_our_own_id() -> None:
    known = doc(order({"l1": "3"}))["lines"][0]["id"]
    page = folded([[order({"l1": "3"}), ship("s1", {"l1": "1"}), ship("s2", {known: "1"})]])
    by_sku = said(
        WAREHOUSE, "shipment", {"ref": "s3", "status": "shipped", "lines": [{"sku": "L1", "quantity": "1"}]}
    )

    assert page.doc is not None
    assert page.doc["lines"][0]["quantity"]["shipped"] == "2"
    assert doc(order({"l1": "3"}), by_sku)["lines"][0]["quantity"]["shipped"] == "1"


def test_a_shipment_that_names_no_lines_carries_what_is_left() -> None:
    one = doc(order({"l1": "5", "l2": "1"}), ship("s1", {"l1": "2"}), ship("s2", {}))

    assert [line["quantity"]["shipped"] for line in one["lines"]] == ["5", "1"]
    assert one["fulfillment_status"] == "fulfilled"


def test_lines_of_a_parcel_count_where_the_shipment_names_none() -> None:
    box = {"ref": "p1", "tracking_number": "N1", "lines": [{"line": "l1", "quantity": "2"}]}
    (line,) = doc(order({"l1": "5"}), ship("s1", {}, packages=[box]))["lines"]

    assert line["quantity"]["shipped"] == "2"


@pytest.mark.parametrize("status", ["draft", "label_ready", "ready", "cancelled"])
def test_what_has_not_left_or_was_called_back_is_not_shipped(status: str) -> None:
    one = doc(order({"l1": "1"}), ship("s1", {"l1": "1"}, status))

    assert one["lines"][0]["quantity"]["open"] == "1"
    assert one["fulfillment_status"] == "unfulfilled"


def test_a_return_shipment_ships_nothing_to_the_buyer() -> None:
    one = doc(order({"l1": "1"}), ship("s1", {"l1": "1"}, direction="return"))

    assert one["fulfillment_status"] == "unfulfilled"


@pytest.mark.parametrize(
    ("shipped", "status", "fulfillment", "delivery"),
    [
        ([], "open", "unfulfilled", "none"),
        ([("2", "shipped")], "partial", "partially_fulfilled", "none"),
        ([("2", "delivered")], "partial", "partially_fulfilled", "partially_delivered"),
        ([("2", "delivered"), ("3", "shipped")], "fulfilled", "fulfilled", "partially_delivered"),
        ([("2", "delivered"), ("3", "confirmed")], "delivered", "fulfilled", "delivered"),
        ([("6", "shipped")], "fulfilled", "over_fulfilled", "none"),
    ],
)
def test_roll_ups_follow_from_the_lines(
    shipped: list[tuple[str, str]], status: str, fulfillment: str, delivery: str
) -> None:
    one = doc(
        order({"l1": "5"}), *[ship(f"s{n}", {"l1": count}, word) for n, (count, word) in enumerate(shipped)]
    )

    assert (one["lines"][0]["status"], one["fulfillment_status"], one["delivery_status"]) == (
        status,
        fulfillment,
        delivery,
    )


def test_an_order_with_nothing_to_ship_needs_no_fulfilment() -> None:
    gift = {"ref": "l1", "requires_shipping": False, "quantity": {"ordered": "1"}}

    assert doc(order({}, lines=[gift]))["fulfillment_status"] == "not_required"
    mixed = doc(order({}, lines=[gift, {"ref": "l2", "quantity": {"ordered": "1"}}]), ship("s1", {}))
    assert mixed["fulfillment_status"] == "fulfilled"
    assert "shipped" not in mixed["lines"][0]["quantity"]


def test_cancelled_quantities_are_not_waited_for() -> None:
    row = {"ref": "l1", "quantity": {"original": "5", "ordered": "5", "cancelled": "2"}}
    one = doc(order({}, lines=[row]), ship("s1", {"l1": "3"}))

    assert one["fulfillment_status"] == "fulfilled"
    assert one["lines"][0]["quantity"]["open"] == "0"


def test_returns_and_refunds_are_counted_and_the_refused_ones_are_not() -> None:
    one = doc(
        order({"l1": "5"}), ship("s1", {"l1": "5"}, "delivered"), back("r1", {"l1": "2"}, "received"),
        back("r2", {"l1": "1"}, "approved"), back("r3", {"l1": "1"}, "rejected"), refund("f1", {"l1": "2"}),
        refund("f2", {"l1": "1"}, "failed"),
    )  # fmt: skip
    quantity = one["lines"][0]["quantity"]

    assert (quantity["return_requested"], quantity["return_received"], quantity["refunded"]) == (
        "3",
        "2",
        "2",
    )
    assert quantity["returnable"] == "2"
    assert one["return_status"] == "partially_returned"


def test_everything_back_is_returned() -> None:
    one = doc(order({"l1": "2"}), ship("s1", {"l1": "2"}, "delivered"), back("r1", {"l1": "2"}, "completed"))

    assert (one["return_status"], one["lines"][0]["status"]) == ("returned", "returned")


def test_a_return_that_is_only_asked_for_is_requested() -> None:
    one = doc(order({"l1": "2"}), ship("s1", {"l1": "2"}, "delivered"), back("r1", {"l1": "1"}, "requested"))

    assert one["return_status"] == "requested"


def test_more_shipped_than_ordered_is_an_anomaly() -> None:
    one = doc(order({"l1": "1"}), ship("s1", {"l1": "2"}))

    assert one["anomalies"] == [
        {"kind": "shipped_more_than_ordered", "subject": "l1", "detail": "shipped 2 of 1"}
    ]


def test_more_returned_than_delivered_is_an_anomaly() -> None:
    one = doc(order({"l1": "1"}), ship("s1", {"l1": "1"}), back("r1", {"l1": "1"}, "received"))

    assert [found["kind"] for found in one["anomalies"]] == ["returned_more_than_delivered"]


def test_more_refunded_than_paid_is_an_anomaly() -> None:
    totals = {"total": {"amount": "10.00", "currency": "EUR"}}
    one = doc(
        order({"l1": "1"}, totals=totals), refund("f1", {}, amount="6.00"), refund("f2", {}, amount="6.00")
    )

    assert {"kind": "refunded_more_than_paid", "detail": "refunded 12.00 of 10.00"} in one["anomalies"]


def test_a_total_that_does_not_add_up_is_an_anomaly_and_is_left_as_it_is() -> None:
    row = {
        "ref": "l1",
        "unit_price": {"amount": "10.00", "currency": "EUR"},
        "quantity": {"ordered": "1", "original": "1"},
    }
    stated = {"total": {"amount": "12.00", "currency": "EUR"}}
    one = doc(order({}, lines=[row], totals=stated))

    assert one["totals"] == stated
    assert one["anomalies"] == [{"kind": "totals_mismatch", "detail": "stated 12.00, computed 10.00"}]


def test_a_cent_per_line_is_rounding() -> None:
    row = {
        "ref": "l1",
        "unit_price": {"amount": "10.00", "currency": "EUR"},
        "quantity": {"ordered": "1", "original": "1"},
    }

    assert "anomalies" not in doc(
        order({}, lines=[row], totals={"total": {"amount": "10.01", "currency": "EUR"}})
    )


def test_a_line_nobody_knows_counts_nowhere() -> None:
    one = doc(order({"l1": "1"}), ship("s1", {"other": "7"}))

    assert one["lines"][0]["quantity"] == {"original": "1", "ordered": "1", "open": "1"}


@settings(max_examples=300)
@given(st.lists(sayings(), min_size=1, max_size=7))
def test_the_books_balance_whatever_is_said(facts: list[Any]) -> None:
    one = doc(*facts)
    kinds = {(found["kind"], found.get("subject")) for found in one.get("anomalies", ())}
    for line in one["lines"]:
        count = {kind: units(text) for kind, text in line["quantity"].items()}
        wanted = count["ordered"] - count.get("cancelled", 0)
        shipped, delivered = count.get("shipped", 0), count.get("delivered", 0)
        assert count["open"] == max(0, wanted - shipped)
        assert (shipped > wanted) == (("shipped_more_than_ordered", line["ref"]) in kinds)
        assert delivered <= shipped or ("delivered_more_than_shipped", line["ref"]) in kinds
        assert (count.get("return_received", 0) > delivered) == (
            ("returned_more_than_delivered", line["ref"]) in kinds
        )
        assert line["status"] in ("removed", "open", "partial", "fulfilled", "delivered", "returned")

"""Registers: what a source said last of each part stands, whatever came when."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import pytest

from hub.contract.fact import ORDER_FACETS
from hub.orders import book, registers
from hub.orders.registers import Said
from hub.world import World
from tests.orders.sayings import SHOP, WAREHOUSE, folded, fresh, said

NONE: frozenset[str] = frozenset()


def every(*facts: Said) -> dict[str, Any]:
    """The one document that all orders of arrival give."""
    docs = [folded([[one] for one in order]).doc for order in permutations(facts)]
    contents = [book.content(doc) for doc in docs if doc]
    assert all(one == contents[0] for one in contents)
    return contents[0]


def order(
    time: int, full: frozenset[str] = ORDER_FACETS, rank: int = 0, source: str = SHOP, **doc: Any
) -> Said:
    return said(source, "order", {"ref": "o1", **doc}, time, rank, full)


def line(ref: str, ordered: str = "1", **more: Any) -> dict[str, Any]:
    return {"ref": ref, "quantity": {"ordered": ordered, "original": ordered}, **more}


def test_the_newest_snapshot_stands() -> None:
    doc = every(order(1, number="old"), order(3, number="new"), order(2, number="between"))

    assert doc["number"] == "new"


def test_what_a_later_snapshot_leaves_out_is_gone() -> None:
    doc = every(order(1, customer_note="ring", tags=["vip"]), order(2, tags=["vip"]))

    assert "customer_note" not in doc
    assert doc["tags"] == ["vip"]


def test_what_a_part_leaves_out_stays() -> None:
    doc = every(order(1, customer_note="ring", tags=["vip"]), order(2, NONE, tags=["gift"]))

    assert (doc["customer_note"], doc["tags"]) == ("ring", ["gift"])


def test_an_older_part_does_not_reach_over_a_newer_snapshot() -> None:
    doc = every(order(3, tags=["new"]), order(2, NONE, tags=["old"], customer_note="late"))

    assert doc["tags"] == ["new"]
    assert "customer_note" not in doc


def test_a_snapshot_of_some_facets_deletes_only_inside_them() -> None:
    doc = every(
        order(1, lines=[line("l1"), line("l2")], customer_note="ring"),
        order(2, frozenset({"lines"}), lines=[line("l2")]),
    )

    assert doc["customer_note"] == "ring"
    assert [(one["ref"], one["quantity"]["ordered"], one["status"]) for one in doc["lines"]] == [
        ("l1", "0", "removed"), ("l2", "1", "open"),
    ]  # fmt: skip


def test_a_line_that_vanished_stays_with_nothing_ordered_and_comes_back_when_it_does() -> None:
    first, without, again = (
        order(1, lines=[line("l1", "2"), line("l2")]),
        order(2, lines=[line("l2")]),
        order(3, lines=[line("l1", "3")]),
    )

    gone = every(first, without)
    assert [one["quantity"]["ordered"] for one in gone["lines"]] == ["0", "1"]
    back = every(first, without, again)
    assert [one["quantity"]["ordered"] for one in back["lines"]] == ["3", "0"]


def test_shipping_and_discounts_that_vanished_are_gone() -> None:
    doc = every(
        order(1, shipping=[{"ref": "s1"}, {"ref": "s2"}], discounts=[{"code": "A"}]),
        order(2, shipping=[{"ref": "s2"}]),
    )

    assert doc["shipping"] == [{"ref": "s2"}]
    assert "discounts" not in doc


def test_lists_keep_one_order_whatever_came_first() -> None:
    facts = (
        order(1, NONE, discounts=[{"code": f"C{n}"} for n in range(12)]),
        order(2, NONE, shipping=[{"ref": "10"}, {"ref": "9"}]),
        order(3, NONE, shipping=[{"ref": "9"}]),
    )

    doc = every(*facts)
    assert [one["code"] for one in doc["discounts"]] == [f"C{n}" for n in range(12)]
    assert [one["ref"] for one in doc["shipping"]] == ["9", "10"]


def test_money_that_was_said_never_vanishes() -> None:
    payment = {"ref": "p1", "status": "captured", "amount": {"amount": "5.00", "currency": "EUR"}}
    doc = every(order(1, payments=[payment], refunds=[{"ref": "r1"}]), order(2))

    assert [one["ref"] for one in doc["payments"]] == ["p1"]
    assert [one["ref"] for one in doc["refunds"]] == ["r1"]


def test_a_part_with_a_revision_of_its_own_is_judged_by_it() -> None:
    late = {"ref": "p1", "status": "authorized", "source_revision": "2026-02-01T00:00:00.000Z"}
    early = {"ref": "p1", "status": "captured", "source_revision": "2026-02-02T00:00:00.000Z"}
    doc = every(order(1, payments=[early]), order(4, payments=[late]))

    assert [one["status"] for one in doc["payments"]] == ["captured"]


def test_two_texts_of_one_revision_are_flagged_and_the_larger_hash_holds() -> None:
    one, other = order(1, number="A"), order(1, number="B")
    doc = every(one, other)

    assert doc["number"] == max((one, other), key=lambda fact: fact.rev[2]).doc["number"]
    assert [found["kind"] for found in doc["anomalies"]] == ["ambiguous_revision"]


def test_three_texts_of_one_revision_are_flagged_in_any_order() -> None:
    doc = every(order(1, number="A"), order(1, number="B"), order(1, number="A", tags=["x"]))

    assert [found["kind"] for found in doc["anomalies"]] == ["ambiguous_revision"]


def test_a_reread_of_the_same_moment_settles_a_tie() -> None:
    doc = every(order(1, number="A"), order(1, number="B"), order(1, number="A", rank=1_770_000_000_000_000))

    assert doc["number"] == "A"
    assert "anomalies" not in doc


def test_something_newer_settles_a_tie() -> None:
    doc = every(order(1, number="A"), order(1, number="B"), order(2, number="C"))

    assert doc["number"] == "C"
    assert "anomalies" not in doc


def test_a_tie_below_the_newest_is_nobodys_concern() -> None:
    page = folded([[order(2, number="C")], [order(1, number="A")], [order(1, number="B")]])

    assert page.doc is not None
    assert "anomalies" not in page.doc


def test_a_push_of_the_same_moment_does_not_reach_over_a_reread() -> None:
    assert every(order(1, number="read", rank=7), order(1, number="pushed"))["number"] == "read"


CLEAR = {"name": "Ada Weiss", "lines": ["Am Hafen 1"], "city": "Bonn"}


@pytest.mark.parametrize(
    "masked", [{"name": "A***", "masked": True}, {"masked": True}, {}, {"country": "DE"}]
)
@pytest.mark.parametrize("facet", ["buyer", "ship_to", "bill_to"])
def test_masked_or_emptied_people_never_beat_clear_ones(masked: dict[str, Any], facet: str) -> None:
    doc = every(order(1, **{facet: CLEAR}), order(9, **{facet: masked}))

    assert doc[facet] == CLEAR


def test_masked_leaves_never_beat_clear_ones() -> None:
    doc = every(order(1, ship_to=CLEAR), order(9, NONE, ship_to={"name": "A***", "masked": True}))

    assert doc["ship_to"] == CLEAR


def test_a_snapshot_without_the_people_leaves_them_as_they_were() -> None:
    assert every(order(1, buyer=CLEAR), order(9))["buyer"] == CLEAR


def test_masked_people_stand_where_nothing_clear_was_said_and_clear_ones_come_later_or_earlier() -> None:
    masked = order(2, ship_to={"name": "A***", "masked": True})

    assert every(masked)["ship_to"]["masked"] is True
    assert every(masked, order(1, ship_to=CLEAR))["ship_to"] == CLEAR


def test_clear_people_of_another_source_stand_before_masked_ones_of_the_home() -> None:
    doc = every(order(1, ship_to={"name": "A***", "masked": True}), order(2, source=WAREHOUSE, ship_to=CLEAR))

    assert doc["ship_to"] == CLEAR


def test_newer_clear_people_stand() -> None:
    moved = {"name": "Ada Weiss", "lines": ["Neue Gasse 2"], "city": "Ulm"}

    assert every(order(1, ship_to=CLEAR), order(2, ship_to=moved))["ship_to"] == moved


def test_the_home_speaks_for_its_facets_and_others_fill_what_it_leaves_out() -> None:
    doc = every(
        order(1, number="LL-1", lines=[line("l1")]),
        order(5, source=WAREHOUSE, number="W-9", priority="urgent", lines=[line("w1")]),
    )

    assert (doc["number"], doc["priority"]) == ("LL-1", "urgent")
    assert [one["ref"] for one in doc["lines"]] == ["l1"]


def test_revisions_of_two_sources_are_not_compared() -> None:
    doc = every(
        order(1, number="LL-1"), order(2, source=WAREHOUSE, number="W"), order(1, rank=3, number="LL-2")
    )

    assert doc["number"] == "LL-2"


def test_an_empty_object_said_later_does_not_swallow_what_others_say_below_it() -> None:
    facts = order(6, NONE, attributes={}), order(3, NONE, attributes={"gift": "yes"}), order(5, number="LL-1")

    assert every(*facts)["attributes"] == {}


def test_a_list_that_tells_one_member_twice_counts_the_first() -> None:
    twice = said(SHOP, "tracking", {"number": "N1", "scans": [
        {"at": "2026-02-01T10:00:00.000Z", "status": "in_transit"},
        {"at": "2026-02-01T10:00:00.000Z", "status": "in_transit", "flags": ["delayed"]},
    ]})  # fmt: skip
    once = said(
        SHOP,
        "tracking",
        {"number": "N1", "scans": [{"at": "2026-02-01T10:00:00.000Z", "status": "in_transit"}]},
    )
    box = said(SHOP, "shipment", {"ref": "s1", "tracking_number": "N1"})

    assert "anomalies" not in every(twice, once, box)


def test_what_writes_nothing_says_so() -> None:
    state = registers.empty()
    newer, older = order(2, number="B"), order(1, number="A")

    assert registers.apply(state, newer) is True
    assert registers.apply(state, newer) is False
    assert registers.apply(state, older) is True, "it tells when the source was heard of first"
    assert registers.apply(state, older) is False


def test_names_given_once_are_never_given_again() -> None:
    names, page = World.still().new_id, fresh()
    page = book.turn(page, [order(1, lines=[line("l1")])], names).page
    assert page.doc is not None
    first = page.doc["lines"][0]["id"]
    for fact in (order(2), order(3, lines=[line("l1", "5")])):
        page = book.turn(page, [fact], names).page

    assert page.doc is not None
    assert page.doc["lines"][0]["id"] == first
    assert page.version == 3

"""Change sets: what differs becomes actions, actions become what the order would be, decisions settle them."""

from __future__ import annotations

from itertools import pairwise, permutations
from typing import Any

import pytest

from hub.orders import book
from hub.orders.changes import compare, fold, patch, pending, preview
from hub.orders.events import events
from tests.orders.sayings import SHOP, folded, said

AT = "2026-02-0{}T00:00:00.000Z"
LINES = [
    {"ref": "1", "sku": "W-1", "name": "Lamp", "quantity": {"ordered": "2"}, "unit_price": {"amount": "10.00", "currency": "EUR"}},
    {"ref": "2", "sku": "W-2", "name": "Base", "quantity": {"ordered": "5"}, "unit_price": {"amount": "4.00", "currency": "EUR"}},
]  # fmt: skip
SET = [{"kind": "set_quantity", "line": "1", "quantity": "3"}]


def order(**more: Any) -> Any:
    return said(SHOP, "order", {"ref": "o1", "currency": "EUR", "lines": LINES, **more})


def decision(kind: str, ref: str, day: int, **more: Any) -> Any:
    return said(
        "api:desk", "decision", {"kind": kind, "ref": ref, "at": AT.format(day), "by": "desk", **more}
    )


def held(*facts: Any) -> dict[str, Any]:
    return folded([[order(), *facts]]).doc


def test_the_same_said_again_differs_in_nothing():
    again = [{**line, "ref": line["ref"] + "0"} for line in LINES]

    assert compare(held(), {"lines": again}, partial=False) == []


def test_lines_are_paired_by_their_article_not_by_their_place():
    told = [
        {"ref": "1", "sku": "w-2", "quantity": {"ordered": "6"}},
        {"ref": "2", "sku": "W-1", "quantity": {"ordered": "2"}},
    ]

    assert compare(held(), {"lines": told}, partial=False) == [
        {"kind": "set_quantity", "quantity": "6", "line": "2", "sku": "W-2"}
    ]


def test_what_is_not_said_is_removed_only_where_all_was_said():
    told = {"lines": [{"ref": "1", "sku": "W-1", "quantity": {"ordered": "2"}}]}

    assert compare(held(), told, partial=True) == []
    assert compare(held(), told, partial=False) == [{"kind": "remove_line", "line": "2", "sku": "W-2"}]


def test_prices_places_days_and_totals_that_differ_are_told():
    line = {
        "ref": "1",
        "sku": "W-1",
        "quantity": {"ordered": "2"},
        "unit_price": {"amount": "11.00", "currency": "EUR"},
    }
    told = {
        "lines": [line, {"ref": "9", "sku": "W-9", "quantity": {"ordered": "1"}}],
        "ship_to": {"name": "Ada", "city": "Bonn"},
        "requested_delivery": {"date": "2027-01-01"},
        "totals": {"total": {"amount": "9.00", "currency": "EUR"}},
    }

    kinds = [one["kind"] for one in compare(held(), told, partial=True)]

    assert kinds == ["set_price", "add_line", "set_address", "set_delivery", "set_total"]


def test_an_address_that_says_less_of_the_same_place_is_no_change():
    doc = held() | {"ship_to": {"name": "Ada Weiss", "lines": ["Am  Hafen 1"], "city": "Bonn"}}

    assert compare(doc, {"ship_to": {"name": "ada weiss", "line1": "Am Hafen 1"}}, partial=True) == []


def test_a_confirmed_patch_makes_the_order_what_was_asked():
    told = {
        "lines": [
            {"ref": "1", "sku": "W-1", "quantity": {"ordered": "7"}},
            {"ref": "2", "sku": "N-1", "quantity": {"ordered": "1"}},
        ]
    }
    before = held()
    change, full = patch(before, compare(before, told, partial=False))
    fact = said(SHOP, "order", change, 2, full=sorted(full))

    after = held(fact)

    assert [(line["sku"], line["quantity"]["ordered"], line["status"]) for line in after["lines"]] == [
        ("W-1", "7", "open"), ("W-2", "0", "removed"), ("N-1", "1", "open"),
    ]  # fmt: skip
    assert after["lines"][0]["quantity"]["original"] == "2"
    assert compare(after, told, partial=False) == []
    assert "anomalies" not in after


def test_a_preview_shows_before_after_and_what_it_costs():
    told = preview(held(), [*SET, {"kind": "remove_line", "line": "2"}])

    assert [line["quantity"] for line in told["before"]["lines"]] == ["2", "5"]
    assert [line["quantity"] for line in told["after"]["lines"]] == ["3", "0"]
    assert {one["path"] for one in told["difference"]} == {
        "lines[0].quantity",
        "lines[1].quantity",
        "totals.total",
    }
    assert told["due"] == {"amount": "-10.00", "currency": "EUR"}


def test_a_preview_leaves_the_order_as_it_is():
    doc = held()

    preview(doc, SET)

    assert doc == held() | {"lines": doc["lines"]}
    assert doc["lines"][0]["quantity"]["ordered"] == "2"


@pytest.mark.parametrize("word", ["confirm", "decline"])
def test_a_change_is_asked_for_and_decided_once(word: str):
    facts = [
        decision("change", "chg_1", 1, actions=SET, reason="more"),
        decision(f"{word}_change", "dec_1", 2, change="chg_1", reason="fine"),
        decision("decline_change", "dec_2", 3, change="chg_1"),
    ]

    one = held(*facts)["changes"][0]

    assert (one["status"], one["decision"], one["decided_by"]) == (
        f"{word}ed" if word == "confirm" else "declined",
        "fine",
        "desk",
    )


def test_a_newer_request_takes_the_place_of_one_that_waits():
    doc = held(decision("change", "chg_1", 1, actions=SET), decision("change", "chg_2", 2, actions=SET))

    assert [one["status"] for one in doc["changes"]] == ["cancelled", "requested"]
    assert pending(doc)["id"] == "chg_2"


def test_the_order_in_which_decisions_arrive_is_nothing():
    facts = [
        order(),
        decision("change", "chg_1", 1, actions=SET),
        decision("decline_change", "dec_1", 2, change="chg_1"),
        decision("change", "chg_2", 3, actions=SET),
    ]

    told = [book.content(folded([list(each)]).doc)["changes"] for each in permutations(facts)]

    assert all(one == told[0] for one in told)
    assert [one["status"] for one in told[0]] == ["declined", "requested"]


def test_events_tell_that_a_change_was_asked_for_and_decided():
    asked = decision("change", "chg_1", 1, actions=SET)
    done = decision("confirm_change", "dec_1", 2, change="chg_1")
    steps = [held(), held(asked), held(asked, done)]

    told = [
        [one.type for one in events(before | {"id": "o"}, after | {"id": "o"})]
        for before, after in pairwise(steps)
    ]

    assert told == [["order_change.requested"], ["order_change.confirmed"]]


def test_nothing_is_made_of_decisions_about_changes_that_were_never_asked_for():
    assert fold([{"kind": "confirm_change", "ref": "d", "at": AT.format(1), "change": "chg_9"}]) == []

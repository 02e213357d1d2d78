"""The order's state: it follows from facts and decisions; only decisions are ever refused."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import pytest

from hub.orders import book
from hub.orders.states import ALLOWED, refusal
from tests.orders.sayings import SHOP, WAREHOUSE, folded, said

STATES = ("stub", "draft", "open", "confirmed", "rejected", "in_progress", "completed", "cancelled")
ADDRESS = {"name": "Ada Weiss", "lines": ["Am Hafen 1"], "city": "Bonn", "country": "DE"}


def order(auto: bool = True, time: int = 1, **more: Any) -> Any:
    doc = {
        "ref": "o1",
        "currency": "EUR",
        "placed_at": "2026-02-01T00:00:00.000Z",
        "ship_to": ADDRESS,
        "source_payment_status": "paid",
        "lines": [{"ref": "l1", "quantity": {"original": "2", "ordered": "2"}}],
        **more,
    }
    fact = said(SHOP, "order", doc, time)
    fact.auto = auto
    return fact


def decision(kind: str, ref: str = "", at: str = "2026-02-02T00:00:00.000Z", **more: Any) -> Any:
    return said("api:desk", "decision", {"kind": kind, "ref": ref or f"dec_{kind}", "at": at, **more})


def ship(count: str, status: str = "shipped", ref: str = "s1") -> Any:
    return said(
        WAREHOUSE, "shipment", {"ref": ref, "status": status, "lines": [{"line": "l1", "quantity": count}]}
    )


def doc(*facts: Any) -> dict[str, Any]:
    """What these facts make of an order, in whatever order they come."""
    docs = [folded([[one] for one in some]).doc for some in permutations(facts)]
    assert all(book.content(one) == book.content(docs[0]) for one in docs if one)
    assert docs[0] is not None
    return docs[0]


@pytest.mark.parametrize(
    ("facts", "state"),
    [
        ([ship("1")], "stub"),
        ([order(auto=False)], "open"),
        ([order()], "confirmed"),
        ([order(draft=True)], "draft"),
        ([order(auto=False, draft=True), decision("confirm")], "confirmed"),
        ([order(auto=False), decision("confirm")], "confirmed"),
        ([order(auto=False), decision("reject")], "rejected"),
        ([order(), ship("1")], "in_progress"),
        ([order(), ship("2")], "in_progress"),
        ([order(), ship("2", "delivered")], "completed"),
        ([order(), decision("cancel")], "cancelled"),
        ([order(cancelled_at="2026-02-02T00:00:00.000Z")], "cancelled"),
        ([order(deleted=True)], "cancelled"),
        ([order(auto=False), ship("1")], "in_progress"),
        ([order(channel="phone")], "open"),
        ([order(channel="email", draft=True), decision("confirm")], "confirmed"),
    ],
)
def test_the_state_follows_from_what_was_said(facts: list[Any], state: str) -> None:
    assert doc(*facts)["state"] == state


def test_facts_may_jump() -> None:
    shipped_before_it_was_told = doc(ship("2", "delivered"), order(auto=False))

    assert shipped_before_it_was_told["state"] == "completed"


def test_a_cancelled_order_cancels_what_was_not_shipped() -> None:
    one = doc(order(), ship("1"), decision("cancel", reason="customer"))

    assert one["state"] == "cancelled"
    assert one["cancel_reason"] == "customer"
    assert one["lines"][0]["quantity"] == {
        "original": "2",
        "ordered": "2",
        "cancelled": "1",
        "shipped": "1",
        "open": "0",
    }


def test_goods_on_their_way_to_a_buyer_who_cancelled_are_an_anomaly() -> None:
    one = doc(order(cancelled_at="2026-02-02T00:00:00.000Z"), ship("2"))

    assert [found["kind"] for found in one["anomalies"]] == ["cancelled_after_shipping"]


@pytest.mark.parametrize("status", ["draft", "label_ready", "cancelled"])
def test_a_parcel_that_has_not_left_is_no_anomaly_of_a_cancelled_order(status: str) -> None:
    one = doc(order(cancelled_at="2026-02-02T00:00:00.000Z"), ship("2", status))

    assert "anomalies" not in one


def test_the_first_cancellation_stands_as_the_one() -> None:
    one = doc(order(), decision("cancel", "b", "2026-02-03T00:00:00.000Z", reason="fraud"),
              decision("cancel", "a", "2026-02-02T00:00:00.000Z", reason="customer"))  # fmt: skip

    assert (one["cancelled_at"], one["cancel_reason"]) == ("2026-02-02T00:00:00.000Z", "customer")


def test_a_confirmed_order_is_not_rejected() -> None:
    assert doc(order(), decision("reject"))["state"] == "confirmed"


def test_holds_stand_until_they_are_released() -> None:
    held = decision("hold", "h1", "2026-02-02T00:00:00.000Z", reason="fraud", note="call them")
    other = decision("hold", "h2", "2026-02-02T01:00:00.000Z", reason="stock")
    one_free = decision("release", "r1", "2026-02-03T00:00:00.000Z", hold="h1")
    all_free = decision("release", "r2", "2026-02-04T00:00:00.000Z")

    assert doc(order(), held)["holds"] == [
        {"id": "h1", "reason": "fraud", "at": "2026-02-02T00:00:00.000Z", "note": "call them"}
    ]
    assert [one["id"] for one in doc(order(), held, other, one_free)["holds"]] == ["h2"]
    assert "holds" not in doc(order(), held, other, all_free)


def test_notes_are_kept_in_the_order_they_were_written() -> None:
    one = doc(order(), decision("note", "n2", "2026-02-03T00:00:00.000Z", text="second"),
              decision("note", "n1", "2026-02-02T00:00:00.000Z", text="first", by="Kim"))  # fmt: skip

    assert [note["text"] for note in one["notes"]] == ["first", "second"]
    assert one["notes"][0]["by"] == "Kim"


@pytest.mark.parametrize(
    ("facts", "ready"),
    [
        ([order()], True),
        ([order(auto=False)], False),
        ([order(source_payment_status="unpaid")], False),
        ([order(source_payment_status="on_credit")], True),
        ([order(source_payment_status="partially_refunded")], True),
        ([order(), decision("hold")], False),
        ([order(test=True)], False),
        ([order(ship_to={"name": "Ada"})], False),
        ([order(ship_to={"name": "Ada", "pickup_point": {"id": "p"}})], True),
        ([order(ship_to={"name": "Ada", "line1": "Am Hafen 1"})], True),
        ([order(ship_to=None)], False),
        ([order(), ship("1")], True),
        ([order(), ship("2")], False),
        ([order(), decision("cancel")], False),
    ],
)
def test_an_order_is_ready_when_it_can_be_shipped(facts: list[Any], ready: bool) -> None:
    assert doc(*facts)["ready"] is ready


ARROWS = {
    "confirm": {"draft", "open"},
    "reject": {"draft", "open"},
    "cancel": {"stub", "draft", "open", "confirmed", "in_progress"},
    "hold": {"draft", "open", "confirmed", "in_progress"},
    "release": {"draft", "open", "confirmed", "in_progress"},
    "note": set(STATES),
    "complete": {"draft"},
    "change": {"draft", "open", "confirmed", "in_progress"},
    "confirm_change": {"draft", "open", "confirmed", "in_progress"},
    "decline_change": {"draft", "open", "confirmed", "in_progress", "completed", "cancelled"},
}
OPEN = {"id": "chg_1", "status": "requested", "actions": []}


def test_decisions_follow_the_arrows_and_no_others() -> None:
    assert {kind: set(states) for kind, states in ALLOWED.items()} == ARROWS
    for kind, states in ARROWS.items():
        for state in STATES:
            waiting = [OPEN] if kind.endswith("_change") else []
            held = {"state": state, "lines": [{"ref": "1"}], "changes": waiting}
            why = refusal(kind, held, {"change": "chg_1"})
            assert (why == "") == (state in states)


def test_a_refused_decision_says_what_would_be_allowed() -> None:
    assert refusal("confirm", {"state": "cancelled"}, {}) == (
        "confirm is not allowed while the order is cancelled; allowed: note"
    )
    assert refusal("hold", {}, {}) == "hold is not allowed while the order is stub; allowed: cancel, note"


def test_a_draft_without_lines_is_not_confirmed() -> None:
    assert refusal("confirm", {"state": "draft", "lines": []}, {}) == (
        "the draft has no lines: complete it first"
    )

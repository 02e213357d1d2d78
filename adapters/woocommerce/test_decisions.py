"""What WooCommerce is told of decisions, played by hand: orders cancelled, notes, and what is not done."""

from __future__ import annotations

from typing import Any

import pytest

from adapters.woocommerce import writes
from adapters.woocommerce.test_polls import error, said, shop
from adapters.woocommerce.test_writes import PLUGIN, done, order, play, task
from hub.contract import Refused

# ── cancelled, noted ─────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("status", "outcome", "written"),
    [
        ("processing", "applied", [("PUT", {"status": "cancelled"})]),
        ("on-hold", "applied", [("PUT", {"status": "cancelled"})]),
        ("cancelled", "applied", []),
        ("refunded", "applied", []),
        ("completed", "rejected", []),
    ],
)
def test_an_order_is_cancelled_once_and_never_after_completion(status: str, outcome: str, written: list[Any]):
    whole = task("order.cancelled")
    whole.order["fulfillment_status"] = "unfulfilled"
    played = play(writes.cancel(shop(), whole), order=order(status))

    assert (played.result.status, done(played)) == (outcome, written)


def test_an_order_of_which_a_part_is_shipped_is_not_cancelled_whole():
    played = play(writes.cancel(shop(), task("order.cancelled")), order=order())

    assert (played.result.status, done(played)) == ("rejected", [])
    assert "a part is shipped" in played.result.reason


def test_a_note_becomes_a_private_one_and_only_once():
    notes = [{"text": "first"}, {"text": "Call <Ida> & wait"}]
    made = play(
        writes.annotate(shop(), task("order.note_added", notes=notes)),
        order=order(),
        notes=[],
        note=said({"id": 31}, 201),
    )
    again = play(
        writes.annotate(shop(), task("order.note_added", notes=notes)),
        order=order(),
        notes=[{"id": 31, "note": "Call &lt;Ida&gt; &amp; wait"}],
    )
    off = play(writes.annotate(shop(write_notes=False), task("order.note_added", notes=notes)))

    assert done(made) == [("POST", {"note": "Call &lt;Ida&gt; &amp; wait", "customer_note": False})]
    assert made.result.refs == {"note": "31"}
    assert done(again) == []
    assert (off.result.status, off.names) == ("unsupported", [])


@pytest.mark.parametrize("do", [writes.fulfil, writes.track, writes.unfulfil, writes.cancel])
def test_an_order_that_the_shop_does_not_show_is_unsupported(do: Any):
    played = play(do(shop(), task()))

    assert (played.result.status, played.result.reason) == ("unsupported", "WooCommerce shows no order 5107")


def test_a_key_that_may_not_write_says_what_it_lacks():
    denied = error(
        401, "woocommerce_rest_authentication_error", "The API key provided does not have write permissions."
    )

    with pytest.raises(Refused, match="the REST key needs Read/Write"):
        play(writes.fulfil(shop(PLUGIN), task()), order=order(), put=denied)


def test_numbers_that_go_nowhere_are_not_called_applied():
    with pytest.raises(Refused, match="nothing to write to"):
        play(
            writes.fulfil(shop(PLUGIN), task()),
            order=order(),
            listed=[],
            told=error(404, "rest_no_route", "No route was found"),
        )

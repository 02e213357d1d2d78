from __future__ import annotations

import pytest

from tests.cli.conftest import until

MINE = """map: mine.order
target: order/1
extends: shopify.order
fields:
  lines:
    map:
      unit_price: price | replace(',', '.') | money(@cur)
tests:
  - input: {"id": 1, "currency": "EUR", "line_items": [{"id": 2, "quantity": 1, "price": "64,00"}]}
    expect: {"lines[0].unit_price.amount": "64.00"}
"""


@pytest.fixture
def unreadable(at_hub, shop):
    """A message whose money has a comma, and its exception."""
    at_hub("simulate", "shopify", "orders-create.money_with_a_comma", "-c", "sim")
    return until(lambda: [one for one in at_hub("exceptions", "list", "--json").lines() if one["place"]])[0]


@pytest.fixture
def mine(tmp_path):
    path = tmp_path / "mine.order.yaml"
    path.write_text(MINE)
    return path


def test_a_body_that_cannot_be_read_is_found_mended_and_read_again(at_hub, unreadable, mine):
    assert unreadable["place"]["value"] == "34,50"
    assert "lines[0].unit_price" in at_hub("exceptions", "show", unreadable["id"]).out
    message = at_hub("messages", "list", "--status", "failed", "--json").lines()[0]
    assert at_hub("messages", "raw", message["id"]).out.startswith("{")

    now = at_hub("map", "try", "shopify.order", "--message", message["id"])
    assert (now.code, "lines[0].unit_price: '34,50' is not a decimal number" in now.err) == (1, True)
    then = at_hub("map", "try", str(mine), "--message", message["id"], "--json").json()
    assert then["facts"][0]["doc"]["lines"][0]["unit_price"]["amount"] == "34.50"

    assert at_hub("map", "test", str(mine)).out == "1 tests hold\n"
    assert at_hub("map", "activate", str(mine)).code == 0
    assert at_hub("connections", "set", "sim", "--set", 'mappings={"*": "mine.order"}').code == 0
    assert "1 message is read again" in at_hub("messages", "replay", "--exception", unreadable["id"]).out
    until(lambda: at_hub("exceptions", "show", unreadable["id"], "--json").json()["state"] == "closed")
    assert at_hub("orders", "show", "LL-2010", "--json").json()["lines"][0]["unit_price"]["amount"] == "34.50"
    assert "mapping.activated" in at_hub("audit").out

    listed = at_hub("map", "list", "--json").lines()
    assert next(one for one in listed if one["name"] == "mine.order")["faults"] == []
    assert "replace(',', '.')" in at_hub("map", "show", "mine.order").out
    at_hub("connections", "set", "sim", "--set", "mappings={}")
    assert at_hub("map", "rollback", "mine.order", "--yes").code == 0


def test_a_mapping_with_faults_is_not_activated_and_all_are_told(at_hub, mine):
    mine.write_text(MINE.replace("money(@cur)", "mony(@cur)") + "vars:\n  cur: nope(\n")

    said = at_hub("map", "activate", str(mine))

    assert said.code == 1
    assert len(said.err.splitlines()) >= 2


def test_a_test_that_does_not_hold_is_told_with_its_line(at_hub, mine):
    mine.write_text(MINE.replace('"64.00"', '"65.00"'))

    for command in (("map", "test"), ("map", "activate")):
        said = at_hub(*command, str(mine))

        assert said.code == 1
        assert "expected '65.00', got '64.00'" in said.err


def test_the_packaged_mappings_keep_their_own_tests(orderhub):
    said = orderhub("map", "test", "--json").json()

    assert said["failures"] == []


def test_a_sample_can_be_tried(at_hub):
    tried = at_hub("map", "try", "shopify.order", "--sample", "shopify/orders-create.plain", "--json").json()

    assert tried["facts"][0]["doc"]["number"] == "LL-2041"
    assert at_hub("map", "try", "shopify.order").code == 2


def test_a_difference_is_shown_before_anything_is_activated(at_hub, shop, tmp_path):
    at_hub("simulate", "shopify", "orders-create.plain", "-c", "sim")
    until(lambda: at_hub("orders", "list", "--number", "LL-2041", "--json").lines())
    path = tmp_path / "shopify.order.yaml"
    path.write_text(
        at_hub("map", "show", "shopify.order", "--json")
        .json()["text"]
        .replace("customer_note: note | trim", "customer_note: note | upper")
    )

    said = at_hub("map", "diff", str(path), "--connection", "sim")

    assert "customer_note: 'Please ring twice.' → 'PLEASE RING TWICE.'" in said.out
    assert "nothing is written without --apply" in said.out
    assert at_hub("orders", "show", "LL-2041", "--json").json()["customer_note"] == "Please ring twice."


def test_rebuilding_changes_nothing_where_nothing_differs(at_hub, shop):
    at_hub("simulate", "shopify", "orders-create.plain", "-c", "sim")
    until(lambda: at_hub("orders", "list", "--number", "LL-2041", "--json").lines())

    assert "0 differ" in at_hub("rebuild").out
    assert at_hub("rebuild", "LL-2041", "--json").lines()[0]["same"] is True
    refused = at_hub("rebuild", "--apply")
    assert (refused.code, "--yes" in refused.err) == (2, True)


def test_a_person_is_forgotten_only_when_told_twice(at_hub, shop):
    at_hub("simulate", "shopify", "orders-create.business", "-c", "sim")
    order = until(
        lambda: [
            one for one in at_hub("orders", "list", "--json").lines() if one.get("buyer", {}).get("email")
        ]
    )[-1]
    email = order["buyer"]["email"]

    assert "would be forgotten" in at_hub("redact", "--email", email).out
    assert at_hub("orders", "show", order["id"], "--json").json()["buyer"]["email"] == email
    assert at_hub("redact", "--email", email, "--apply", "--yes", "--json").json()["applied"] is True
    assert email not in at_hub("orders", "show", order["id"], "--json").out
    assert at_hub("redact").code == 2


def test_a_delivery_that_fails_is_shown_skipped_and_sent_again(at_hub, shop):
    at_hub("endpoints", "add", "http://127.0.0.1:9/hook", "--name", "away", "-e", "order.created")
    at_hub("simulate", "shopify", "orders-create.point_of_sale", "-c", "sim")
    waiting = until(
        lambda: [
            one
            for one in at_hub("deliveries", "list", "--endpoint", "away", "--json").lines()
            if one["attempts"]
        ]
    )[0]

    shown = at_hub("deliveries", "show", waiting["id"])
    assert "connect" in shown.out
    assert at_hub("deliveries", "redeliver", waiting["id"]).code == 1
    assert "is skipped" in at_hub("deliveries", "skip", waiting["id"], "--yes").out
    assert "is due again" in at_hub("deliveries", "redeliver", waiting["id"]).out
    tested = at_hub("endpoints", "test", "away")
    assert (tested.code, "did not take it: connect" in tested.out) == (1, True)
    at_hub("endpoints", "remove", "away", "--yes")


def test_the_doctor_names_what_is_ill(at_hub, shop):
    at_hub("connections", "pause", "sim")
    ill = at_hub("doctor")
    at_hub("connections", "resume", "sim")
    checked = at_hub("doctor", "--json").lines()

    assert ill.code == 1
    assert "✗ connection   sim (shopify) is paused" in ill.out
    assert {one["what"] for one in checked} >= {"hub", "connection", "deliveries", "circuits", "exceptions"}
    assert all(one["well"] for one in checked if one["what"] in ("hub", "connection"))

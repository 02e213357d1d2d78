from __future__ import annotations

import json
import signal
import subprocess
import sys

import httpx
import pytest

from hub.cli.orders import moment
from tests.cli.conftest import plain_environment, until


@pytest.fixture
def order(at_hub, shop):
    """The plain sample, as an order."""
    assert at_hub("simulate", "shopify", "orders-create.plain", "-c", "sim").code == 0
    return until(lambda: at_hub("orders", "list", "--number", "LL-2041", "--json").lines())[0]


def test_an_order_is_listed_and_shown_by_number_id_and_the_sources_id(at_hub, order):
    assert "LL-2041" in at_hub("orders", "list").out
    for name in ("LL-2041", "#LL-2041", order["id"], order["ref"]):
        assert at_hub("orders", "show", name, "--json").json()["id"] == order["id"]

    sheet = at_hub("orders", "show", "LL-2041").out
    for word in ("LL-2041", "Mirela Okafor", "LAMP-OAK", "182.60", "EUR", "Leipzig"):
        assert word in sheet


def test_lists_are_filtered(at_hub, order):
    assert at_hub("orders", "list", "--state", "cancelled", "--number", "LL-2041", "--json").out == ""
    assert at_hub("orders", "list", "--connection", "sim", "--since", "1h", "--json").lines()
    assert "is no time" in at_hub("orders", "list", "--since", "yesterday").err


def test_people_decide_and_refused_decisions_say_what_is_allowed(at_hub, order):
    assert (
        "held: address"
        in at_hub("orders", "hold", "LL-2041", "--reason", "address", "--note", "no street").out
    )
    assert "no street" in at_hub("orders", "show", "LL-2041").out
    assert "held" not in at_hub("orders", "release", "LL-2041").out
    assert (
        at_hub("orders", "note", "LL-2041", "call at noon", "--json").json()["notes"][-1]["text"]
        == "call at noon"
    )

    refused = at_hub("orders", "confirm", "LL-2041")

    assert refused.code == 1
    assert "Allowed now: cancel, change, hold, note, release." in refused.err


def test_a_hold_for_no_known_reason_is_told(at_hub, order):
    said = at_hub("orders", "hold", "LL-2041", "--reason", "whim")

    assert said.code == 1
    assert "reason" in said.err


def test_the_timeline_and_the_events_are_the_same_story(at_hub, order):
    timeline = [one["id"] for one in at_hub("orders", "timeline", "LL-2041", "--json").lines()]
    events = [one["id"] for one in at_hub("events", "list", "--order", "LL-2041", "--json").lines()]

    assert timeline == events
    shown = at_hub("events", "show", events[0])
    assert shown.json()["type"] == "order.created"
    assert at_hub("events", "show", events[0], "--json").json() == shown.json()
    assert "order.created" in at_hub("orders", "timeline", "LL-2041").out


def test_why_names_the_message_and_the_place_in_mapping_and_source(at_hub, order):
    said = at_hub("why", "LL-2041", "buyer.email").out

    assert "mirela.okafor@posthaus.example" in said
    assert "msg_" in said
    assert "shopify.order.yaml:" in said
    assert "email" in said
    assert at_hub("why", "LL-2041", "buyer.hat").code == 1


def test_an_order_that_is_not_there_is_told_with_what_to_do(at_hub):
    said = at_hub("orders", "show", "LL-9999")

    assert said.code == 1
    assert "orderhub orders list" in said.err


@pytest.mark.parametrize(
    "command", [("events", "list", "-f"), ("events", "follow"), ("messages", "follow")], ids=" ".join
)
def test_following_tells_a_line_of_json_for_each_and_ends_with_ctrl_c(at_hub, order, served, command):
    environment = plain_environment(ORDERHUB_URL=served.url, ORDERHUB_TOKEN=served.token)
    running = subprocess.Popen(
        [sys.executable, "-m", "hub", *command, "--json"], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )  # fmt: skip
    first = json.loads(running.stdout.readline())
    running.send_signal(signal.SIGINT)
    _, told = running.communicate(timeout=30)

    assert first["id"].startswith(("evt_", "msg_"))
    assert running.returncode == 130
    assert b"Traceback" not in told


def test_so_long_ago_is_a_moment():
    assert moment("2027-01-10T16:00:00Z") == "2027-01-10T16:00:00Z"
    assert moment("") == ""
    assert moment("7d").endswith("Z")
    assert moment("90x") == "90x"


@pytest.fixture
def tell(served):
    """Says something to the hub over its API."""

    def post(path, body):
        answer = httpx.post(served.url + path, json=body, headers={"authorization": f"Bearer {served.token}"})
        assert answer.is_success, answer.text

    return post


@pytest.fixture
def draft(tell):
    """A draft from the phone, without lines."""
    body = {"ref": "call-7", "number": "CALL-7", "draft": True, "channel": "phone", "currency": "EUR"}
    entry = {
        "form": "text",
        "confidence": "0.5",
        "reasons": [{"field": "lines", "reason": "no line was found"}],
    }
    tell("/v1/orders", body | {"entry": entry})
    return "CALL-7"


def test_drafts_say_what_they_wait_for_and_are_completed_and_confirmed(at_hub, draft, tmp_path):
    file = tmp_path / "lines.json"
    file.write_text(json.dumps({"lines": [{"sku": "LAMP", "qty": 2, "unit_price": "10.00"}]}))

    listed = at_hub("orders", "drafts").out
    shown = at_hub("orders", "show", draft).out
    refused = at_hub("orders", "confirm", draft)
    done = at_hub(
        "orders", "complete", draft, "--file", str(file), "--set", "ship_to.city=Bonn", "--json"
    ).json()
    confirmed = at_hub("orders", "confirm", draft).out

    assert "lines: no line was found" in listed
    assert "doubt    lines" in shown
    assert (refused.code, "complete it first" in refused.err) == (1, True)
    assert (done["ship_to"]["city"], done["lines"][0]["sku"], done["entry"]["reasons"]) == (
        "Bonn",
        "LAMP",
        [],
    )
    assert "confirmed" in confirmed
    assert "nothing is given" in at_hub("orders", "complete", draft).err


def test_a_change_is_shown_and_decided_at_the_terminal(at_hub, order, tell):
    path = f"/v1/orders/{order['id']}"
    sku = order["lines"][0]["sku"]
    for word, told in (("decline", "declined"), ("confirm", "confirmed")):
        tell(f"{path}/changes", {"actions": [{"kind": "set_quantity", "sku": sku, "quantity": "9"}]})
        assert "requested" in at_hub("changes", "list", "LL-2041").out
        assert "lines[0].quantity" in at_hub("changes", "show", "LL-2041").out
        assert "waits" in at_hub("orders", "show", "LL-2041").out
        assert told in at_hub("changes", word, "LL-2041").out

    assert at_hub("orders", "show", "LL-2041", "--json").json()["lines"][0]["quantity"]["ordered"] == "9"
    assert "no change of LL-2041 waits" in at_hub("changes", "confirm", "LL-2041").err

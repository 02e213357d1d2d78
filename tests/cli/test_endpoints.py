"""Endpoints from the command line and from a file: every field, what a partner would get, what it got."""

from __future__ import annotations

import json

import pytest

from hub.cli.endpoints import _why
from hub.cli.failures import Failure
from hub.cli.nouns import fields
from tests.cli.conftest import until

WMS = "map: wms.pick\ntarget: json\nfields: {orderNo: data.number, kind: type}\n"


def test_parts_of_a_field_are_set_one_by_one(tmp_path):
    file = tmp_path / "token"
    file.write_text("hush\n")

    assert fields(["rate=20", "auth.type=bearer", f"auth.token=@{file}", "headers.x-desk=7", "schedule=[0,5]"]) == {
        "rate": 20, "auth": {"type": "bearer", "token": "hush"}, "headers": {"x-desk": "7"}, "schedule": [0, 5],
    }  # fmt: skip
    with pytest.raises(Failure, match="as a whole already"):
        fields(["auth={}", "auth.type=bearer", "rate=1", "rate.x=1"])


@pytest.mark.parametrize(
    "given", [["rate=1", "rate=2"], ["headers.x=1", "headers={}"], ["headers={}", "headers.x=1"]]
)
def test_a_field_that_is_set_twice_is_told(given):
    with pytest.raises(Failure, match=r"^--set (rate|headers)") as told:
        fields(given)

    assert told.value.code == 2


def test_what_options_leave_out_is_set_by_set_and_both_ways_is_told(at_hub):
    url, name = "http://127.0.0.1:9/in", ("--name", "once")
    for sets, word in (
        ("url=http://127.0.0.1:9/x", "URL"),
        ('events=["order.*"]', "--event"),
        ("name=x", "--name"),
    ):
        told = at_hub("endpoints", "add", url, *name, "-e", "shipment.*", "--set", sets)
        assert (told.code, f"by {word} and by --set" in told.err) == (2, True)
    partner = at_hub("endpoints", "add", url, *name, "--partner", "a", "--set", "partner=b")
    assert (partner.code, "--partner" in partner.err) == (2, True)

    made = at_hub("endpoints", "add", url, *name, "--set", 'events=["shipment.delivered"]', "--json")
    assert made.json()["events"] == ["shipment.delivered"]
    named = at_hub("endpoints", "add", url, "--set", "name=twice", "--json").json()
    assert (named["name"], named["events"]) == ("twice", ["*"])
    for one in ("once", "twice"):
        at_hub("endpoints", "remove", one, "--yes")


def test_a_part_of_a_field_changes_alone_and_an_empty_one_is_taken_away(at_hub):
    def field(name):
        return at_hub("endpoints", "show", "parted", "--json").json().get(name)

    at_hub("endpoints", "add", "http://127.0.0.1:9/in", "--name", "parted", "--set", "headers.X-A=1", "--set", "headers.X-B=2",
           "--set", "metadata.desk=7", "--set", "auth.type=basic", "--set", "auth.username=us", "--set", "auth.password=hush")  # fmt: skip

    def change(*sets):
        said = at_hub("endpoints", "set", "parted", *(word for one in sets for word in ("--set", one)))
        assert said.code == 0, said.err

    change("headers.X-C=3", "metadata.shift=night")
    assert field("headers") == {"X-A": "1", "X-B": "2", "X-C": "3"}
    assert field("metadata") == {"desk": "7", "shift": "night"}
    change("headers.x-a=9", "headers.X-B=")
    assert field("headers") == {"X-C": "3", "x-a": "9"}
    change("auth.username=them")
    assert field("auth") == {"type": "basic", "username": "them", "password": "***"}
    change("auth.type=bearer", "auth.token=t")
    assert field("auth") == {"type": "bearer", "token": "***"}
    change('headers={"X-D": "4"}')
    assert field("headers") == {"X-D": "4"}

    for sets, why in (
        (["--set", "headers.X-B="], "nothing to take away, there is X-D"),
        (["--set", "rate.x=1"], "rate has no parts"),
        ([], "nothing to change is given"),
    ):
        told = at_hub("endpoints", "set", "parted", *sets)
        assert (told.code, why in told.err) == (2, True), told.err
    at_hub("endpoints", "remove", "parted", "--yes")


def test_an_endpoint_is_made_with_all_its_wishes_and_refused_with_the_field(at_hub, tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("hush")
    made = at_hub("endpoints", "add", "http://127.0.0.1:9/in", "--name", "full", "--set", "auth.type=oauth2_client", "--set",
                  "auth.token_url=http://127.0.0.1:9/token", "--set", "auth.client_id=us", "--set", f"auth.client_secret=@{secret}",
                  "--set", "accept=body.code == 0", "--set", 'signing=["v1","v1a"]', "--set", "headers.x-desk=7")  # fmt: skip
    assert made.code == 0, made.err
    assert "whsec_" in made.out
    assert "public key: whpk_" in made.out
    shown = at_hub("endpoints", "show", "full", "--json").json()
    assert shown["auth"]["client_secret"] == "***"
    assert (shown["accept"], shown["headers"]) == ("body.code == 0", {"x-desk": "7"})

    wrong = at_hub("endpoints", "set", "full", "--set", "accept=body.code = 0")
    assert wrong.code == 1
    assert "accept:1:" in wrong.err
    assert at_hub("endpoints", "rotate", "full", "--json").json()["public_keys"] != shown["public_keys"]
    at_hub("endpoints", "remove", "full", "--yes")


def test_an_answer_that_its_word_for_yes_refuses_is_told_with_that_word():
    answer = {"error": "", "reason": "", "status": 200}

    assert _why(answer, "body.code == 0") == "it answered 200, and its `accept` is body.code == 0"
    assert _why({**answer, "status": 500}, "") == "it answered 500"
    assert _why({**answer, "error": "timeout", "reason": "15 s"}, "status == 200") == "timeout: 15 s"


def test_a_replay_of_nothing_is_told_what_it_may_be_of(at_hub):
    told = at_hub("endpoints", "replay", "anyone", "--missing")

    assert told.code == 2
    assert "say since when (--since), of which order (--order), or which delivery (--delivery)" in told.err
    assert "--since 7d --missing" in told.err


def test_an_address_that_may_not_be_reached_is_told_with_what_would_allow_it(at_hub):
    told = at_hub("endpoints", "add", "http://10.1.2.3/in")

    assert told.code == 1
    assert "url: 10.1.2.3 is not allowed: private" in told.err
    assert "--allow-private 10.1.2.3/32" in told.err


def test_a_mapping_of_what_goes_out_is_activated_with_the_endpoint_as_what_is_next(at_hub, tmp_path):
    file = tmp_path / "desk.pick.yaml"
    file.write_text(WMS.replace("wms.pick", "desk.pick"))

    first = at_hub("map", "activate", str(file))
    assert first.code == 0, first.err
    assert "No endpoint tells with it yet: orderhub endpoints set NAME --set mapping=desk.pick" in first.out
    at_hub("endpoints", "add", "http://127.0.0.1:9/in", "--name", "desk", "--set", "mapping=desk.pick")
    again = at_hub("map", "activate", str(file))
    assert "Next: orderhub map try --endpoint desk" in again.out
    assert "No endpoint" not in again.out
    at_hub("endpoints", "remove", "desk", "--yes")


APPLIED = """
[[endpoints]]
name = "filed"
url = "http://127.0.0.1:9/in"
events = ["order.*"]
from = 0
auth = { type = "bearer", token = { env = "FILED_TOKEN" } }
headers = { x-desk = "7" }
fields = ["number"]
schedule = [0, 60]
signing = ["v1", "v1a"]
disable_after = 86400
"""


def test_a_file_with_every_kind_of_field_is_applied_once(at_hub, tmp_path, monkeypatch):
    monkeypatch.setenv("FILED_TOKEN", "hush")
    file = tmp_path / "hub.toml"
    file.write_text(APPLIED)

    first = at_hub("apply", str(file), "--yes")
    assert first.code == 0, first.err
    assert "hush" not in first.out
    assert "nothing to change" in at_hub("apply", str(file), "--yes").out
    file.write_text(
        APPLIED.replace('"bearer", token', '"basic", username = "ada", password').replace("86400", "3600")
    )
    changed = at_hub("apply", str(file), "--yes", "--json").lines()
    assert changed[0]["fields"] == {
        "auth.type": {"from": "bearer", "to": "basic"}, "auth.username": {"from": None, "to": "ada"},
        "auth.password": {"from": None, "to": "***"}, "auth.token": {"from": "***", "to": None},
        "disable_after": {"from": 86400, "to": 3600},
    }  # fmt: skip
    assert "nothing to change" in at_hub("apply", str(file), "--yes").out
    assert "nothing to change" not in at_hub("apply", str(file), "--dry-run", "--secrets").out
    at_hub("endpoints", "remove", "filed", "--yes")


def test_what_a_partner_would_get_is_shown_and_what_was_sent_is_listed(at_hub, tmp_path, served):
    body = tmp_path / "order.json"
    body.write_text(json.dumps({"ref": "P-1", "number": "N-77"}))
    file = tmp_path / "wms.pick.yaml"
    file.write_text(WMS)
    at_hub("endpoints", "add", "http://127.0.0.1:9/in", "--name", "wms", "-e", "order.created")
    import httpx  # noqa: PLC0415  the one call that no command makes

    httpx.post(
        f"{served.url}/v1/orders",
        content=body.read_bytes(),
        headers={"authorization": f"Bearer {served.token}"},
    ).raise_for_status()

    plain = at_hub("map", "try", "--endpoint", "wms")
    assert "webhook-signature: v1," in plain.out
    assert '"number": "N-77"' in plain.out
    mapped = at_hub("map", "try", str(file), "--endpoint", "wms", "--json").json()
    assert mapped["body"] == {"orderNo": "N-77", "kind": "order.created"}
    event = at_hub("map", "try", str(file), "--endpoint", "wms", "--event", mapped["event"], "--json").json()
    assert event["body"] == mapped["body"]
    file.write_text(WMS.replace("data.number", "data.number | dec"))
    faulty = at_hub("map", "try", str(file), "--endpoint", "wms")
    assert faulty.code == 1
    assert ":3:" in faulty.err
    assert at_hub("map", "try").code == 2
    assert at_hub("map", "try", "--event", mapped["event"]).code == 2

    rows = until(lambda: at_hub("endpoints", "attempts", "wms", "--json").lines())
    assert rows[0]["outcome"] == "connect"
    listed = until(
        lambda: [one for one in at_hub("endpoints", "list", "--json").lines() if one.get("failing_since")]
    )
    assert [one["name"] for one in listed] == ["wms"]
    assert at_hub("endpoints", "attempts", "wms", "--outcome", "500", "--json").out == ""
    assert at_hub("endpoints", "attempts", "wms", "--outcome", "odd").code == 1
    assert "order.created" in at_hub("deliveries", "list", "--type", "order.*", "--endpoint", "wms").out
    assert at_hub("deliveries", "list", "--type", "ordr.*").code == 1
    at_hub("endpoints", "disable", "wms")
    dropped = until(lambda: at_hub("endpoints", "drop", "wms", "--yes", "--json").json()["dropped"])
    assert dropped == 1
    at_hub("endpoints", "remove", "wms", "--yes")

from __future__ import annotations

import pytest

from hub.cli.connections import changed, lacks
from hub.cli.doctor import _circuits, _endpoint
from hub.cli.failures import Failure
from hub.cli.nouns import pairs, typed
from hub.cli.sheet import _facts


def test_an_endpoint_is_made_shown_changed_paused_and_removed(at_hub):
    made = at_hub(
        "endpoints",
        "add",
        "http://127.0.0.1:9/hook",
        "-e",
        "order.*",
        "--name",
        "wms",
        "--set",
        "rate=20",
        "--json",
    )
    assert made.json()["secret"].startswith("whsec_")

    assert "wms" in at_hub("endpoints", "list").out
    at_hub("endpoints", "set", "wms", "--set", 'events=["shipment.*"]', "--set", "description=the warehouse")
    shown = at_hub("endpoints", "show", "wms", "--json").json()
    assert (shown["events"], shown["rate"], shown["description"]) == (["shipment.*"], 20, "the warehouse")
    assert "secret" not in shown

    assert at_hub("endpoints", "pause", "wms").code == 0
    assert at_hub("endpoints", "show", "wms", "--json").json()["status"] == "paused"
    assert at_hub("endpoints", "enable", "wms", "--json").json()["status"] == "active"
    rotated = at_hub("endpoints", "rotate", "wms", "--overlap", "1", "--json").json()
    assert rotated["secret"] != made.json()["secret"]
    assert "is removed" in at_hub("endpoints", "remove", "wms", "--yes").out
    assert at_hub("endpoints", "show", "wms").code == 1


def test_partners_and_tokens_are_made_and_removed(at_hub):
    assert at_hub("partners", "add", "Nord", "--role", "warehouse").code == 0
    token = at_hub("tokens", "add", "nords", "--partner", "Nord", "--json").json()

    assert token["scopes"] == ["partner"]
    assert token["token"].startswith("oh_")
    assert "oh_" not in at_hub("tokens", "list").out
    refused = at_hub("partners", "remove", "Nord", "--yes")
    assert refused.code == 1
    assert "nords" in refused.err
    at_hub("tokens", "remove", "nords", "--yes")
    assert at_hub("partners", "remove", "Nord", "--yes").code == 0


def test_what_cannot_be_undone_asks_first(at_hub):
    at_hub("partners", "add", "Ask")

    said = at_hub("partners", "remove", "Ask")

    assert said.code == 2
    assert "--yes" in said.err
    assert at_hub("partners", "show", "Ask").code == 0


def test_a_problem_is_one_line_with_its_field(at_hub):
    said = at_hub("endpoints", "add", "ftp://partner.example")

    assert said.code == 1
    assert said.out == ""
    assert len(said.err.splitlines()) == 1
    assert said.err.startswith("url: ")


def test_an_unknown_event_is_told_with_the_nearest(at_hub):
    said = at_hub("endpoints", "add", "http://127.0.0.1:9/", "-e", "order.create")

    assert "order.created" in said.err


def test_a_route_to_nowhere_is_told(at_hub):
    said = at_hub("routes", "add", "--on", "order.ready", "--to", "erp", "--write", "order.create")

    assert said.code == 1
    assert "erp" in said.err


def test_a_route_is_made_and_changed_where_it_stands(at_hub, shop):
    to = ("--to", "sim", "--write", "order.cancel", "--name", "way")
    made = at_hub("routes", "add", "--on", "order.cancelled", *to, "--json").json()

    slip = at_hub("routes", "set", "way", "--set", "event=order.canceled")
    assert (slip.code, "order.cancelled" in slip.err) == (1, True)
    changed = at_hub("routes", "set", "way", "--set", "predicate=data.channel == 'phone'", "--json").json()
    assert changed | {"updated_at": ""} == made | {"predicate": "data.channel == 'phone'", "updated_at": ""}
    at_hub("routes", "remove", "way", "--yes")


def test_a_token_that_is_none_is_told_with_what_to_set(at_hub, monkeypatch):
    monkeypatch.setenv("ORDERHUB_TOKEN", "oh_nobody")

    said = at_hub("orders", "list")

    assert said.code == 1
    assert "ORDERHUB_TOKEN" in said.err


def test_a_token_without_the_scope_is_told_how_to_get_one(at_hub, monkeypatch):
    token = at_hub("tokens", "add", "reader", "--json").json()["token"]
    monkeypatch.setenv("ORDERHUB_TOKEN", token)

    said = at_hub("tokens", "add", "another")

    assert said.code == 1
    assert "orderhub tokens add" in said.err


def test_a_hub_that_is_away_ends_with_3_and_says_how_to_start_it(orderhub, monkeypatch):
    monkeypatch.setenv("ORDERHUB_URL", "http://127.0.0.1:9")

    said = orderhub("orders", "list")

    assert said.code == 3
    assert "orderhub serve" in said.err


def test_an_empty_list_is_a_sentence_for_people_and_nothing_for_programs(at_hub):
    assert "No routes yet" in at_hub("routes", "list").out
    assert at_hub("routes", "list", "--json").out == ""


def test_a_set_reads_json_where_it_is_json(tmp_path):
    (tmp_path / "secret").write_text("s3cret\n")

    given = pairs(
        [
            "rate=20",
            'events=["a.b"]',
            "name=true story",
            f"webhook_secret=@{tmp_path}/secret",
            "url=http://x/?a=b",
        ]
    )

    assert {name: typed(value) for name, value in given.items()} == {
        "rate": 20, "events": ["a.b"], "name": "true story", "webhook_secret": "s3cret", "url": "http://x/?a=b",
    }  # fmt: skip


@pytest.mark.parametrize("text", ["nothing", "=5", "secret=@/no/such/file"])
def test_a_set_that_is_none_is_told(text):
    with pytest.raises(Failure) as told:
        pairs([text])

    assert told.value.code == 2


def test_a_cutover_is_now_or_none_or_a_time():
    assert changed({"cutover_at": "none"}) == {"cutover_at": None}
    assert changed({"cutover_at": "now"})["cutover_at"] > "2026"
    assert changed({"cutover_at": "2027-01-10T16:00:00Z"}) == {"cutover_at": "2027-01-10T16:00:00Z"}


def test_a_file_that_is_not_there_is_told_in_a_line(at_hub):
    said = at_hub("map", "try", "nothing.yaml", "--sample", "shopify/orders-create.plain")

    assert said.code == 2
    assert said.err == "nothing.yaml: No such file or directory\n"


def test_a_sample_that_is_none_is_told_with_those_that_are_near(at_hub, shop):
    said = at_hub("simulate", "shopify", "orders-creat.plain", "-c", "sim")

    assert "no fixture 'orders-creat.plain', is orders-create.plain or" in said.err


def test_a_setting_that_the_channel_has_not_is_told_with_the_connection_s_own_fields(at_hub, shop):
    told = at_hub("connections", "set", "sim", "--set", "cutover=none")

    assert told.code == 1
    assert "settings.cutover: no such setting" in told.err
    assert "The connection's own fields are by_name, confirm, currency, cutover_at" in told.err


def test_what_a_connection_cannot_do_is_a_sentence_for_each_setting():
    cannot = [
        "cannot be polled without a",
        "cannot write x.y without a",
        "cannot write z without a",
        "cannot z without b",
    ]

    assert lacks(cannot) == ["without a it cannot be polled, write x.y, z", "without b it cannot z"]


def test_an_endpoint_that_fails_is_told_by_the_doctor_and_is_ill_after_a_while():
    one = {"name": "erp", "status": "active", "failing_since": "2026-01-10T16:00:00.000Z"}
    found = _endpoint(one)

    assert not found.well
    assert "erp has failed since 2026-01-10 16:00:00 UTC: `orderhub endpoints attempts erp`" in found.seen


def test_open_circuits_are_told_by_name():
    class Line:
        def raw(self, path: str) -> bytes:
            return b'orderhub_circuit_open{target="end_1"} 1.0\norderhub_circuit_open{target="end_2"} 0.0\n'

    found = _circuits(Line(), {"end_1": "erp", "end_2": "wms"})

    assert (found.well, found.seen) == (False, "open to erp: each is probed until it answers")


def test_an_order_s_sheet_has_what_others_call_it():
    doc = {"id": "ord_1", "refs": [{"account": "end_1", "type": "order", "id": "WMS-7"}]}

    assert "also     WMS-7, order at end_1" in [text.plain for text in _facts(doc)]


def test_settings_of_the_channel_and_fields_of_the_connection_find_their_place():
    assert changed({"mode": "observe", "webhook_secret": "x", "access_token": ""}) == {
        "mode": "observe", "settings": {"webhook_secret": "x", "access_token": None},
    }  # fmt: skip


def test_a_letter_is_tried_under_a_partner_s_manner(at_hub, tmp_path):
    letter, manner = tmp_path / "letter.eml", tmp_path / "manner.yaml"
    letter.write_bytes(b"From: ada@try.example\r\nSubject: Order PO-17\r\n\r\nPlease send 3 x blue lamp\r\n")
    manner.write_text("skus: {blue lamp: W-1}\n")
    assert at_hub("partners", "add", "tried", "--role", "buyer", "--manner", str(manner)).code == 0

    said = at_hub("partners", "try", "tried", str(letter)).out

    assert "text in part 1, by the partner's own rules" in said
    assert "lines[0].sku: 'blue lamp' at line 1" in said
    assert "No such file" in at_hub("partners", "try", "tried", "nowhere.eml").err
    assert at_hub("partners", "remove", "tried", "--yes").code == 0

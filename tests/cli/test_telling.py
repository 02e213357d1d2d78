"""Notifiers, alerts and notices as they are typed, and from a file."""

from __future__ import annotations

import contextlib
import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

from tests.cli.conftest import until

FILE = """
[[notifiers]]
name = "night"
kind = "webhook"
settings = { url = "http://127.0.0.1:9/alerts", token = { env = "NIGHT_TOKEN" } }

[[notices]]
name = "on its way"
event = "shipment.shipped"
notifier = "night"
template = "shipped"

[[alerts]]
name = "night watch"
notifier = "night"
severity = "critical"
quiet = "22:00-07:00"
"""


@contextlib.contextmanager
def listener(status: int = 200):
    got: list[dict] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            got.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
            self.send_response(status)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_):
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/hook", got
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_somebody_is_told_in_three_commands(at_hub):
    with listener() as (url, got):
        made = at_hub("notifiers", "add", "team", "--kind", "webhook", "--set", f"url={url}")
        assert made.code == 0, made.err
        assert "Next: orderhub notifiers test team" in made.out
        assert at_hub("notifiers", "test", "team").code == 0
        assert at_hub("alerts", "add", "ops", "--by", "team", "--set", "gather=0").code == 0
        tried = at_hub("alerts", "test", "ops")

    assert tried.code == 0, tried.err
    assert "ops took it" in tried.out
    assert [one["title"] for one in got] == ["orderhub", "A test of the alert ops"]
    assert at_hub("alerts", "set", "ops", "--set", "severity=warning").code == 0
    assert "warning" in at_hub("alerts", "list").out
    assert at_hub("alerts", "remove", "ops", "--yes").code == 0
    assert at_hub("notifiers", "remove", "team", "--yes").code == 0


def test_one_that_does_not_answer_is_told_with_the_reason(at_hub):
    with listener(500) as (url, _):
        at_hub("notifiers", "add", "broken", "--kind", "webhook", "--set", f"url={url}")
        tried = at_hub("notifiers", "test", "broken")

    assert tried.code == 1
    assert "it answered 500" in tried.out
    assert at_hub("notifiers", "add", "x", "--kind", "pager").code == 2
    at_hub("notifiers", "remove", "broken", "--yes")


def test_the_settings_of_each_kind_are_told_and_a_wrong_one_names_those_there_are(at_hub):
    kinds = at_hub("notifiers", "kinds", "smtp").out
    wrong = at_hub("notifiers", "add", "post", "--kind", "smtp", "--set", "whence=hub@example.org")

    assert "security" in kinds
    assert "`starttls`, `tls`, or `none` on a trusted net." in kinds
    assert "settings.whence: no such setting; there are host, sender, port, security" in wrong.err


def test_a_notifier_is_mended_without_being_made_anew(at_hub):
    with listener() as (url, got):
        at_hub("notifiers", "add", "late", "--kind", "webhook", "--set", "url=http://127.0.0.1:9/x")
        assert at_hub("notifiers", "test", "late").code == 1
        said = at_hub("notifiers", "set", "late", "--set", f"url={url}", "--set", "rate=5")
        assert said.code == 0, said.err
        assert at_hub("notifiers", "test", "late").code == 0
    assert at_hub("notifiers", "list", "--json").lines()[-1]["rate"] == 5
    assert len(got) == 1
    at_hub("notifiers", "remove", "late", "--yes")


def test_a_notice_shows_its_words_before_anybody_hears_them(at_hub):
    at_hub("notifiers", "add", "hook", "--kind", "webhook", "--set", "url=http://127.0.0.1:9/x")
    added = at_hub(
        "notices", "add", "--on", "shipment.shipped", "--by", "hook", "--template", "shipped", "--name", "way"
    )
    said = at_hub("notices", "test", "way")

    assert added.code == 0, added.err
    assert "subject: Your order 1001 is on its way" in said.out
    assert at_hub("notices", "remove", "way", "--yes").code == 0
    at_hub("notifiers", "remove", "hook", "--yes")


def test_a_file_says_who_is_told(at_hub, tmp_path, monkeypatch):
    monkeypatch.setenv("NIGHT_TOKEN", "t0ken")
    file = tmp_path / "hub.toml"
    file.write_text(FILE)

    first = at_hub("apply", str(file), "--yes")
    again = at_hub("apply", str(file), "--yes")
    file.write_text(FILE.replace("critical", "error"))
    changed = at_hub("apply", str(file), "--yes", "--json").lines()

    assert first.code == 0, first.err
    assert "nothing to change" in again.out
    assert [one["fields"] for one in changed if "fields" in one] == [
        {"severity": {"from": "critical", "to": "error"}}
    ]


def test_somebody_who_wants_to_hear_no_more_is_entered_by_hand(at_hub):
    said = at_hub("notices", "stop", "ada@example.com", "--reason", "asked by phone", "--json")

    assert said.code == 0, said.err
    assert said.json()["reason"] == "asked by phone"


def test_a_hub_that_runs_tells_of_a_trouble_and_of_its_end(at_hub, shop, tmp_path):
    """Far from the others: a message that cannot be read, on a hub that runs, reaches a far side within seconds."""
    with listener() as (url, got):
        at_hub("notifiers", "add", "pager", "--kind", "webhook", "--set", f"url={url}")
        added = at_hub(
            "alerts", "add", "on-call", "--by", "pager", "--set", "gather=0", "--severity", "warning"
        )
        assert added.code == 0, added.err
        said = at_hub("simulate", "shopify", "orders-create.date_without_a_zone", "--connection", "sim")
        opened = until(lambda: [one for one in got if one["data"]["items"][0]["status"] == "pending"])
        (one,) = [
            row for row in at_hub("exceptions", "list", "--json").lines() if "cannot be read" in row["title"]
        ]
        at_hub("exceptions", "close", one["id"])
        until(lambda: [one for one in got if one["data"]["items"][0]["status"] == "ending"])

    assert said.code == 0, said.err
    item = opened[0]["data"]["items"][0]
    assert item["exception"] == one["id"]
    assert set(item["links"]) == {"ack", "snooze", "retry"}
    at_hub("alerts", "remove", "on-call", "--yes")
    at_hub("notifiers", "remove", "pager", "--yes")


def test_what_is_given_both_ways_is_told_and_a_default_stands_against_nothing(at_hub):
    at_hub("notifiers", "add", "two", "--kind", "webhook", "--set", "url=http://127.0.0.1:9/x")
    for given, word in (
        (["--severity", "error", "--set", "severity=info"], "--severity"),
        (["--set", "notifier=x"], "--by"),
    ):
        told = at_hub("alerts", "add", "both", "--by", "two", *given)
        assert (told.code, f"by {word} and by --set" in told.err) == (2, True)
    mild = at_hub(
        "alerts",
        "add",
        "both",
        "--by",
        "two",
        "--set",
        "severity=info",
        "--set",
        'to=["a@shop.example"]',
        "--json",
    )
    assert (mild.json()["severity"], mild.json()["to"]) == ("info", ["a@shop.example"])
    notice = [
        "notices",
        "add",
        "--on",
        "shipment.shipped",
        "--by",
        "two",
        "--template",
        "shipped",
        "--name",
        "both",
    ]
    told = at_hub(*notice, "--when", "data.test", "--set", "predicate=data.number")
    assert (told.code, "by --when and by --set" in told.err) == (2, True)
    made = at_hub(
        *notice, "--set", "predicate=data.number", "--set", "params.no=data.number", "--json"
    ).json()
    assert (made["predicate"], made["params"]) == ("data.number", {"no": "data.number"})
    at_hub("notices", "set", "both", "--set", "params.when=words.eta")
    assert at_hub("notices", "show", "both", "--json").json()["params"] == {
        "no": "data.number",
        "when": "words.eta",
    }
    for noun, name in (("alerts", "both"), ("notices", "both"), ("notifiers", "two")):
        assert at_hub(noun, "remove", name, "--yes").code == 0

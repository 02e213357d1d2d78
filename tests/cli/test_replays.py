"""Replays, jobs, queues and feeds, as they are typed."""

from __future__ import annotations

from types import SimpleNamespace

import httpx

from hub.cli import jobs
from tests.cli.conftest import until


def paused(at_hub, name):
    """An endpoint that takes nothing for now."""
    assert (
        at_hub("endpoints", "add", "http://127.0.0.1:9/in", "--name", name, "-e", "order.created").code == 0
    )
    assert at_hub("endpoints", "pause", name).code == 0


def test_a_replay_is_begun_followed_and_listed(at_hub):
    paused(at_hub, "again")
    begun = at_hub("endpoints", "replay", "again", "--since", "1d", "--missing", "--no-wait", "--json")
    assert begun.code == 0, begun.err
    job = begun.json()
    assert (job["state"], job["endpoint"], job["params"]["only"]) == ("running", "again", "missing")
    shown = at_hub("jobs", "show", job["id"], "--json").json()
    assert shown["note"] == "the endpoint is paused"
    assert at_hub("endpoints", "enable", "again").code == 0
    followed = at_hub("jobs", "follow", job["id"])

    assert (followed.code, f"replay {job['id']} is done" in followed.out) == (0, True)
    assert job["id"] in at_hub("jobs", "list", "--kind", "replay").out


def test_a_job_is_cancelled(at_hub):
    paused(at_hub, "ended")
    job = at_hub("endpoints", "replay", "ended", "--since", "1d", "--no-wait", "--json").json()

    assert "is cancelled" in at_hub("jobs", "cancel", job["id"]).out
    again = at_hub("jobs", "cancel", job["id"])
    assert again.code != 0
    assert "cancelled already" in again.err
    followed = at_hub("jobs", "follow", job["id"])
    assert (followed.code, "is cancelled" in followed.out) == (1, True)


def test_a_replay_that_waits_says_why_and_ends_with_1_where_another_cancels_it(at_hub, served, monkeypatch):
    paused(at_hub, "waits")
    headers = {"authorization": f"Bearer {served.token}"}

    def another(_):
        """In place of the time between two looks: another cancels what runs, once it says why it waits."""
        found = httpx.get(f"{served.url}/v1/jobs?newest=1&limit=1", headers=headers).json()["data"][0]
        if found.get("note"):
            httpx.post(f"{served.url}/v1/jobs/{found['id']}/cancel", headers=headers)

    monkeypatch.setattr(jobs, "time", SimpleNamespace(sleep=another))
    said = at_hub("endpoints", "replay", "waits", "--since", "1d", "--json")

    assert (said.code, said.json()["state"]) == (1, "cancelled")


def test_a_note_is_told_once_on_stderr_where_nobody_sees_a_bar(monkeypatch, capsys):
    notes = [
        "the endpoint is paused",
        "the endpoint is paused",
        "",
        "1 to be sent",
        "40 to be sent",
        "the endpoint is paused",
    ]
    plain = {"id": "job_1", "kind": "replay", "total": None, "progress": 0.0, "done": 0}
    docs = [plain | {"state": "running", "note": note} for note in notes] + [plain | {"state": "done"}]
    looks = iter(docs[1:])
    monkeypatch.setattr(jobs, "time", SimpleNamespace(sleep=lambda _: None))

    ended = jobs.watch(SimpleNamespace(get=lambda _: next(looks)), docs[0])

    assert ended["state"] == "done"
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.splitlines() == [
        f"replay job_1: {note}"
        for note in ("the endpoint is paused", "1 to be sent", "the endpoint is paused")
    ]


def test_a_replay_of_nothing_says_what_is_missing(at_hub):
    paused(at_hub, "vague")
    both = at_hub("endpoints", "replay", "vague", "--missing", "--failed", "--since", "1d")
    none = at_hub("endpoints", "replay", "vague")

    assert (both.code, "exclude each other" in both.err) == (2, True)
    assert (none.code != 0, "since when" in none.err) == (True, True)


def test_an_endpoints_queue_and_its_feed_are_shown(at_hub, shop):
    paused(at_hub, "seen")
    assert at_hub("simulate", "shopify", "--connection", "sim").code == 0
    told = until(lambda: at_hub("events", "list", "--endpoint", "seen", "--json").lines())
    queue = until(lambda: at_hub("deliveries", "queue", "seen", "--json").json())

    assert {one["body"]["type"] for one in told} == {"order.created"}
    assert (queue["endpoint"], queue["status"]) == ("seen", "paused")
    assert queue["due"] + queue["waiting"] == len(told)
    assert "seen is paused" in at_hub("deliveries", "queue", "seen").out
    kept = at_hub("events", "list", "--type", "order.created", "--json").lines()
    assert [one["id"] for one in kept][-len(told) :] == [one["id"] for one in told]

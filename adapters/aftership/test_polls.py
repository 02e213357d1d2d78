"""How AfterShip is asked, played by hand: its pages, sweeps that were cut off, one tracking again."""

from __future__ import annotations

import json
from urllib.parse import parse_qs, urlsplit

import pytest

from adapters.aftership import poll
from adapters.aftership.test_aftership import MAPPING, context
from hub.contract import Headers, Message, Misconfigured, Page, Refused, Request, Response, Unreadable

# ── the conversation ─────────────────────────────────────────────────────────────────────────────────


def answer(data, status=200, code=None, headers=(), message=""):
    meta = {"code": code or status} | ({"message": message} if message else {})
    return Response(
        status=status, headers=Headers(headers), body=json.dumps({"meta": meta, "data": data}).encode()
    )


def trackings(*ids, following=None):
    rows = [
        {"id": one, "tracking_number": one, "updated_at": f"2026-01-09T0{n}:00:00+00:00"}
        for n, one in enumerate(ids)
    ]
    return answer(
        {"pagination": {"next_cursor": following, "has_next_page": following is not None}, "trackings": rows}
    )


def drive(conversation, answers):
    """What a conversation yields, each request met with the next answer, and what it returns."""
    answers, steps, sent = iter(answers), [], None
    try:
        while True:
            step = conversation.send(sent)
            steps.append(step)
            sent = next(answers) if isinstance(step, Request) else None
    except StopIteration as end:
        return steps, end.value


def asked(step):
    return {name: values[0] for name, values in parse_qs(urlsplit(step.url).query).items()}


def pages(steps):
    return [step for step in steps if isinstance(step, Page)]


def test_the_first_sweep_goes_a_day_back_and_takes_each_tracking_as_it_came():
    steps, _ = drive(poll.sweep(context(), ""), [trackings("a", "b")])

    assert steps[0].url.startswith("https://api.aftership.com/tracking/2026-01/trackings?")
    assert asked(steps[0]) == {"updated_at_min": "2026-01-08T23:06:40Z", "limit": "200"}
    assert [page.topic for page in pages(steps)] == ["tracking", "tracking"]
    assert (
        pages(steps)[0].body
        == json.dumps({"id": "a", "tracking_number": "a", "updated_at": "2026-01-09T00:00:00+00:00"}).encode()
    )
    assert [page.dedupe for page in pages(steps)] == [
        "a@2026-01-09T00:00:00+00:00",
        "b@2026-01-09T01:00:00+00:00",
    ]


def test_a_sweep_s_start_is_the_next_one_s_beginning_less_the_overlap():
    steps, _ = drive(poll.sweep(context(), ""), [trackings("a", "b")])
    cursors = [page.cursor for page in pages(steps)]

    assert cursors == ["2026-01-08T23:06:40Z", "2026-01-09T23:06:40Z"]
    steps, _ = drive(poll.sweep(context(), cursors[-1]), [trackings()])
    assert asked(steps[0])["updated_at_min"] == "2026-01-09T22:36:40Z"
    assert pages(steps) == []


def test_every_page_is_read_and_only_the_last_moves_the_beginning():
    steps, _ = drive(poll.sweep(context(), ""), [trackings("a", "b", following="p2"), trackings("c", "d")])
    middle = "2026-01-08T23:06:40Z|2026-01-09T23:06:40Z|p2"

    assert asked(steps[3])["cursor"] == "p2"
    assert [page.cursor for page in pages(steps)] == [
        "2026-01-08T23:06:40Z",
        middle,
        middle,
        "2026-01-09T23:06:40Z",
    ]


def test_a_sweep_that_was_cut_off_is_finished_before_the_next_begins():
    cut = "2026-01-08T20:00:00Z|2026-01-08T21:00:00Z|p2"
    steps, _ = drive(poll.sweep(context(), cut), [trackings("c"), trackings("d")])

    assert asked(steps[0]) == {"updated_at_min": "2026-01-08T20:00:00Z", "limit": "200", "cursor": "p2"}
    assert asked(steps[2]) == {"updated_at_min": "2026-01-08T20:30:00Z", "limit": "200"}
    assert [page.cursor for page in pages(steps)] == ["2026-01-08T21:00:00Z", "2026-01-09T23:06:40Z"]


def test_a_sweep_whose_rest_is_empty_goes_on_all_the_same():
    cut = "2026-01-08T20:00:00Z|2026-01-08T21:00:00Z|p9"
    steps, _ = drive(poll.sweep(context(), cut), [trackings(), trackings("d")])

    assert pages(steps)[-1].cursor == "2026-01-09T23:06:40Z"


def test_a_page_that_is_no_longer_known_begins_its_sweep_again():
    cut = "2026-01-08T20:00:00Z|2026-01-08T21:00:00Z|old"
    steps, _ = drive(
        poll.sweep(context(), cut), [answer({}, 400, message="cursor expired"), trackings("c"), trackings()]
    )

    assert "cursor" not in asked(steps[1])
    assert asked(steps[1])["updated_at_min"] == "2026-01-08T20:00:00Z"


@pytest.mark.parametrize(
    ("given", "code"),
    [
        (answer({}, 401, message="Invalid API key."), "unauthorized"),
        (answer({}, 403, 403), "unauthorized"),
        (answer({}, 400, 4009, message="updated_at_min is invalid"), "4009"),
        (Response(status=418, body=b"<html>"), "418"),
    ],
)
def test_a_refused_sweep_says_why(given, code):
    with pytest.raises(Refused) as told:
        drive(poll.sweep(context(), ""), [given])

    assert told.value.code == code


def test_an_answer_that_is_no_list_is_unreadable():
    with pytest.raises(Unreadable, match="not a page of trackings"):
        drive(poll.sweep(context(), ""), [answer({"couriers": []})])


def test_a_version_that_pages_otherwise_is_told_and_not_half_read():
    full = answer({"page": 1, "limit": 200, "trackings": [{"id": str(number)} for number in range(200)]})
    short = answer({"page": 1, "limit": 200, "trackings": [{"id": "1"}]})

    with pytest.raises(Misconfigured, match="api_version"):
        drive(poll.sweep(context(api_version="2023-10"), ""), [full])
    assert len(pages(drive(poll.sweep(context(api_version="2023-10"), ""), [short])[0])) == 1


def test_one_tracking_is_read_again_by_its_id():
    found = answer({"id": "a/1", "tracking_number": "N1", "tag": "Delivered"})
    steps, _ = drive(poll.reread(context(api_version="2026-07"), "tracking", "a/1"), [found])

    assert steps[0].url == "https://api.aftership.com/tracking/2026-07/trackings/a/1"
    assert steps[1] == Page(topic="tracking", body=found.body)
    assert MAPPING.facts(Message(body=steps[1].body, topic="tracking"))[0].doc["status"] == "delivered"


def test_a_tracking_that_is_gone_and_another_subject_are_refused():
    with pytest.raises(Refused) as gone:
        drive(
            poll.reread(context(), "tracking", "a1"),
            [answer({}, 404, 4004, message="Tracking does not exist.")],
        )
    with pytest.raises(Refused) as other:
        drive(poll.reread(context(), "order", "1"), [])

    assert (gone.value.code, other.value.code) == ("not_found", "unsupported")

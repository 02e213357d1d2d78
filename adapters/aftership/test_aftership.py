"""What the suite of all channels cannot know of AfterShip: its words, its pages, its registrations."""

from __future__ import annotations

import json
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from adapters.aftership import api, channel, poll, writes
from adapters.aftership.settings import AfterShipSettings
from hub.contract import (
    Context,
    Headers,
    Message,
    Misconfigured,
    Page,
    Refused,
    Request,
    Response,
    Task,
    Unmapped,
    Unreadable,
)
from hub.contract.mapping import compile_mapping

ROOT = Path(__file__).resolve().parents[2]
FILE = ROOT / "mappings" / "aftership.tracking.yaml"
SHARED = ROOT.parent / "shared" / "payloads" / "carriers"
MAPPING = compile_mapping(FILE.read_text(encoding="utf-8"), file="mappings/aftership.tracking.yaml")
NOW = 1_768_000_000_000_000  # 2026-01-09T23:06:40Z


def context(**given):
    return Context(settings=AfterShipSettings(api_key="asat_test", **given), now=NOW)


def read(tracking, **envelope):
    body = json.dumps({**envelope, "msg": tracking} if envelope else tracking).encode()
    return MAPPING.facts_with_notes(Message(body=body, topic="tracking_update"))


def parcel(**more):
    return {"id": "a1", "tracking_number": "N1", "slug": "ups", "tag": "InTransit", **more}


def scan_of(**checkpoint):
    return read(parcel(checkpoints=[checkpoint]))[0][0].doc["scans"][0]


# ── words ────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.skipif(not SHARED.exists(), reason="the payloads are not beside this checkout")
def test_every_published_word_is_known_and_means_the_same():
    words = json.loads((SHARED / "canonical_status_map.json").read_text(encoding="utf-8"))
    for subtag, expected in words["aftership"].items():
        facts, unknown = read(parcel(tag=subtag.partition("_")[0], subtag=subtag))
        doc = facts[0].doc
        told = expected if not expected.startswith("keep_last") else None

        assert unknown == []
        assert doc.get("sub_status") == told
        assert doc.get("status") == (told and told.partition(".")[0])
    for tag in words["aftership_tag"]:
        assert read(parcel(tag=tag))[1] == []


def test_a_new_sub_tag_has_its_tag_s_status_and_is_reported():
    facts, unknown = read(parcel(tag="Exception", subtag="Exception_099"))

    assert facts[0].doc["status"] == "exception"
    assert "sub_status" not in facts[0].doc
    assert facts[0].doc["source_word"] == "Exception_099"
    assert [(note.table, note.value) for note in unknown] == [("detail", "Exception_099")]


def test_a_new_tag_has_no_status_and_is_reported():
    facts, unknown = read(parcel(tag="Roosting"))

    assert "status" not in facts[0].doc
    assert [(note.table, note.value) for note in unknown] == [("status", "Roosting")]


def test_a_courier_without_a_code_of_ours_keeps_its_slug():
    assert read(parcel(slug="pigeon-post"))[0][0].doc["carrier"] == "pigeon-post"
    assert read(parcel(slug="dhl"))[0][0].doc["carrier"] == "dhl_express"
    assert read(parcel(slug=None))[0][0].doc.get("carrier") is None


@pytest.mark.parametrize(
    ("given", "at", "offset"),
    [
        ("2026-01-05T17:32:00+01:00", "2026-01-05T16:32:00.000Z", 60),
        ("2026-01-05T17:32:00-0330", "2026-01-05T21:02:00.000Z", -210),
        ("2026-01-05T17:32:00-00:30", "2026-01-05T18:02:00.000Z", -30),
        ("2026-01-05T17:32:00Z", "2026-01-05T17:32:00.000Z", 0),
        ("2026-01-05T17:32:00", None, None),
        ("2026-01-05", None, None),
    ],
)
def test_a_time_is_kept_as_it_stands_and_is_an_instant_only_with_an_offset(given, at, offset):
    found = scan_of(checkpoint_time=given, tag="InTransit", message="x")

    assert found["local_time"] == given
    assert found.get("at") == at
    assert found.get("utc_offset") == offset
    assert found.get("precision") == ("date" if len(given) == 10 else None)


@pytest.mark.parametrize(
    ("given", "eta"),
    [
        (
            {"latest_estimated_delivery": {"datetime": None}, "expected_delivery": "2026-01-09"},
            ["2026-01-09"] * 2,
        ),
        ({"latest_estimated_delivery": {"datetime": "2026-01-09T00:00:00+01:00"}}, ["2026-01-09"] * 2),
        (
            {"courier_estimated_delivery_date": {"estimated_delivery_date": "2026-01-09T18:00:00"}},
            ["2026-01-09T18:00:00"] * 2,
        ),
        (
            {
                "latest_estimated_delivery": {"datetime_min": "2026-01-09", "datetime_max": "2026-01-11"},
                "courier_estimated_delivery_date": {"estimated_delivery_date": "2026-01-20"},
            },
            ["2026-01-09", "2026-01-11"],
        ),
    ],
)
def test_an_estimate_is_a_date_or_a_window_and_an_instant_only_as_given(given, eta):
    assert read(parcel(**given))[0][0].doc["eta"] == dict(zip(["earliest", "latest"], eta, strict=True))


def test_a_status_and_its_finer_word_never_part():
    for subtag in ("OutForDelivery_002", "Exception_010", "Exception_021", "Delivered_005", "InTransit_012"):
        doc = read(parcel(tag=subtag.partition("_")[0], subtag=subtag))[0][0].doc

        assert doc["sub_status"].partition(".")[0] == doc["status"]


def test_old_and_new_names_of_a_place_are_the_same_place():
    old = scan_of(zip="50318", country_iso3="USA", tag="InTransit")
    new = scan_of(postal_code="50318", country_region="USA", tag="InTransit")

    assert old["place"] == new["place"] == {"postal_code": "50318", "country": "US"}


def test_the_revision_is_the_parcel_s_own_clock_before_the_event_s():
    told = read(parcel(updated_at="2026-01-05T10:00:00+00:00"), event="edd_revise", ts=1_767_700_000)[0][0]

    assert told.doc["source_revision"] == "2026-01-05T10:00:00.000Z"
    assert told.occurred_at == 1_767_700_000_000_000
    assert read(parcel(), event="edd_revise", ts=1_767_700_000)[0][0].revision == 1_767_700_000_000_000
    assert (
        read(parcel(updated_at="2026-01-05 10:00:00"))[0][0].doc["source_revision"]
        == "2026-01-05T10:00:00.000Z"
    )


def test_the_order_is_a_hint_and_never_the_fact_s_own():
    fact = read(parcel(order_id="ord_9", order_number="#1001"))[0][0]

    assert fact.order is None
    assert fact.doc["order_number"] == "#1001"
    assert read(parcel(order_id="ord_9"))[0][0].doc["order_number"] == "ord_9"


REASONS = {
    "java_sdk_CreateTrackingResult.json": 1,
    "java_sdk_DetectCouriersResult.json": "ref: required value is missing",
    "java_sdk_GetLastCheckpointResult.json": 1,
    "java_sdk_GetTrackingResult.json": 1,
    "java_sdk_GetTrackingsResult.json": 3,
    "java_sdk_MarkAsCompletedResult.json": 1,
    "webhook_tracking_update_docs_trimmed.json": 0,
}
"""How many trackings each public payload means, or why none: the couriers are no parcel; the documentation's
own parcel of noughts is what a test push carries."""


@pytest.mark.skipif(not SHARED.exists(), reason="the payloads are not beside this checkout")
@pytest.mark.parametrize("name", sorted(REASONS))
def test_a_public_payload_means_trackings_or_says_why_not(name):
    message = Message(body=(SHARED / "aftership" / name).read_bytes(), topic="tracking")
    expected = REASONS[name]
    if isinstance(expected, str):
        with pytest.raises(Unmapped, match=expected):
            MAPPING.facts(message)
    else:
        facts = MAPPING.facts(message)
        assert len(facts) == expected
        assert all(fact.doc["number"] and fact.doc["ref"] for fact in facts)


def test_no_public_payload_is_forgotten():
    if SHARED.exists():
        assert {path.name for path in (SHARED / "aftership").glob("*.json")} == REASONS.keys()


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


def task(**subject):
    order = {"id": "ord_1", "number": "#1001", "ref": "450789469"}
    return Task(event="shipment.shipped", order=order, subject=subject, key="evt_1")


def test_each_parcel_of_a_shipment_is_registered_under_its_courier():
    shipped = task(
        packages=[
            {"tracking_number": "N1", "carrier_names": {"name": "UPS", "aftership": "ups"}},
            {"tracking_number": "N2", "carrier": "intelcom", "carrier_names": {"name": "Intelcom"}},
            {"ref": "unnumbered"},
        ]
    )
    steps, outcome = drive(
        writes.subscribe(context(), shipped), [answer({"id": "t1"}, 201), answer({"id": "t2"}, 201)]
    )

    assert [(step.method, step.url) for step in steps] == [
        ("POST", "https://api.aftership.com/tracking/2026-01/trackings")
    ] * 2
    assert json.loads(steps[0].body) == {
        "tracking_number": "N1",
        "slug": "ups",
        "order_id": "ord_1",
        "order_number": "#1001",
    }
    assert "slug" not in json.loads(steps[1].body)
    assert len({step.key for step in steps}) == 2
    assert (outcome.status, outcome.ref, outcome.refs) == ("applied", "t1", {"N1": "t1", "N2": "t2"})


@pytest.mark.parametrize("wrapped", [True, False])
def test_a_parcel_that_is_watched_already_counts_as_registered(wrapped):
    known = {"id": "t9", "tracking_number": "N1"}
    given = answer({"tracking": known} if wrapped else known, 400, 4003, message="Tracking already exists.")
    _, outcome = drive(writes.subscribe(context(), task(tracking_number="N1")), [given])

    assert (outcome.status, outcome.ref) == ("applied", "t9")


def test_a_number_that_is_rejected_is_named_and_the_others_stay_registered():
    parcels = task(packages=[{"tracking_number": "??"}, {"tracking_number": "N2"}])
    refusal = answer({}, 400, 4005, message="The value of `tracking_number` is invalid.")
    _, outcome = drive(writes.subscribe(context(), parcels), [refusal, answer({"id": "t2"}, 201)])

    assert outcome.status == "rejected"
    assert outcome.reason == "??: 4005 The value of `tracking_number` is invalid."
    assert outcome.refs == {"N2": "t2"}


def test_a_key_that_is_not_accepted_rejects_no_parcel():
    with pytest.raises(Refused, match="does not accept the api_key"):
        drive(writes.subscribe(context(), task(tracking_number="N1")), [answer({}, 401)])


def test_a_shipment_without_numbers_is_no_business_of_ours():
    write = channel.writes["tracking.subscribe"]

    assert not write.applies(task(packages=[{"ref": "p1"}]))
    assert write.applies(task(tracking_number="N1"))
    assert drive(writes.subscribe(context(), task()), [])[1].status == "unsupported"


def test_the_key_goes_to_the_api_and_to_nobody_else():
    own = api.sign(Request(url="https://api.aftership.com/tracking/2026-01/trackings"), context(), None)
    other = api.sign(Request(url="https://api.aftership.com.example/x"), context(), None)

    assert own.headers["as-api-key"] == "asat_test"
    assert other.headers == {}


def test_without_a_key_nothing_is_asked():
    with pytest.raises(Misconfigured, match="api_key is not set"):
        api.sign(
            Request(url="https://api.aftership.com/x"), Context(settings=AfterShipSettings(), now=NOW), None
        )


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, 0.0),
        ({"x-ratelimit-remaining": "4"}, 0.0),
        ({"x-ratelimit-remaining": "0"}, 1.0),
        (
            {
                "x-ratelimit-remaining": "0",
                "x-ratelimit-reset": "1768000005",
                "date": "Fri, 09 Jan 2026 23:06:40 GMT",
            },
            5.0,
        ),
        (
            {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1", "date": "Fri, 09 Jan 2026 23:06:40 GMT"},
            1.0,
        ),
        (
            {
                "x-ratelimit-remaining": "0",
                "x-ratelimit-reset": "9999999999",
                "date": "Fri, 09 Jan 2026 23:06:40 GMT",
            },
            60.0,
        ),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "soon", "date": "today"}, 1.0),
    ],
)
def test_an_empty_bucket_is_waited_for(headers, seconds):
    assert api.throttle(Response(headers=Headers(headers))) == seconds

"""What the suite of all channels cannot know of AfterShip: its words, its times, its estimates."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from adapters.aftership.settings import AfterShipSettings
from hub.contract import Context, Message, Unmapped
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

"""The tracking fold: carriers.md's rules as examples, and convergence as a property."""

from __future__ import annotations

import copy
import json
import random
from importlib.resources import files

import msgspec
import pytest
from hypothesis import given, settings, strategies as st

from hub.contract.canon import Tracking
from hub.orders.tracking import fingerprint, fold, shipment_status


def scan(word, at=None, **more):
    """A scan by its finer word; `at` is UTC, `local` a stamp without a zone."""
    doc = {**canonical(word), "text": more.pop("text", word), **more}
    if at:
        doc["at"] = at
    if local := doc.pop("local", None):
        doc["local_time"] = local
    return doc


def canonical(word):
    head = word.partition(".")[0]
    return {"effect": "keep_last"} if head == "keep_last" else {"status": head, "sub_status": word}


def report(*scans, **more):
    return {"ref": "t1", "number": "1Z999", **more, "scans": list(scans)}


PICKED = scan("in_transit.accepted", "2026-01-05T10:00:00Z")
LOADED = scan("out_for_delivery.out_for_delivery", "2026-01-07T07:00:00Z")
GIVEN = scan("delivered.signed", "2026-01-07T12:00:00Z")


def status(*scans, **more):
    return fold([report(*scans)], **more)["status"]


# ── the scan's own key ───────────────────────────────────────────────────────────────────────────────


def test_a_scan_mapped_otherwise_is_the_same_scan():
    told = {
        "local_time": "2026-01-05T10:00:00",
        "carrier_code": "AR",
        "text": "Arrived",
        "status": "in_transit",
    }

    assert fingerprint(told, "N1") == fingerprint(
        {**told, "status": "exception", "sub_status": "exception.x"}, "N1"
    )
    assert fingerprint(told, "N1") == fingerprint(
        {**told, "source_word": "InTransit_003", "flags": ["delayed"]}, "N1"
    )


def test_spelling_of_number_text_and_stamp_does_not_make_another_scan():
    told = {"local_time": "2026-01-05T10:00:00", "text": "Arrived at  Bonn"}

    assert fingerprint(told, "1z 999-aa") == fingerprint({**told, "text": "ARRIVED at Bonn "}, "1Z999AA")
    assert fingerprint(told, "N1") == fingerprint({**told, "local_time": "2026-01-05 10:00:00-05:00"}, "N1")


@pytest.mark.parametrize(
    "change",
    [
        {"local_time": "2026-01-05T10:00:01"},
        {"carrier_code": "DP"},
        {"text": "Departed"},
        {"place": {"city": "Köln"}},
    ],
)
def test_time_code_text_and_place_make_another_scan(change):
    told = {
        "local_time": "2026-01-05T10:00:00",
        "carrier_code": "AR",
        "text": "Arrived",
        "place": {"city": "Bonn"},
    }

    assert fingerprint(told, "N1") != fingerprint({**told, **change}, "N1")


def test_number_carrier_and_instance_part_recycled_numbers():
    told = {"at": "2026-01-05T10:00:00Z", "text": "Arrived"}
    keys = {
        fingerprint(told, "N1"),
        fingerprint(told, "N2"),
        fingerprint(told, "N1", carrier="ups"),
        fingerprint(told, "N1", instance="2460425000"),
    }

    assert len(keys) == 4


def test_a_source_word_counts_only_where_nothing_else_tells_scans_apart():
    bare = {"at": "2026-01-05T10:00:00Z", "source_word": "transit"}

    assert fingerprint(bare, "N1") != fingerprint({**bare, "source_word": "delivered"}, "N1")


# ── order ────────────────────────────────────────────────────────────────────────────────────────────


def test_a_late_scan_is_inserted_at_its_time():
    found = fold([report(GIVEN, PICKED, LOADED)])

    assert found["status"] == "delivered"
    assert found["scans"] == [PICKED, LOADED, GIVEN]
    assert "flags" not in found


def test_scans_of_one_moment_follow_the_provider_then_how_far_along_they_are():
    at = "2026-01-07T12:00:00Z"
    delivered, moving = scan("delivered.delivered", at), scan("in_transit.other", at)

    assert status(delivered, moving) == "delivered"
    assert (
        status(scan("exception.other", at, position=1), scan("in_transit.other", at, position=2))
        == "in_transit"
    )


def test_local_stamps_compare_locally_and_keep_their_order():
    scans = [
        scan("in_transit.other", local=f"2026-01-05T{hour:02d}:00:00", text=str(hour)) for hour in (9, 11, 13)
    ]

    assert fold([report(scans[2], scans[0], scans[1])])["scans"] == scans


def test_a_flight_west_lands_before_it_left_and_the_provider_s_order_holds():
    left = scan(
        "in_transit.departed_origin", local="2026-01-05T23:00:00", place={"city": "Shanghai"}, position=0
    )
    landed = scan(
        "in_transit.plane_landed", local="2026-01-05T19:00:00", place={"city": "Los Angeles"}, position=1
    )

    assert fold([report(landed, left)])["scans"] == [left, landed]


def test_a_stamp_without_a_zone_is_in_doubt_against_one_with():
    zoned = scan("delivered.delivered", "2026-01-07T12:00:00Z", source="a")
    doubtful = scan("in_transit.other", local="2026-01-07T20:00:00", source="b")
    certain = scan("in_transit.other", local="2026-01-09T20:00:00", source="b")

    assert "flags" not in fold([report(zoned, doubtful)])
    assert fold([report(zoned, certain)])["flags"] == ["conflict"]


def test_a_doubtful_later_scan_is_no_conflict():
    delivered = {**scan("delivered.delivered", local="2026-01-07T20:00:00"), "position": 0}
    zoned = {**scan("in_transit.other", "2026-01-07T22:00:00Z"), "position": 1}
    found = fold([report(delivered, zoned)])

    assert found["scans"] == [delivered, zoned]
    assert (found["status"], found.get("flags")) == ("delivered", None)


def test_an_offset_makes_a_local_stamp_comparable():
    tokyo = scan("in_transit.other", local="2026-01-07T09:00:00", utc_offset=540)
    before = scan("in_transit.accepted", "2026-01-06T23:59:00Z")
    after = scan("in_transit.arrived_facility", "2026-01-07T00:01:00Z")

    found = fold([report(after, tokyo, before)])

    assert found["scans"] == [before, tokyo, after]
    assert fold([report(tokyo)])["last_scan_at"] == "2026-01-07T00:00:00.000Z"


def test_a_mere_date_is_the_whole_day():
    day = scan("delivered.delivered", "2026-01-07T00:00:00Z", precision="date")
    loaded = scan("out_for_delivery.out_for_delivery", "2026-01-07T07:00:00Z")

    assert status(day, loaded) == "delivered"
    assert "flags" not in fold([report(day, loaded)])


def test_midnight_is_a_date_unless_the_carrier_gives_seconds_elsewhere():
    midnight = scan("delivered.delivered", "2026-01-07T00:00:00Z")
    loaded = scan("out_for_delivery.out_for_delivery", "2026-01-07T07:00:00Z")
    fine = scan("in_transit.other", "2026-01-05T10:12:34Z")

    assert "flags" not in fold([report(midnight, loaded)])
    assert fold([report(midnight, loaded, fine)])["flags"] == ["conflict"]


def test_an_undated_scan_is_never_the_newest():
    undated = scan("in_transit.accepted_without_advice")

    assert status(undated, LOADED) == "out_for_delivery"
    assert status(scan("exception.other", position=9), {**LOADED, "position": 1}) == "out_for_delivery"
    assert fold([report(GIVEN, undated)])["scans"] == [undated, GIVEN]


def test_an_undated_scan_stands_where_the_provider_lists_it():
    first, last = {**PICKED, "position": 0}, {**LOADED, "position": 2}
    between = scan("in_transit.other", position=1)

    assert fold([report(last, between, first)])["scans"] == [first, between, last]


def test_a_list_without_any_date_follows_its_positions():
    scans = [
        scan("in_transit.other", position=0),
        scan("exception.other", position=1),
        scan("in_transit.x", position=2),
    ]

    assert fold([report(*reversed(scans))])["scans"] == scans
    assert status(*reversed(scans)) == "in_transit"


def test_a_stamp_that_cannot_be_read_is_no_date():
    odd = scan("in_transit.other", local="07-03-2018 23:20:05")
    impossible = {**scan("in_transit.x"), "at": "2026-13-45T25:61:00Z", "utc_offset": 10**9}

    assert status(odd, impossible, GIVEN) == "delivered"


# ── what moves the status ────────────────────────────────────────────────────────────────────────────


def test_information_never_moves_the_status():
    photo = scan("keep_last.proof_of_delivery", "2026-01-09T00:00:00Z")
    estimate = {**scan("in_transit.other", "2026-01-10T00:00:00Z"), "effect": "keep_last"}
    found = fold([report(GIVEN, photo, estimate)])

    assert (found["status"], found["sub_status"]) == ("delivered", "delivered.signed")
    assert "flags" not in found
    assert found["last_scan_at"] == GIVEN["at"]


def test_an_unmapped_word_moves_nothing():
    assert status(PICKED, {"at": "2026-01-06T00:00:00Z", "text": "??", "source_word": "ZZ"}) == "in_transit"


def test_no_news_of_the_label_follows_movement():
    again = scan("pre_transit.carrier_notified", "2026-01-06T00:00:00Z")

    assert status(PICKED, again) == "in_transit"
    assert status(PICKED, scan("unknown.not_found", "2026-01-06T00:00:00Z")) == "in_transit"
    assert status(scan("cancelled.cancelled", "2026-01-05T00:00:00Z"), again) == "pre_transit"


def test_delivered_holds_and_a_later_movement_is_a_conflict():
    later = scan("in_transit.other", "2026-01-08T09:00:00Z")
    found = fold([report(PICKED, GIVEN, later)])

    assert (found["status"], found["flags"]) == ("delivered", ["conflict"])
    assert found["delivered_at"] == GIVEN["at"]


def test_an_earlier_movement_that_comes_late_only_fills_history():
    assert "flags" not in fold([report(GIVEN), report(LOADED)])


def test_two_sources_that_agree_move_even_delivered():
    one = scan("in_transit.other", "2026-01-08T09:00:00Z", source="carrier")
    two = scan("in_transit.departed_facility", "2026-01-08T11:00:00Z", source="tracker")
    found = fold([report(GIVEN, one, two)])

    assert found["status"] == "in_transit"
    assert "flags" not in found
    assert "delivered_at" not in found


def test_the_same_source_twice_is_one_source():
    later = [scan("in_transit.other", f"2026-01-08T0{hour}:00:00Z", text=str(hour)) for hour in (1, 2, 3)]

    assert fold([report(GIVEN, *later)])["status"] == "delivered"


def test_one_scan_told_by_two_reports_has_two_sources():
    later = scan("in_transit.other", "2026-01-08T09:00:00Z")

    assert fold([report(GIVEN, later), report(later, ref="t2")])["status"] == "in_transit"


def test_an_explicit_correction_moves_delivered():
    wrong = scan("in_transit.other", "2026-01-07T13:00:00Z", flags=["correction"])
    found = fold([report(GIVEN, wrong)])

    assert found["status"] == "in_transit"
    assert "flags" not in found


def test_a_return_moves_delivered():
    back = scan("returning.returning", "2026-01-08T09:00:00Z")

    assert status(GIVEN, back) == "returning"
    assert status(GIVEN, scan("returned.returned", "2026-01-12T09:00:00Z")) == "returned"


def test_what_is_delivered_on_the_way_back_is_returned():
    back = scan("returning.returning", "2026-01-06T09:00:00Z")
    on_the_way = scan("in_transit.other", "2026-01-06T12:00:00Z")
    found = fold([report(PICKED, back, on_the_way, GIVEN)])

    assert status(PICKED, back, on_the_way) == "returning"
    assert (found["status"], found["sub_status"]) == ("returned", "returned.returned")
    assert found["is_return"] is True
    assert found["flags"] == ["is_return"]
    assert "delivered_at" not in found


def test_what_reaches_the_buyer_after_all_is_delivered():
    back = scan("returning.returning", "2026-01-06T09:00:00Z")
    here = {**GIVEN, "place": {"postal_code": "531 11", "city": "Bonn"}}

    assert status(back, here, destination={"postal_code": "53111"}) == "delivered"
    assert status(back, here, destination={"postal_code": "10115"}) == "returned"
    assert status(back, here, destination={"city": "bonn"}) == "delivered"


def test_the_provider_s_own_word_for_a_return_decides_first():
    found = fold([report(PICKED, GIVEN, is_return=True)])

    assert found["status"] == "returned"
    assert fold([report(PICKED, is_return=True)])["status"] == "returning"
    assert fold([report(PICKED, GIVEN, is_return=False)])["status"] == "delivered"


def test_a_locker_is_not_the_buyer():
    locker = {**scan("available_for_pickup.delivered_to_pickup_point", GIVEN["at"]), "status": "delivered"}
    fetched = scan("delivered.collected_by_recipient", "2026-01-09T10:00:00Z")

    assert status(PICKED, locker) == "available_for_pickup"
    assert fold([report(PICKED, locker, fetched)])["delivered_at"] == fetched["at"]
    assert status(scan("delivered.to_neighbour", GIVEN["at"])) == "delivered"


def test_a_lost_parcel_may_be_found():
    assert status(scan("failed.lost", "2026-01-06T00:00:00Z"), LOADED) == "out_for_delivery"


def test_expired_is_a_state_and_keeps_the_last_status():
    found = fold([report(LOADED, state="expired", sub_status="keep_last.tracking_expired")])

    assert (found["status"], found["state"]) == ("out_for_delivery", "expired")


def test_a_parcel_is_active_while_any_tracker_is():
    reports = [report(LOADED, state="expired"), report(LOADED, ref="t2", state="active"), report(ref="t3")]

    assert fold(reports)["state"] == "active"
    assert fold(reports[:1] + reports[2:])["state"] == "expired"


# ── words without scans ──────────────────────────────────────────────────────────────────────────────


def test_a_report_without_scans_speaks_by_its_word():
    told = report(status="exception", sub_status="exception.damaged", source_revision="2026-01-06T00:00:00Z")
    found = fold([told])

    assert (found["status"], found["sub_status"], found["flags"]) == (
        "exception",
        "exception.damaged",
        ["damaged"],
    )
    assert found["scans"] == []
    assert (
        fold([report(status="unknown", sub_status="unknown.not_found")])["sub_status"] == "unknown.not_found"
    )


def test_a_word_that_its_scans_say_adds_nothing():
    found = fold([report(PICKED, GIVEN, status="delivered", source_revision="2026-01-08T00:00:00Z")])

    assert found["delivered_at"] == GIVEN["at"]
    assert found["sub_status"] == "delivered.signed"


def test_a_word_alone_does_not_take_a_delivery_back():
    said = {"status": "in_transit", "source_revision": "2026-01-09T00:00:00Z"}

    assert fold([report(GIVEN), report(ref="t2", **said)]).get("flags") is None
    assert fold([report(GIVEN, **{**said, "status": "failed"})])["flags"] == ["conflict"]


def test_only_the_newest_word_of_an_object_counts():
    old = report(PICKED, status="exception", source_revision="2026-01-06T00:00:00Z")
    new = report(PICKED, status="in_transit", source_revision="2026-01-06T01:00:00Z")

    assert fold([new, old])["status"] == "in_transit"


def test_delivery_time_signature_and_estimate_come_from_the_newest_report():
    first = report(source_revision="2026-01-06T00:00:00Z", eta={"earliest": "2026-01-09"}, signed_by="Bo")
    second = report(
        ref="t2",
        status="delivered",
        source_revision="2026-01-07T13:00:00Z",
        delivered_at="2026-01-07T12:00:00Z",
        eta={"earliest": "2026-01-07"},
        signed_by="Ada",
    )
    found = fold([first, second])

    assert found["eta"] == {"earliest": "2026-01-07"}
    assert (found["signed_by"], found["delivered_at"]) == ("Ada", "2026-01-07T12:00:00Z")


def test_nothing_said_is_unknown():
    assert fold([]) == {"status": "unknown", "scans": []}


# ── flags, recycled numbers ──────────────────────────────────────────────────────────────────────────


def test_trouble_is_flagged_until_the_parcel_moves_on_and_damage_for_good():
    broken = scan("exception.damaged", "2026-01-05T11:00:00Z")
    held = scan("exception.held_by_customs", "2026-01-05T12:00:00Z", flags=["action_required"])
    late = scan("exception.delay_weather", "2026-01-05T13:00:00Z")

    assert fold([report(broken, held)])["flags"] == ["action_required", "customs", "damaged"]
    assert fold([report(broken, held, late, LOADED)])["flags"] == ["damaged", "delayed"]
    assert fold([report(broken, held, late, LOADED, GIVEN)])["flags"] == ["damaged"]


def test_scans_of_long_before_the_shipment_belong_to_an_earlier_parcel():
    earlier = scan("delivered.delivered", "2025-06-01T12:00:00Z")

    assert fold([report(earlier, PICKED)], since="2026-01-05T08:00:00Z")["scans"] == [PICKED]
    assert status(earlier, PICKED, since="2026-01-05T08:00:00Z") == "in_transit"
    assert status(earlier, PICKED) == "delivered"


# ── a shipment of several parcels ────────────────────────────────────────────────────────────────────


def packages(*words):
    return [{"tracking": {"status": word}} if word else {} for word in words]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["delivered", "delivered"], "delivered"),
        (["delivered", "in_transit"], "partially_delivered"),
        (["delivered", "returned"], "partially_delivered"),
        (["delivered", None], "partially_delivered"),
        (["out_for_delivery", "in_transit"], "in_transit"),
        (["out_for_delivery", None], "unknown"),
        (["exception", "out_for_delivery"], "out_for_delivery"),
        (["exception", "exception"], "exception"),
        (["returned", "returned"], "returned"),
        (["delivered", "cancelled"], "delivered"),
        (["cancelled", "cancelled"], "cancelled"),
        ([], "unknown"),
    ],
)
def test_a_shipment_is_where_its_slowest_sound_parcel_is(words, expected):
    assert shipment_status(packages(*words))[0] == expected


def test_troubles_of_any_parcel_are_flags_of_the_shipment():
    troubled = [{"tracking": {"status": "exception", "flags": ["damaged"]}}, *packages("in_transit")]

    assert shipment_status(troubled) == ("in_transit", ["damaged", "exception"])
    assert shipment_status(packages("failed", "failed")) == ("failed", [])


def test_one_delivered_parcel_of_three_is_not_the_shipment():
    assert shipment_status(packages("delivered"), count=3) == ("partially_delivered", [])
    assert shipment_status(packages("delivered"), count=1) == ("delivered", [])


# ── as a tracker tells it ────────────────────────────────────────────────────────────────────────────


def told_by_aftership(name):
    """The documents of a sample of that channel."""
    text = files("adapters.aftership").joinpath("fixtures", f"{name}.json").read_text(encoding="utf-8")
    return [fact["doc"] for fact in json.loads(text)]


def test_a_parcel_s_pushes_in_any_order_end_in_its_delivery():
    pushes = [
        *told_by_aftership("tracking_update.delivered"),
        *told_by_aftership("edd_revise.window"),
        *told_by_aftership("tracking_update.in_transit"),
    ]
    found = fold(pushes)

    assert found["status"] == "delivered"
    assert (found["delivered_at"], found["signed_by"]) == ("2026-01-08T11:57:40.000Z", "Ada Lovelace")
    assert len(found["scans"]) == 6
    assert "flags" not in found
    assert fold(pushes[::-1]) == found


def test_a_parcel_whose_tracking_expired_is_where_it_was_last_seen():
    found = fold(told_by_aftership("tracking_update.expired"))

    assert (found["status"], found["state"]) == ("in_transit", "expired")
    assert found["last_scan_at"] == "2026-01-06T11:05:00.000Z"


def test_a_refused_parcel_that_came_back_is_returned():
    assert fold(told_by_aftership("tracking_update.returned"))["status"] == "returned"


def test_stamps_without_a_zone_make_a_status_and_no_instant():
    found = fold(told_by_aftership("tracking_update.no_offset") + told_by_aftership("tracking.alone"))

    assert found["status"] == "available_for_pickup"
    assert "last_scan_at" not in found
    assert found["scans"][-1]["local_time"] == "2026-01-08T13:11:00"


# ── convergence ──────────────────────────────────────────────────────────────────────────────────────

WORDS = """unknown.not_found pre_transit.label_created in_transit.accepted in_transit.handed_to_partner
    out_for_delivery.loaded_on_vehicle available_for_pickup.delivered_to_pickup_point
    delivery_attempted.no_access exception.delay_customs exception.damaged delivered.signed returning.returning
    returned.returned failed.lost cancelled.cancelled keep_last.estimate_changed""".split()
DAYS = st.integers(1, 4)


@st.composite
def scans(draw):
    word = draw(st.sampled_from(WORDS))
    stamp = (
        f"2026-01-{draw(DAYS):02d}T{draw(st.sampled_from(['00:00:00', '08:00:00', '08:30:30', '20:00:00']))}"
    )
    kind = draw(st.sampled_from(["zoned", "zoned", "offset", "local", "date", "undated"]))
    found = {**canonical(word), "text": draw(st.sampled_from("ab"))}
    if kind == "zoned":
        found["at"] = f"{stamp}Z"
    elif kind in ("offset", "local"):
        found["local_time"] = stamp
        if kind == "offset":
            found["utc_offset"] = draw(st.sampled_from([-300, 0, 540]))
    elif kind == "date":
        found |= {"at": f"{stamp[:10]}T00:00:00Z", "precision": "date"}
    found |= draw(st.fixed_dictionaries({}, optional={"position": st.integers(0, 5)}))
    found |= draw(st.fixed_dictionaries({}, optional={"source": st.sampled_from("xyz")}))
    found |= draw(
        st.fixed_dictionaries({}, optional={"flags": st.sampled_from([["correction"], ["delayed"]])})
    )
    found |= draw(
        st.fixed_dictionaries({}, optional={"place": st.sampled_from([{"city": "Bonn"}, {"city": "Ulm"}])})
    )
    return found


@st.composite
def reports(draw):
    word = draw(st.sampled_from([None, *WORDS]))
    found = {"ref": draw(st.sampled_from(["t1", "t2", "t3"])), "scans": draw(st.lists(scans(), max_size=7))}
    if word and not word.startswith("keep_last"):
        found |= canonical(word)
    found["source_revision"] = f"2026-01-{draw(DAYS):02d}T12:00:00Z"
    found |= draw(st.fixed_dictionaries({}, optional={"is_return": st.booleans()}))
    found |= draw(
        st.fixed_dictionaries({}, optional={"state": st.sampled_from(["active", "stopped", "expired"])})
    )
    return found


@settings(max_examples=300)
@given(told=st.lists(reports(), max_size=4), seed=st.integers(0, 2**32))
def test_order_duplicates_and_splits_of_reports_change_nothing(told, seed):
    chance = random.Random(seed)
    whole = fold(told)
    pieces = copy.deepcopy(told)
    for one in told:
        cut = chance.randint(0, len(one["scans"]))
        pieces += [{**one, "scans": one["scans"][:cut]}, {**one, "scans": one["scans"][cut:]}]
        pieces.append({**one, "scans": chance.sample(one["scans"], len(one["scans"]))})
    split = pieces[len(told) :]
    chance.shuffle(pieces)
    chance.shuffle(split)

    assert fold(pieces) == whole
    assert fold(split) == whole
    msgspec.convert(whole, Tracking)


@settings(max_examples=200)
@given(told=st.lists(scans(), max_size=9), seed=st.integers(0, 2**32))
def test_what_is_certain_in_time_is_kept_in_order(told, seed):
    chance = random.Random(seed)
    chance.shuffle(told)
    found = fold([report(*told)])["scans"]
    stamps = [
        one["at"]
        for one in found
        if "at" in one and one.get("precision") != "date" and one["at"][11:] != "00:00:00Z"
    ]

    assert stamps == sorted(stamps)

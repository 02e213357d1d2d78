"""What AfterShip is told, played by hand: parcels are registered, with the key, as fast as it lets us."""

from __future__ import annotations

import json

import pytest

from adapters.aftership import api, channel, writes
from adapters.aftership.settings import AfterShipSettings
from adapters.aftership.test_aftership import NOW, context
from adapters.aftership.test_polls import answer, drive
from hub.contract import Context, Headers, Misconfigured, Refused, Request, Response, Task


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

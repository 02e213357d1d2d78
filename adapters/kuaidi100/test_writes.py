"""What 快递100 is told, played by hand: subscriptions."""

from __future__ import annotations

import json

import msgspec
import pytest

from adapters.kuaidi100 import channel, watch, writes
from adapters.kuaidi100.test_kuaidi100 import SECONDS, answer, context, drive, fields
from hub.contract import Keep, Misconfigured, Postponed, Refused, Request, Response, Task

# ── subscriptions ────────────────────────────────────────────────────────────────────────────────────


def task(subject, **order):
    return Task(event="shipment.shipped", order={"id": "ord_1", **order}, subject=subject, key="evt_1")


def parcel(number="YT1", code="yuantong", **more):
    return {
        "tracking_number": number,
        "carrier_names": {"name": code, **({"kuaidi100": code} if code else {})},
        **more,
    }


def test_each_parcel_of_a_shipment_is_subscribed_to_with_its_carrier_and_salt():
    shipped = task({"packages": [parcel(), parcel("N 2", ""), {"ref": "unnumbered"}]},
                   ship_to={"country": "CN", "region": "广东省", "city": "深圳市", "district": "南山区", "phone": "+8613800001234"})  # fmt: skip
    steps, outcome = drive(writes.subscribe(context(), shipped), [answer(result=True, returnCode="200")] * 2)
    asked = [step for step in steps if isinstance(step, Request)]
    told = [json.loads(fields(one)["param"]) for one in asked]

    assert [one.url for one in asked] == ["https://poll.kuaidi100.com/poll"] * 2
    assert fields(asked[0])["schema"] == "json"
    assert told[0] == {
        "company": "yuantong", "number": "YT1", "to": "广东省深圳市南山区", "key": "KEY-7",
        "parameters": {"callbackurl": "https://hub.example/in/k1", "salt": "SALT-7", "resultv2": "4"},
    }  # fmt: skip
    assert (told[1]["number"], told[1]["parameters"]["autoCom"], "company" in told[1]) == ("N2", "1", False)
    assert (outcome.status, outcome.ref, outcome.refs) == (
        "applied",
        "yuantong:YT1",
        {"YT1": "yuantong:YT1", "N2": "N2"},
    )
    assert len({one.key for one in asked}) == 2


def test_a_parcel_that_is_subscribed_to_already_is_as_good():
    given = answer(result=False, returnCode="501", message="POLL:重复订阅")

    assert drive(writes.subscribe(context(), task(parcel())), [given])[1].status == "applied"


@pytest.mark.parametrize(
    ("order_phone", "sender", "sent"),
    [("+86 138-0000-1234", None, "1234"), ("138****1234", None, "1234"), (None, "0755-8888 9999", "9999"),
     ("1380000****", "0755-8888 9999", "9999"), ("138 0000 5678", "0755-8888 9999", "5678")],
)  # fmt: skip
def test_carriers_that_want_a_phone_get_four_digits_and_no_more(order_phone, sender, sent):
    shipped = task(parcel("SF1", "shunfeng"), ship_to={"phone": order_phone})
    steps, _ = drive(writes.subscribe(context(sender_phone=sender), shipped), [answer(returnCode="200")])

    assert json.loads(fields(steps[0])["param"])["parameters"]["phone"] == sent


def test_a_carrier_that_wants_a_phone_and_gets_none_costs_no_subscription():
    _, outcome = drive(writes.subscribe(context(), task(parcel("SF1", "shunfeng"))), [])

    assert outcome.status == "rejected"
    assert "sender_phone is not set" in outcome.reason


def test_a_number_that_is_refused_is_named_and_the_others_stay_subscribed():
    shipped = task({"packages": [parcel("X" * 33), parcel("BAD"), parcel("YT2")]})
    refusal = answer(result=False, returnCode="701", message="拒绝订阅的快递公司")
    _, outcome = drive(writes.subscribe(context(), shipped), [refusal, answer(returnCode="200")])

    assert outcome.status == "rejected"
    assert (
        outcome.reason
        == f"{'X' * 33}: 快递100 takes numbers of at most 32 characters; BAD: 701 拒绝订阅的快递公司"
    )
    assert outcome.refs == {"YT2": "yuantong:YT2"}


@pytest.mark.parametrize("code", ["600", "601"])
def test_a_key_that_is_not_accepted_rejects_no_parcel(code):
    with pytest.raises(Refused, match="does not accept the api_key") as caught:
        drive(writes.subscribe(context(), task(parcel())), [answer(result=False, returnCode=code)])

    assert caught.value.code == "unauthorized"


@pytest.mark.parametrize(
    "given",
    [
        answer(result=False, returnCode="500"),
        answer(result=False, returnCode="502"),
        Response(body=b"<html>"),
    ],
)
def test_a_far_side_that_stumbles_is_tried_again(given):
    with pytest.raises(Postponed):
        drive(writes.subscribe(context(), task(parcel())), [given])


def test_where_to_push_has_to_be_known_and_may_be_plain_http():
    bare = msgspec.structs.replace(context(), intake_url="/in/k1")
    with pytest.raises(Misconfigured, match="ORDERHUB_PUBLIC_URL or callback_url"):
        drive(writes.subscribe(bare, task(parcel())), [])
    own = context(callback_url="http://push.example:8080/kd/k1")
    steps, _ = drive(writes.subscribe(own, task(parcel())), [answer(returnCode="200")])

    assert (
        json.loads(fields(steps[0])["param"])["parameters"]["callbackurl"] == "http://push.example:8080/kd/k1"
    )


def test_a_shipment_without_a_number_is_no_business_of_ours():
    write = channel.writes["tracking.subscribe"]

    assert not write.applies(task({"packages": [{"ref": "p1"}]}))
    assert write.applies(task(parcel()))
    assert drive(writes.subscribe(context(), task({})), [])[1].status == "unsupported"


def test_what_is_subscribed_to_is_asked_for_later_and_only_where_it_can_be():
    kept = [step for step in drive(writes.subscribe(context(), task(parcel())), [answer(returnCode="200")])[0]
            if isinstance(step, Keep)]  # fmt: skip
    (one,) = watch.watched(kept[0].state)
    deaf = drive(writes.subscribe(context(customer=None), task(parcel())), [answer(returnCode="200")])[0]

    assert (one.carrier, one.number, one.due, one.phone) == ("yuantong", "YT1", SECONDS + 12 * 3600, "")
    assert not any(isinstance(step, Keep) for step in deaf)

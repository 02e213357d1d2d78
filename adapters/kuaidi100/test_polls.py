"""How 快递100 is asked, played by hand: the turns of parcels that are out."""

from __future__ import annotations

import json

import msgspec
import pytest

from adapters.kuaidi100 import api, poll, reads, watch
from adapters.kuaidi100.test_kuaidi100 import SECONDS, answer, context, drive, fields, scan
from hub.contract import Keep, Misconfigured, Page, Postponed, Refused, Request, json_body

# ── queries ──────────────────────────────────────────────────────────────────────────────────────────


def remembered(*parcels, **more):
    known = {"due": SECONDS - 1, "until": SECONDS + 999, **more}
    ones = [watch.Watched(carrier=carrier, number=number, **known) for carrier, number in parcels]
    return {one.name: json_body(msgspec.to_builtins(one)).decode() for one in ones}


def found(state="0", ischeck="0"):
    return answer(message="ok", nu="YT1", com="yuantong", status="200", state=state, ischeck=ischeck,
                  data=[scan("2026-01-10 08:00:00")])  # fmt: skip


def test_a_parcel_s_turn_is_put_off_before_it_is_asked_for_and_set_when_it_was_heard():
    steps, _ = drive(poll.sweep(context(remembered(("yuantong", "YT1"))), ""), [found()])

    assert [type(step) for step in steps] == [Keep, Request, Page, Keep]
    first, asked, page, last = steps
    assert watch.watched(first.state)[0].due == SECONDS + 1800
    assert watch.watched(last.state)[0].due == SECONDS + 12 * 3600
    assert asked.url == "https://poll.kuaidi100.com/poll/query.do"
    told = fields(asked)
    assert json.loads(told["param"]) == {"com": "yuantong", "num": "YT1", "resultv2": "4", "order": "desc"}
    assert told["sign"] == api.sign(told["param"], "KEY-7", "CUST-7")
    assert (page.topic, page.body) == ("query", found().body)


@pytest.mark.parametrize("given", [found("3", "1"), found("304"), found("4")])
def test_a_parcel_whose_journey_is_over_is_not_asked_for_again(given):
    steps, _ = drive(poll.sweep(context(remembered(("yuantong", "YT1"))), ""), [given])

    assert list(steps[-1].state.values()) == [None]


def test_a_parcel_that_was_refused_or_on_its_way_back_is_asked_for_again():
    for state in ("14", "6", "2", "12"):
        assert not reads.ended({"state": state})


def test_parcels_whose_turn_has_not_come_or_that_are_too_old_are_not_asked_for():
    early = remembered(("yuantong", "YT1"), due=SECONDS + 5)
    old = remembered(("yuantong", "YT2"), until=SECONDS - 5)

    steps, _ = drive(poll.sweep(context(early | old), ""), [])
    assert [step.state for step in steps] == [{"watch/yuantong:YT2": None}]
    assert drive(poll.sweep(context(remembered(("yuantong", "YT1")), query_hours=0), ""), [])[0] == []


def test_a_parcel_that_nobody_knows_yet_makes_no_message_and_no_noise():
    steps, _ = drive(
        poll.sweep(context(remembered(("yuantong", "YT1"))), ""),
        [answer(result=False, returnCode="500", message="查询无结果，请隔段时间再查")],
    )

    assert not any(isinstance(step, Page) for step in steps)


def test_one_that_cannot_be_asked_for_keeps_no_other_from_its_turn_and_is_told():
    state = remembered(("shunfeng", "SF1"), ("yuantong", "YT1"))
    heard = []
    conversation = poll.sweep(context(state), "")
    answers, given = (
        [answer(result=False, returnCode="408", message="快递公司参数异常：验证码错误"), found()],
        None,
    )
    with pytest.raises(Refused, match="SF1: 408"):  # noqa: PT012  the conversation is driven to where it breaks
        while True:
            step = conversation.send(given)
            heard.append(step)
            given = answers.pop(0) if isinstance(step, Request) else None

    assert sum(isinstance(step, Page) for step in heard) == 1


@pytest.mark.parametrize("code", ["503", "601"])
def test_a_sign_or_key_that_is_not_accepted_ends_the_sweep(code):
    with pytest.raises(Refused, match="does not accept the api_key"):
        drive(
            poll.sweep(context(remembered(("yuantong", "YT1"))), ""), [answer(result=False, returnCode=code)]
        )


def test_one_parcel_is_asked_for_at_once_by_its_carrier_and_number():
    steps, _ = drive(poll.reread(context(), "tracking", "shunfeng:SF1"), [found()])

    assert [type(step) for step in steps] == [Request, Page]
    with pytest.raises(Refused, match="no order 1001 to be read again"):
        drive(poll.reread(context(), "order", "1001"), [])
    with pytest.raises(Refused) as caught:
        drive(poll.reread(context(), "tracking", "yuantong:N"), [answer(result=False, returnCode="500")])
    assert caught.value.code == "not_found"


def test_no_parcel_is_asked_for_twice_within_half_an_hour():
    state = remembered(("yuantong", "YT1"), due=SECONDS + 12 * 3600 - 60, until=SECONDS + 999_999)
    with pytest.raises(Postponed, match="less than 30 minutes ago"):
        drive(poll.reread(context(state), "tracking", "yuantong:YT1"), [])


def test_without_key_and_customer_nothing_is_asked():
    with pytest.raises(Misconfigured, match="api_key and customer"):
        drive(poll.reread(context(customer=None), "tracking", "yuantong:YT1"), [])

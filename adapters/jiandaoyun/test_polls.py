"""How 简道云 is asked, played by hand: its answers, its pages, sweeps that were cut off."""

from __future__ import annotations

import json
from urllib.parse import parse_qs, urlsplit

import pytest

from adapters.jiandaoyun import api, channel, poll
from adapters.jiandaoyun.test_jiandaoyun import GIVEN, answer, context, drive, said
from hub.contract import Misconfigured, Page, Postponed, Refused, Request, Response, Unreadable

# ── the API ──────────────────────────────────────────────────────────────────────────────────────────


def test_the_key_goes_to_the_api_and_to_nobody_else():
    own = api.sign(api.ask(context(), "/data/get", data_id="x"), context(), None)
    other = api.sign(Request(url="https://api.jiandaoyun.com/apis/x"), context(), None)

    assert own.headers["authorization"] == "Bearer KEY"
    assert other.headers == {}


def test_without_key_or_form_nothing_is_asked():
    with pytest.raises(Misconfigured, match="api_key"):
        api.sign(Request(url="https://api.jiandaoyun.com/api/x"), context(api_key=None), None)
    with pytest.raises(Misconfigured, match="entry_id"):
        api.ask(context(entry_id=None), "/data/get")


@pytest.mark.parametrize("http", [200, 400])
def test_too_many_requests_are_asked_again_whatever_the_status(http):
    given = answer(http, code=8303, msg="超出请求频率限制")
    for reads in (api.judge, api.told):
        with pytest.raises(Postponed, match="8303"):
            reads(given)


@pytest.mark.parametrize("http", [200, 400])
def test_any_other_code_is_a_refusal_in_the_platform_s_own_words(http):
    given = answer(http, code=4815, msg="数据不存在")
    api.judge(given)
    with pytest.raises(Refused, match="4815 数据不存在") as caught:
        api.told(given)

    assert caught.value.code == "4815"


def test_a_key_that_is_not_accepted_is_told_for_what_it_is():
    with pytest.raises(Refused, match="does not accept the api_key") as caught:
        api.told(Response(status=401, body=b"Unauthorized"))

    assert caught.value.code == "unauthorized"


def test_a_row_with_a_field_that_is_called_code_is_no_refusal():
    assert api.told(answer(data={"_id": "1", "code": 8303}))["data"]["code"] == 8303
    api.judge(answer(data={"code": 8303}))


def test_the_rate_is_that_of_the_strictest_interface_used():
    assert channel.limits.per_second == 20.0


# ── sweeps ───────────────────────────────────────────────────────────────────────────────────────────


def listed(*ids):
    rows = [{"_id": one, "updateTime": "2026-01-09T22:00:00.000Z", "amount": 1.10} for one in ids]
    return Response(body=json.dumps({"data": rows}).encode())


def full(start):
    return listed(*[f"{start + n:024x}" for n in range(poll.LIMIT)])


def test_a_first_sweep_goes_back_a_day_and_a_row_is_kept_byte_for_byte():
    steps, _ = drive(poll.sweep(context(), ""), [listed("a1", "a2")])
    asked, one, two = steps

    assert asked.url == "https://api.jiandaoyun.com/api/v5/app/entry/data/list"
    assert said(asked)["limit"] == 100
    assert said(asked)["filter"] == {"rel": "and", "cond": [
        {"field": "updateTime", "type": "datetime", "method": "range", "value": ["2026-01-08T23:06:40.000Z", None]}
    ]}  # fmt: skip
    assert "data_id" not in said(asked)
    assert one.body == b'{"data":{"_id": "a1", "updateTime": "2026-01-09T22:00:00.000Z", "amount": 1.1}}'
    assert (one.topic, one.dedupe) == ("record", "a1@2026-01-09T22:00:00.000Z")
    assert two.cursor == "2026-01-09T23:06:40.000Z"


def test_a_sweep_pages_by_the_last_row_and_ends_with_a_page_that_is_not_full():
    first, steps_ids = full(0), f"{99:024x}"
    steps, _ = drive(poll.sweep(context(), "2026-01-09T20:00:00.000Z"), [first, listed("b1")])
    asked = [step for step in steps if isinstance(step, Request)]
    cursors = [step.cursor for step in steps if isinstance(step, Page)]

    assert said(asked[0])["filter"]["cond"][0]["value"][0] == "2026-01-09T19:30:00.000Z"
    assert said(asked[1])["data_id"] == steps_ids
    assert cursors[0] == "2026-01-09T19:30:00.000Z"
    assert cursors[99] == f"2026-01-09T19:30:00.000Z|2026-01-09T23:06:40.000Z|{steps_ids}"
    assert cursors[-1] == "2026-01-09T23:06:40.000Z"


def test_a_sweep_that_was_cut_off_goes_on_where_it_stood_and_is_followed_by_the_next():
    cursor = "2026-01-09T19:30:00.000Z|2026-01-09T22:00:00.000Z|a9"
    steps, _ = drive(poll.sweep(context(), cursor), [listed("b1"), listed()])
    asked = [said(step) for step in steps if isinstance(step, Request)]

    assert asked[0]["data_id"] == "a9"
    assert asked[0]["filter"]["cond"][0]["value"][0] == "2026-01-09T19:30:00.000Z"
    assert asked[1]["filter"]["cond"][0]["value"][0] == "2026-01-09T21:30:00.000Z"
    assert [step.cursor for step in steps if isinstance(step, Page)] == ["2026-01-09T22:00:00.000Z"]


def test_a_list_that_does_not_go_on_is_no_endless_sweep():
    same = listed(*["a1"] * poll.LIMIT)
    conversation = poll.sweep(context(), "")
    next(conversation)
    step = conversation.send(same)
    while isinstance(step, Page):
        step = next(conversation)
    with pytest.raises(Unreadable, match="does not go on"):
        conversation.send(same)


def test_what_is_no_list_of_rows_is_told():
    for body in (b'{"data": {}}', b"[]", b'{"data": [1'):
        conversation = poll.sweep(context(), "")
        next(conversation)
        with pytest.raises(Unreadable):
            conversation.send(Response(body=body))


def test_one_row_is_read_again_by_its_id():
    steps, _ = drive(poll.reread(context(), "order", "66b0"), [answer(data={"_id": "66b0"})])

    assert said(steps[0])["data_id"] == "66b0"
    assert steps[1].topic == "record"
    for gone in ({}, None):
        with pytest.raises(Refused, match="no row 66b0"):
            drive(poll.reread(context(), "order", "66b0"), [answer(data=gone)])
    with pytest.raises(Refused, match="no shipment"):
        drive(poll.reread(context(), "shipment", "66b0"), [])


def test_the_form_is_the_account_and_asking_for_it_tries_the_key():
    steps, account = drive(poll.find_account(context()), [answer(widgets=[])])

    assert urlsplit(steps[0].url).path == "/api/v5/app/entry/widget/list"
    assert parse_qs(urlsplit(steps[0].url).query) == {}
    assert account == GIVEN["entry_id"]

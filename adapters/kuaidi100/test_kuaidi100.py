"""What the suite of all channels cannot know of 快递100: its recipe, its replies, its codes, its queries and subscriptions."""

from __future__ import annotations

import json
from pathlib import Path
from urllib.parse import parse_qs, quote_plus

import msgspec
import pytest
import yaml

from adapters.kuaidi100 import api, channel, poll, push, reads, watch, writes
from adapters.kuaidi100.settings import Kuaidi100Settings
from hub.contract import (
    Context,
    Forged,
    Headers,
    Keep,
    Message,
    Misconfigured,
    Page,
    Postponed,
    Refused,
    Request,
    Response,
    Task,
    json_body,
)
from hub.contract.proof import Check
from tests.channels.case import assert_canonical, registry

ROOT = Path(__file__).resolve().parents[2]
SHARED = ROOT.parent / "shared" / "payloads" / "china"
NOW = 1_768_000_000_000_000
SECONDS = NOW // 1_000_000
SECRET = {"webhook_secret": "SALT-7", "api_key": "KEY-7", "customer": "CUST-7"}


def context(state=None, **given):
    settings = msgspec.convert({**SECRET, **given}, Kuaidi100Settings)
    return Context(settings=settings, now=NOW, intake_url="https://hub.example/in/k1", state=state or {})


def drive(conversation, answers):
    """Every step of a conversation, and what it ends with; requests are answered in turn."""
    steps, queue, answer = [], list(answers), None
    while True:
        try:
            step = conversation.send(answer)
        except StopIteration as end:
            return steps, end.value
        steps.append(step)
        answer = queue.pop(0) if isinstance(step, Request) else None


def answer(**said):
    return Response(body=json.dumps(said, ensure_ascii=False).encode())


def fields(request):
    return {name: values[0] for name, values in parse_qs(request.body.decode()).items()}


def pushed(body, path=""):
    headers = Headers({"content-type": "application/x-www-form-urlencoded"})
    return Message(body=body, headers=headers, query=path)


def check(message, salt):
    settings = msgspec.convert({"webhook_secret": salt}, Kuaidi100Settings)
    channel.proof_for(settings).check(Check(message, settings, SECONDS, {}))


def read(told, topic="push"):
    message = Message(body=json.dumps(told).encode(), topic=topic)
    reading = registry().read("kuaidi100", message)
    for fact in reading.facts:
        assert_canonical(fact)
    return reading


def journey(state, *scans, status="polling", **more):
    """A push about N1; its scans newest first."""
    return {
        "status": status,
        "lastResult": {"nu": "N1", "com": "yuantong", "state": state, "data": list(scans)},
        **more,
    }


def scan(time, code=None, text="到达"):
    return {"ftime": time, "context": text, **({"statusCode": code} if code else {})}


# ── proof and reply ──────────────────────────────────────────────────────────────────────────────────

PARAM = '{"status":"polling","lastResult":{"state":"0","nu":"N1 +%2B","com":"yuantong"}}'


def test_the_recipe_is_md5_over_the_value_decoded_once():
    sign = "4967293BA7A07E75AF429986D1F2C288"
    for told in (sign, sign.lower()):
        check(pushed(f"param={quote_plus(PARAM)}&sign={told}".encode()), "SALT-7")
    for wrong in (PARAM.replace("+", " "), PARAM.replace("%2B", "+"), quote_plus(PARAM)):
        with pytest.raises(Forged):
            check(pushed(f"param={quote_plus(wrong)}&sign={sign}".encode()), "SALT-7")


def test_a_plus_in_the_form_is_a_space_and_an_escaped_one_a_plus():
    body = b"param=%7B%22message%22%3A%22A%2BB+C%252B%22%7D&sign=x"

    assert push.unwrapped(pushed(body), Kuaidi100Settings()).body == b'{"message":"A+B C%2B"}'


def test_a_push_over_plain_http_to_another_address_is_as_good():
    told = f"param={quote_plus(PARAM)}&sign=4967293BA7A07E75AF429986D1F2C288".encode()
    message = msgspec.structs.replace(pushed(told), url="http://10.0.0.1:8080/elsewhere?callbackid=7")

    check(message, "SALT-7")


def test_without_a_salt_a_push_proves_nothing():
    assert channel.proof_for(Kuaidi100Settings()).authenticity == "none"


def test_the_query_s_sign_is_upper_case_md5_of_param_key_and_customer():
    assert (
        api.sign('{"com":"zhongtong","num":"ZT880011"}', "KEY-7", "CUST-7")
        == "C888CA09337BC2BBBBE12E2093102034"
    )


@pytest.mark.skipif(not SHARED.exists(), reason="the payloads are not beside this checkout")
def test_every_vector_of_the_platform_holds():
    known = [one for one in json.loads((SHARED / "vectors.json").read_text()) if one["system"] == "kuaidi100"]
    assert {one["what"] for one in known} == {"push sign", "query sign"}
    for one in known:
        given = one["inputs"]
        if one["what"] == "query sign":
            assert api.sign(given["param"], given["key"], given["customer"]) == one["signature"]
        else:
            body = f"param={quote_plus(given['param'])}&sign={one['signature']}".encode()
            check(pushed(body), given["salt"])
            with pytest.raises(Forged):
                check(pushed(body), "another")


@pytest.mark.parametrize("verdict", ["accepted", "duplicate", "ignored"])
def test_what_is_taken_is_answered_to_the_letter(verdict):
    reply = push.answer(verdict, Message())

    assert (reply.status, reply.body.decode()) == (200, '{"result":true,"returnCode":"200","message":"成功"}')
    assert reply.headers["content-type"] == "application/json"


@pytest.mark.parametrize(("verdict", "status"), [("forged", 401), ("too_large", 413), ("unavailable", 503)])
def test_what_is_not_taken_says_so_and_is_pushed_again(verdict, status):
    reply = push.answer(verdict, Message())

    assert reply.status == status
    assert reply.json()["result"] is False


def test_the_reply_is_that_of_the_platform_s_own_sample():
    if SHARED.exists():
        assert push.answer("accepted", Message()).json() == json.loads(
            (SHARED / "kuaidi100" / "reply_ok.json").read_text()
        )


# ── words ────────────────────────────────────────────────────────────────────────────────────────────


def test_codes_and_words_mean_the_same_and_a_finer_word_never_parts_from_its_status():
    tables = yaml.safe_load((ROOT / "mappings" / "kuaidi100.tracking.yaml").read_text(encoding="utf-8"))[
        "tables"
    ]

    assert tables["detail"].keys() == tables["status"].keys()
    assert all(word.partition(".")[0] == tables["status"][key] for key, word in tables["detail"].items())


def test_carriers_are_called_as_in_the_table_of_carriers():
    rows = yaml.safe_load((ROOT / "mappings" / "carriers.yaml").read_text(encoding="utf-8"))
    for code, row in rows.items():
        words = row.get("kuaidi100", [])
        for word in [words] if isinstance(words, str) else words:
            told = journey("0", scan("2026-01-10 08:00:00"))
            told["lastResult"]["com"] = word
            assert read(told).facts[0].doc["carrier"] == code


@pytest.mark.parametrize(
    ("state", "code", "status"),
    [
        ("3", "301", "delivered"),
        ("3", None, "delivered"),
        ("304", None, "delivered"),
        ("4", None, "returned"),
        ("4", "14", "exception"),
        ("4", "401", "cancelled"),
        ("14", "14", "exception"),
        ("6", None, "returning"),
        ("2", "203", "exception"),
        ("2", "206", "delivery_attempted"),
        ("5", "501", "available_for_pickup"),
        ("1", "101", "pre_transit"),
        ("0", "1002", "in_transit"),
        ("8", "13", "exception"),
        ("7", None, "in_transit"),
        (3, 303, "delivered"),
    ],
)
def test_a_state_and_the_finer_code_within_it(state, code, status):
    reading = read(journey(state, scan("2026-01-10 08:00:00", code)))
    doc = reading.facts[0].doc

    assert (doc["status"], reading.unknown) == (status, ())


def test_a_state_of_another_family_than_its_newest_scan_stands():
    assert read(journey("4", scan("2026-01-10 08:00:00", "301"))).facts[0].doc["status"] == "returned"


def test_the_state_0_without_a_scan_is_no_movement():
    doc = read(journey("0", status="abort", message="3天查询无记录")).facts[0].doc

    assert (doc["status"], doc["state"], doc["source_word"]) == ("unknown", "expired", "3天查询无记录")


def test_an_oldest_first_list_is_read_in_its_own_order():
    rising = [scan("2026-01-10 08:00:00", "103"), scan("2026-01-11 08:00:00", "5")]
    up, down = (read(journey("5", *rows)).facts[0].doc["scans"] for rows in (rising, rising[::-1]))

    assert up == down


def test_of_two_that_end_in_one_scan_the_end_of_the_subscription_is_the_later():
    last = scan("2026-01-10 08:00:00", "301")
    order = [
        read(journey("3", last)["lastResult"], "query"),
        read(journey("3", last)),
        read(journey("3", last, status="updateall")),
        read(journey("3", last, status="abort")),
        read(journey("3", last, status="shutdown")),
    ]
    stamps = [one.facts[0].revision for one in order]

    assert stamps == sorted(set(stamps))
    assert stamps[-1] - stamps[0] < 1_000_000


def test_a_corrected_carrier_counts_only_where_it_was_checked():
    told = journey("0", scan("2026-01-10 08:00:00"), comOld="yuantong", comNew="zhongtong")

    assert read(told | {"autoCheck": "1"}).facts[0].doc["carrier"] == "zto"
    assert read(told | {"autoCheck": "0"}).facts[0].doc["carrier"] == "yto"


@pytest.mark.skipif(not SHARED.exists(), reason="the payloads are not beside this checkout")
@pytest.mark.parametrize(
    ("name", "status", "scans"),
    [
        ("push_polling_form.txt", "available_for_pickup", 2),
        ("push_polling_param.json", "available_for_pickup", 2),
        ("push_shutdown_param.json", "delivered", 3),
    ],
)
def test_every_sample_of_the_platform_is_a_parcel(name, status, scans):
    body = (SHARED / "kuaidi100" / name).read_bytes().strip()
    settings = msgspec.convert({"webhook_secret": "SALT0123456789"}, Kuaidi100Settings)
    if name.endswith(".txt"):
        check(pushed(body), "SALT0123456789")
        body = channel.open(pushed(body), settings).body
    (fact,) = registry().read("kuaidi100", Message(body=body, topic="push")).facts

    assert_canonical(fact)
    assert (fact.doc["status"], len(fact.doc["scans"])) == (status, scans)


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

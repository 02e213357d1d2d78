"""What the suite of all channels cannot know of 快递100: its recipe, its replies, its codes."""

from __future__ import annotations

import json
from pathlib import Path
from urllib.parse import parse_qs, quote_plus

import msgspec
import pytest
import yaml

from adapters.kuaidi100 import api, channel, push
from adapters.kuaidi100.settings import Kuaidi100Settings
from hub.contract import Context, Forged, Headers, Message, Request, Response
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

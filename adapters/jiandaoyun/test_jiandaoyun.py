"""What the suite of all channels cannot know of 简道云: its recipe, and the rows that come in."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest

from adapters.jiandaoyun import channel, door
from adapters.jiandaoyun.settings import JiandaoyunSettings
from hub.contract import Context, Forged, Headers, Message, Request, Response, Unmapped
from hub.contract.given import read_settings
from hub.contract.proof import Check
from tests.channels.case import assert_canonical, registry

SHARED = Path(__file__).resolve().parents[3] / "shared" / "payloads" / "china"
NOW = 1_768_000_000_000_000
ORDER = "ord_01JGZ0000000000000000000A1"
FIELDS = {
    "number": "order_no", "buyer.name": "customer", "ship_to": "address", "totals.total": "amount", "tags": "tags:list",
    "purchase_order": "po:number", "lines": "items", "lines[].sku": "sku", "lines[].quantity.ordered": "qty",
    "lines[].unit_price": "price", "shipment.tracking_number": "tracking_no", "shipment.status": "ship_state",
}  # fmt: skip
GIVEN = {
    "webhook_secret": "s3cret", "api_key": "KEY", "app_id": "66a0000000000000000000a1",
    "entry_id": "66a0000000000000000000e1", "fields": FIELDS, "data_creator": "orderhub",
}  # fmt: skip


def settings(**more):
    return read_settings(JiandaoyunSettings, {**GIVEN, **more})


def context(**more):
    return Context(settings=settings(**more), now=NOW)


def drive(conversation, answers):
    """Every step of a conversation, and what it ends with; requests are answered in turn."""
    steps, queue, answer = [], list(answers), None
    while True:
        try:
            step = conversation.send(answer)
        except StopIteration as end:
            assert not queue, "not everything was asked for"
            return steps, end.value
        steps.append(step)
        answer = queue.pop(0) if isinstance(step, Request) else None


def answer(http=200, **said):
    return Response(status=http, body=json.dumps(said, ensure_ascii=False).encode())


def said(request):
    return json.loads(request.body)


# ── proof ────────────────────────────────────────────────────────────────────────────────────────────

BODY = '{"op":"data_create","opTime":1768060800250,"data":{"_id":"66b0","name":"周远 \\u0026 co","n":1.50}}'
SIGN = "4963d7487753364b7746fa9864737b789e0e98fd"


def push(signature=SIGN, body=BODY, query="timestamp=1768060800&nonce=7f3c", **more):
    headers = {"x-jdy-signature": signature, "x-jdy-deliverid": "5a0a-1", **more}
    return Message(body=body.encode(), headers=Headers(headers), query=query)


def check(message, now=1_768_060_800, **more):
    given = settings(**more)
    channel.proof_for(given).check(Check(message, given, now, {}))


def test_the_recipe_is_sha1_over_the_raw_body_between_nonce_and_secret():
    check(push())
    check(push(SIGN.upper()))
    spaced, decoded = (
        BODY.replace(",", ", "),
        json.dumps(json.loads(BODY), ensure_ascii=False, separators=(",", ":")),
    )
    for message in (
        push(body=spaced), push(body=decoded), push(query="timestamp=1768060801&nonce=7f3c"),
        push(query="timestamp=1768060800&nonce=7f3d"), push(query=""), push(f"sha1={SIGN}"), push(""),
    ):  # fmt: skip
        with pytest.raises(Forged):
            check(message)


def test_headers_swapped_as_in_the_platform_s_documentation_are_refused():
    with pytest.raises(Forged):
        check(push("72d3162e-cc78-11e3-81ab-4c9367dc0958", **{"x-jdy-deliverid": SIGN}))
    with pytest.raises(Forged):
        check(push("72d3162e-cc78-11e3-81ab-4c9367dc0958", **{"x-jdy-deliverid": f"sha1={SIGN}"}))


def test_the_delivery_s_id_tells_duplicates():
    assert channel.dedupe.find(push()) == "5a0a-1"


def test_old_stamps_are_refused_only_where_it_is_asked_for():
    check(push(), now=1_768_060_800 + 86_400)
    check(push(), now=1_768_060_800 + 590, signature_age=600)
    with pytest.raises(Forged):
        check(push(), now=1_768_060_800 + 700, signature_age=600)
    assert channel.proof_for(settings()).authenticity == "body_signed"
    assert channel.proof_for(settings(signature_age=600)).authenticity == "body_signed_with_time"


@pytest.mark.skipif(not SHARED.exists(), reason="the payloads are not beside this checkout")
def test_every_vector_of_the_platform_holds():
    known = [
        one for one in json.loads((SHARED / "vectors.json").read_text()) if one["system"] == "jiandaoyun"
    ]
    assert known
    for one in known:
        given = one["inputs"]
        query = f"timestamp={given['timestamp']}&nonce={given['nonce']}"
        check(push(one["signature"], given["body"], query), webhook_secret=given["secret"])
        with pytest.raises(Forged):
            check(push(one["signature"], given["body"], query), webhook_secret="another")


# ── rows that come in ────────────────────────────────────────────────────────────────────────────────


def row(**more):
    return {"_id": "66b000000000000000000001", "entryId": GIVEN["entry_id"], **more}


def topic_of(data, **more):
    message = Message(body=json.dumps({"op": "data_update", "data": data}).encode(), topic="data_update")
    opened = channel.open(message, settings(**more))
    assert opened.topic == channel.topic.find(opened)
    return opened.topic


@pytest.mark.parametrize(
    ("data", "topic"),
    [
        (row(), "data_update"),
        (row(orderhub_id=""), "data_update"),
        (row(orderhub_id="SO-1", creator={"username": "orderhub"}), "data_update"),
        (row(orderhub_id=ORDER, creator={"username": "orderhub"}), door.OWN),
        (row(orderhub_id=ORDER), door.OWN),
        (row(orderhub_id=ORDER, creator={"username": "zhouyuan"}), "data_update"),
        (row(orderhub_id={"value": ORDER}), "data_update"),
        (row() | {"entryId": "66a0000000000000000000e2"}, door.OTHER),
        ({"_id": "66b0"}, "data_update"),
    ],
    ids=[
        "plain",
        "empty-marker",
        "their-text",
        "ours",
        "ours-of-old",
        "copy",
        "odd-marker",
        "other-form",
        "no-form",
    ],
)
def test_a_row_of_ours_a_copy_of_it_and_a_row_of_another_form_are_told_apart(data, topic):
    assert topic_of(data) == topic


def test_without_a_member_of_its_own_the_marker_alone_tells():
    copy = row(orderhub_id=ORDER, creator={"username": "zhouyuan"})

    assert topic_of(copy, data_creator=None) == door.OWN
    assert topic_of(row(ours=ORDER), marker="ours", data_creator=None) == door.OWN


def test_a_row_of_ours_is_understood_and_says_nothing():
    message = Message(body=json.dumps({"op": "data_update", "data": row(orderhub_id=ORDER)}).encode())
    reading = registry().read("jiandaoyun", channel.open(message, settings(data_creator=None)))

    assert reading.facts == []


@pytest.mark.skipif(not SHARED.exists(), reason="the payloads are not beside this checkout")
@pytest.mark.parametrize(
    ("name", "becomes"),
    [
        ("data_update_2021_alias.json", "617ca8d0bdb142000828cb7f"),
        ("data_update_structural.json", "69d8ab62d78c62093e724f25"),
        ("message_push_form_schedule.json", None),
    ],
)
def test_every_sample_of_the_platform_is_an_order_or_ignored(name, becomes):
    body = (SHARED / "jiandaoyun" / name).read_bytes()
    message = channel.open(Message(body=body), JiandaoyunSettings())
    message = msgspec.structs.replace(message, topic=channel.topic.find(message))
    own = "jiandaoyun.record" if name == "data_update_structural.json" else None
    if own:  # no alias in it: only a mapping of its own knows which of its widgets is the number
        with pytest.raises(Unmapped, match="number: required value is missing"):
            registry().read("jiandaoyun", message)
    reading = registry().read("jiandaoyun", message, own)
    if becomes is None:
        assert reading is None
        return
    (fact,) = reading.facts

    assert_canonical(fact)
    assert (fact.subject, fact.ref) == ("order", becomes)
    assert fact.doc["channel"] == "form"
    assert fact.revision == {"617c": 1_635_575_733_992_000, "69d8": 1_778_575_509_018_000}[becomes[:4]]

"""What the suite of all channels cannot know of 简道云: its recipe, its errors, its pages, and the rows that we write."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import msgspec
import pytest

from adapters.jiandaoyun import api, channel, door, poll, widgets, writes
from adapters.jiandaoyun.settings import JiandaoyunSettings
from hub.contract import (
    Context,
    Forged,
    Headers,
    Message,
    Misconfigured,
    Page,
    Postponed,
    Refused,
    Request,
    Response,
    Task,
    Unmapped,
    Unreadable,
)
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


# ── rows that we write ───────────────────────────────────────────────────────────────────────────────

DOC = {
    "id": ORDER, "number": "#1001", "tags": ["vip", "gift"], "purchase_order": "0042", "buyer": {"name": "周远"},
    "ship_to": {"name": "周远", "country": "CN", "region": "浙江省", "city": "杭州市", "line1": "龙井路 1 号", "line2": "3 幢"},
    "totals": {"total": {"amount": "1156.50", "currency": "CNY"}},
    "lines": [
        {"ref": "1", "sku": "T-1", "quantity": {"ordered": "4"}, "unit_price": {"amount": "258.50", "currency": "CNY"}},
        {"ref": "2", "sku": "T-2", "quantity": {"ordered": "1.5"}},
        {"ref": "3", "sku": "T-3", "status": "removed", "quantity": {"ordered": "0"}},
    ],
}  # fmt: skip
WRITTEN = {
    "order_no": {"value": "#1001"}, "customer": {"value": "周远"}, "amount": {"value": 1156.5}, "po": {"value": 42},
    "tags": {"value": ["vip", "gift"]}, "orderhub_id": {"value": ORDER},
    "address": {"value": {"province": "浙江省", "city": "杭州市", "district": "", "detail": "龙井路 1 号 3 幢"}},
    "items": {"value": [
        {"sku": {"value": "T-1"}, "qty": {"value": 4}, "price": {"value": 258.5}},
        {"sku": {"value": "T-2"}, "qty": {"value": 1.5}, "price": {"value": ""}},
    ]},
}  # fmt: skip


def task(doc=None, subject=None, **more):
    return Task(event="order.ready", order=doc or DOC, subject=subject or {}, key="evt_1", **more)


def held(**more):
    """The row as the form shows it."""
    shown = {name: one["value"] for name, one in WRITTEN.items()} | {
        "_id": "66b1", "creator": {"username": "orderhub"},
        "items": [{"_id": "r1", "sku": "T-1", "qty": 4, "price": 258.5}, {"_id": "r2", "sku": "T-2", "qty": 1.5, "price": None}],
    }  # fmt: skip
    return shown | more


def test_an_order_becomes_a_row_with_its_lines_and_our_marker():
    steps, outcome = drive(writes.create(context(), task()), [answer(data=[]), answer(data={"_id": "66b1"})])
    looked, made = steps

    assert said(looked)["filter"]["cond"] == [
        {"field": "order_no", "type": "text", "method": "eq", "value": ["#1001"]}
    ]
    assert made.url.endswith("/v5/app/entry/data/create")
    assert said(made)["data"] == WRITTEN
    assert said(made)["data_creator"] == "orderhub"
    assert (said(made)["is_start_trigger"], said(made)["is_start_workflow"]) == (False, False)
    assert b'"value":1156.50' in made.body, "amounts stay exact"
    assert (outcome.status, outcome.ref) == ("applied", "66b1")


def test_a_row_that_a_person_entered_under_the_same_number_is_not_doubled():
    _, outcome = drive(writes.create(context(), task()), [answer(data=[{"_id": "66c9"}])])

    assert outcome.status == "rejected"
    assert outcome.reason == "the form has a row with the number #1001 that is not ours: 66c9"


def test_an_earlier_try_is_found_by_the_marker_and_a_copy_of_it_is_not():
    copy = held(_id="66c0", creator={"username": "zhouyuan"})
    steps, found = drive(writes.search(context(), task()), [answer(data=[copy, held()])])

    assert said(steps[0])["filter"]["cond"][0] == {
        "field": "orderhub_id",
        "type": "text",
        "method": "eq",
        "value": [ORDER],
    }
    assert (found.status, found.ref) == ("applied", "66b1")
    assert drive(writes.search(context(), task()), [answer(data=[copy])])[1].status == "unsupported"


def test_an_update_writes_what_differs_and_its_lines_keep_their_ids():
    changed = {
        **DOC,
        "buyer": {"name": "李禾"},
        "lines": [DOC["lines"][1], {**DOC["lines"][0], "quantity": {"ordered": "5"}}],
    }
    steps, outcome = drive(
        writes.update(context(), task(changed)), [answer(data=[held()]), answer(data={"_id": "66b1"})]
    )
    put = said(steps[1])

    assert steps[1].url.endswith("/v5/app/entry/data/update")
    assert put["data_id"] == "66b1"
    assert put["data"]["customer"] == {"value": "李禾"}
    assert put["data"].keys() == {"customer", "items"}
    assert [(one["_id"]["value"], one["qty"]["value"]) for one in put["data"]["items"]["value"]] == [
        ("r2", 1.5),
        ("r1", 5),
    ]
    assert (outcome.status, outcome.ref) == ("applied", "66b1")


def test_what_stands_there_already_is_not_written_again():
    steps, outcome = drive(writes.update(context(), task()), [answer(data=[held()])])

    assert len(steps) == 1
    assert outcome.status == "applied"


def test_an_order_that_the_form_does_not_have_is_not_updated():
    assert drive(writes.update(context(), task()), [answer(data=[])])[1].status == "unsupported"


def test_a_value_that_went_is_emptied():
    doc = {name: value for name, value in DOC.items() if name not in ("purchase_order", "tags")}
    steps, _ = drive(writes.update(context(), task(doc)), [answer(data=[held()]), answer(data={})])

    assert said(steps[1])["data"] == {"po": {"value": ""}, "tags": {"value": ""}}


def test_a_shipment_is_written_on_the_form_s_own_row():
    parcels = {
        "id": "shp_1",
        "status": "shipped",
        "packages": [{"tracking_number": "SF1"}, {"tracking_number": "SF2"}],
    }
    steps, outcome = drive(
        writes.ship(context(), task(subject=parcels, ref="66d1")),
        [answer(data={"_id": "66d1", "tracking_no": "", "order_no": "SO-1"}), answer(data={})],
    )

    assert said(steps[0])["data_id"] == "66d1"
    assert said(steps[1])["data"] == {
        "tracking_no": {"value": "SF1, SF2"},
        "ship_state": {"value": "shipped"},
    }
    assert outcome.ref == "66d1"


def test_a_shipment_without_a_widget_for_it_asks_nothing():
    bare = context(fields={"number": "order_no"})

    assert drive(writes.ship(bare, task(subject={"id": "shp_1"}, ref="66d1")), [])[1].status == "unsupported"


def test_an_order_of_the_form_itself_is_never_written_over():
    for name in ("order.create", "order.update"):
        assert not channel.writes[name].applies(task(ref="66d1", own=True))
        assert channel.writes[name].applies(task())
    assert not channel.writes["shipment.update"].applies(task(subject={"id": "shp_1", "direction": "return"}))


def test_a_write_that_is_refused_says_why():
    with pytest.raises(Refused, match="17032 字段不存在"):
        drive(
            writes.create(context(fields={"buyer.name": "customer"}), task()),
            [answer(400, code=17032, msg="字段不存在")],
        )


@pytest.mark.parametrize(
    ("wanted", "row", "same"),
    [
        (None, "", True), (None, {}, True), (None, [], True), (None, None, True), (None, 0, False), ("x", None, False),
        (Decimal(0), None, False), (Decimal(0), 0, True), (Decimal("1.50"), Decimal("1.5"), True),
        (Decimal(1), True, False), ({"city": "杭州市", "detail": ""}, {"city": "杭州市"}, True), ([], "", True),
        (["a"], ["a"], True), ({"city": "x"}, {}, False),
    ],
)  # fmt: skip
def test_nothing_is_nothing_in_any_form_and_nought_is_not(wanted, row, same):
    assert (widgets.changed({}, {"w": wanted}, {"w": row}) == {}) == same


def test_lines_without_a_name_of_their_own_keep_their_place():
    fields = {"lines": "items", "lines[].name": "name"}
    doc = {"lines": [{"name": "A"}, {"name": "B"}]}
    wanted = widgets.order_values(fields, doc)

    assert widgets.changed(fields, wanted, {"items": [{"_id": "r1", "name": "A"}]}) == {
        "items": [{"name": "A", "_id": "r1"}, {"name": "B"}]
    }


@pytest.mark.parametrize(
    "wrong", [{"number": "单号"}, {"number": "a-b"}, {"number": "a:date"}, {"number": ""}]
)
def test_a_field_map_that_names_no_widget_is_told(wrong):
    with pytest.raises(Misconfigured, match="fields"):
        settings(fields=wrong)

"""Drafting a mapping: a form's widgets in, a mapping that compiles and holds its own test out."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from adapters.jiandaoyun import draft
from adapters.jiandaoyun.settings import JiandaoyunSettings
from hub.contract import Context, Message, Refused, Response, Unreadable
from hub.contract.mapping import compile_mapping, run_tests

MAPPINGS = Path(__file__).resolve().parents[2] / "mappings"
IDS = {"app_id": "66a0000000000000000000a1", "entry_id": "66a0000000000000000000e1"}
CTX = Context(settings=JiandaoyunSettings(api_key="KEY", **IDS))

FORM = [
    {"name": "order_no", "widgetName": "_widget_1", "label": "销售订单号", "type": "sn"},
    {"name": "_widget_2", "widgetName": "_widget_2", "label": "客户名称", "type": "linkdata"},
    {"name": "ship_to", "widgetName": "_widget_3", "label": "收货地址", "type": "address"},
    {"name": "_widget_4", "widgetName": "_widget_4", "label": "联系电话:", "type": "phone"},
    {"name": "_widget_5", "widgetName": "_widget_5", "label": "交货日期", "type": "datetime"},
    {"name": "sum", "widgetName": "_widget_6", "label": "订单金额(元)", "type": "number"},
    {"name": "_widget_7", "widgetName": "_widget_7", "label": "产品明细", "type": "subform", "items": [
        {"name": "_widget_71", "label": "产品编码", "type": "text"},
        {"name": "_widget_72", "label": "产品名称", "type": "text"},
        {"name": "qty", "label": "数量", "type": "number"},
        {"name": "_widget_74", "label": "单价", "type": "number"},
        {"name": "_widget_75", "label": "质检照片", "type": "image"},
    ]},
    {"name": "_widget_8", "label": "合同扫描件", "type": "upload"},
    {"name": "_widget_9", "label": "备注\n# map: x", "type": "textarea"},
    {"name": "_widget_10", "label": '优先级: *加急* "x"', "type": "radiogroup"},
]  # fmt: skip


def drafted(widgets, name="jiandaoyun.orders"):
    conversation = draft.draft(CTX, name)
    asked = next(conversation)
    with pytest.raises(StopIteration) as end:
        conversation.send(Response(body=json.dumps({"widgets": widgets, "sysWidgets": []}).encode()))
    return asked, end.value.value


def compiled(text):
    return compile_mapping(
        text, file="draft.yaml", find=lambda name: (MAPPINGS / f"{name}.yaml").read_text(encoding="utf-8")
    )


def held(text):
    mapping = compiled(text)
    assert [str(failure) for failure in run_tests(mapping, MAPPINGS)] == []
    return mapping


def test_the_form_is_asked_for_its_widgets_and_for_nothing_else():
    asked, _ = drafted(FORM)

    assert asked.url == "https://api.jiandaoyun.com/api/v5/app/entry/widget/list"
    assert json.loads(asked.body) == IDS


def test_a_draft_compiles_holds_its_own_test_and_names_what_it_left():
    _, text = drafted(FORM)
    mapping = held(text)

    assert mapping.name == "jiandaoyun.orders"
    assert len(mapping.tests) == 2
    for row in (
        '  number: "order_no | str"',
        '    name: "(_widget_2.name ?? _widget_2) | str"',
        '    region: "ship_to.province"',
        "    date: \"_widget_5 | date_in('Asia/Shanghai')\"",
        '    total: "sum | money(@cur)"',
        "    each: _widget_7",
        '      sku: "(_widget_71.name ?? _widget_71) | str"',
        '        ordered: "qty | dec"',
        "  #   _widget_8  (upload: 合同扫描件)",
        "  #   _widget_7[]._widget_75  (image: 质检照片)",
    ):
        assert row in text.splitlines()


def test_a_drafted_mapping_reads_a_row_of_its_form():
    mapping = compiled(drafted(FORM)[1])
    row = {"_id": "66b000000000000000000001", "order_no": "SO-9", "_widget_2": {"id": "x", "name": "远山茶业"}, "sum": 99.5,
           "_widget_7": [{"_id": "d1", "_widget_71": "T-1", "qty": 2, "_widget_74": 49.75}],
           "_widget_5": "2026-01-19T16:00:00.000Z", "updateTime": "2026-01-10T16:00:00.250Z"}  # fmt: skip
    (fact,), notes = mapping.facts_with_notes(
        Message(body=json.dumps({"op": "data_create", "data": row}).encode())
    )

    assert notes == []
    assert (fact.ref, fact.doc["number"], fact.doc["buyer"]["name"]) == (row["_id"], "SO-9", "远山茶业")
    assert fact.doc["lines"][0]["unit_price"] == {"amount": "49.75", "currency": "CNY"}
    assert fact.doc["requested_delivery"]["date"] == "2026-01-20"


@pytest.mark.parametrize(
    "widgets",
    [
        [],
        [{"name": "order_no", "label": "", "type": "text"}],
        [{"name": "x", "label": "明细", "type": "subform", "items": []}],
        [{"name": "x", "label": "随行物品", "type": "subform", "items": [{"name": "n", "label": "数量", "type": "number"}]}],
        [{"name": "address", "label": "地址", "type": "text"}, {"name": "currency", "label": "币种", "type": "combo"}],
        [{"name": "订单号", "label": "订单号", "type": "text"}, {"name": "a-b", "label": "订单号", "type": "text"}],
        [{"name": f"_widget_{n}", "label": "订单号", "type": "text"} for n in range(40)],
        [{"name": "map", "label": "订单号", "type": "text"}, {"name": "each", "label": "备注", "type": "text"},
         {"name": "null", "label": "客户", "type": "text"}, {"name": "true", "label": "收货人", "type": "text"}],
    ],
    ids=["empty", "alias", "bare-subform", "unnamed-subform", "address", "odd-names", "forty", "words"],
)  # fmt: skip
def test_any_form_makes_a_draft_that_holds(widgets):
    held(drafted(widgets)[1])


def test_each_widget_is_used_once_and_the_best_name_wins():
    widgets = [
        {"name": "_widget_1", "label": "客户订单号", "type": "text"},
        {"name": "_widget_2", "label": "订单号", "type": "text"},
        {"name": "phone", "label": "收货电话", "type": "phone"},
        {"name": "_widget_4", "label": "联系电话", "type": "phone"},
    ]
    text = drafted(widgets)[1]
    held(text)

    assert '  number: "_widget_2 | str"' in text
    assert '  purchase_order: "_widget_1 | str"' in text
    assert text.count("phone | str") + text.count("phone.phone") >= 1


def test_what_is_no_list_of_widgets_is_told():
    for body in (b'{"widgets": null}', b'{"widgets": [{"label": "x"}]}'):
        conversation = draft.draft(CTX, "jiandaoyun.orders")
        next(conversation)
        with pytest.raises(Unreadable):
            conversation.send(Response(body=body))


def test_a_key_that_may_not_see_the_form_is_told_in_the_platform_s_words():
    conversation = draft.draft(CTX, "jiandaoyun.orders")
    next(conversation)
    with pytest.raises(Refused, match="17018 没有权限"):
        conversation.send(Response(status=400, body='{"code": 17018, "msg": "没有权限"}'.encode()))

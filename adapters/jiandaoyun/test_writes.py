"""What 简道云 is told, played by hand: the rows that we write."""

from __future__ import annotations

from decimal import Decimal

import pytest

from adapters.jiandaoyun import channel, widgets, writes
from adapters.jiandaoyun.test_jiandaoyun import ORDER, answer, context, drive, said, settings
from hub.contract import Misconfigured, Refused, Task

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

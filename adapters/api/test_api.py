"""What the contract suite cannot know of the api channel: each lenient form, and each path of a refusal."""

from __future__ import annotations

import json
from typing import Any

import pytest

from adapters.api import channel
from adapters.api.reads import orders, scans, shipments
from hub.contract import Fact, Message, Rejected, TooLarge
from hub.contract.canon import HELD


def read(reader: Any, body: Any, **known: str) -> list[Fact]:
    text = body if isinstance(body, bytes) else json.dumps(body).encode()
    return list(reader(Message(body=text, **known)))


def refusal(reader: Any, body: Any, **known: str) -> tuple[str, str]:
    with pytest.raises(Rejected) as caught:
        read(reader, body, **known)
    return caught.value.field, caught.value.reason


@pytest.mark.parametrize(("given", "held"), [
    ("2", "2"), ("2.50", "2.50"), ("0.1", "0.1"), ('"2.5"', "2.5"), ('{"ordered": 3}', "3"), ('{"ordered": "3", "cancelled": 1}', "3"),
    ("1e2", "100"), ("0.30000000000000004", "0.3"), ('" 7 "', "7"),
])  # fmt: skip
def test_a_quantity_is_exact_however_it_is_written(given: str, held: str):
    [fact] = read(orders, b'{"ref": "1", "lines": [{"sku": "A", "qty": %s}]}' % given.encode())

    assert fact.doc["lines"][0]["quantity"]["ordered"] == held


@pytest.mark.parametrize(
    "given",
    [
        '"1,5"',
        '"-1"',
        "-1",
        '"many"',
        "true",
        "[]",
        '{"shipped": 1}',
        '{"ordered": {}}',
        "1e400",
        '"' + "9" * 16 + '"',
    ],
)
def test_a_quantity_that_is_none_is_refused_with_its_path(given: str):
    field, reason = refusal(
        orders,
        b'[{"ref": "0"}, {"ref": "1", "lines": [{"sku": "A"}, {"sku": "B", "qty": %s}]}]' % given.encode(),
    )

    assert field.startswith("[1].lines[1].qty")
    assert reason


@pytest.mark.parametrize(("given", "amount", "currency"), [
    ("9.95", "9.95", "EUR"), ('"9.95"', "9.95", "EUR"), ('{"amount": 9.950}', "9.950", "EUR"), ("0", "0", "EUR"), ("-1.5", "-1.5", "EUR"),
    ('{"amount": "1", "currency": "usd"}', "1", "USD"), ("19.989999999999998", "19.99", "EUR"),
])  # fmt: skip
def test_money_is_in_the_order_s_currency_where_it_says_none(given: str, amount: str, currency: str):
    [fact] = read(orders, b'{"ref": "1", "currency": "EUR", "totals": {"total": %s}}' % given.encode())

    assert fact.doc["totals"]["total"] == {"amount": amount, "currency": currency}


@pytest.mark.parametrize(("row", "field"), [
    ({"totals": {"total": "9.95"}}, "totals.total"), ({"currency": "EUR", "totals": {"total": "9,95"}}, "totals.total"),
    ({"currency": "EUR", "totals": {"total": {"value": 1}}}, "totals.total.value"),
    ({"currency": "EUR", "totals": {"total": "0.1234567"}}, "totals.total"), ({"currency": "EUR", "totals": {"total": {}}}, "totals.total"),
    ({"placed_at": "2027-01-10 16:00:00"}, "placed_at"), ({"placed_at": "soon"}, "placed_at"), ({"channel": "pigeon"}, "channel"),
    ({"test": "yes"}, "test"), ({"lines": {}}, "lines"), ({"lines": [1]}, "lines[0]"), ({"lines": [{"ref": "a"}, {"ref": "a"}]}, "lines[1].ref"),
    ({"buyer": "Ada"}, "buyer"), ({"buyer": {"mail": "x"}}, "buyer.mail"), ({"buyer": {"name": ["x"]}}, "buyer.name"),
    ({"attributes": []}, "attributes"), ({"tags": "x"}, "tags"), ({"partial": "perhaps"}, "partial"), ({"connection": {}}, "connection"),
    ({"shipments": [{"status": "lost"}]}, "shipments[0].status"), ({"payments": [{"method": "card"}]}, "payments[0]"),
    ({"shipping": [{"price": "1", "currency": "EUR"}]}, "shipping[0].price"), ({"notes": []}, "notes"), ({"id": "ord_1"}, "id"),
])  # fmt: skip
def test_what_cannot_be_is_refused_with_its_path(row: dict[str, Any], field: str):
    assert refusal(orders, {"ref": "1", **row})[0] == field


@pytest.mark.parametrize("field", sorted(HELD - {"connection"}))
def test_the_hub_s_own_fields_are_refused(field: str):
    assert refusal(orders, {"ref": "1", field: "x"}) == (field, "this is the hub's own to say")


def test_a_field_that_is_nearly_one_is_named():
    assert refusal(orders, {"ref": "1", "lines": [{"sku": "A", "quantitty": 1}]}) == (
        "lines[0].quantitty", "no such field, is quantity meant?",
    )  # fmt: skip


def test_a_naive_time_is_the_connection_s_and_without_a_zone_refused():
    body = {"ref": "1", "placed_at": "2027-07-01 10:00:00"}
    [fact] = read(orders, body, zone="Asia/Shanghai")

    assert fact.doc["placed_at"] == "2027-07-01T02:00:00.000Z"
    assert refusal(orders, body)[0] == "placed_at"


def test_phones_and_countries_are_canonical_where_they_can_be():
    [fact] = read(
        orders,
        {
            "ref": "1",
            "ship_to": {"country": "germany", "phone": "030 1234567"},
            "buyer": {"phone": "ask Ada"},
        },
    )

    assert fact.doc["ship_to"] == {"country": "DE", "phone": "+49301234567"}
    assert fact.doc["buyer"] == {"phone": "ask Ada"}


def test_lines_are_named_by_ref_or_sku_or_place():
    [fact] = read(
        orders, {"ref": "1", "lines": [{"sku": "A"}, {"sku": "A"}, {"name": "no code"}, {"ref": 7}]}
    )

    assert [line["ref"] for line in fact.doc["lines"]] == ["A", "2", "3", "7"]


def test_an_order_s_age_is_its_source_s_where_it_says_so():
    [known] = read(orders, {"ref": "1", "source_revision": "2027-01-10T16:00:00Z"})
    [unknown] = read(orders, {"ref": "1"})

    assert known.revision == 1_799_596_800_000_000
    assert unknown.revision is None


def test_of_another_s_order_the_order_and_the_ref_agree():
    [fact] = read(orders, {"order": "1001", "connection": "shop", "customer_note": "x"}, query="partial=1")

    assert (fact.ref, fact.order, fact.account, fact.full) == ("1001", "1001", "connection:shop", frozenset())
    assert refusal(orders, {"order": "1001", "ref": "1002"})[0] == "order"


def test_a_shipment_needs_an_order_and_a_name():
    assert refusal(shipments, {"tracking_number": "T"})[0] == "order"
    assert refusal(shipments, {"order": "1"})[0] == "ref"
    assert refusal(shipments, {"order": "1", "ref": "s", "tracking": {}})[0] == "tracking"
    assert (
        refusal(
            shipments, {"order": "1", "ref": "s", "packages": [{"tracking_number": 5, "weight": "heavy"}]}
        )[0]
        == "packages[0].weight"
    )


def test_a_scan_needs_a_parcel_a_time_and_a_word():
    scan = {"status": "delivered", "at": "2027-01-10T16:00:00Z"}

    assert refusal(scans, scan)[0] == "number"
    assert refusal(scans, {"number": "T", "scans": [{"status": "delivered"}]})[0] == "scans[0].at"
    assert refusal(scans, [scan, {"at": scan["at"]}], query="number=T")[0] == "[1].status"
    assert [fact.ref for fact in read(scans, [scan, scan], query="number=T")] == ["T", "T"]


def test_more_than_five_hundred_rows_are_too_many():
    with pytest.raises(TooLarge, match="501 rows, at most 500"):
        read(orders, [{"ref": str(n)} for n in range(501)])


def test_attributes_are_free_but_not_bottomless():
    deep: Any = "x"
    for _ in range(20):
        deep = {"a": deep}
    [fact] = read(
        orders, b'{"ref": "1", "attributes": {"n": 0.10, "i": 5, "b": true, "z": null, "l": [1, "\\u0000x"]}}'
    )

    assert fact.doc["attributes"] == {"n": "0.10", "i": 5, "b": True, "z": None, "l": [1, "x"]}
    assert "nested deeper" in refusal(orders, {"ref": "1", "attributes": deep})[1]


def test_a_push_without_a_secret_of_ours_is_refused():
    assert channel.proof_for(channel.settings()).authenticity == "bearer_only"

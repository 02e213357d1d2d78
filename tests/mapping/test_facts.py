"""A message becomes facts: what each carries, and where its leaves came from."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest

from hub.contract import (
    ORDER_FACETS,
    Headers,
    MappingRef,
    Message,
    Misconfigured,
    Unmapped,
    Unreadable,
    mapping,
)
from hub.contract.canon import TARGETS
from hub.contract.mapping import Mapping, apply, compile_mapping, shelf

FIXTURES = Path(__file__).parent / "fixtures"


@pytest.fixture(scope="module")
def lamps() -> Mapping:
    file = FIXTURES / "lamps.order.yaml"
    return compile_mapping(file.read_text(), file="lamps.order.yaml")


@pytest.fixture(scope="module")
def order() -> Message:
    return Message(body=(FIXTURES / "lamps.order.json").read_bytes(), topic="orders/updated")


def test_an_order_is_read_into_its_canonical_form(lamps, order):
    [fact] = lamps.facts(order)

    assert fact.doc == {
        "ref": "7045001", "number": "L-1001", "channel": "online", "purchase_order": "PO 77",
        "placed_at": "2026-01-10T16:00:00.000Z", "source_revision": "2026-01-10T16:05:00.250Z", "currency": "EUR",
        "prices_include_tax": True, "customer_note": "ring twice", "tags": ["gift", "fragile"],
        "source_payment_status": "paid",
        "buyer": {"ref": "12", "email": "orders@halle.example", "name": "Ida Rot", "phone": "+49 30 901820"},
        "ship_to": {"name": "Ida Rot", "line1": "Kastanienallee 7", "city": "Berlin", "postal_code": "10435", "country": "DE"},
        "lines": [
            {"ref": "1", "sku": "W-000", "name": "Table lamp", "quantity": {"original": "2", "ordered": "2"},
             "unit_price": {"amount": "19.95", "currency": "EUR"}, "requires_shipping": True,
             "taxes": [{"name": "VAT", "rate": "0.19", "amount": {"amount": "6.37", "currency": "EUR"}}]},
            {"ref": "2", "sku": "900", "name": "Bulb", "quantity": {"original": "3", "ordered": "1"},
             "unit_price": {"amount": "4.5", "currency": "EUR"}, "requires_shipping": True},
        ],
        "shipping": [{"ref": "5", "name": "Parcel", "price": {"amount": "4.90", "currency": "EUR"}}],
        "totals": {"subtotal": {"amount": "44.40", "currency": "EUR"}, "total": {"amount": "49.30", "currency": "EUR"}},
    }  # fmt: skip
    assert (fact.subject, fact.ref, fact.order, fact.topic) == ("order", "7045001", None, "orders/updated")
    assert fact.full == ORDER_FACETS
    assert fact.revision == 1768061100250000
    assert msgspec.convert(fact.doc, TARGETS["order"])


def test_a_trace_names_the_source_and_the_place_of_each_leaf(lamps, order):
    traces = {trace.field: trace for trace in lamps.trace(order)}

    assert {name: traces[name].source for name in (
        "ref", "placed_at", "currency", "tags", "buyer.email", "buyer.name", "lines[0].sku", "lines[1].sku",
        "lines[1].quantity.ordered", "lines[0].taxes[0].amount", "totals.total",
    )} == {
        "ref": "id", "placed_at": "created_at", "currency": "currency", "tags": "tags", "buyer.email": "email",
        "buyer.name": "customer.given, customer.family", "lines[0].sku": "items[0].sku", "lines[1].sku": "items[1].variant",
        "lines[1].quantity.ordered": "items[1].current", "lines[0].taxes[0].amount": "items[0].taxes[0].price",
        "totals.total": "sums.total",
    }  # fmt: skip
    price = traces["lines[1].unit_price"]
    assert (price.file, price.line, price.column, price.value) == (
        "lamps.order.yaml", 41, 19, {"amount": "4.5", "currency": "EUR"},
    )  # fmt: skip


def test_sources_are_told_through_groups_filters_pipes_and_odd_names(compiled):
    mapping = compiled("""map: t
target: json
vars: {v: a.b}
fields:
  odd: .['x y']['1']
  var: '@v | upper'
  part: '@v.c'
  pick: "l[?n == 2][0].t"
  all: l[].t
  sorted: {each: "l[] | sort('n')", map: t}
  fallback: none | default(.d)
  words: ['d', d]
  rows: {each: l, group_by: n, map: {first: t, all: {each: '@rows[]', map: t}}}
  fixed: {const: x}
""")
    payload = {
        "x y": {"1": 1},
        "a": {"b": "w"},
        "d": 4,
        "l": [{"n": 2, "t": "A"}, {"n": 1, "t": "B"}, {"n": 2, "t": "C"}],
    }

    traces = {
        trace.field: trace.source for trace in mapping.trace(Message(body=json.dumps(payload).encode()))
    }

    assert traces == {
        "odd": "['x y']['1']", "var": "a.b", "pick": "l[0].t", "all": "l[0].t, l[1].t, l[2].t", "sorted[0]": "l[1].t",
        "sorted[1]": "l[0].t", "sorted[2]": "l[2].t", "fallback": "d", "words[0]": "d", "words[1]": "d",
        "rows[0].first": "l[0].t", "rows[0].all[0]": "l[0].t", "rows[0].all[1]": "l[2].t", "rows[1].first": "l[1].t",
        "rows[1].all[0]": "l[1].t",
    }  # fmt: skip


def test_another_subject_names_its_order_and_carries_all_of_itself(compiled):
    mapping = compiled("""map: t
target: shipment/1
account: '#account'
occurred_at: at | epoch
fields:
  ref: id | str
  order: order_id | str
  source_revision: changed | datetime
  status: {const: shipped}
""")
    message = Message(
        body=b'{"id": 5, "order_id": 9, "at": 1768060800, "changed": "2026-01-10T16:00:00Z"}',
        account="shop-2",
    )

    [fact] = mapping.facts(message)

    assert (fact.subject, fact.ref, fact.order, fact.account) == ("shipment", "5", "9", "shop-2")
    assert fact.doc == {"ref": "5", "source_revision": "2026-01-10T16:00:00.000Z", "status": "shipped"}
    assert fact.full == frozenset({"*"})
    assert fact.revision == fact.occurred_at == 1768060800000000


def test_a_sequence_stands_for_the_revision(compiled):
    mapping = compiled(
        "map: t\ntarget: order/1\nfull: none\nsequence: v | int\nfields: {ref: id | str, source_revision: at | datetime}"
    )

    facts = mapping.facts(Message(body=b'{"id": 1, "v": 12, "at": "2026-01-10T16:00:00Z"}'))
    unknown = mapping.facts(Message(body=b'{"id": 1, "at": "2026-01-10T16:00:00Z"}'))

    assert (facts[0].revision, facts[0].full) == (12, frozenset())
    assert unknown[0].revision is None


def test_facets_may_be_limited(compiled):
    text = "map: t\ntarget: order/1\nfull: {}\nfields: {{ref: id | str}}"

    assert compiled(text.format("lines")).full == frozenset({"lines"})
    assert compiled(text.format("[lines, totals]")).full == frozenset({"lines", "totals"})


def test_a_page_of_orders_becomes_a_fact_each(compiled):
    mapping = compiled(
        "map: t\ntarget: order/1\neach: orders[]\nfields: {ref: id | str, attributes: {page: ^.page}}"
    )

    facts = mapping.facts(Message(body=b'{"page": 2, "orders": [{"id": 1}, null, {"id": 2}]}'))

    assert [fact.doc for fact in facts] == [
        {"ref": "1", "attributes": {"page": 2}},
        {"ref": "2", "attributes": {"page": 2}},
    ]
    assert mapping.facts(Message(body=b'{"orders": []}')) == []
    with pytest.raises(Unmapped, match=r"t\.yaml:4:20: ref: required value is missing"):
        mapping.facts(Message(body=b'{"orders": [{}]}'))


def test_the_message_around_the_body_may_be_mapped_too(compiled):
    mapping = compiled("""map: t
target: order/1
fields:
  ref: "#header('X-Order') | required"
  currency: "currency ?? #currency"
  placed_at: at | datetime
  customer_note: "#header('X-Note')"
""")
    message = Message(
        body=b'{"at": "2026-07-01 12:00"}',
        headers=Headers({"x-order": "9", "x-note": "n" * 9}),
        currency="CNY",
        zone="Asia/Tokyo",
    )

    assert mapping.facts(message)[0].doc == {
        "ref": "9", "currency": "CNY", "placed_at": "2026-07-01T03:00:00.000Z", "customer_note": "nnnnnnnnn",
    }  # fmt: skip
    with pytest.raises(Unmapped, match="is longer than 20000 characters"):
        mapping.facts(Message(body=b"{}", headers=Headers({"x-order": "9", "x-note": "n" * 20_001})))


def test_a_long_text_is_found_out_in_a_short_message_too(compiled):
    mapping = compiled(
        "map: t\ntarget: order/1\nvars: {n: n}\nfields: {ref: id | str, number: \"n | concat('', @n)\"}"
    )

    assert (
        len(mapping.facts(Message(body=json.dumps({"id": 1, "n": "x" * 9_000}).encode()))[0].doc["number"])
        == 18_000
    )
    with pytest.raises(Unmapped, match="is longer than 20000 characters"):
        mapping.facts(Message(body=json.dumps({"id": 1, "n": "x" * 12_000}).encode()))


def test_a_mapping_to_json_transforms_and_makes_no_facts(compiled):
    mapping = compiled("map: t\ntarget: json\nfields: {type: \"'order'\", total: data.total.amount | dec}")
    message = Message(body=b'{"data": {"total": {"amount": "5.10"}}}')

    assert mapping.apply(mapping.decode(message), message) == [{"total": "5.10", "type": "order"}]
    with pytest.raises(Misconfigured, match=r"t\.yaml: t aims at json, of which no facts are made"):
        mapping.facts(message)


def test_deep_bodies_are_unreadable_and_no_bug(lamps):
    for body in (b"[" * 50_000 + b"]" * 50_000, b'{"items": ' + b"[" * 5000 + b"]" * 5000 + b"}"):
        with pytest.raises(Unreadable, match="nested too deeply"):
            lamps.facts(Message(body=body))


def test_readers_in_python_find_mappings_by_name(lamps, order):
    def reader(message: Message):
        yield from apply("lamps.order", message.json(), message)
        yield from apply("lamps.order", {**message.json(), "id": 2, "payment": "odd"}, message)

    with shelf({"lamps.order": lamps}.__getitem__) as used:
        facts = list(reader(order))

    assert [fact.ref for fact in facts] == ["7045001", "2"]
    assert used.used == {"lamps.order": lamps}
    assert [(note.table, note.value) for note in used.notes] == [("payment", "odd")]
    with pytest.raises(LookupError):
        list(reader(order))


def test_a_mapping_prints_as_a_value_and_keeps_its_name_apart_from_the_function_of_that_name(lamps):
    assert repr(lamps).startswith("Mapping(name='lamps.order', target='order/1', source='lamps-2026', hash='")
    assert mapping("lamps.order") == MappingRef("lamps.order")

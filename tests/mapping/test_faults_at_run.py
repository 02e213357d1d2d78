"""A message that cannot be mapped: where in the mapping, which field, which value."""

from __future__ import annotations

import json

import pytest

from hub.contract import Message, Unmapped
from hub.contract.mapping import compile_mapping, walk

LAMPS = """map: lamps
target: order/1

vars:
  cur: currency | required | upper

fields:
  ref: id | str | required
  currency: '@cur'
  placed_at: at | datetime
  test: test
  customer_note: note
  attributes: {deep: deep}
  buyer: {in: who, map: {name: name, tax_ids: [{scheme: kind, value: vat}]}}
  lines:
    each: items[]
    when: sku
    vars: {unit: unit ?? 'x'}
    map:
      ref: id
      sku: sku
      unit: '@unit | lower'
      unit_price: price | money(@cur)
      quantity: {ordered: qty | dec}
      discounts: {each: cuts, map: {amount: . | money(@cur)}}
"""
GOOD = {"id": 1, "currency": "EUR", "items": [{"id": 1, "sku": "A"}, {"id": 2, "sku": "B"}]}


def spoiled(**changes: object) -> dict[str, object]:
    return json.loads(json.dumps(GOOD)) | changes


def line(**changes: object) -> dict[str, object]:
    return {"items": [{"id": 1, "sku": "A"}, {"id": 9}, {"id": 2, "sku": "B", **changes}]}


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"currency": None}, "mappings/lamps.yaml:5:19: @cur: required value is missing"),
        ({"currency": ["EUR"]}, "mappings/lamps.yaml:5:30: @cur: a list is not a text"),
        ({"currency": "Euro"}, "mappings/lamps.yaml:9:14: currency: 'EURO' is not a currency code"),
        ({"id": ""}, "mappings/lamps.yaml:8:19: ref: required value is missing"),
        ({"id": {"a": 1}}, "mappings/lamps.yaml:8:13: ref: an object is not a text"),
        ({"at": "2026-01-10 16:00"}, ("mappings/lamps.yaml:10:19: placed_at: '2026-01-10 16:00' has no time zone; set the"
         " connection's time_zone")),
        ({"test": "maybe"}, "mappings/lamps.yaml:11:9: test: 'maybe' is neither true nor false"),
        ({"note": {"a": 1}}, "mappings/lamps.yaml:12:18: customer_note: an object is not a text"),
        ({"note": "x" * 20_001}, "mappings/lamps.yaml:12:18: customer_note: '" + "x" * 77 + "...' is longer than 20000"
         " characters"),
        ({"deep": eval("[" * 120 + "]" * 120)}, "mappings/lamps.yaml:13:22: attributes.deep: "),
        (line(price="19,95"), "mappings/lamps.yaml:23:27: lines[1].unit_price: '19,95' is not a decimal number"),
        (line(price=1.12345678), ("mappings/lamps.yaml:23:27: lines[1].unit_price: 1.12345678 has more than six decimal"
         " places")),
        (line(unit=[1]), "mappings/lamps.yaml:22:22: lines[1].unit: a list is not a text"),
        (line(qty="1 Stk"), "mappings/lamps.yaml:24:33: lines[1].quantity.ordered: '1 Stk' is not a decimal number"),
        (line(cuts=["1", None, "x"]), ("mappings/lamps.yaml:25:49: lines[1].discounts[1].amount: 'x' is not a decimal"
         " number")),
        (line(id=None), "mappings/lamps.yaml:20:12: lines[1].ref: required value is missing"),
        (line(id="x" * 201), "mappings/lamps.yaml:20:12: lines[1].ref: '" + "x" * 77 + "...' is longer than 200"
         " characters"),
    ],
)  # fmt: skip
def test_a_fault_names_file_line_column_field_and_value(changes, told):
    mapping = compile_mapping(LAMPS, file="mappings/lamps.yaml")

    with pytest.raises(Unmapped) as caught:
        mapping.facts(Message(body=json.dumps(spoiled(**changes)).encode()))

    assert str(caught.value).startswith(told)
    assert str(caught.value) == f"{caught.value.place}: {caught.value.reason}"


def test_the_place_holds_the_value_as_a_short_text():
    mapping = compile_mapping(LAMPS, file="lamps.yaml")

    def place(**changes: object):
        with pytest.raises(Unmapped) as caught:
            mapping.facts(Message(body=json.dumps(spoiled(**changes)).encode()))
        return caught.value.place

    assert place(**line(price="19,95")).value == "19,95"
    assert place(note="y" * 30_000).value == "y" * 80
    assert place(note={"a": 1}).value == "{…}"
    assert place(id=None).value == ""


def test_an_object_that_misses_more_than_its_ref_is_absent():
    mapping = compile_mapping(LAMPS, file="lamps.yaml")
    payload = spoiled(who={"name": "Ida", "kind": "vat"})

    assert mapping.facts(Message(body=json.dumps(payload).encode()))[0].doc["buyer"] == {"name": "Ida"}


def test_a_reader_that_asks_for_a_reference_gets_one_or_a_fault(compiled):
    mapping = compiled("map: t\ntarget: tracking/1\nfields:\n  ref: id | str\n  number: no")

    assert [fact.ref for fact in mapping.facts(Message(body=b'{"no": "T1"}'))] == ["T1"]
    assert [fact.ref for fact in mapping.facts(Message(body=b'{"no": "T1", "id": 5}'))] == ["5"]
    with pytest.raises(Unmapped, match=r"t\.yaml:4:3: number: required value is missing"):
        mapping.facts(Message(body=b"{}"))


def test_lists_crossed_with_each_other_come_to_an_end(compiled, monkeypatch):
    mapping = compiled(
        "map: t\ntarget: json\nfields:\n  l:\n    each: a[]\n    map: {n: '$.a[?x == ^.x] | count'}"
    )
    body = json.dumps({"a": [{"x": n} for n in range(3000)]}).encode()

    with pytest.raises(Unmapped, match=r"t\.yaml:6:22: -: walks over far more items than the message has"):
        mapping.apply(mapping.decode(Message(body=body)), Message(body=body))
    monkeypatch.setattr(walk, "WORK", 1000)
    with pytest.raises(Unmapped, match=r"t\.yaml:6:22: .*walks over far more items"):
        mapping.engine.traced({"a": [1] * 50}, Message(), [])


def test_texts_do_not_grow_without_measure(compiled):
    mapping = compiled("a: a | replace('x', b)")
    payload = {"a": "x" * 5000, "b": "y" * 5000}

    with pytest.raises(Unmapped, match="would become too long"):
        mapping.apply(payload, Message())

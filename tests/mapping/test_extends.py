"""One mapping upon another."""

from __future__ import annotations

import pytest

from hub.contract import Message, Misconfigured
from hub.contract.mapping import compile_mapping

BASE = """map: base.order
target: order/1
source: base-1
vars: {cur: currency | required}
tables:
  pay: {open: unpaid, done: paid}
fields:
  ref: id | str | required
  number: name
  currency: '@cur'
  source_payment_status: pay | enum('pay')
  ship_to:
    in: address
    map: {name: name, phone: phone, city: city}
  lines:
    each: items[]
    map: {ref: n | str, sku: sku, quantity: {ordered: qty | dec}}
tests:
  - {input: {id: 1, currency: EUR}, expect: {ref: "1"}}
"""
PAYLOAD = {
    "id": 1, "name": "N", "currency": "EUR", "pay": "held", "address": {"name": "Ida", "phone": "1", "city": "Jena"},
    "items": [{"n": 1, "sku": "A", "qty": 2, "engraving": "Für Ida"}], "memo": "m",
}  # fmt: skip


def extended(text, **others):
    texts = {"base.order": BASE, **others}
    return compile_mapping(text, file="mappings/own.order.yaml", find=texts.__getitem__)


def result(text, **others):
    return extended(text, **others).apply(PAYLOAD, Message())[0]


def test_one_custom_field_is_one_line():
    doc = result("map: own.order\nextends: base.order\nfields:\n  lines.attributes.engraving: engraving\n")

    assert doc["lines"] == [
        {"ref": "1", "sku": "A", "quantity": {"ordered": "2"}, "attributes": {"engraving": "Für Ida"}}
    ]
    assert doc["ship_to"] == {"name": "Ida", "phone": "1", "city": "Jena"}


@pytest.mark.parametrize(
    "fields",
    [
        "lines: {map: {attributes: {engraving: engraving}}}",
        "lines: {attributes: {engraving: engraving}}",
        "lines.attributes: {engraving: engraving}",
    ],
)
def test_the_same_line_may_be_written_as_the_file_is_built(fields):
    doc = result(f"map: own.order\nextends: base.order\nfields: {{{fields}}}\n")

    assert doc["lines"][0]["attributes"] == {"engraving": "Für Ida"}


def test_a_leaf_is_replaced_taken_away_or_added():
    doc = result("""map: own.order
extends: base.order
remove: [ship_to.phone, lines.quantity]
fields:
  number: "name | concat('-X')"
  currency: ~
  customer_note: memo
  ship_to.name: null
""")

    assert doc == {
        "ref": "1", "number": "N-X", "source_payment_status": "unknown", "ship_to": {"city": "Jena"},
        "lines": [{"ref": "1", "sku": "A"}], "customer_note": "m",
    }  # fmt: skip


def test_an_object_is_replaced_by_removing_it_first():
    doc = result(
        "map: own.order\nextends: base.order\nremove: lines\nfields: {lines: [{ref: {const: all}, name: memo}]}"
    )

    assert doc["lines"] == [{"name": "m", "ref": "all"}]


def test_tables_and_variables_are_laid_over_word_by_word():
    doc = result(
        "map: own.order\nextends: base.order\ntables: {pay: {held: authorized}}\nvars: {cur: \"'USD'\"}"
    )

    assert (doc["source_payment_status"], doc["currency"]) == ("authorized", "USD")


def test_the_head_is_inherited_and_may_be_patched():
    mapping = extended("map: own.order\nextends: base.order\nfull: none\nsequence: id | int\nwhen: id > 0")

    assert (mapping.name, mapping.target, mapping.source, mapping.tests) == (
        "own.order",
        "order/1",
        "base-1",
        (),
    )
    assert mapping.facts_of(PAYLOAD, Message())[0][0].revision == 1
    assert mapping.full == frozenset()
    assert extended("map: own.order\nextends: base.order\neach: orders[]").apply(
        {"orders": [PAYLOAD]}, Message()
    )


def test_extensions_may_be_extended():
    middle = "map: mid\nextends: base.order\nfields: {customer_note: memo}"

    doc = result("map: own\nextends: mid\nfields: {number: memo}", mid=middle)

    assert (doc["number"], doc["customer_note"], doc["ref"]) == ("m", "m", "1")


def test_the_hash_names_all_texts():
    own = "map: own.order\nextends: base.order\nfields: {number: memo}"
    here, there = extended(own), extended(own, **{"base.order": BASE.replace("name: name", "name: nick")})

    assert here.hash == extended(own).hash != there.hash
    assert len(here.hash) == 16


def test_a_fault_of_the_extended_file_is_told_there_and_one_of_ours_here():
    with pytest.raises(Misconfigured) as caught:
        extended(
            "map: own.order\nextends: base.order\nfields: {number: memo | mony}",
            **{"base.order": BASE.replace("name: name,", "name: name | nope,")},
        )

    assert caught.value.faults == [
        "mappings/base.order.yaml:14:24 unknown step 'nope'",
        "mappings/own.order.yaml:3:25 unknown step 'mony'; did you mean 'money'?",
    ]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("map: own\nextends: nope", "2:10 no mapping 'nope' to extend"),
        ("map: own\nextends: [base.order]", "2:10 `extends` names one mapping"),
        ("map: own\nextends: own", "2:10 `extends` runs in a circle: own > own"),
        ("map: own\nextends: loop", "loop.yaml:1:22 `extends` runs in a circle: own > loop > own"),
        (
            "map: own\nextends: base.order\nremove: [nope]",
            "3:10 nothing to remove: the extended mapping has no field 'nope'",
        ),
        ("map: own\nextends: base.order\nremove: [lines.nope]", "3:10 nothing to remove"),
        (
            "map: own\nextends: base.order\nremove: [[x]]",
            "3:10 `remove` lists fields, such as [ship_to.phone, lines.taxes]",
        ),
        ("map: own\nextends: base.order\nremove: [ref]", "order needs 'ref'"),
        (
            "map: own\nextends: base.order\nfields: {ship_to: {const: x}}",
            "3:20 'const' cannot stand beside 'in'",
        ),
        (
            "map: own\nextends: base.order\nfields: {ship_to.city: a, ship_to: {city: b}}",
            "3:37 duplicate key 'city'",
        ),
        ("map: own\nextends: base.order\nfields: {nope: ~}", "order has no field 'nope'"),
        ("map: own\nextends: base.order\nvars: {idle: a}", "3:8 variable '@idle' is never used"),
        ("map: own\nextends: base.order\ntables: {idle: {a: b}}", "3:10 table 'idle' is never used"),
    ],
)
def test_an_extension_that_cannot_be_right(text, fault):
    with pytest.raises(Misconfigured) as caught:
        extended(text, loop="{map: loop, extends: own}", own=text)

    assert any(fault in one for one in caught.value.faults), caught.value.faults


def test_variables_and_tables_of_the_extended_file_may_fall_idle():
    doc = result("map: own\nextends: base.order\nremove: [currency, source_payment_status]")

    assert "currency" not in doc


def test_without_a_finder_there_is_nothing_to_extend():
    with pytest.raises(Misconfigured, match=r"no mapping 'base\.order' to extend"):
        compile_mapping("map: own\nextends: base.order", file="own.yaml")

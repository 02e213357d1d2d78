"""Each and in, when and vars, if, merge, const, groups, tables: what a file can say besides leaves."""

from __future__ import annotations

import pytest

from hub.contract import Message, Unmapped
from hub.contract.mapping import Unknown


def test_each_makes_a_result_per_item_and_leaves_the_absent_ones_out(mapped):
    text = "l:\n  each: a[]\n  map: {n: n, all: ^.b, top: $.b, self: .}"

    assert mapped(text, {"a": [{"n": 1}, None, 5], "b": "x"})["l"] == [
        {"n": 1, "all": "x", "top": "x", "self": {"n": 1}},
        {"all": "x", "top": "x", "self": 5},
    ]
    assert mapped(text, {"a": [], "b": "x"}) == []
    assert mapped(text, {"a": {}, "b": "x"}) == []
    assert mapped(text, {"a": {"n": 2}}) == {"l": [{"n": 2, "self": {"n": 2}}]}


def test_each_over_a_pipe_walks_what_the_pipe_gives(mapped):
    text = "l: {each: \"a[?n > 1] | sort('n')\", map: n}"

    assert mapped(text, {"a": [{"n": 3}, {"n": 1}, {"n": 2}]}) == {"l": [2, 3]}


def test_each_may_be_narrowed_and_may_have_variables_of_its_own(mapped):
    text = "l:\n  each: a[]\n  when: '@double > 4'\n  vars: {double: n | mul(2), name: '@double | str'}\n  map: {d: '@name'}"

    assert mapped(text, {"a": [{"n": 2}, {"n": 3}, {"n": "4"}]}) == {"l": [{"d": "6"}, {"d": "8"}]}


def test_a_variable_that_is_not_needed_for_the_decision_is_not_judged_where_there_is_no_result(mapped):
    text = "l:\n  each: a[]\n  when: ok\n  vars: {n: n | required}\n  map: {n: '@n'}"

    assert mapped(text, {"a": [{"n": 1, "ok": True}, {"ok": False}]}) == {"l": [{"n": 1}]}


def test_in_moves_the_paths_and_gives_nothing_where_there_is_nothing(mapped):
    text = "b:\n  in: a\n  map: {n: n, up: ^.x, s: .n}"

    assert mapped(text, {"a": {"n": 1}, "x": 2}) == {"b": {"n": 1, "up": 2, "s": 1}}
    for nothing in (None, "", []):
        assert mapped(text, {"a": nothing, "x": 2}) == []
    assert mapped(text, {"a": {}, "x": 2}) == {"b": {"up": 2}}
    assert mapped(text, {"a": "odd", "x": 2}) == {"b": {"up": 2}}


def test_in_takes_the_first_that_is_there(mapped):
    text = "b: {in: delivery ?? billing, when: city, map: {c: city}}"

    assert mapped(text, {"delivery": {}, "billing": {"city": "Jena"}}) == {"b": {"c": "Jena"}}
    assert mapped(text, {"delivery": {"street": "x"}, "billing": {"city": "Jena"}}) == []


def test_if_chooses(mapped):
    text = "a: {if: n > 1, then: {const: many}, else: {if: n, then: \"'one'\"}}"

    assert mapped(text, {"n": 2}) == {"a": "many"}
    assert mapped(text, {"n": 1}) == {"a": "one"}
    assert mapped(text, {"n": 0}) == []


def test_merge_lays_objects_upon_each_other_and_nulls_take_nothing_away(mapped):
    text = "a: {merge: [{x: p, y: q}, {in: o, map: {y: q, z: r}}, nothing]}"

    assert mapped(text, {"p": 1, "q": 2, "o": {"r": 3}}) == {"a": {"x": 1, "y": 2, "z": 3}}
    assert mapped(text, {"p": 1, "q": 2, "o": {"q": 4}}) == {"a": {"x": 1, "y": 4}}


def test_a_list_is_written_item_by_item(mapped):
    assert mapped("a: [x, y, {const: z}, {n: x}]", {"x": 1, "y": None}) == {"a": [1, "z", {"n": 1}]}
    assert mapped("a: [x, y]", {}) == []


def test_constants_are_texts_lists_and_objects(mapped):
    assert mapped("a: {const: {b: [1, no, ~], c: {d: x}}}", {}) == {"a": {"b": ["1", "no"], "c": {"d": "x"}}}
    assert mapped("a: {const: ~}\nb: x", {"x": 1}) == {"b": 1}


def test_a_name_in_quotes_is_a_field_whatever_it_says(mapped):
    assert mapped('"in": {\'each\': a, "x.y": a}', {"a": 1}) == {"in": {"each": 1, "x.y": 1}}


def test_dotted_names_reach_inside(mapped):
    assert mapped("a.b: x\na.c: y\na: {d: x}", {"x": 1, "y": 2}) == {"a": {"b": 1, "c": 2, "d": 1}}


def test_brackets_of_paths_need_no_quotes_inside_braces(mapped):
    text = "l: {each: a[?k in ['x', 'y']], map: {n: b[0].n, m: b[], o: c['odd key']}}"

    assert mapped(text, {"a": [{"k": "x", "b": [{"n": 1}], "c": {"odd key": 2}}, {"k": "z"}]}) == {
        "l": [{"n": 1, "m": [{"n": 1}], "o": 2}]
    }


def test_flat_rows_become_groups_in_the_order_of_their_first_row(mapped):
    text = """map: t
target: json
each: $[]
group_by: no
when: no != 'skip'
vars: {count: '@rows | count'}
fields:
  no: no
  buyer: name
  count: '@count'
  cheap: "@rows[?price < 5].sku | join(',')"
  last: '@rows[-1].sku'
  lines: {each: '@rows[]', map: {sku: sku, of: $.name, rank: rank}}
"""
    rows = [
        {"no": 2, "name": "Ida", "sku": "A", "price": "9"},
        {"no": "1", "name": "Rot", "sku": "B", "price": 1},
        {"no": "2", "sku": "C", "price": "4.5"},
        {"no": "skip", "sku": "D"},
    ]

    assert mapped(text, rows) == [
        {"no": 2, "buyer": "Ida", "count": 2, "cheap": "C", "last": "C",
         "lines": [{"sku": "A", "of": "Ida"}, {"sku": "C", "of": "Ida"}]},
        {"no": "1", "buyer": "Rot", "count": 1, "cheap": "B", "last": "B", "lines": [{"sku": "B", "of": "Rot"}]},
    ]  # fmt: skip


def test_a_page_becomes_a_document_per_element_whose_root_it_is(mapped):
    text = "map: t\ntarget: json\neach: data.orders[]\nwhen: not test\nfields: {id: $.id, shop: ^.shop, page: ^.data.page}"
    page = {"shop": "s", "data": {"page": 3, "orders": [{"id": 1}, {"id": 2, "test": True}, {"id": 3}]}}

    assert mapped(text, page) == [{"id": 1, "shop": "s", "page": 3}, {"id": 3, "shop": "s", "page": 3}]


LOOKUPS = """map: t
target: order/1
tables:
  pay: {open: unpaid, done: paid, void: ~}
  told: {open: unpaid, "*": unknown}
  rest: {x: online, "*": marketplace}
  drop: {x: customer, "*": ~}
fields:
  ref: id | str
  source_payment_status: pay | enum('pay')
  channel: chan | lookup('rest')
  cancel_reason: why | lookup('drop')
  attributes: {free: free | enum('pay'), none: free | lookup('pay'), told: free | lookup('told')}
"""


@pytest.mark.parametrize(
    ("payload", "doc", "notes"),
    [
        ({"pay": "done"}, {"source_payment_status": "paid"}, []),
        ({"pay": "void"}, {}, []),
        ({"pay": None}, {}, []),
        ({"pay": ""}, {}, []),
        ({"pay": "odd"}, {"source_payment_status": "unknown"}, [("pay", "odd", "source_payment_status")]),
        ({"pay": 5}, {"source_payment_status": "unknown"}, [("pay", "5", "source_payment_status")]),
        ({"chan": "y"}, {"channel": "marketplace"}, []),
        ({"why": "y"}, {}, []),
        ({"free": "y"}, {"attributes": {"free": "unknown", "told": "unknown"}},
         [("pay", "y", "attributes.free"), ("pay", "y", "attributes.none"), ("told", "y", "attributes.told")]),
    ],
)  # fmt: skip
def test_unknown_words_never_fail_and_are_told_once(payload, doc, notes, compiled):
    mapping = compiled(LOOKUPS)
    message = Message(body=b"{}")

    facts, found = mapping.facts_of({"id": 1, **payload}, message)

    assert facts[0].doc == {"ref": "1", **doc}
    assert found == [Unknown(table=table, value=value, field=field) for table, value, field in notes]


def test_the_same_unknown_word_of_many_lines_is_one_note(compiled):
    mapping = compiled(
        "map: t\ntarget: order/1\ntables: {k: {a: product}}\nfields:\n  ref: id | str\n"
        "  lines: {each: l[], map: {ref: n | str, kind: k | enum('k')}}"
    )

    facts, notes = mapping.facts_of(
        {"id": 1, "l": [{"n": 1, "k": "z"}, {"n": 2, "k": "z"}, {"n": 3, "k": "y"}]}, Message()
    )

    assert [note.value for note in notes] == ["z", "y"]
    assert {note.field for note in notes} == {"lines[].kind"}
    assert facts[0].doc["lines"] == [{"ref": "1"}, {"ref": "2"}, {"ref": "3"}]


def test_what_is_empty_is_absent_from_a_canonical_document(compiled):
    mapping = compiled(
        "map: t\ntarget: order/1\nfields:\n  ref: id | str\n  number: a\n  tags: t\n  attributes: {x: a, y: e}\n"
        "  buyer: {name: a, tax_ids: [{scheme: \"'vat'\", value: v}]}\n  ship_to: {country: {const: DE}, city: a}\n"
        "  bill_to: {country: {const: DE}}\n  test: {const: no}\n  totals: {total: {amount: m | dec, currency: c}}"
    )

    assert mapping.apply({"id": 1, "a": "", "t": ["", None], "e": {}, "c": "EUR"}, Message()) == [
        {"ref": "1", "attributes": {"x": ""}, "bill_to": {"country": "DE"}, "test": False}
    ]


def test_leaves_of_the_canon_take_any_kind_that_says_the_same(compiled):
    mapping = compiled(
        "map: t\ntarget: order/1\nfields:\n  ref: id | str\n  number: a\n  draft: b\n  tags: c\n  attributes: {n: n}\n"
        "  lines: {each: '[1]', map: {ref: \"'1'\", quantity: {ordered: 2}}}"
    )

    assert mapping.apply({"id": 1, "c": "x"}, Message())[0]["tags"] == ["x"]
    doc = mapping.facts(Message(body=b'{"id":1,"a":5.50,"b":"0","c":[1,null,"x"],"n":[1.5,{"m":null}]}'))[
        0
    ].doc
    assert doc == {
        "ref": "1", "number": "5.50", "draft": False, "tags": ["1", "x"], "attributes": {"n": ["1.5", {}]},
        "lines": [{"ref": "1", "quantity": {"ordered": "2"}}],
    }  # fmt: skip


def test_a_binary_fraction_that_a_reader_in_python_brings_along_is_refused(compiled):
    mapping = compiled("map: t\ntarget: order/1\nfields: {ref: id | str, attributes: {n: n}}")

    with pytest.raises(Unmapped, match=r"1\.5 is not an exact value"):
        mapping.apply({"id": 1, "n": [1.5]}, Message())

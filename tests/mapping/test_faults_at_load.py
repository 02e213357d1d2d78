"""A file with faults: all of them at once, each with its line and column."""

from __future__ import annotations

import pytest

FIELDS = "map: t\ntarget: order/1\nfields:\n  ref: id | str\n"


def test_all_faults_of_a_file_are_told_at_once_in_the_order_of_its_lines(faults):
    text = """map: a.b
target: order/1
vars:
  cur: currency | mony | upper
  loop: '@pool'
  pool: '@loop'
  idle: id
tables:
  t: {a: online, b: foo}
  t: {a: x}
  u: {q: z}
fields:
  ref: id | str | required
  nummer: x
  version: y
  number: name | lookup('nope')
  channel: a | lookup('t')
  priority: prio | lower
  placed_at: created_at
  totals: {total: total_price, tax: tax | money, due: "x | mul(1,2)"}
  tags: tags | split(',') | upper
  lines:
    each: items[
    map: {sku: sku, quantity: {ordered: qty}}
  shipping: {name: x}
  buyer: customer
  ship_to:
    in: address
    map: {name: ^.x, city: ^^.y}
    foo: bar
  source_name: #topic
  deleted: {const: maybe}
wrong: 1
"""

    assert faults(text) == [
        "4:3 variable '@cur' is never used",
        "4:19 unknown step 'mony'; did you mean 'money'?",
        "5:3 '@loop' runs in a circle",
        "5:3 variable '@loop' is never used",
        "6:10 no variable '@loop'",
        "7:3 variable '@idle' is never used",
        "10:3 duplicate key 't'",
        "11:3 table 'u' is never used",
        "14:3 order has no field 'nummer'; did you mean 'number'?",
        "15:3 'version' of order is the hub's own field",
        "16:25 no table 'nope'",
        (
            "17:16 'channel' cannot be 'x'; it is one of online, marketplace, pos, email, phone, sales_rep, edi, form, api, "
            "import"
        ),
        "18:20 'priority' is one of normal, urgent, critical: end with lookup(table) or enum(table)",
        "19:14 'placed_at' is a time: end with datetime, datetime_in, epoch or epoch_ms",
        "20:19 'total' is money: end with money(currency)",
        "20:43 'money' takes money(currency), not 0 argument(s)",
        "20:60 'due' is money: end with money(currency)",
        "20:60 'mul' takes mul(number), not 2 argument(s)",
        "21:29 'upper' takes text, not a list",
        "23:17 expected [0], ['key'], [] or [?test], not the end",
        "24:10 line needs 'ref'",
        "24:41 'ordered' is a decimal: end with dec",
        "25:13 'shipping' is a list: write `each:` and `map:`, or [ … ]",
        "26:10 'buyer' is an object: write its fields, or `in:` and `map:`",
        "29:28 there is no parent here: `^` leads out of an `each` or `in`",
        "30:5 'foo' cannot stand beside 'in'",
        "31:15 an expression is missing (a # after a space begins a comment: quote it)",
        "32:20 'maybe' is neither true nor false",
        (
            "33:1 unknown key 'wrong'; there are map target source extends remove format each group_by when full sequence "
            "account occurred_at vars tables fields tests"
        ),
    ]


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        (
            "currency: x | money('EUR')",
            "5:17 'currency' is a currency: end with currency, or a text of three capitals",
        ),
        ("test: x | split(',')", "5:13 'test' is true or false: end with bool"),
        ("number: x[]", "5:11 'number' is a text"),
        ("number: x | money('EUR')", "5:15 'number' is a text"),
        ("number: [a, b]", "5:11 'number' is not a list"),
        ("number: {a: b}", "5:11 'number' is one value, not an object"),
        ("number: {each: a, map: b}", "5:11 'number' is not a list"),
        ("tags: [\"a | split(',')\"]", "5:15 'tags' is a text"),
        ("lines: items", "5:10 'lines' is a list of objects: write `each:` and `map:`"),
        ("buyer: {each: a, map: {name: b}}", "5:10 'buyer' is not a list"),
        ("buyer: {in: a}", "5:10 `map:` is missing"),
        ("buyer: {in: [a], map: {name: b}}", "5:15 an expression stands here, not a list or an object"),
        ("buyer: {in: a, const: b}", "5:18 'const' cannot stand beside 'in'"),
        ("buyer: {if: a}", "5:10 `then:` is missing"),
        ("buyer: {merge: {name: a}}", "5:18 `merge:` takes a list of objects, for a field that is one"),
        ("buyer: {const: {name: a}}", "5:18 'buyer' is an object: write its fields, each a `const:`"),
        ("channel: {const: web}", "5:20 'web' is not one of online, marketplace"),
        ("channel: \"'web'\"", "5:13 'channel' cannot be 'web'; it is one of online"),
        ("channel: source ?? 'online'", "5:19 'channel' is one of online"),
        ("placed_at: {const: '2026-01-10'}", "5:22 '2026-01-10' is not a date and time"),
        ("requested_delivery: {date: d}", "5:30 'date' is a date: end with date"),
        ("attributes: {a: [b, {each: c}]}", "5:23 `map:` is missing"),
        ("lines: {each: a, group_by: '', map: {ref: b}}", "5:30 an expression is missing"),
        ("lines: {each: a, vars: [b], map: {ref: b}}", "5:26 `vars:` names expressions"),
        ("lines: {each: a, vars: {rows: b}, map: {ref: b}}", "5:27 'rows' is the rows of a group"),
        ("lines: {each: a, vars: {c: {}}, map: {ref: b}}", "5:30 a variable is an expression"),
        ("lines: {each: a, map: {ref: b, ref: c}}", "5:34 duplicate key 'ref'"),
        ("lines: [{sku: a}]", "5:11 line needs 'ref'"),
        ("shipments: [{refs: [], order: a}]", "5:15 shipment needs 'ref'"),
        ("note: x", "5:3 order has no field 'note'; did you mean 'notes'?"),
        ("number: ~", "5:11 an expression is missing"),
        ("number: *x", "not YAML: found undefined alias"),
        ("number: &x a", ""),
        ("? [a]\n  : b", "5:5 a name is a plain word"),
    ],
)
def test_a_field_that_cannot_be_right(line, fault, faults, compiled):
    if not fault:
        assert compiled(f"{FIELDS}  {line}\n")
        return
    assert any(fault in one for one in faults(f"{FIELDS}  {line}\n"))


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", "1:1 a mapping file begins with `map:`, `target:` and `fields:`"),
        ("- a", "1:1 a mapping file begins with `map:`, `target:` and `fields:`"),
        ("a: [", "2:1 not YAML: did not find expected node content"),
        ("a: b: c", "1:5 not YAML: mapping values are not allowed in this context"),
        ("map: a\n---\nmap: b", "2:1 not YAML: but found another document"),
        ("target: order/1\nfields: {ref: id}", "1:1 `map:` is missing"),
        ("map: [a]\ntarget: order/1\nfields: {ref: id}", "1:6 `map:` is one word"),
        ("map: a\nfields: {ref: id}", "1:1 `target:` is missing"),
        (
            "map: a\ntarget: order/2\nfields: {ref: id}",
            "2:9 no target 'order/2'; there are order/1, shipment/1",
        ),
        ("map: a\ntarget: order/1", "1:1 `fields:` is missing"),
        ("map: a\ntarget: order/1\nfields: {number: id}", "3:9 order needs 'ref'"),
        ("map: a\ntarget: payment/1\nfields: {amount: a | money('EUR')}", "3:9 payment needs 'ref'"),
        ("map: a\ntarget: tracking/1\nfields: {carrier: a}", "3:9 tracking needs 'ref' or 'number'"),
        (
            "map: a\ntarget: order/1\nformat: yml\nfields: {ref: id}",
            "3:9 `format:` is one of json, form, xml, csv",
        ),
        (
            "map: a\ntarget: order/1\nfull: [order, line]\nfields: {ref: id}",
            "3:15 no facet 'line'; there are none, bill_to",
        ),
        (
            "map: a\ntarget: order/1\nfull: {a: b}\nfields: {ref: id}",
            "3:7 `full:` lists facets, or says none",
        ),
        ("map: a\ntarget: order/1\nsequence: rev\nfields: {ref: id}", "3:11 `sequence:` has to end with int"),
        (
            "map: a\ntarget: order/1\noccurred_at: at\nfields: {ref: id}",
            "3:14 `occurred_at:` has to end with datetime",
        ),
        (
            "map: a\ntarget: order/1\ngroup_by: no\nfields: {ref: id}",
            "3:11 `group_by:` needs an `each:` beside it",
        ),
        ("map: a\ntarget: order/1\nvars: x\nfields: {ref: id}", "3:7 `vars:` names expressions"),
        ("map: a\ntarget: order/1\ntables: x\nfields: {ref: id}", "3:9 `tables:` names tables of words"),
        (
            "map: a\ntarget: order/1\ntables: {t: x}\nfields: {ref: id | lookup('t')}",
            "3:13 table 't' holds words",
        ),
        (
            "map: a\ntarget: order/1\ntables: {t: {a: [b]}}\nfields: {ref: id | lookup('t')}",
            "3:17 'a' of table 't' stands",
        ),
        (
            "map: a\ntarget: order/1\nfields: {ref: &a id, number: *a}",
            "3:15 anchors and aliases are not used here",
        ),
        ("map: a\ntarget: order/1\nfields: {ref: id}\ntests: {}", "4:8 `tests:` is a list"),
        (
            "map: a\ntarget: order/1\nfields: {ref: id}\ntests: [x]",
            "4:9 a test has an `input:` or a `fixture:`",
        ),
        (
            "map: a\ntarget: order/1\nfields: {ref: id}\ntests: [{input: x}]",
            "4:9 a test has `expect:`, `documents:` or",
        ),
        (
            "map: a\ntarget: order/1\nfields: {ref: id}\ntests: [{input: x, expekt: {}}]",
            "4:20 a test has no 'expekt'",
        ),
        ("map: a\n" + "# x\n" * 300_000, "1:1 the file is larger than 1 MB"),
        ("map: a\ntarget: json\nfields: " + "[" * 300 + "]" * 300, "nested deeper than 40 levels"),
    ],
)
def test_a_file_that_cannot_be_right(text, fault, faults):
    assert any(fault in one for one in faults(text))


def test_places_hold_over_folded_lines_quotes_brackets_and_other_scripts(faults):
    text = """map: a.b
target: order/1
fields:
  ref: id | str |
    mony |
    requird
  number: 'a | x(''b'') | foo'
  currency: "cur | bar"
  customer_note: "a \\" | foo"
  tags: 订单 | foo
  buyer: {name: a[0] | foo, email: b[?x == ']'] | foo}
  source_name: |
    a | foo
"""

    assert [fault.split(" ")[0] for fault in faults(text)] == [
        "5:5", "6:5", "7:16", "7:27", "8:20", "9:18", "10:14", "11:24", "11:36", "11:51", "12:16",
    ]  # fmt: skip


def test_the_words_of_yaml_are_texts_and_nothing_else(mapped):
    text = """map: t
target: json
tables:
  country: {NO: norway, 012: octal, 1_000: many, yes: "true", ~: nil}
fields:
  a: a | lookup('country')
  b: b | lookup('country')
  c: c | lookup('country')
  d: d | lookup('country')
  e: {const: no}
  f: {const: 2026-01-10}
"""

    assert mapped(text, {"a": "NO", "b": "012", "c": "1_000", "d": True}) == {
        "a": "norway", "b": "octal", "c": "many", "e": "no", "f": "2026-01-10",
    }  # fmt: skip

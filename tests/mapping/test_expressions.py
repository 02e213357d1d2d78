"""Paths and operators: what each means, over every kind of payload."""

from __future__ import annotations

import pytest

from hub.contract import Headers, Message, Misconfigured, Unmapped
from hub.contract.mapping import compile_expression

PAYLOAD = {
    "id": 7,
    "name": "L-1",
    "odd key": 1,
    "订单号": "42",
    "empty": "",
    "zero": 0,
    "no": False,
    "nothing": None,
    "customer": {"name": "Ida", "tags": ["a", "b"]},
    "items": [
        {"sku": "A", "n": 1, "p": [{"q": 1}, {"q": 2}]},
        {"sku": "B", "n": "2", "p": [{"q": 3}]},
        None,
        {"n": 3},
    ],
    "lone": {"sku": "L"},
    "map": {"in": "word", "and": 1},
}

MEANS = [
    ("id", 7),
    ("customer.name", "Ida"),
    ("customer.name.first", None),
    ("nothing.at.all", None),
    ("['odd key']", None),
    (".['odd key']", 1),
    ("$['odd key']", 1),
    ("订单号", "42"),
    ("map.in", "word"),
    ("map.and", 1),
    (".map.in", "word"),
    (".", PAYLOAD),
    ("$.name", "L-1"),
    ("items[0].sku", "A"),
    ("items[-1].n", 3),
    ("items[2]", None),
    ("items[9].sku", None),
    ("items[].sku", ["A", "B"]),
    ("items[].sku[0]", "A"),
    ("items[].p[].q", [1, 2, 3]),
    ("items[?n == 2].sku", ["B"]),
    ("items[?n > 1][0].sku", "B"),
    ("items[?sku == 'A' or n == 3][-1].n", 3),
    ("items[?sku == ^.lone.sku]", []),
    ("items[?p[?q == 3]].sku", ["B"]),
    ("lone[].sku", ["L"]),
    ("lone[0].sku", "L"),
    ("id[]", [7]),
    ("empty[]", []),
    ("nothing[]", []),
    ("customer.tags[1]", "b"),
    ("empty ?? name", "L-1"),
    ("nothing ?? empty ?? zero", 0),
    ("nothing ?? empty", None),
    ("no ?? name", False),
    ("empty ?? id | str", "7"),
    ("(empty | upper) ?? name", "L-1"),
    ("id == 7", True),
    ("id == '7'", True),
    ("id == '07.0'", True),
    ("name == 'L-1'", True),
    ("name != 'L-1'", False),
    ("订单号 == 42", True),
    ("'007' == '7'", False),
    ("('1.0' | dec) == ('1.00' | dec)", True),
    ("no == false", True),
    ("zero == false", False),
    ("id == true", False),
    ("nothing == null", True),
    ("customer == customer", True),
    ("id > 5", True),
    ("id >= '7.0'", True),
    ("id < 'x'", False),
    ("nothing < 5", False),
    ("customer > 5", False),
    ("'10' > '9'", True),
    ("'b' > 'a'", True),
    ("'2026-01-02' <= '2026-01-10'", True),
    ("id in [1, '7']", True),
    ("'a' in customer.tags", True),
    ("'-' in name", True),
    ("id in '172'", True),
    ("'name' in customer", True),
    ("nothing in name", False),
    ("customer in name", False),
    ("id in id", False),
    ("not nothing", True),
    ("not id", False),
    ("not id == 7", False),
    ("id and name", True),
    ("empty or zero or no", False),
    ("nothing and nope.x or id == 7 and not empty", True),
    ("true", True),
    ("null", None),
    ("-1.50 | str", "-1.50"),
    ("'it''s'", "it's"),
    ("[]", []),
    ("[id, 'x', [1]]", [7, "x", [1]]),
    ("items[?sku] | count", 2),
    ("items | count", 4),
    ("items[] | count", 3),
]


@pytest.mark.parametrize(("expression", "result"), MEANS)
def test_an_expression_means(expression, result):
    if expression == "['odd key']":
        result = ["odd key"]

    found = compile_expression(expression).value(PAYLOAD)

    assert found == result
    assert isinstance(found, bool) == isinstance(result, bool)


@pytest.mark.parametrize(("expression", "result"), MEANS)
def test_the_interpreter_says_the_same(expression, result):
    compiled = compile_expression(expression)

    assert compiled._slowly(PAYLOAD, PAYLOAD, Message()) == compiled.value(PAYLOAD)


def test_the_message_around_the_payload_can_be_named():
    message = Message(
        headers=Headers({"X-Topic": "orders"}), query="nonce=a%20b&x=", topic="t", zone="UTC", account="shop", currency="EUR",
        received_at=1768060800250000, path="/sub",
    )  # fmt: skip
    names = ["#header('x-topic')", "#header('none')", "#query('nonce')", "#query('x')", "#topic", "#zone", "#account",
             "#currency", "#received_at", "#path", "#method", "#transport"]  # fmt: skip

    found = [compile_expression(name).value({}, message=message) for name in names]

    assert found == [
        "orders", None, "a b", "", "t", "UTC", "shop", "EUR", "2026-01-10T16:00:00.250Z", "/sub", "POST", "webhook",
    ]  # fmt: skip
    assert compile_expression("#zone ?? #received_at").value({}) is None


def test_the_root_can_be_another_than_the_element():
    assert compile_expression("price > $.limit").holds({"price": "5"}, root={"limit": 3})


def test_an_expression_reads_a_messages_body():
    assert compile_expression("a[0].b", payload="form").of(Message(body=b"a=1")) is None
    assert compile_expression("a", payload="form").of(Message(body=b"a=1")) == "1"


def test_an_expression_that_fails_says_where():
    with pytest.raises(Unmapped, match=r"^rules\.toml:1:10: -: 'x' is not a decimal number$"):
        compile_expression("amount | dec", file="rules.toml").value({"amount": "x"})


@pytest.mark.parametrize(
    ("expression", "fault"),
    [
        ("", "1:1 expected a value, not the end"),
        ("a b", "1:3 expected '|' or the end, not 'b'"),
        ("a |", "1:4 expected a step after '|', not the end"),
        ("a | 'x'", "1:5 expected a step after '|', not 'x'"),
        ("a | mony", "1:5 unknown step 'mony'; did you mean 'money'?"),
        (
            "a | str ?? b",
            "1:9 expected '|' or the end, not '??'; a pipe before it stands in brackets: (a | step) ?? b",
        ),
        ("'a", "1:1 the text is not closed: a ' is missing"),
        ('a == "b"', "1:6 texts stand in single quotes"),
        ("a.", "1:3 expected a name after '.', not the end"),
        ("a[", "1:3 expected [0], ['key'], [] or [?test], not the end"),
        ("a[1.5]", "1:3 expected [0], ['key'], [] or [?test], not '1.5'"),
        ("a[?b", "1:5 expected ']', not the end"),
        ("(a", "1:3 expected ')', not the end"),
        ("a ~ b", "1:3 unexpected '~'"),
        ("17track", "1:1 not a number; a key that begins with a digit is written ['1st']"),
        ("#nope", "1:1 no '#nope' in a message"),
        ("#header(x)", "1:9 #header takes a name in quotes"),
        ("@x", "1:1 no variable '@x'"),
        ("^.x", "1:1 there is no parent here: `^` leads out of an `each` or `in`"),
        ("a[?^^.x]", "1:4 there is no parent here: `^` leads out of an `each` or `in`"),
        ("(" * 60 + "a" + ")" * 60, "1:51 nested deeper than 50 levels"),
        ("not " * 60 + "a", "1:197 nested deeper than 50 levels"),
        (" or ".join("a" * 60), "more than 50 operators in a row"),
        ("a" + " | trim" * 60, "more than 50 steps in one pipe"),
    ],
)
def test_what_cannot_be_read_is_told_with_its_column(expression, fault):
    with pytest.raises(Misconfigured) as caught:
        compile_expression(expression)

    assert fault in str(caught.value)

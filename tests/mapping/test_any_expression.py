"""Expressions drawn at random: run either way, over the plain tree or the typed payload, they mean the same."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import msgspec
from hypothesis import given, settings, strategies as st

from hub.contract import Message, Misconfigured, Unmapped
from hub.contract.mapping import compile_mapping
from hub.contract.mapping.paths import Lone
from hub.contract.mapping.place import Unfit

KEYS = ["a", "b", "c"]
STEPS = [
    "str", "trim", "upper", "dec", "int", "sum", "count", "first", "last", "compact", "unique", "sort", "keys", "values",
    "entries", "is_null", "default('d')", "default(^.a)", "has('a')", "get('b')", "get(0)", "join('-')", "split('x')",
    "concat('-', b)", "concat(c)", "add(1)", "mul(b)", "required", "bool", "slice(0, 2)", "money('EUR')", "min", "json",
]  # fmt: skip

parts = st.lists(
    st.sampled_from(
        [".a", ".b", ".c", "[]", "[0]", "[-1]", "[?a]", "[?a == ^.b]", "[?b > 1]", "[?.a[?c]]", "['a']"]
    ),
    max_size=4,
).map("".join)
paths = st.builds(str.__add__, st.sampled_from([".a", ".b", "$.c", "$", "^.a", "^", ".", "@v"]), parts).map(
    lambda path: path.replace("..", ".")
)
atoms = paths | st.sampled_from(["'x'", "1", "2.5", "true", "null", "['x', 1]", "a", "b", "c"])
expressions = st.recursive(
    atoms,
    lambda inner: st.one_of(
        st.builds(lambda a, b: f"({a} ?? {b})", inner, inner),
        st.builds(
            lambda a, sign, b: f"({a} {sign} {b})",
            inner,
            st.sampled_from(["==", "!=", "<", ">=", "in"]),
            inner,
        ),
        st.builds(lambda a, word, b: f"({a} {word} {b})", inner, st.sampled_from(["and", "or"]), inner),
        st.builds(lambda a: f"(not {a})", inner),
        st.builds(
            lambda a, steps: f"({' | '.join([a, *steps])})",
            inner,
            st.lists(st.sampled_from(STEPS), min_size=1, max_size=3),
        ),
    ),
    max_leaves=5,
)
payloads = st.recursive(
    st.sampled_from([None, "", 0, 1, 2, 2.5, True, False, "x", "1", "2.50"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=3),
    max_leaves=12,
)

SHAPE = """map: t
target: json
vars: {{v: a}}
fields:
  used: "@v"
  here: {{in: b ?? $, map: {{x: "{0}", all: {{each: "c[]", map: {{y: "{1}"}}}}}}}}
  typed: {{in: b, map: {{x: "{1}"}}}}
  list: {{each: "{2}", when: "{3}", map: [{{n: "{0}"}}, a]}}
  groups: {{each: "c", group_by: a, map: {{k: "{1}", rows: "@rows | count", as: "@rows[?{3}].a"}}}}
"""


def outcome(run: Any, *arguments: Any) -> Any:
    try:
        return [one[0] for one in run(*arguments, [])]
    except (Unfit, Unmapped):
        return "a fault"


@settings(max_examples=400)
@given(drawn=st.tuples(expressions, expressions, expressions, expressions), payload=payloads)
def test_any_expression_means_the_same_either_way(drawn, payload):
    try:
        mapping = compile_mapping(SHAPE.format(*drawn), file="t.yaml")
    except Misconfigured as error:
        assert all("cannot be" in fault or "takes" in fault or "no parent" in fault for fault in error.faults)
        return
    message = Message(body=json.dumps(payload).encode())
    tree = mapping.decode(message)

    slow = outcome(mapping.engine.traced, tree, message)

    assert outcome(mapping.engine.over_tree, tree, message) == slow
    with contextlib.suppress(Lone, msgspec.ValidationError):
        assert outcome(mapping.engine.quick, message) == slow

"""The generated function and the interpreter mean the same, whatever is sent."""

from __future__ import annotations

import contextlib
import copy
import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import example, given, settings, strategies as st

from hub.contract import Message, Unmapped, Unreadable
from hub.contract.canon import Order
from hub.contract.mapping import Mapping, Unknown, compile_mapping
from hub.contract.mapping.paths import Lone
from hub.contract.mapping.place import Unfit

FIXTURES = Path(__file__).parent / "fixtures"
NAMES = ["lamps.order", "everything"]


def load(name: str) -> tuple[Mapping, Any]:
    file = FIXTURES / f"{name}.yaml"
    return compile_mapping(file.read_text(), file=file.name), json.loads(
        (FIXTURES / f"{name}.json").read_text()
    )


LOADED = {name: load(name) for name in NAMES}

ODD = [
    None, "", [], {}, 0, 1, -3, 2.5, True, False, "x", "a", "b", "19,95", "7.50", " 8 ", [None], [[]], [{}], {"a": {}},
    [[1, 2], {"n": 1}], {"n": 4, "price": "2"}, ["z", {"text": "t"}], 12345678901234567890123, 19.949999999999999,
    "2026-01-10T16:00:00Z", "EUR", "€uro", "NaN", 1e30, "0000-00-00 00:00:00", {"#text": "5"}, "x" * 300,
]  # fmt: skip


def spots(value: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [at, *(spot for key, one in inner for spot in spots(one, (*at, key)))]


def spoiled(payload: Any, changes: list[tuple[int, Any]]) -> Any:
    payload = copy.deepcopy(payload)
    for number, value in changes:
        found = spots(payload)
        *way, last = found[number % len(found)] or (None,)
        if last is None:
            payload = copy.deepcopy(value)
            continue
        inner = payload
        for key in way:
            inner = inner[key]
        inner[last] = copy.deepcopy(value)
    return payload


changes = st.lists(st.tuples(st.integers(0, 400), st.sampled_from(ODD)), max_size=4)


def outcome(run: Any, *arguments: Any) -> Any:
    notes: list[Unknown] = []
    try:
        return [(one[0], one[1]) for one in run(*arguments, notes)], notes
    except (Unfit, Unmapped):
        return "a fault"


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=150)
@example(changes=[(183, None), (83, "x")])
@example(changes=[(395, 1e30), (191, []), (116, None)])
@given(changes=changes)
def test_both_ways_give_the_same_documents_and_notes_or_the_same_fault(name, changes):
    mapping, payload = LOADED[name]
    message = Message(body=json.dumps(spoiled(payload, changes)).encode())
    tree = mapping.decode(message)

    slow = outcome(mapping.engine.traced, tree, message)

    assert outcome(mapping.engine.over_tree, tree, message) == slow
    with contextlib.suppress(
        Lone, msgspec.ValidationError
    ):  # what the types cannot tell is left to the plain tree
        assert outcome(mapping.engine.quick, message) == slow


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=150)
@given(changes=changes)
def test_whatever_is_sent_there_are_facts_or_a_reason_with_a_place(name, changes):
    mapping, payload = LOADED[name]
    message = Message(body=json.dumps(spoiled(payload, changes)).encode())

    try:
        facts = mapping.facts(message)
    except Unmapped as error:
        assert error.place.line
        assert error.place.field
        assert str(error).startswith(
            f"{name}.yaml:{error.place.line}:{error.place.column}: {error.place.field}: "
        )
    else:
        assert all(msgspec.convert(fact.doc, Order) for fact in facts)
        assert all(fact.ref for fact in facts)


@settings(max_examples=200)
@given(body=st.binary(max_size=40) | st.text(max_size=20).map(str.encode))
def test_any_bytes_are_read_or_refused(body):
    mapping, _ = LOADED["lamps.order"]

    with pytest.raises((Unreadable, Unmapped)):
        mapping.facts(Message(body=body))


@pytest.mark.parametrize("name", NAMES)
def test_a_trace_holds_every_leaf_of_the_document_with_its_source(name):
    mapping, payload = LOADED[name]
    message = Message(body=json.dumps(payload).encode())

    traces = mapping.trace(message)

    fact = mapping.facts(message)[0]
    assert {trace.field: trace.value for trace in traces}["ref"] is not None
    assert all(trace.line and trace.file == f"{name}.yaml" for trace in traces)
    assert "totals" not in fact.doc or any(trace.source == "sums.total" for trace in traces)

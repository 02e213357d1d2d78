"""What is said badly: a payload with something lost, swapped or nested gives facts or a rejection that says
why, never another exception, and never a fact of another shape."""

from __future__ import annotations

import copy
import json
from typing import Any
from urllib.parse import parse_qsl, urlencode

import msgspec
from hypothesis import given, settings, strategies as st

from hub.contract import Message, Rejected
from tests.channels.case import Case, assert_canonical

JUNK = [
    None, True, -1, 0, 2**53 + 1, 10**40, 1e-20, 19.989999999999998, "", " ", "19,95", "null", "nan", "\0", "\ud800x",
    "2026-13-45T25:61:00Z", "2026-01-10 16:00:00", "x" * 30_000, "🧥", [], {}, [None], [[]], {"": None}, [{}, 1, "x"],
]  # fmt: skip
"""What far sides have been seen to send where something else was meant."""


@settings(max_examples=40)
@given(data=st.data())
def test_a_mutated_payload_gives_facts_or_a_rejection(case: Case, data: st.DataObject):
    body = mutated_body(case.fixture.message, data)
    message = msgspec.structs.replace(case.fixture.message, body=body)
    try:
        facts = case.read(opened(case, message))
    except Rejected as error:
        assert str(error)
    else:
        for read in facts or []:
            assert_canonical(read)


def opened(case: Case, message: Message) -> Message:
    """The topic stays the fixture's own: it is the reader that is tried, not the look-up."""
    if case.channel.open and case.pushed:
        signed = msgspec.structs.replace(case.signed(message=message), topic=case.topic)
        message = case.channel.open(signed, case.settings)
    return msgspec.structs.replace(message, topic=case.topic)


def mutated_body(message: Message, data: st.DataObject) -> bytes:
    """JSON is mutated as JSON, a form by its values (JSON inside one as JSON), anything else by its bytes."""
    tree = tree_of(message.body)
    if tree is not None:
        return mutated_json(tree, data)
    if "form" in message.headers.get("content-type", ""):
        return mutated_form(message, data)
    return mutated_bytes(message.body, data)


def tree_of(body: bytes) -> Any:
    try:
        tree = json.loads(body)
    except ValueError:
        return None
    return tree if isinstance(tree, dict | list) and tree else None


def mutated_json(tree: Any, data: st.DataObject) -> bytes:
    tree = copy.deepcopy(tree)
    for _ in range(data.draw(st.integers(1, 3))):
        places = list(places_in(tree))
        if not places:
            break
        holder, key = data.draw(st.sampled_from(places))
        change = data.draw(st.sampled_from(["drop", "junk", "list", "object", "text"]))
        if change == "drop":
            del holder[key]
        else:
            holder[key] = changed(holder[key], change, data)
    return json.dumps(tree).encode()


def changed(value: Any, change: str, data: st.DataObject) -> Any:
    if change == "junk":
        return copy.deepcopy(data.draw(st.sampled_from(JUNK)))
    return {"list": [value], "object": {"value": value}, "text": json.dumps(value)}[change]


def places_in(tree: Any) -> Any:
    items = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    for key, value in items:
        yield tree, key
        yield from places_in(value)


def mutated_form(message: Message, data: st.DataObject) -> bytes:
    pairs = dict(parse_qsl(message.body.decode(), keep_blank_values=True))
    name = data.draw(st.sampled_from(sorted(pairs)))
    tree = tree_of(pairs[name].encode())
    if tree is not None and data.draw(st.booleans()):
        pairs[name] = mutated_json(tree, data).decode()
    else:
        pairs[name] = data.draw(st.sampled_from(["", "null", "[]", "{", "\0", "x" * 5_000]))
    return urlencode(pairs).encode()


def mutated_bytes(body: bytes, data: st.DataObject) -> bytes:
    place = st.integers(0, len(body))
    one, other, put = data.draw(st.tuples(place, place, st.binary(max_size=8)))
    return body[: min(one, other)] + put + body[max(one, other) :]

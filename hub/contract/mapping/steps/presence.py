"""Steps that look at whether there is anything."""

from __future__ import annotations

from typing import Any

from hub.contract.mapping.place import Missing
from hub.contract.mapping.steps.registry import LIST, OBJECT, SCALAR, Parameter, Step, literal
from hub.contract.mapping.steps.scalars import text_of


def empty(value: Any) -> bool:
    """Null, an empty text, an empty list or an empty object."""
    return value is None or value == "" or value == [] or value == {}


def required(value: Any) -> Any:
    """The value, or the message fails."""
    if empty(value):
        raise Missing
    return value


def default(value: Any, other: Any) -> Any:
    """The value, or the other one where it is null or empty."""
    return other if empty(value) else value


def has(value: Any, key: Any) -> bool:
    """Whether an object has a member that is not null."""
    return isinstance(value, dict) and value.get(text_of(key)) is not None


_IN = SCALAR | LIST | OBJECT
STEPS = (
    Step("required", "presence", required, "the value; null or empty fails the message", _IN, "same", sees_null=True,
         examples=(("'a' | required", "a"),)),
    Step("default", "presence", default, "another value where it is null or empty", _IN, "same",
         (Parameter("other", _IN),), sees_null=True, examples=(("null | default('EUR')", "EUR"),)),
    Step("is_null", "presence", empty, "whether it is null or empty", _IN, "bool", sees_null=True,
         examples=(("'' | is_null", "true"),)),
    Step("has", "presence", has, "whether an object has a member that is not null", _IN, "bool",
         (literal("key"),), sees_null=True, examples=(("null | has('id')", "false"),)),
)  # fmt: skip

"""What a mapping aims at: the fields of the canonical structs, by the kind of each."""

from __future__ import annotations

import types
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import msgspec

from hub.contract import canon

ScalarKind = Literal[
    "text", "key", "decimal", "currency", "country", "time", "date", "bool", "integer", "choice"
]


@dataclass(frozen=True, slots=True)
class Scalar:
    """A leaf; `choices` are the words of an enumeration."""

    kind: ScalarKind
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Record:
    """An object of the canon; `name` as its struct, `needs` the fields that it cannot be without."""

    name: str
    fields: dict[str, Target]
    needs: frozenset[str]
    held: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Many:
    """A list."""

    item: Target


@dataclass(frozen=True, slots=True)
class Free:
    """Any shape: `attributes`, and the whole of `target: json`."""


Target = Scalar | Record | Many | Free

JSON = "json"
TARGETS = (*canon.TARGETS, JSON)

_SCALARS: tuple[tuple[Any, ScalarKind], ...] = (
    (canon.Text, "text"),
    (canon.Key, "key"),
    (canon.Decimal, "decimal"),
    (canon.Currency, "currency"),
    (canon.Country, "country"),
    (canon.Time, "time"),
    (canon.Date, "date"),
    (str, "text"),
    (bool, "bool"),
    (int, "integer"),
)


def target(name: str) -> Record | Free | None:
    """The shape of a target by its name (`order/1`), None where there is none."""
    word, _, version = name.partition("/")
    if word == JSON:
        return Free()
    struct = canon.TARGETS.get(word)
    return _record(struct) if struct is not None and version in ("", "1") else None


@cache
def _record(struct: type[msgspec.Struct]) -> Record:
    hints = get_type_hints(struct, localns=dict(vars(canon)), include_extras=True)
    fields = {field.encode_name: _target(hints[field.name]) for field in msgspec.structs.fields(struct)}
    needs = frozenset(field.encode_name for field in msgspec.structs.fields(struct) if field.required)
    held = canon.HELD if struct is canon.Order else frozenset()
    return Record(struct.__name__, fields, needs, held)


def _target(hint: Any) -> Target:
    if get_origin(hint) in (Union, types.UnionType):
        hint = next(one for one in get_args(hint) if one is not types.NoneType)
    for known, kind in _SCALARS:
        if hint == known:
            return Scalar(kind)
    if get_origin(hint) is Literal:
        return Scalar("choice", get_args(hint))
    if get_origin(hint) is list:
        return Many(_target(get_args(hint)[0]))
    if get_origin(hint) is dict or hint is Any:
        return Free()
    return _record(hint)

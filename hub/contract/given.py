"""What an operator gave, as a channel's settings: every fault at once, each with its field."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from functools import cache
from typing import Any, TypeVar, get_type_hints

import msgspec

from hub.contract.errors import Misconfigured
from hub.contract.settings import Settings

S = TypeVar("S", bound=Settings)


def read_settings(kind: type[S], given: Mapping[str, Any]) -> S:
    """The settings in what was given; Misconfigured names every missing, unknown and ill-typed one.

    `msgspec.convert` would stop at the first.
    """
    hints = _hints(kind)
    faults = [_unknown(name, list(hints)) for name in given if name not in hints]
    values: dict[str, Any] = {}
    for field in _fields(kind):
        if field.name in given:
            try:
                values[field.name] = msgspec.convert(given[field.name], hints[field.name])
            except msgspec.ValidationError as error:
                faults.append(f"{field.name}: {error}")
        elif field.required:
            faults.append(f"{field.name}: required")
    if faults:
        raise Misconfigured(faults)
    try:
        return kind(**values)
    except ValueError as error:  # what does not go together, a line each
        raise Misconfigured(str(error).splitlines()) from error


@cache
def _fields(kind: type[Settings]) -> tuple[msgspec.structs.FieldInfo, ...]:
    return msgspec.structs.fields(kind)


@cache
def _hints(kind: type[Settings]) -> dict[str, Any]:
    return get_type_hints(kind, include_extras=True)


def _unknown(name: str, known: list[str]) -> str:
    near = get_close_matches(name, known, n=1)
    return f"{name}: no such setting" + (
        f", is {near[0]} meant?" if near else f"; there are {', '.join(known)}"
    )

"""Misfits: what is said of a body or a query that does not have the shape that it should, with what would have fitted."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from typing import Any

from msgspec import inspect

from hub.http.problems import Problem, invalid

_NAMED = re.compile(r"(required|unknown) field `([^`]+)`")
_NONE_OF = re.compile(r"Invalid (?:enum )?value (.+)")
_STEP = re.compile(r"\.(\w+)|\[[^\]]*\]")


def misfit(told: str, shape: Any) -> Problem:
    """422 for what msgspec says of a body for this shape: the field by its path, the reason, and what there is."""
    reason, _, where = told.partition(" - at `")
    path = where.removeprefix("key` in `").rstrip("`").removeprefix("$").removeprefix(".")
    named = _NAMED.search(reason)
    if named:
        known = sorted(set(_members(shape, path)))
        text = "is required" if named[1] == "required" else f"no such field{_instead(named[2], known)}"
        return invalid(text, ".".join(part for part in (path, named[2]) if part))
    value = _NONE_OF.fullmatch(reason)
    allowed = sorted({*_choices(shape, path), *_tags(shape, path)}) if value else []
    if value and allowed:
        return invalid(f"{value[1]} is none of {', '.join(allowed)}", path)
    return invalid(reason, path)


def check_query(given: Iterable[str], known: list[str]) -> None:
    """422 where a request asks by a parameter that this operation does not take: passed over, a filter with a slip in
    its name would let everything through."""
    for name in given:
        if name not in known:
            what = _instead(name, sorted(known)) or "; it takes none"
            raise invalid(f"no such parameter{what}", name)


def _instead(name: str, known: list[str]) -> str:
    near = get_close_matches(name, known, n=1)
    return f", is {near[0]} meant?" if near else f"; there are {', '.join(known)}" if known else ""


def _members(shape: Any, path: str) -> Iterator[str]:
    """The fields of the objects that may stand at a path."""
    for one in _at(shape, path):
        if isinstance(one, inspect.StructType):
            yield from (field.encode_name for field in one.fields)
            yield from [one.tag_field] if one.tag_field else []


def _choices(shape: Any, path: str) -> Iterator[str]:
    """The words that may stand at a path."""
    for one in _at(shape, path):
        if isinstance(one, inspect.LiteralType):
            yield from map(str, one.values)


def _tags(shape: Any, path: str) -> Iterator[str]:
    """The tags that may stand at a path: they tell which of several objects it is."""
    parent, _, last = path.rpartition(".")
    for one in _at(shape, parent):
        if isinstance(one, inspect.StructType) and one.tag_field == last:
            yield str(one.tag)


def _at(shape: Any, path: str) -> list[inspect.Type]:
    """Every type that may stand at a path: a union is each of its own."""
    found = list(_each([inspect.type_info(shape)]))
    for step in _STEP.finditer(path if path.startswith("[") else f".{path}" if path else ""):
        found = list(_each(_below(found, step[1])))
    return found


def _below(types: Iterable[inspect.Type], name: str | None) -> Iterator[inspect.Type]:
    for one in types:
        if isinstance(one, inspect.StructType):
            yield from (field.type for field in one.fields if field.encode_name == name)
        elif name is None and isinstance(one, inspect.CollectionType):
            yield one.item_type
        elif name is None and isinstance(one, inspect.DictType):
            yield one.value_type


def _each(types: Iterable[inspect.Type]) -> Iterator[inspect.Type]:
    for one in types:
        if isinstance(one, inspect.Metadata):
            yield from _each([one.type])
        elif isinstance(one, inspect.UnionType):
            yield from _each(one.types)
        else:
            yield one

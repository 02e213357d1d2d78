"""Misfits: what is said of a body or a query that does not have the shape that it should, with what would have fitted."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from typing import Any, Protocol

import msgspec
from msgspec import inspect

from hub.http.problems import Problem, invalid
from hub.http.words import FITS


class Asked(Protocol):
    """A parameter that an operation takes."""

    @property
    def name(self) -> str: ...
    @property
    def type(self) -> type: ...
    @property
    def words(self) -> tuple[str, ...]: ...
    @property
    def several(self) -> bool: ...


_NAMED = re.compile(r"(required|unknown) field `([^`]+)`")
_NONE_OF = re.compile(r"Invalid (?:enum )?value (.+)")
_STEP = re.compile(r"\.(\w+)|\[([^\]]*)\]")
_KEY = "key` in `"
_SHOWN = 100
_SEARCHED = 1 << 20
"""How long a body may be that is read again for the name that is wrong in it."""


def misfit(told: str, shape: Any, body: bytes = b"") -> Problem:
    """422 for what msgspec says of a body for this shape: the field by its path, the reason, and what there is."""
    reason, _, where = told.partition(" - at `")
    key = where.startswith(_KEY)
    path = where.removeprefix(_KEY).rstrip("`").removeprefix("$").removeprefix(".")
    if fits := list(dict.fromkeys(_fitting(shape, path, key=key))) if " matching regex " in reason else []:
        reason = " or ".join(fits)
    place = _place(told, shape, body, path, key=key) if key or "[...]" in path else path
    return _told(reason, place, path, shape)


def _told(reason: str, place: str, path: str, shape: Any) -> Problem:
    named = _NAMED.search(reason)
    if named:
        known = sorted(set(_members(shape, path)))
        text = "is required" if named[1] == "required" else f"no such field{_instead(named[2], known)}"
        return invalid(text, ".".join(part for part in (place, named[2]) if part))
    value = _NONE_OF.fullmatch(reason)
    allowed = sorted({*_choices(shape, path), *_tags(shape, path)}) if value else []
    if value and allowed:
        return invalid(f"{value[1]} is none of {', '.join(allowed)}", place)
    return invalid(reason, place)


def _fitting(shape: Any, path: str, *, key: bool) -> Iterator[str]:
    """What the patterns at a path say of themselves; of an object's own names with `key`."""
    found = _held(shape, path)
    if key:
        found = [one.key_type for one in _each(found) if isinstance(one, inspect.DictType)]
    while found:
        one = found.pop(0)
        if isinstance(one, inspect.Metadata):
            yield from [one.extra[FITS]] if one.extra and FITS in one.extra else []
            found.append(one.type)
        elif isinstance(one, inspect.UnionType):
            found += one.types


def _place(told: str, shape: Any, body: bytes, path: str, *, key: bool) -> str:
    """A path with the names that stand in the body where msgspec says `[...]`, or of which it says that they are
    wrong; the path as it is where that cannot be found out."""
    if not 0 < len(body) <= _SEARCHED:
        return path
    try:
        doc: Any = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return path
    here, said = doc, ""
    for step in [
        *_STEP.finditer(f".{path}" if path[:1] not in ("", "[") else path),
        *([None] if key else []),
    ]:
        if step is not None and step[2] not in (None, "..."):
            here, said = here[int(step[2])], f"{said}{step[0]}"
            continue
        name = step[1] if step is not None and step[1] else _culprit(told, shape, doc, here)
        here, said = here[name], f"{said}.{_legible(name[:_SHOWN])}"
    return said.removeprefix(".")


def _legible(name: str) -> str:
    return "".join(one if one.isprintable() else ascii(one)[1:-1] for one in name)


def _culprit(told: str, shape: Any, doc: Any, here: dict[str, Any]) -> str:
    """The name in an object of the document of which this was told: its members are halved until one is left."""
    left = list(here.items())
    while len(left) > 1:
        here.clear()
        here.update(left[: len(left) // 2])
        left = left[: len(left) // 2] if _says(doc, shape) == told else left[len(left) // 2 :]
    here.clear()
    here.update(left)
    return left[0][0]


def _says(doc: Any, shape: Any) -> str:
    try:
        msgspec.json.decode(msgspec.json.encode(doc), type=shape)
    except msgspec.ValidationError as error:
        return str(error)
    return ""


def check_query(given: Iterable[tuple[str, str]], params: Iterable[Asked]) -> None:
    """422 where a request asks by a parameter that this operation does not take, by one twice, or for a word that
    there is not: passed over, a filter with a slip in it would let everything through, or nothing."""
    known, seen = {one.name: one for one in params}, set()
    for name, value in given:
        if name not in known:
            what = _instead(name, sorted(known)) or "; it takes none"
            raise invalid(f"no such parameter{what}", name)
        if name in seen:
            raise invalid(f"stands there twice{'; several by comma' if known[name].several else ''}", name)
        seen.add(name)
        check_word(value, known[name])


def check_word(value: str, param: Asked) -> None:
    """422 where a parameter knows its words, and this is none of them."""
    words = ("0", "1") if param.type is bool else param.words
    if value and words and value not in words:
        told = "neither 0 nor 1" if param.type is bool else f"none of {', '.join(words)}"
        raise invalid(f"{value!r} is {told}", param.name, allowed=list(words))


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
    return list(_each(_held(shape, path)))


def _held(shape: Any, path: str) -> list[inspect.Type]:
    """Every type at a path as it was written."""
    found = [inspect.type_info(shape)]
    for step in _STEP.finditer(path if path.startswith("[") else f".{path}" if path else ""):
        found = list(_below(_each(found), step[1]))
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

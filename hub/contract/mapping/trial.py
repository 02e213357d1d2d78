"""The tests that stand in a mapping file: an input, and what becomes of it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from json import dumps
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hub.contract.errors import Rejected
from hub.contract.mapping.document import Branch, Row, Twig, Word
from hub.contract.mapping.place import Faults, Spot
from hub.contract.mapping.steps.scalars import text_of
from hub.contract.message import Headers, Message

if TYPE_CHECKING:
    from hub.contract.mapping.mapping import Mapping

_KEYS = ("name", "input", "fixture", "headers", "query", "topic", "zone", "currency", "account", "documents", "expect",
         "error")  # fmt: skip
_PLAIN_JSON = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?|true|false|null").fullmatch


@dataclass(frozen=True, slots=True)
class Case:
    """One test: a message made of `input` or of the file `fixture`, then fields expected or an error."""

    name: str
    spot: Spot
    message: Message = field(repr=False)
    fixture: str = ""
    expect: tuple[tuple[str, str | None, Spot], ...] = ()
    documents: tuple[int, Spot] | None = None
    error: tuple[str, Spot] | None = None


@dataclass(frozen=True, slots=True)
class Failure:
    """A test that does not hold, with the line that says what was expected."""

    case: str
    file: str
    line: int
    column: int
    reason: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}: {self.case}: {self.reason}"


def run_tests(mapping: Mapping, fixtures: Path | None = None) -> list[Failure]:
    """The tests of a mapping that fail; `fixtures` is the folder of the files that they name."""
    return [
        Failure(case.name, *spot, reason)
        for case in mapping.tests
        for spot, reason in _judged(mapping, case, fixtures)
    ]


def _judged(mapping: Mapping, case: Case, fixtures: Path | None) -> Iterator[tuple[Spot, str]]:
    try:
        message = _message(case, fixtures)
    except OSError as error:
        yield case.spot, f"cannot read the fixture {case.fixture}: {error.strerror}"
        return
    try:
        docs = mapping.apply(mapping.decode(message), message)
    except Rejected as error:
        if case.error is None:
            yield case.spot, f"fails: {error}"
        elif case.error[0] not in str(error):
            yield case.error[1], f"fails with another error: {error}"
        return
    if case.error is not None:
        yield case.error[1], f"expected the error {case.error[0]!r}, there was none"
    elif case.documents is not None and len(docs) != case.documents[0]:
        yield case.documents[1], f"expected {case.documents[0]} document(s), there are {len(docs)}"
    yield from _differences(docs, case)


def _differences(docs: list[Any], case: Case) -> Iterator[tuple[Spot, str]]:
    for path, wanted, spot in case.expect:
        found = _shown(_at(docs, path))
        if found != wanted:
            yield spot, f"{path}: expected {_quoted(wanted)}, got {_quoted(found)}"


def _at(docs: list[Any], path: str) -> Any:
    """What stands at a dotted path (`lines[0].sku`) of the first document, or of `[1]` of them."""
    value: Any = docs if path.startswith("[") else docs[0] if docs else None
    for name, number in re.findall(r"([^.\[\]]+)|\[(-?\d+)\]", path):
        if name:
            value = value.get(name) if isinstance(value, dict) else None
        else:
            inside = isinstance(value, list) and -len(value) <= int(number) < len(value)
            value = value[int(number)] if inside else None
    return value


def _shown(value: Any) -> str | None:
    if value is None:
        return None
    return (
        dumps(value, ensure_ascii=False, sort_keys=True) if isinstance(value, dict | list) else text_of(value)
    )


def _quoted(text: str | None) -> str:
    return "nothing" if text is None else repr(text)


def _message(case: Case, fixtures: Path | None) -> Message:
    if not case.fixture:
        return case.message
    body = (Path(fixtures or ".") / case.fixture).read_bytes()
    known = case.message
    return Message(body=body, headers=known.headers, query=known.query, topic=known.topic, zone=known.zone,
                   currency=known.currency, account=known.account)  # fmt: skip


def cases(twig: Twig, faults: Faults) -> tuple[Case, ...]:
    """The tests of a file, their own faults noted."""
    if not isinstance(twig, Row):
        faults.add(twig.spot, "`tests:` is a list")
        return ()
    return tuple(
        _case(item, number, faults) for number, item in enumerate(twig.items, 1) if _is_case(item, faults)
    )


def _is_case(twig: Twig, faults: Faults) -> bool:
    if not isinstance(twig, Branch):
        faults.add(twig.spot, "a test has an `input:` or a `fixture:`, and `expect:` or `error:`")
        return False
    for name, key in twig.keys.items():
        if name not in _KEYS:
            faults.add(key.spot, f"a test has no '{name}'; there are {' '.join(_KEYS)}")
    if ("input" in twig.items) == ("fixture" in twig.items):
        faults.add(twig.spot, "a test has either an `input:` or a `fixture:`")
    if not {"expect", "error", "documents"} & twig.items.keys():
        faults.add(twig.spot, "a test has `expect:`, `documents:` or `error:`")
    return True


def _case(twig: Twig, number: int, faults: Faults) -> Case:
    branch = twig if isinstance(twig, Branch) else Branch(twig.spot, {}, {})
    text = {name: item.text for name, item in branch.items.items() if isinstance(item, Word)}
    headers = branch.get("headers")
    message = Message(
        body=_body(branch.get("input")),
        headers=Headers(_words(headers)) if headers else Headers(),
        query=text.get("query", ""),
        topic=text.get("topic", ""),
        zone=text.get("zone", ""),
        currency=text.get("currency", ""),
        account=text.get("account", ""),
    )
    name, error = text.get("name", f"test {number}"), branch.get("error")
    wrong = (error.text, error.spot) if isinstance(error, Word) else None
    expect, many = _expected(branch.get("expect"), faults), _documents(branch.get("documents"), faults)
    return Case(name, branch.spot, message, text.get("fixture", ""), expect, many, wrong)


def _documents(twig: Twig | None, faults: Faults) -> tuple[int, Spot] | None:
    if isinstance(twig, Word) and twig.text.isdecimal():
        return int(twig.text), twig.spot
    if twig is not None:
        faults.add(twig.spot, "`documents:` is a number")
    return None


def _expected(twig: Twig | None, faults: Faults) -> tuple[tuple[str, str | None, Spot], ...]:
    if twig is None:
        return ()
    if not isinstance(twig, Branch):
        faults.add(twig.spot, "`expect:` names fields and their texts")
        return ()
    return tuple(_leaves(twig, ""))


def _leaves(branch: Branch, above: str) -> Iterator[tuple[str, str | None, Spot]]:
    for name, item in branch.items.items():
        path = f"{above}.{name}" if above else name
        if isinstance(item, Branch):
            yield from _leaves(item, path)
        elif isinstance(item, Word):
            yield path, None if item.null else item.text, item.spot
        else:
            yield path, dumps(_plain(item), ensure_ascii=False, sort_keys=True), item.spot


def _words(twig: Twig) -> list[tuple[str, str]]:
    items = twig.items.items() if isinstance(twig, Branch) else ()
    return [(name, item.text) for name, item in items if isinstance(item, Word)]


def _body(twig: Twig | None) -> bytes:
    """An input as bytes: a text as it is, a YAML object or list as JSON."""
    if twig is None:
        return b""
    return twig.text.encode() if isinstance(twig, Word) else _json(twig).encode()


def _json(twig: Twig) -> str:
    if isinstance(twig, Branch):
        return "{" + ",".join(f"{dumps(name)}:{_json(item)}" for name, item in twig.items.items()) + "}"
    if isinstance(twig, Row):
        return "[" + ",".join(map(_json, twig.items)) + "]"
    if twig.null:
        return "null"
    return twig.text if not twig.quoted and _PLAIN_JSON(twig.text) else dumps(twig.text)


def _plain(twig: Twig) -> Any:
    if isinstance(twig, Word):
        return None if twig.null else twig.text
    if isinstance(twig, Row):
        return [_plain(item) for item in twig.items]
    return {name: _plain(item) for name, item in twig.items.items()}

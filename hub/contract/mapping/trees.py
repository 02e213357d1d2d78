"""Bodies as one kind of tree: JSON, forms, CSV rows and XML alike become objects, lists and texts."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable
from decimal import Decimal
from json import JSONDecodeError, loads
from typing import Any, Literal
from xml.parsers import expat

import msgspec

from hub.contract.errors import Place, Unreadable
from hub.contract.mapping.steps.other import clean, clean_text
from hub.contract.message import Message

Format = Literal["json", "form", "xml", "csv"]
FORMATS: tuple[Format, ...] = ("json", "form", "xml", "csv")

BOM = b"\xef\xbb\xbf"
DEEPEST = 200
_exact = msgspec.json.Decoder(float_hook=Decimal)
_NUL = re.compile(rb"\\u0000").search
_ESCAPE = re.compile(rb"\\u[dD]").search
_CHARSET = re.compile(r"charset=\"?([\w.:-]+)", re.IGNORECASE)


def tree(message: Message, form: Format) -> Any:
    """The body as a tree, its texts free of NUL and lone surrogates; raises Unreadable and nothing else."""
    try:
        return _READ[form](message)
    except RecursionError:
        raise _unreadable(message, "nested too deeply") from None


def dirty(body: bytes) -> bool:
    """Whether a JSON body may hold a NUL, which can only stand there as an escape."""
    at, tries = body.find(b"\\"), 0
    while at >= 0 and tries < 50:
        if body.startswith(b"u0000", at + 1):
            return True
        at, tries = body.find(b"\\", at + 2), tries + 1
    return at >= 0 and _NUL(body, at) is not None


def json_tree(message: Message) -> Any:
    """A JSON body: numbers exact, lone surrogates mended."""
    body = message.body.removeprefix(BOM)
    try:
        value = _exact.decode(body)
    except (msgspec.DecodeError, ValueError, ArithmeticError) as error:
        return clean(_mended(message, body, error))
    return clean(value) if dirty(body) else value


def _mended(message: Message, body: bytes, error: Exception) -> Any:
    """A body that is JSON but for lone surrogates, which only the library's slower reader takes."""
    if not _ESCAPE(body):
        raise _unreadable(message, f"not JSON: {_told(error)}") from None
    try:
        return loads(body, parse_float=Decimal, parse_constant=_no_constant)
    except (JSONDecodeError, ValueError, ArithmeticError):
        raise _unreadable(message, f"not JSON: {_told(error)}") from None


def _no_constant(word: str) -> Any:
    raise ValueError(f"{word} is not a number of JSON")


def _form_tree(message: Message) -> Any:
    return {clean_text(name): clean_text(value) for name, value in message.form().items()}


def _csv_tree(message: Message) -> Any:
    """Rows by the names of the first one; empty rows are left out, a cell that is missing is null."""
    text = clean_text(_text(message))
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text))
    try:
        rows = [[cell.strip() for cell in row] for row in reader if any(cell.strip() for cell in row)]
    except csv.Error as error:
        raise _unreadable(message, f"not CSV: line {reader.line_num}: {error}") from None
    if not rows:
        raise _unreadable(message, "not CSV: there is no row of names")
    return [dict(zip(rows[0], row, strict=False)) for row in rows[1:]]


def _delimiter(text: str) -> str:
    """The sign among , ; tab | that stands most often in the row of names."""
    head = text.lstrip().split("\n", 1)[0]
    return max(",;\t|", key=head.count)


def _text(message: Message) -> str:
    """The body as text: its declared charset, else UTF-8, else GB 18030 (files of Chinese offices)."""
    declared = _CHARSET.search(message.headers.get("content-type", ""))
    for charset in filter(None, (declared and declared[1], "utf-8-sig", "gb18030")):
        try:
            return message.body.decode(charset).removeprefix("\ufeff")
        except (UnicodeDecodeError, LookupError):
            continue
    raise _unreadable(message, "not text in UTF-8 or GB 18030")


def _xml_tree(message: Message) -> Any:
    """XML elements as objects: `@name` attributes, `#text`, children by local name, a list where one repeats.

    The root element's name is left out. An element with text alone is that text. No DTD, no entities.
    """
    builder = _Elements()
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    parser.StartElementHandler, parser.EndElementHandler = builder.start, builder.end
    parser.CharacterDataHandler = builder.text
    parser.StartDoctypeDeclHandler = builder.doctype
    parser.EntityDeclHandler = builder.doctype
    try:
        parser.Parse(message.body, True)
    except expat.ExpatError as error:
        raise _unreadable(message, f"not XML: {error}") from None
    except (_NotAllowed, LookupError, ValueError) as error:
        raise _unreadable(message, f"not XML: {error}") from None
    return clean(builder.root)


class _NotAllowed(Exception):
    """Something that XML has and a payload must not."""


class _Elements:
    """Builds the tree while the parser reads."""

    def __init__(self) -> None:
        self.root: Any = None
        self.open: list[tuple[str, dict[str, Any], list[str]]] = []

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if len(self.open) >= DEEPEST:
            raise _NotAllowed(f"elements are nested deeper than {DEEPEST} levels")
        members: dict[str, Any] = {f"@{_local(key)}": value for key, value in attributes.items()}
        self.open.append((_local(name), members, []))

    def text(self, text: str) -> None:
        self.open[-1][2].append(text)

    def end(self, _name: str) -> None:
        name, members, texts = self.open.pop()
        text = "".join(texts).strip()
        if text and members:
            members["#text"] = text
        value: Any = members or text
        if self.open:
            _join(self.open[-1][1], name, value)
        else:
            self.root = value

    def doctype(self, *_declaration: Any) -> None:
        raise _NotAllowed("a document type declaration is not allowed")


def _join(members: dict[str, Any], name: str, value: Any) -> None:
    present = members.get(name)
    if name not in members:
        members[name] = value
    elif isinstance(present, list):
        present.append(value)
    else:
        members[name] = [present, value]


def _local(name: str) -> str:
    return name.rpartition(" ")[2]


def _told(error: Exception) -> str:
    if isinstance(error, UnicodeDecodeError):
        return f"not UTF-8 at byte {error.start}"
    return str(error) if isinstance(error, msgspec.DecodeError) else "a number is out of range"


def _unreadable(message: Message, reason: str) -> Unreadable:
    return Unreadable(reason, place=Place(field="body", value=message.body[:80].decode("utf-8", "replace")))


_READ: dict[Format, Callable[[Message], Any]] = {
    "json": json_tree,
    "form": _form_tree,
    "csv": _csv_tree,
    "xml": _xml_tree,
}

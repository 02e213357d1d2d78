"""Where things stand in a message, and what is signed: one vocabulary for all proofs.

A *spot* is a place in a message, as text:

    x-acme-signature        a header field (also `header:x-acme-signature`)
    query:sign              a parameter of the query string, decoded once
    form:sign               a field of a form body, decoded once
    json:data.sign          a value in a JSON body, by dotted path
    xml:Encrypt             the text of an XML element, wherever it stands

A template (`Parts`) is text with spots in braces, and in braces besides: `body`, `body:sha256` (hex),
`body:base64`, `url`, `target` (path and query of the URL), `path`, `method`, `t` (the signature's time),
`secret`, `setting:client_id`, `sorted:form:sign` (names and values joined, sorted by name, without these).
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, urlencode, urlsplit
from xml.sax.saxutils import escape

import msgspec

from hub.contract.errors import Forged, Unreadable
from hub.contract.message import Message
from hub.contract.proof.base import add_headers
from hub.contract.settings import Settings


@dataclass(frozen=True, slots=True)
class Spot:
    """A place in a message: read to be checked, written to be signed."""

    kind: str
    name: str

    def __str__(self) -> str:
        return f"the {self.kind} {self.name}" if self.kind != "header" else f"the {self.name} header"

    def read(self, message: Message) -> str:
        """The text there, "" where there is none or the body is not of that kind."""
        try:
            return _READ[self.kind](message, self.name)
        except Unreadable:
            return ""

    def write(self, message: Message, value: str) -> Message:
        """The message with this text there."""
        return _WRITE[self.kind](message, self.name, value)


@lru_cache(maxsize=512)
def spot(text: str) -> Spot:
    """The spot that this text names; an unknown kind is a mistake of the declaration."""
    kind, colon, name = text.partition(":")
    if not colon:
        kind, name = "header", text
    if kind not in _READ or not name:
        raise ValueError(f"{text!r} names no place in a message")
    return Spot(kind, name.lower() if kind == "header" else name)


class Said(NamedTuple):
    """What a template is filled from."""

    message: Message
    settings: Settings
    t: str = ""
    secret: bytes = b""


@dataclass(frozen=True, slots=True)
class Parts:
    """The signed bytes, as a template: `Parts("{t}.{body}")`, `Parts("{url}{body}")`."""

    template: str

    def __post_init__(self) -> None:
        _pieces(self.template)

    def __call__(self, message: Message, settings: Settings, t: str = "", secret: bytes = b"") -> bytes:
        """The template filled from this message."""
        said = Said(message, settings, t, secret)
        return b"".join([fill(said, name) for fill, name in _pieces(self.template)])


signed_parts = Parts


def words(message: Message, kind: str) -> dict[str, str]:
    """The fields of a form, of a query, or the flat values of a JSON body, as texts."""
    if kind == "query":
        return message.params()
    if kind == "form":
        return message.form()
    body = message.json()
    return {key: _text(value) for key, value in body.items()} if isinstance(body, dict) else {}


def rows(fields: dict[str, str], without: frozenset[str]) -> str:
    """Name and value of each field joined, sorted by name: the usual signed string of Chinese platforms."""
    return "".join([name + fields[name] for name in sorted(fields) if name not in without])


Fill = Callable[[Said, str], bytes]


@lru_cache(maxsize=512)
def _pieces(template: str) -> tuple[tuple[Fill, str], ...]:
    if not re.fullmatch(r"(?:[^{}]|\{[^{}]*\})*", template):
        raise ValueError(f"{template!r} has a brace without its other")
    out: list[tuple[Fill, str]] = []
    for literal, word in re.findall(r"([^{]+)|\{([^}]*)\}", template):
        out.append((_literal, literal) if literal else _piece(word))
    return tuple(out)


def _piece(word: str) -> tuple[Fill, str]:
    if word in _WORDS:
        return _WORDS[word], word
    kind, _, name = word.partition(":")
    if kind == "setting" and name:
        return _setting, name
    if kind == "sorted" and name:
        return _sorted, name
    place = spot(word if ":" in word else f"unknown:{word}")
    return _spot, f"{place.kind}:{place.name}"


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _literal(said: Said, text: str) -> bytes:
    return text.encode()


def _spot(said: Said, name: str) -> bytes:
    return _bytes(spot(name).read(said.message))


def _setting(said: Said, name: str) -> bytes:
    value = getattr(said.settings, name, None)
    if isinstance(value, list):
        value = value[0] if value else None
    return _bytes(_text(value))


def _sorted(said: Said, name: str) -> bytes:
    kind, *without = name.split(":")
    try:
        fields = words(said.message, kind)
    except Unreadable as error:
        raise Forged(f"the {kind} that is signed cannot be read: {error.reason}") from error
    return _bytes(rows(fields, frozenset(without)))


def _target(said: Said, _: str) -> bytes:
    try:
        url = urlsplit(said.message.url)
    except ValueError as error:
        raise Forged("the signed URL cannot be read") from error
    return _bytes(f"{url.path}?{url.query}" if url.query else url.path)


_WORDS: dict[str, Fill] = {
    "body": lambda said, _: said.message.body,
    "body:sha256": lambda said, _: hashlib.sha256(said.message.body).hexdigest().encode(),
    "body:base64": lambda said, _: base64.b64encode(said.message.body),
    "url": lambda said, _: _bytes(said.message.url),
    "target": _target,
    "path": lambda said, _: _bytes(said.message.path),
    "method": lambda said, _: _bytes(said.message.method),
    "t": lambda said, _: _bytes(said.t),
    "secret": lambda said, _: said.secret,
}


def _json(message: Message, path: str) -> str:
    value: Any = message.json()
    for key in path.split("."):
        value = value.get(key) if isinstance(value, dict) else None
    return _text(value)


def _xml(message: Message, name: str) -> str:
    _, found, rest = message.body.partition(b"<%b>" % name.encode())
    rest = rest.lstrip()
    text, end, _ = rest[9:].partition(b"]]>") if rest.startswith(b"<![CDATA[") else rest.partition(b"<")
    return text.decode("utf-8", "replace").strip() if found and end else ""


def _text(value: Any) -> str:
    """A scalar as its sender wrote it; what is no text and no number is nothing."""
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value) if value.bit_length() < 1024 else ""
    return str(value) if isinstance(value, Decimal) else ""


def _set(pairs: list[tuple[str, str]], name: str, value: str) -> str:
    return urlencode([*[pair for pair in pairs if pair[0] != name], (name, value)])


def _write_query(message: Message, name: str, value: str) -> Message:
    query = _set(parse_qsl(message.query, keep_blank_values=True), name, value)
    url = f"{message.url.partition('?')[0]}?{query}" if message.url else ""
    return msgspec.structs.replace(message, query=query, url=url)


def _write_form(message: Message, name: str, value: str) -> Message:
    fields = parse_qsl(message.body.decode(), keep_blank_values=True)
    return msgspec.structs.replace(message, body=_set(fields, name, value).encode())


def _write_json(message: Message, path: str, value: str) -> Message:
    body = json.loads(message.body or b"{}")
    *parents, last = path.split(".")
    inner = body
    for key in parents:
        inner = inner.setdefault(key, {})
    inner[last] = value
    text = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
    return msgspec.structs.replace(message, body=text.encode())


def _write_xml(message: Message, name: str, value: str) -> Message:
    element = f"<{name}>{escape(value)}</{name}>".encode()
    tag = re.escape(name.encode())
    body, found = re.subn(
        rb"<%b>.*?</%b>" % (tag, tag), lambda _: element, message.body, count=1, flags=re.DOTALL
    )
    return msgspec.structs.replace(message, body=body if found else b"<xml>%b</xml>" % element)


_READ: dict[str, Callable[[Message, str], str]] = {
    "header": lambda message, name: message.headers.get(name, ""),
    "query": lambda message, name: message.params().get(name, ""),
    "form": lambda message, name: message.form().get(name, ""),
    "json": _json,
    "xml": _xml,
}
_WRITE: dict[str, Callable[[Message, str, str], Message]] = {
    "header": lambda message, name, value: add_headers(message, {name: value}),
    "query": _write_query,
    "form": _write_form,
    "json": _write_json,
    "xml": _write_xml,
}

"""Marks: what the header of a letter says of it, read from the raw bytes by bounded code of our own.

Why not the parser of the standard library: a thousand nested multiparts or a thousand parentheses in From are
a RecursionError in it, 50,000 parts take eight seconds, and it forgives what a judge must not (two From fields).
"""

from __future__ import annotations

import binascii
import re
from email.errors import HeaderParseError
from email.header import decode_header

import msgspec

from hub.contract.errors import TooLarge, Unreadable

MOST_HEADER = 256 << 10
MOST_FIELDS = 1000
MOST_FIELD = 32 << 10
MOST_ADDRESSES = 200
MOST_PARTS = 300
MOST_BOUNDARIES = 60
_ONCE = ("from", "subject", "date", "message-id", "content-type", "sender", "in-reply-to", "references")
_NAME = re.compile(rb"[!-9;-~]+")
_BOUNDARY = re.compile(rb'boundary\s*=\s*(?:"([^"\r\n]{1,200})"|([^\s;"]{1,200}))', re.IGNORECASE)
_TOKEN = re.compile(r'"(?:\\.|[^"\\])*"|\\.|[^"\\(),<>]+|.', re.DOTALL)
_ADDRESS = re.compile(r"[^\s()<>\[\]:;@\\,\"\x00-\x1f]{1,64}@[^\s()<>\[\]:;@\\,\"\x00-\x1f]{1,253}")
_IDS = re.compile(r"<[^<>\s]{1,500}>")
_REFERENCES = 32


class Address(msgspec.Struct, frozen=True):
    """One mail address, its domain in lower case, and the name shown beside it."""

    address: str
    name: str = ""

    @property
    def domain(self) -> str:
        """What follows the @."""
        return self.address.rpartition("@")[2]


class Marks(msgspec.Struct, frozen=True, kw_only=True):
    """The header of a letter: every field by its name in lower case, in order, unfolded; and where its body
    begins. `faults` are what a sender who means well does not do: two From fields, a From of two addresses."""

    fields: tuple[tuple[str, str], ...]
    body_at: int
    sender: Address | None
    faults: tuple[str, ...] = ()

    def get(self, name: str) -> str:
        """The first field of this name, "" where there is none."""
        return next((value for key, value in self.fields if key == name), "")

    def all(self, name: str) -> list[str]:
        """Every field of this name, the topmost first."""
        return [value for key, value in self.fields if key == name]

    @property
    def message_id(self) -> str:
        """Its Message-ID with its brackets, "" where it has none."""
        return next(iter(_IDS.findall(self.get("message-id"))), "")

    @property
    def subject(self) -> str:
        """Its subject, decoded."""
        return decoded(self.get("subject"))

    def answers(self) -> tuple[str, ...]:
        """The letters that it answers: In-Reply-To, then the last of References, the latest first."""
        late = _IDS.findall(self.get("references"))[-_REFERENCES:]
        return tuple(dict.fromkeys([*_IDS.findall(self.get("in-reply-to"))[:4], *reversed(late)]))


def marks(raw: bytes) -> Marks:
    """The marks of raw MIME; raises TooLarge where a limit is passed, Unreadable where it has no header."""
    head, body_at = _head(raw)
    fields = _fields(head)
    if not fields:
        raise Unreadable("it has no header")
    _count_parts(raw)
    faults = [
        f"it has {count} fields {name.title()}" for name in _ONCE if (count := _count(fields, name)) > 1
    ]
    sender, fault = _sender([value for name, value in fields if name == "from"])
    return Marks(
        fields=tuple(fields),
        body_at=body_at,
        sender=sender,
        faults=(*faults, *([fault] if fault else [])),
    )


def addresses(value: str) -> list[Address]:
    """The addresses of a field; raises Unreadable for what is none, TooLarge for more than a few hundred."""
    out: list[Address] = []
    for part in _split(value):
        if len(out) >= MOST_ADDRESSES:
            raise TooLarge(f"a field may have {MOST_ADDRESSES} addresses")
        out.append(_address(part))
    return out


def decoded(text: str) -> str:
    """A field's text with its encoded words read (RFC 2047); what cannot be read stays as it is."""
    if "=?" not in text:
        return text
    try:
        parts = decode_header(text[:4000])
        return "".join(one if isinstance(one, str) else _text(one, charset) for one, charset in parts)
    except (HeaderParseError, binascii.Error, ValueError, LookupError):
        return text


def _text(one: bytes, charset: str | None) -> str:
    return one.decode(charset or "ascii", "replace")


def _head(raw: bytes) -> tuple[bytes, int]:
    start = raw[: MOST_HEADER + 4]
    ends = [(at, len(mark)) for mark in (b"\r\n\r\n", b"\n\n") if (at := start.find(mark)) >= 0]
    if not ends:
        if len(raw) > MOST_HEADER:
            raise TooLarge(f"its header has more than {MOST_HEADER >> 10} kB")
        return raw, len(raw)
    at, size = min(ends)
    return raw[:at], at + size


def _fields(head: bytes) -> list[tuple[str, str]]:
    out: list[tuple[str, list[bytes]]] = []
    for line in head.replace(b"\r\n", b"\n").split(b"\n"):
        if line[:1] in (b" ", b"\t") and out:
            out[-1][1].append(line)
            continue
        name, colon, value = line.partition(b":")
        if not colon or not _NAME.fullmatch(name.rstrip()):
            continue
        if len(out) >= MOST_FIELDS:
            raise TooLarge(f"its header has more than {MOST_FIELDS} fields")
        out.append((name.rstrip().decode("ascii").lower(), [value]))
    fields = [(name, b"".join(lines)) for name, lines in out]
    if long := [name for name, value in fields if len(value) > MOST_FIELD]:
        raise TooLarge(f"its field {long[0].title()} has more than {MOST_FIELD >> 10} kB")
    return [(name, value.decode("utf-8", "replace").replace("\0", "").strip()) for name, value in fields]


def _count(fields: list[tuple[str, str]], name: str) -> int:
    return sum(key == name for key, _ in fields)


def _count_parts(raw: bytes) -> None:
    """More parts, or more levels of them, than any order has: told before a parser walks them."""
    known: set[bytes] = set()
    for found in _BOUNDARY.finditer(raw):
        known.add(found[1] or found[2])
        if len(known) > MOST_BOUNDARIES:
            raise TooLarge(f"it has more than {MOST_BOUNDARIES} nested parts")
    count = sum(raw.count(b"\n--" + one) for one in known if one)
    if count > MOST_PARTS:
        raise TooLarge(f"it has more than {MOST_PARTS} parts")


def _sender(found: list[str]) -> tuple[Address | None, str]:
    if not found:
        return None, "it has no From"
    try:
        known = addresses(found[0])
    except (Unreadable, TooLarge) as error:
        return None, f"its From cannot be read: {error}"
    if len(known) != 1:
        return None, f"its From has {len(known)} addresses"
    return (known[0], "") if len(found) == 1 else (None, "")


def _split(value: str) -> list[str]:
    """The parts between commas, without their comments."""
    out, depth, angle = [""], 0, False
    for token in _TOKEN.findall(value):
        if token in ("(", ")"):
            depth += 1 if token == "(" else -1
        elif depth > 0:
            continue
        elif token == "," and not angle:
            out.append("")
        else:
            angle = token == "<" or (angle and token != ">")
            out[-1] += token
        if depth < 0 or token == '"':
            break
    else:
        if not depth and not angle:
            return [part for part in (one.strip() for one in out) if part]
    raise Unreadable("a quote, comment or bracket has no end")


def _address(part: str) -> Address:
    name, bracket, rest = part.rpartition("<")
    if bracket:
        address, closed, after = rest.partition(">")
        if not closed or after.strip():
            raise Unreadable(f"no address: {part[:80]!r}")
    else:
        name, address = "", part
    address = address.strip()
    if not _ADDRESS.fullmatch(address) or ("<" in name and '"' not in name):
        raise Unreadable(f"no address: {part[:80]!r}")
    local, _, domain = address.rpartition("@")
    return Address(f"{local}@{domain.rstrip('.').lower()}", _name(name))


def _name(text: str) -> str:
    text = text.strip()
    if len(text) > 1 and text[0] == text[-1] == '"':
        text = re.sub(r"\\(.)", r"\1", text[1:-1])
    return decoded(text).strip()

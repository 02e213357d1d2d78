"""The parts of a mail, taken apart under guard: a mail that would exhaust the parser is turned away before it runs.

Python's parser recurses a level for each nesting and slows with each part (1,000 levels end it, 50,000 parts
take eight seconds), so boundaries and long fields are counted in the raw bytes first.
"""

from __future__ import annotations

import email.header
import email.message
import email.parser
import email.policy
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from hub.inbound.mail.reading.kinds import Kind, kind
from hub.inbound.mail.reading.letters import text_of

DEEPEST, PARTS, FIELD, HEAD, ADDRESSES, SIZE = 30, 300, 16_384, 262_144, 200, 50 << 20
"""How deep parts may nest, how many there may be, how long one field and all fields before the body may be, how
many may be addressed, how many bytes a mail may have."""


class Monstrous(Exception):
    """A mail that breaks a limit: kept, never taken apart."""


@dataclass(slots=True)
class Part:
    """One leaf of a mail: its path (`1.2`, or `1.2/order.csv`), what it is by its bytes, and its text where it is
    text. `level` counts the mails around it: 1 and more is within a forwarded one."""

    path: str
    name: str
    kind: Kind
    data: bytes
    declared: str
    attached: bool
    level: int = 0
    charset: str = ""
    text: str = ""

    @property
    def shown(self) -> str:
        """The part as it is named to people."""
        return f"{self.path}/{self.name}" if self.name else self.path


@dataclass(slots=True)
class Tree:
    """A mail taken apart: its leaves in order, the fields that reading needs, the mails within it, what was mended."""

    parts: list[Part]
    subject: str = ""
    date: str = ""
    answers: bool = False
    inner: list[email.message.Message] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


_BOUNDARY = re.compile(rb'(?i)boundary\s*=\s*(?:"([^"\r\n]{1,200})"|([^\s;"]{1,200}))')
_WITHIN = re.compile(rb"(?im)^content-type:\s*message/")
_FIELDS = re.compile(
    rb"(?im)^(?:content-[a-z-]{1,40}|from|to|cc|bcc|reply-to|sender):[^\r\n]*(?:\r?\n[ \t][^\r\n]*)*"
)
_RECIPIENTS = re.compile(rb"(?i)(?:to|cc|bcc)\s*:")


def guard(raw: bytes) -> None:
    """Raises Monstrous, with the limit that is broken."""
    if len(raw) > SIZE:
        raise Monstrous(f"{len(raw)} bytes, at most {SIZE} are read")
    head = re.split(rb"\r?\n\r?\n", raw[: HEAD + 4], maxsplit=1)[0]
    if len(head) > HEAD:
        raise Monstrous(f"more than {HEAD} bytes of fields before the body")
    for found in _FIELDS.finditer(raw):
        if len(found[0]) > FIELD and found.start() < len(head):
            _addresses(found[0])
            raise Monstrous(f"a field of {len(found[0])} bytes, at most {FIELD} are read")
        if found.start() < len(head):
            _addresses(found[0])
        elif len(found[0]) > FIELD and found[0][:8].lower() == b"content-":
            raise Monstrous(f"a field of {len(found[0])} bytes, at most {FIELD} are read")
    _count(raw)


def _addresses(line: bytes) -> None:
    if _RECIPIENTS.match(line) and line.count(b"@") > ADDRESSES:
        raise Monstrous(f"{line.count(b'@')} addresses in one field, at most {ADDRESSES} are read")


def _count(raw: bytes) -> None:
    """Boundaries and mails within mails, before the parser recurses into them."""
    names = {one[0] or one[1] for one in _BOUNDARY.findall(raw)}
    if len(names) > PARTS:
        raise Monstrous(f"{len(names)} nested lists of parts, at most {PARTS} parts are read")
    within = len(_WITHIN.findall(raw))
    if within > DEEPEST:
        raise Monstrous(f"{within} mails within the mail, at most {DEEPEST} are read")
    parts = 0
    for line in raw.split(b"\n"):
        if line.startswith(b"--") and _names(line, names):
            parts += 1
            if parts > PARTS + len(names):
                raise Monstrous(f"more than {PARTS} parts")


def _names(line: bytes, names: set[bytes]) -> bool:
    mark = line[2:].rstrip()
    return mark in names or mark.removesuffix(b"--") in names


def open_mail(raw: bytes, language: str) -> Tree:
    """A mail taken apart; raises Monstrous."""
    guard(raw)
    try:
        mail = email.parser.BytesParser(policy=email.policy.compat32).parsebytes(raw)
        tree = Tree([], words(mail.get("subject")), words(mail.get("date")))
        tree.answers = bool(mail.get("in-reply-to") or mail.get("references"))
        for path, depth, level, one in _walk(mail, tree):
            _take(tree, path, depth, level, one, language)
    except RecursionError:
        raise Monstrous("nested too deeply") from None
    return tree


def _walk(mail: email.message.Message, tree: Tree) -> Iterator[tuple[str, int, int, email.message.Message]]:
    """Every leaf with its path, depth and the mails around it; without recursion."""
    waiting = [("1", 0, 0, mail)]
    while waiting:
        path, depth, level, one = waiting.pop()
        if depth > DEEPEST:
            raise Monstrous(f"parts are nested deeper than {DEEPEST} levels")
        inside = one.get_payload() if one.is_multipart() else None
        if not isinstance(inside, list):
            yield path, depth, level, one
            continue
        within = one.get_content_maintype() == "message"
        if within:
            tree.inner += [below for below in inside if isinstance(below, email.message.Message)]
        below = [(f"{path}.{n}", depth + 1, level + within, each) for n, each in enumerate(inside, 1)]
        waiting += reversed(below)


def _take(tree: Tree, path: str, depth: int, level: int, one: email.message.Message, language: str) -> None:
    if len(tree.parts) >= PARTS:
        raise Monstrous(f"more than {PARTS} parts")
    payload = one.get_payload(decode=True)
    data = payload if isinstance(payload, bytes) else b""
    part = Part(
        path=path, name=_name(one), kind=kind(data), data=data, declared=one.get_content_type(), level=level,
        attached=one.get_content_disposition() == "attachment", charset=_charset(one),
    )  # fmt: skip
    if part.declared == "text/html" and part.kind in ("text", "xml", "csv"):
        part.kind = "html"
    if part.declared == "text/plain" and not part.name and part.kind in ("csv", "html", "xml"):
        part.kind = "text"  # a body that begins like a table is a body
    if part.kind in ("text", "csv", "html"):
        part.text, note = text_of(data, part.charset, language)
        if note:
            tree.notes.append(f"part {part.shown}: {note}")
    tree.parts.append(part)


def _name(one: email.message.Message) -> str:
    try:
        given = one.get_filename() or ""
    except (ValueError, LookupError, TypeError):
        return ""
    return re.sub(r"[\x00-\x1f/\\]", "_", words(given))[:120]


def _charset(one: email.message.Message) -> str:
    try:
        return str(one.get_content_charset() or "")
    except (ValueError, LookupError, TypeError):
        return ""


def words(value: object) -> str:
    """A field's text: encoded words read, line breaks gone, at most a thousand characters."""
    text = str(value or "")[:4000]
    try:
        pieces = [
            piece.decode(charset or "ascii", "replace") if isinstance(piece, bytes) else piece
            for piece, charset in email.header.decode_header(text)
        ]
    except (ValueError, LookupError):
        pieces = [text]
    joined = "".join(pieces).encode("utf-8", "replace").decode()
    return " ".join(joined.replace("\0", "").split())[:1000]

"""Again: the keys by which a letter is known that came before.

A letter is the same where it says the same: the hash of who said what when. Its Message-ID makes it none: mail
providers rewrite it, and some programs put the same one into every letter. One that has the sender and the
Message-ID of another and says something else is that one's namesake: it is read, and whoever looks at it is told.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable

import msgspec

from hub.inbound.mail.marks import Marks

_BOUNDARY = re.compile(rb'boundary\s*=\s*(?:"([^"\r\n]{1,200})"|([^\s;"]{1,200}))', re.IGNORECASE)

_CONTENT = "content:"


class Before(msgspec.Struct, frozen=True):
    """The letters that had its keys before: the one that it is again, and its namesake; "" for none."""

    same: str = ""
    namesake: str = ""


def before(held: Iterable[tuple[str, str]]) -> Before:
    """From the pairs (key, letter) of its keys that others hold."""
    known = sorted((not key.startswith(_CONTENT), letter) for key, letter in held)
    same = next((letter for other, letter in known if not other), "")
    return Before(same, "" if same else next((letter for _, letter in known), ""))


def keys(marks: Marks, raw: bytes) -> list[str]:
    """The keys of a letter."""
    sender = marks.sender.address.lower() if marks.sender else ""
    found = [f"{_CONTENT}{content(marks, raw)}"]
    if marks.message_id:
        found.append(f"id:{_hash(sender.encode(), marks.message_id.encode())}")
    return sorted(found)


def content(marks: Marks, raw: bytes) -> str:
    """The hash of what was said, by whom, when: the same though the letter was wrapped anew on its way."""
    body = raw[marks.body_at :]
    bounds = {found[1] or found[2] for found in _BOUNDARY.finditer(raw)}
    for one in sorted(bounds, key=lambda text: (-len(text), text)):
        body = body.replace(b"--" + one, b"--=")
    lines = body.replace(b"\r\n", b"\n").rstrip().split(b"\n")
    kept = b"\n".join(
        line.rstrip() for line in lines if not line.lower().startswith(b"content-type: multipart/")
    )
    sender = marks.sender.address.lower() if marks.sender else ""
    # without a date the same words may be next week's order: only what bears the same Message-ID too is the same
    when = marks.get("date") or marks.message_id
    return _hash(sender.encode(), when.encode(), marks.subject.encode("utf-8", "replace"), kept)


def _hash(*parts: bytes) -> str:
    digest = hashlib.sha256()
    for part in parts:
        digest.update(len(part).to_bytes(8, "big") + part)
    return digest.hexdigest()[:40]

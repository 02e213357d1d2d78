"""Forms as mail providers post them: urlencoded, or multipart with a raw mail in one field."""

from __future__ import annotations

import re

from hub.contract import Message, Unreadable

_MOST = 200
_MOST_HEAD = 8 << 10
_BOUNDARY = re.compile(r'boundary="?([^";,\s]{1,200})"?', re.IGNORECASE)
_NAME = re.compile(rb'[;\s]name="([^"\r\n]{0,200})"', re.IGNORECASE)


def fields(message: Message) -> dict[str, bytes]:
    """The fields of a form, byte for byte; the first value of a name wins. Raises Unreadable."""
    kind = message.headers.get("content-type", "")
    if not kind.lower().startswith("multipart/form-data"):
        return {name: value.encode("utf-8", "surrogateescape") for name, value in message.form().items()}
    found = _BOUNDARY.search(kind)
    if found is None:
        raise Unreadable("a multipart form without its boundary")
    return _parts(message.body, b"--" + found[1].encode())


def _parts(body: bytes, bound: bytes) -> dict[str, bytes]:
    """RFC 7578: between the boundaries a few header fields, a blank line, and the value up to the line's end."""
    pieces = (b"\r\n" + body).split(b"\r\n" + bound, _MOST + 1)
    if len(pieces) > _MOST + 1:
        raise Unreadable(f"a form of more than {_MOST} fields")
    if len(pieces) < 2 or not pieces[-1].startswith(b"--"):
        raise Unreadable("a multipart form that breaks off")
    out: dict[str, bytes] = {}
    for piece in pieces[1:-1]:
        head, blank, _ = piece[: _MOST_HEAD + 4].partition(b"\r\n\r\n")
        name = _NAME.search(b";" + head)
        if not blank or name is None:
            raise Unreadable("a part of a multipart form without its name")
        out.setdefault(name[1].decode("utf-8", "replace"), piece[len(head) + 4 :])
    return out

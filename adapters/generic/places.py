"""Places in a message as an operator writes them: `header:X-Topic | body:event.type | fixed:orders`."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import reduce

from hub.contract import Pick, body, const, form, header, query, sub_path
from hub.contract.proof.spots import spot


def pick(text: str, *, hashed: bool = False) -> Pick:
    """The look-up that a text names; ValueError where it names none."""
    alternatives = [_one(part.strip(), hashed=hashed) for part in text.split("|")]
    return reduce(lambda first, second: first | second, alternatives)


def _one(text: str, *, hashed: bool) -> Pick:
    kind, colon, name = text.partition(":")
    if text == "path":
        return sub_path()
    if text == "hash" and hashed:
        return HASH
    if not (colon and name.strip()) or kind not in _KINDS:
        more = ", `hash`" if hashed else ""
        raise ValueError(
            f"{text!r} names no place: write `header:…`, `query:…`, `body:…`, `form:…`, `xml:…`, `path`, `fixed:…`{more}"
        )
    return _KINDS[kind](name.strip())


def _xml(name: str) -> Pick:
    place = spot(f"xml:{name}")
    return Pick(f"XML element {name}", place.read, signed=True)


HASH = Pick("hash", lambda message: "sha256:" + hashlib.sha256(message.body).hexdigest(), signed=True)
"""The body itself: the same bytes are the same push."""

_KINDS: dict[str, Callable[[str], Pick]] = {
    "header": header,
    "query": query,
    "body": body,
    "json": body,
    "form": form,
    "xml": _xml,
    "fixed": const,
}

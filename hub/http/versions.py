"""Versions: `If-Match` names the version of an order on which a decision was taken."""

from __future__ import annotations

import re

from hub.http.ask import Ask
from hub.http.problems import invalid

_TAG = re.compile(r'\s*(?:W/)?"?(\d{1,18})"?\s*')


def wanted(ask: Ask) -> int | None:
    """The version that `If-Match` asks for, None where it does not."""
    given = ask.request.headers.get("if-match", "").strip()
    if given in ("", "*"):
        return None
    match = _TAG.fullmatch(given)
    if match is None:
        raise invalid(f"{given!r} is no ETag of an order, which is its version in quotes", "If-Match")
    return int(match[1])

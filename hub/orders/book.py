"""The book: facts fold into an order, and what changed becomes its next events.

    turn(page, facts) → Page with the new registers, the new document and the events between

Pure: the same facts in any order, any number of times, give the same document. Names that are given
once (ids of the order's parts) live in the registers.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from hub.orders import registers
from hub.orders.compose import compose
from hub.orders.events import Event, events
from hub.orders.registers import Said, State

Names = Callable[[str], str]


class Page(msgspec.Struct, kw_only=True):
    """One order in the book: its name, registers, and document (None before its first version)."""

    id: str
    state: State
    doc: dict[str, Any] | None = None
    version: int = 0
    sequence: int = 0
    last_event: str = ""


class Turned(msgspec.Struct, kw_only=True):
    """A page after facts: `used` tells of each fact whether it wrote anything; `changed` whether the
    document differs."""

    page: Page
    used: list[bool]
    changed: bool
    events: list[Event]


def turn(page: Page, facts: Iterable[Said], new_id: Names) -> Turned:
    """Fold facts into a page. The page's registers are written in place; its document is replaced."""
    used = [registers.apply(page.state, said) for said in facts]
    if not any(used) and page.doc is not None:
        return Turned(page=page, used=used, changed=False, events=[])
    before = page.doc
    after = compose(page.state, new_id)
    after["id"] = page.id
    if page.state.get("redacted_at"):
        after["redacted_at"] = page.state["redacted_at"]
    if after == before:
        return Turned(page=page, used=used, changed=False, events=[])
    page.doc = after
    page.version += 1
    return Turned(page=page, used=used, changed=True, events=events(before, after))


def content(doc: dict[str, Any]) -> dict[str, Any]:
    """A document without what is given once (ids) and our own numbers and times: what must converge."""
    return {name: _content(value) for name, value in doc.items() if name not in _OURS}


_OURS = frozenset({"id", "hub_number", "version", "sequence", "created_at", "updated_at", "tenant", "connection"})


_GIVEN = re.compile(r"^(lin|shp|pay|rfd|ful|ret)_[0-9A-Z]{26}$").match


def _content(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _content(one) for name, one in value.items() if not (name == "id" and _GIVEN(str(one)))}
    return [_content(one) for one in value] if isinstance(value, list) else value

"""The book: facts fold into an order, and what changed becomes its next events.

    turn(page, facts) → Page with the new registers, the new document and the events between
    refold(page, facts) → the same, from nothing but these facts

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
    document differs from `before`; `written` whether the registers or the document do."""

    page: Page
    used: list[bool]
    written: bool
    changed: bool = False
    events: list[Event] = []
    before: dict[str, Any] | None = None


def turn(page: Page, facts: Iterable[Said], new_id: Names) -> Turned:
    """Fold facts into a page. The page's registers are written in place; its document is replaced."""
    used = [registers.apply(page.state, said) for said in facts]
    if not any(used) and page.doc is not None:
        return Turned(page=page, used=used, written=False)
    return _compared(page, used, new_id, written=any(used))


def refold(page: Page, facts: Iterable[Said], new_id: Names, *, redacted_at: str = "") -> Turned:
    """The page as its facts alone make it. Names given once are carried over, and so is that its people are
    forgotten; `redacted_at` forgets them now, unless they were before."""
    held = page.state
    page.state = registers.empty() | {"ids": dict(held["ids"])}
    redacted = held.get("redacted_at") or redacted_at
    if redacted:
        page.state["redacted_at"] = redacted
    used = [registers.apply(page.state, said) for said in facts]
    return _compared(page, used, new_id, written=dense(page.state) != dense(held))


def _compared(page: Page, used: list[bool], new_id: Names, *, written: bool) -> Turned:
    before = page.doc
    after = compose(page.state, new_id)
    after["id"] = page.id
    if page.state.get("redacted_at"):
        after["redacted_at"] = page.state["redacted_at"]
    if after == before:
        return Turned(page=page, used=used, written=written, before=before)
    page.doc = after
    page.version += 1
    return Turned(
        page=page, used=used, written=True, changed=True, events=events(before, after), before=before
    )


def dense(state: Any) -> Any:
    """Registers without the empty places that some orders of arrival leave behind."""
    if not isinstance(state, dict):
        return state
    inner = {name: dense(value) for name, value in state.items()}
    return {name: value for name, value in inner.items() if value != {}}


def content(doc: dict[str, Any]) -> dict[str, Any]:
    """A document without what is given once (ids) and our own numbers and times: what must converge."""
    return {name: _content(value) for name, value in doc.items() if name not in _OURS}


_OURS = frozenset(
    {"id", "hub_number", "version", "sequence", "created_at", "updated_at", "tenant", "connection"}
)


_GIVEN = re.compile(r"^(lin|shp|pay|rfd|ful|ret)_[0-9A-Z]{26}\Z").match


def _content(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _content(one) for name, one in value.items() if not (name == "id" and _GIVEN(str(one)))}
    return [_content(one) for one in value] if isinstance(value, list) else value

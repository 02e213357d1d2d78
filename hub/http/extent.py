"""Extent: from where to where the feed of events goes, by positions."""

from __future__ import annotations

from typing import NamedTuple

from hub.http.ask import Ask

_EVENTS = "events:"


class Extent(NamedTuple):
    """Up to where the caller's events are no longer kept, and how far those of all tenants have come."""

    floor: int
    newest: int


async def extent(ask: Ask) -> Extent:
    """What there is now; where nothing is kept any more, what was removed last is still how far it had come."""
    rows = await ask.hub.engine.fetch("memories_all", owner="retention", now=0)
    removed = {name: int(value) for name, value in rows if name.startswith(_EVENTS)}
    last = int((await ask.hub.engine.fetch("events_last"))[0][0])
    return Extent(removed.get(f"{_EVENTS}{ask.tenant}", 0), max(last, *removed.values(), 0))

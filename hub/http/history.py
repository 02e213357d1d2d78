"""History: an endpoint that is made with an old position gets what happened since, by a job that goes on where it
stopped; what happens from now on reaches it beside that."""

from __future__ import annotations

from hub.directory import Endpoint
from hub.http.ask import Ask
from hub.http.extent import extent
from hub.http.problems import Problem, invalid
from hub.repair.redelivery import KIND, Wish
from hub.store.engine import Unit

NOW = "now"
_EVER = 2**62


async def since(ask: Ask, given: str | int) -> int | None:
    """The position from which an endpoint is to be told, None for now; Problem 422 or 410."""
    if given == NOW:
        return None
    if isinstance(given, int):
        position = given
    elif given.isascii() and given.isdigit() and len(given) < 19:
        position = int(given)
    else:
        rows = await ask.hub.engine.fetch("events_get", tenant=ask.tenant, id=given)
        if not rows:
            raise invalid(f"{given!r} is neither `now`, a position of the feed, nor an event", "from")
        position = int(rows[0][0])
    if not 0 <= position < _EVER:
        raise invalid("a position is a whole number of the feed", "from")
    floor, newest = await extent(ask)
    if position < floor:
        raise Problem(410, "gone", f"events up to {floor} are no longer kept", field="from")
    if position > newest:
        raise invalid(f"the feed has come to {newest} only", "from")
    return position


async def begin(ask: Ask, unit: Unit, one: Endpoint, position: int) -> None:
    """Begin to tell it of everything after this position that it is not told of anyhow."""
    wish = Wish(only="missing", first=position, last=_EVER)
    await ask.hub.jobs.add(unit, ask.tenant, KIND, one.id, wish, ask.who.name)

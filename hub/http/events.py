"""Events: what we said to the world; the pull twin of the webhooks, with the same ids and bodies."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Raw

from hub.contract.clock import text
from hub.http.ask import Answer, Ask, Page, Rows
from hub.http.problems import Problem, missing
from hub.http.table import PAGING, Op, Param
from hub.store.rows import whole

_SECOND = 1_000_000
_LOOK = 0.1


class Subject(msgspec.Struct):
    """What an event happened to."""

    id: str
    type: str


class EventOut(msgspec.Struct, kw_only=True):
    """An event, byte for byte as a webhook carries it: `sequence` counts those of its order without a gap,
    `previous` is the one before, `data` the order as it was then."""

    id: str
    type: str
    api_version: str
    test: bool
    occurred_at: str
    recorded_at: str
    tenant: str
    order: str | None
    sequence: int | None
    previous: str | None
    subject: Subject
    cause: dict[str, str]
    changes: list[dict[str, Any]]
    data: dict[str, Any]


def event(row: tuple[Any, ...]) -> Raw:
    """From position, id, order_id, type, test, sequence, envelope, doc."""
    return Raw(whole(bytes(row[6]), bytes(row[7]) if row[7] is not None else None))


async def list_events(ask: Ask) -> Page[EventOut]:
    """Events after a cursor, oldest first; with `wait` an empty page is held back until there is one. Here
    `next` is null only on an empty page: keep it, it is where to go on."""
    wait = ask.number("wait", 0, 30)
    until = ask.hub.world.now() + wait * _SECOND
    await _kept(ask)
    rows = await _after(ask)
    while not rows and ask.hub.world.now() < until and not await ask.request.is_disconnected():
        await ask.hub.world.sleep(_LOOK)
        rows = await _after(ask)
    page = ask.page(rows, event)
    return Page(page.data, page.cursor if rows else None, page.cursor)


async def _after(ask: Ask) -> Rows:
    params = {"tenant": ask.tenant, "after": ask.after, "most": ask.limit + 1}
    if order := ask.text("order"):
        return await ask.hub.engine.fetch("events_of_order", order_id=order, **params)
    return await ask.hub.engine.fetch("events_list", **params)


async def _kept(ask: Ask) -> None:
    """Problem 410 where the cursor points into what retention has taken away."""
    if not ask.after:
        return
    rows = await ask.hub.engine.fetch("memories_get", owner="retention", name=f"events:{ask.tenant}", now=0)
    if rows and ask.after < int(rows[0][0]):
        oldest = (await ask.hub.engine.fetch("events_oldest", tenant=ask.tenant, after=int(rows[0][0])))[0]
        kept = (
            f"the oldest is {oldest[1]} of {text(oldest[2])}, at ?after={oldest[0] - 1}"
            if oldest[0]
            else "none is kept"
        )
        raise Problem(
            410, "gone", f"events up to {rows[0][0]} are no longer kept; {kept}", oldest=str(oldest[0] or "")
        )


async def found(ask: Ask, id_: str) -> tuple[Any, ...]:
    """An event's row; Problem 404."""
    rows = await ask.hub.engine.fetch("events_get", tenant=ask.tenant, id=id_)
    if not rows:
        raise missing("event", id_)
    return rows[0]


async def get_event(ask: Ask) -> Answer:
    """One event, as its webhook."""
    return Answer(value=bytes(event(await found(ask, ask.path()))))


OPS = (
    Op(method="GET", path="/v1/events", summary="Events after a cursor", handle=list_events, gives=Page[EventOut],
       query=(*PAGING, Param("order", "Only those of this order."), Param("wait", "Seconds to wait for one, up to 30.", int))),
    Op(method="GET", path="/v1/events/{id}", summary="Show an event", handle=get_event, gives=EventOut),
)  # fmt: skip

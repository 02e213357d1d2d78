"""Events: what we said to the world; the pull twin of the webhooks, with the same ids and bodies."""

from __future__ import annotations

from typing import Any

import msgspec

from hub.http.ask import Answer, Ask, Page
from hub.http.feeds import ENDPOINT_FEED, FOLLOWED, event, list_events
from hub.http.problems import missing
from hub.http.table import Op, Param


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
       query=(*FOLLOWED, Param("connection", "Only those of orders of this connection, by id or name."))),
    ENDPOINT_FEED,
    Op(method="GET", path="/v1/events/{id}", summary="Show an event", handle=get_event, gives=EventOut),
)  # fmt: skip

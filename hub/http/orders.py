"""Orders as they are held: lists, one with its ETag, its timeline and its facts."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Raw

from hub.contract.canon import Order
from hub.directory import Connection
from hub.http.ask import Answer, Ask, Page, Rows
from hub.http.events import EventOut
from hub.http.facts import FactOut, of_order
from hub.http.feeds import event
from hub.http.keep import find
from hub.http.problems import missing
from hub.http.sharing import Me, view, who_am_i
from hub.http.table import BOTH_WAYS, PAGING, Op, Param
from hub.inbound.hear import speaker

DOC = 10
_STATES = ("stub", "draft", "open", "confirmed", "rejected", "in_progress", "completed", "cancelled")


async def list_orders(ask: Ask) -> Page[Raw]:
    """Oldest change first, where a cursor kept is a feed of what changed; or newest first."""
    return ask.page(await _found(ask), lambda row: Raw(row[DOC]), place=2)


async def _found(ask: Ask) -> Rows:
    one = find(ask, Connection, ask.text("connection")) if ask.text("connection") else None
    filters: dict[str, Any] = {
        "state": ask.text("state"),
        "connection": one.id if one and not ask.text("ref") else "", "updated_after": ask.moment("updated_after"),
    }  # fmt: skip
    if ref := ask.text("ref"):
        known = [one] if one else ask.hub.directory.all(Connection, ask.tenant)
        sources = sorted({(speaker(each),) for each in known})
        number = ask.text("number")
        return await ask.listed("orders_of_ref", sources, 2, ref=ref, number=number, **filters)
    if number := ask.text("number"):
        return await ask.listed("orders_of_number", number=number, **filters)
    return await ask.listed("orders_list", **filters)


async def held(ask: Ask, id_: str) -> tuple[Any, ...]:
    """An order's row; Problem 404."""
    rows = await ask.hub.engine.fetch("orders_get", tenant=ask.tenant, id=id_)
    if not rows:
        raise missing("order", id_)
    return rows[0]


def shown(row: tuple[Any, ...], status: int = 200) -> Answer:
    """An order with its version as ETag."""
    return Answer(value=bytes(row[DOC]), status=status, headers={"etag": f'"{row[3]}"'})


async def get_order(ask: Ask) -> Answer:
    """One order; 304 where If-None-Match has its version. A partner sees those that it was told of, and of them what
    its endpoints may have."""
    row = await held(ask, ask.path())
    answer = msgspec.structs.replace(shown(row), value=await view(ask, row[0], bytes(row[DOC])))
    if answer.headers["etag"] in ask.request.headers.get("if-none-match", ""):
        return Answer(value=b"", status=304, headers=answer.headers)
    return answer


async def list_timeline(ask: Ask) -> Page[EventOut]:
    """Everything that was said of the order, in its sequence."""
    await held(ask, ask.path())
    rows = await ask.hub.engine.fetch(
        "events_of_order", tenant=ask.tenant, order_id=ask.path(), after=ask.after, most=ask.limit + 1
    )
    return ask.page(rows, event)


async def list_order_facts(ask: Ask) -> Page[FactOut]:
    """Everything that was said to us of the order, as we understood it."""
    await held(ask, ask.path())
    return await of_order(ask, ask.path())


_AT = "/v1/orders"
OPS = (
    Op(method="GET", path=_AT, summary="List orders, by their last change", handle=list_orders, gives=Page[Order],
       query=(*BOTH_WAYS, Param("ref", "The source's id."), Param("number", "The number that the buyer quotes."),
              Param("connection", "By id or name."), Param("state", "In this state.", words=_STATES),
              Param("updated_after", "A time with its offset."))),
    Op(method="GET", path=_AT + "/{id}", summary="Show an order", handle=get_order, gives=Order,
       partner=True),
    Op(method="GET", path=_AT + "/{id}/timeline", summary="An order's events", handle=list_timeline,
       gives=Page[EventOut], query=PAGING),
    Op(method="GET", path=_AT + "/{id}/facts", summary="An order's facts", handle=list_order_facts,
       gives=Page[FactOut], query=PAGING),
    Op(method="GET", path="/v1/me", summary="Who this token is, and what it may", handle=who_am_i, gives=Me, partner=True),
)  # fmt: skip

"""Queues: what an endpoint is still owed, which orders are stuck there and behind what."""

from __future__ import annotations

from typing import Any

import msgspec

from hub.contract.clock import text
from hub.directory import Endpoint
from hub.http.ask import EVER, Ask, Page, whole
from hub.http.deliveries import DeliveryOut, plain
from hub.http.endpoints import mine
from hub.http.keep import named_order
from hub.http.orders import held
from hub.http.problems import invalid
from hub.http.table import PAGING, Op, Param
from hub.outbound.holding import RESUMED

_COUNT = 10_000
_SHOWN = 500
_SECOND = 1_000_000


class QueuedOrder(msgspec.Struct, kw_only=True, omit_defaults=True):
    """An order's queue: `head` has its turn, `waits` deliveries wait for it (and are shown where the order is asked
    for), until it is delivered, dead or skipped, or `passes_at` is there: then they pass it."""

    order: str
    head: DeliveryOut | None = None
    waits: int = 0
    passes_at: str | None = None
    waiting: list[DeliveryOut] = []


class Queue(msgspec.Struct, kw_only=True):
    """How an endpoint's queue stands, counted up to 10,000 of each. While it is down (`down_since`) it is only probed.
    `data` are the orders that are stuck behind a refusal, the longest first, or the one asked for."""

    endpoint: str
    status: str
    due: int
    waiting: int
    held: int
    down_since: str | None
    next_probe_at: str | None
    data: list[QueuedOrder]
    next: str | None


async def get_queue(ask: Ask) -> Queue:
    """What the endpoint is owed; with `order` everything of that order that waits for it."""
    endpoint = mine(ask, ask.path())
    fetch = ask.hub.engine.fetch
    due, waiting, aside = (await fetch("queue_depth", target=endpoint.id, most=_COUNT))[0]
    circuit = next(iter(await fetch("flows_get", target=endpoint.id)), (0, 0, 0))
    order = await named_order(ask)
    rows = await fetch("memories_get", owner=endpoint.id, name=RESUMED, now=ask.hub.world.now())
    resumed = int(rows[0][0]) if rows else 0
    data, next_ = await _one(ask, endpoint, resumed, order) if order else await _stuck(ask, endpoint, resumed)
    return Queue(
        endpoint=endpoint.name, status=endpoint.status, due=due, waiting=waiting, held=aside,
        down_since=text(circuit[0]) if circuit[0] else None,
        next_probe_at=text(circuit[1]) if circuit[0] else None, data=data, next=next_,
    )  # fmt: skip


async def _stuck(ask: Ask, endpoint: Endpoint, resumed: int) -> tuple[list[QueuedOrder], str | None]:
    at, position = _cursor(ask)
    rows = await ask.hub.engine.fetch(
        "queue_stuck", target=endpoint.id, at=at, position=position, most=ask.limit, count=_COUNT
    )
    found = []
    for row in rows:
        head = await ask.hub.engine.fetch("deliveries_get", tenant=ask.tenant, position=row[1])
        if row[2] and row[3] and head:
            found.append(_queued(ask, endpoint, resumed, row[2], head[0], row[3]))
    return found, f"{rows[-1][0]}.{rows[-1][1]}" if len(rows) == ask.limit else None


def _cursor(ask: Ask) -> tuple[int, int]:
    given = ask.text("after")
    first, _, second = given.partition(".")
    at, position = whole(first, EVER), whole(second, EVER)
    if given and (at is None or position is None):
        raise invalid(f"{given[:100]!r} is no cursor of this list", "after")
    return at or 0, position or 0


async def _one(
    ask: Ask, endpoint: Endpoint, resumed: int, order: str
) -> tuple[list[QueuedOrder], str | None]:
    fetch = ask.hub.engine.fetch
    at = await fetch("queue_head", target=endpoint.id, order_id=order)
    head = await fetch("deliveries_get", tenant=ask.tenant, position=at[0][0]) if at else []
    rows = await fetch("queue_of_order", target=endpoint.id, order_id=order, most=_SHOWN)
    if not rows and not (head and head[0][4] in ("due", "waiting")):
        return [], None
    one = _queued(ask, endpoint, resumed, order, head[0] if head else None, len(rows))
    one.waiting = [DeliveryOut(**plain(ask, row)) for row in rows]
    return [one], None


def _queued(
    ask: Ask, endpoint: Endpoint, resumed: int, order: str, head: tuple[Any, ...] | None, waits: int
) -> QueuedOrder:
    first = head[7] if head else 0
    return QueuedOrder(
        order=order, head=DeliveryOut(**plain(ask, head)) if head else None, waits=waits,
        passes_at=text(max(first, resumed) + int(endpoint.block_for * _SECOND)) if first and waits else None,
    )  # fmt: skip


async def list_order_deliveries(ask: Ask) -> Page[DeliveryOut]:
    """Everything that was or is to be told of an order, to whomever."""
    await held(ask, ask.path())
    rows = await ask.hub.engine.fetch(
        "deliveries_of_order", tenant=ask.tenant, order_id=ask.path(), after=ask.after, most=ask.limit + 1
    )
    return ask.page(rows, lambda row: DeliveryOut(**plain(ask, row)))


OPS = (
    Op(method="GET", path="/v1/endpoints/{id}/queue", summary="How an endpoint's queue stands, and what is stuck in it",
       handle=get_queue, gives=Queue, partner=True, query=(*PAGING, Param("order", "The queue of this order."))),
    Op(method="GET", path="/v1/orders/{id}/deliveries", summary="An order's deliveries", handle=list_order_deliveries,
       gives=Page[DeliveryOut], query=PAGING),
)  # fmt: skip

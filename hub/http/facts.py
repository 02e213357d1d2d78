"""Facts: what we understood, by order, by message, and those of parcels that no shipment knows yet."""

from __future__ import annotations

from typing import Any

import msgspec

from hub.contract.clock import text
from hub.http.ask import Ask, Page, Rows
from hub.http.keep import named_order
from hub.http.problems import invalid
from hub.http.table import PAGING, Op, Param
from hub.orders.registers import Said

_SAID = msgspec.json.Decoder(Said)


class FactOut(msgspec.Struct, kw_only=True):
    """One fact: who said it in which message, how fresh it is (`revision`: unix microseconds or a sequence),
    what it carries whole (`full`), and what it says. `mapping` is the hash of the mapping that made it."""

    id: str
    order: str | None
    message: str
    connection: str
    source: str
    subject: str
    ref: str
    mapping: str
    recorded_at: str
    revision: int
    full: list[str]
    doc: dict[str, Any]


class Unmatched(msgspec.Struct, kw_only=True):
    """News of a parcel that no shipment has named: it joins when one does."""

    id: str
    number: str
    message: str
    connection: str
    source: str
    recorded_at: str


def show(row: tuple[Any, ...]) -> FactOut:
    """From position, order_id, message, connection, source, subject, ref, mapping, recorded_at, said."""
    said = _SAID.decode(row[9])
    return FactOut(
        id=f"fct_{row[0]}", order=None if row[1].startswith("parked") else row[1], message=row[2], connection=row[3],
        source=row[4], subject=row[5], ref=row[6], mapping=row[7], recorded_at=text(row[8]), revision=said.rev[0],
        full=said.full, doc=said.doc,
    )  # fmt: skip


async def of_order(ask: Ask, order: str) -> Page[FactOut]:
    """The facts of one order."""
    return ask.page(await _fetch(ask, "facts_page_of_order", order_id=order), show)


async def _fetch(ask: Ask, name: str, **which: str) -> Rows:
    return await ask.hub.engine.fetch(name, tenant=ask.tenant, after=ask.after, most=ask.limit + 1, **which)


async def list_facts(ask: Ask) -> Page[FactOut]:
    """The facts of an order or of a message."""
    if order := await named_order(ask):
        return await of_order(ask, order)
    if message := ask.text("message"):
        return ask.page(await _fetch(ask, "facts_page_of_message", message=message), show)
    raise invalid("say ?order= or ?message=", "order")


async def list_unmatched(ask: Ask) -> Page[Unmatched]:
    """Parcels' news that waits for its shipment."""
    return ask.page(await _fetch(ask, "facts_unmatched"), _unmatched)


def _unmatched(row: tuple[Any, ...]) -> Unmatched:
    return Unmatched(id=f"fct_{row[0]}", message=row[1], connection=row[2], source=row[3], number=row[4],
                     recorded_at=text(row[5]))  # fmt: skip


OPS = (
    Op(method="GET", path="/v1/facts", summary="Facts of an order or a message", handle=list_facts,
       gives=Page[FactOut], query=(*PAGING, Param("order", "An order's id."), Param("message", "A message's id."))),
    Op(method="GET", path="/v1/facts/unmatched", summary="Parcels that no shipment knows", handle=list_unmatched,
       gives=Page[Unmatched], query=PAGING),
)  # fmt: skip

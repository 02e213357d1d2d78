"""Rebuilding: orders folded anew from their stored facts, and what would differ from what is stored."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from hub.inbound.record import Again, Recorded
from hub.orders.book import Turned
from hub.orders.diff import Change, diff
from hub.repair.parts import Parts, note, repaired, take_turn
from hub.store.engine import Unit

_CHUNK = 20


class Rebuilt(msgspec.Struct, kw_only=True):
    """One order folded anew: whether it is the `same`, and if not, what differs in its document (nothing,
    where only the registers do) and the events that tell it."""

    order: str
    same: bool
    changes: list[Change] = []
    events: list[str] = []


class Rebuild(msgspec.Struct, kw_only=True):
    """Some orders folded anew; `next` is where to go on, null at the end; `unknown` are those there are not."""

    data: list[Rebuilt]
    applied: bool
    next: str | None = None
    unknown: list[str] = []


async def rebuild(
    hub: Parts, tenant: str, orders: Sequence[str] | None = None, *, apply: bool = False, after: str = "",
    most: int = 100, actor: str = "",
) -> Rebuild:  # fmt: skip
    """Fold these orders anew, or a page of all; what differs is written, and told, only with `apply`."""
    if orders is None:
        found = [
            row[0] for row in await hub.engine.fetch("orders_after", tenant=tenant, after=after, most=most)
        ]
        out = Rebuild(data=[], applied=apply, next=found[-1] if len(found) == most else None)
    else:
        asked = dict.fromkeys(orders)
        owned = {row[1] for row in await hub.engine.fetch("orders_owned", [(tenant, id_) for id_ in asked])}
        found = [id_ for id_ in asked if id_ in owned]
        out = Rebuild(data=[], applied=apply, unknown=[id_ for id_ in asked if id_ not in owned])
    for start in range(0, len(found), _CHUNK):
        out.data += await _some(hub, tenant, found[start : start + _CHUNK], apply=apply, actor=actor)
    return out


async def _some(hub: Parts, tenant: str, orders: list[str], *, apply: bool, actor: str) -> list[Rebuilt]:
    again = Again(tenant=tenant, orders=frozenset(orders), cause=repaired(hub))

    async def work(unit: Unit) -> Recorded:
        recorded = await hub.recorder.record(unit, [], again)
        for id_ in orders if apply else ():
            if recorded.turned[id_].written:
                detail = {"events": [event.type for event in recorded.turned[id_].events]}
                await note(unit, hub, tenant, actor, "order.rebuilt", id_, detail)
        return recorded

    recorded = await take_turn(hub, work, apply=apply)
    if apply:
        await hub.normalise.hand_over(recorded)
    return [rebuilt(id_, recorded.turned[id_]) for id_ in orders]


def rebuilt(order: str, turned: Turned) -> Rebuilt:
    """What became of an order that was folded anew."""
    return Rebuilt(
        order=order,
        same=not turned.written,
        changes=diff(turned.before or {}, turned.page.doc) if turned.changed else [],
        events=[event.type for event in turned.events],
    )

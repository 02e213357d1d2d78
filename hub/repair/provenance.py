"""Provenance: for each value of an order the fact, the message and the line of the mapping it came from, and
what it overrode. Computed when asked (hub.orders.origins, hub.repair.sources); nothing is kept for it."""

from __future__ import annotations

from typing import Any

import msgspec

from hub.contract.clock import text
from hub.orders.origins import Origin, Spot, Traced, trace
from hub.orders.registers import Said
from hub.repair.parts import Parts
from hub.repair.sources import Source, Sources
from hub.store.engine import Row

_SAID = msgspec.json.Decoder(Said)


class Given(msgspec.Struct, kw_only=True, omit_defaults=True):
    """Where a value was said: the fact by its position, its message, connection and account, its revision (the
    source's time or number, the rank of a re-read, the hash of its content), and its field in the fact. `source`
    is the place in the mapping and in the message, where it is still held."""

    fact: int
    message: str
    connection: str
    account: str
    subject: str
    ref: str
    field: str
    revision: list[Any]
    recorded_at: str
    mapping: str = ""
    hash: str = ""
    source: Source | None = None


class Overrode(msgspec.Struct, kw_only=True):
    """Another value that was said in its place."""

    value: Any
    given: Given


class Leaf(msgspec.Struct, kw_only=True):
    """One value of the order. `given` is null for what the hub itself counts, names or concludes."""

    path: str
    value: Any
    given: Given | None = None
    overrode: list[Overrode] = []


class Provenance(msgspec.Struct, kw_only=True):
    """Where the values of an order came from."""

    order: str
    version: int
    leaves: list[Leaf]


async def provenance(hub: Parts, tenant: str, order: str, field: str | None = None) -> Provenance | None:
    """Every leaf of an order, or those of one field (`ship_to`, `lines[0].sku`); None where there is no order."""
    held = await hub.engine.fetch("registers_get", tenant=tenant, id=order)
    if not held:
        return None
    version, state = held[0]
    rows = await hub.engine.fetch("facts_of_order", tenant=tenant, order_id=order)
    facts = [_SAID.decode(row[8]) for row in rows]
    traced = [
        one for one in trace(facts, msgspec.json.decode(state), hub.world.new_id) if _asked(one.spot, field)
    ]
    sources = Sources(hub, tenant)
    leaves = [await _leaf(one, rows, facts, sources) for one in traced]
    return Provenance(order=order, version=version, leaves=leaves)


def _asked(spot: Spot, field: str | None) -> bool:
    if not field:
        return True
    return any(
        where == field or where.startswith((f"{field}.", f"{field}[")) for where in (spot.path, spot.address)
    )


async def _leaf(traced: Traced, rows: list[Row], facts: list[Said], sources: Sources) -> Leaf:
    spot, origin, others = traced
    if origin is None:
        return Leaf(path=spot.path, value=spot.value)
    overrode = [
        Overrode(value=one.spot.value, given=await _given(one, rows, facts, sources))
        for one in sorted(others, key=lambda one: facts[one.fact].rev, reverse=True)
    ]
    return Leaf(
        path=spot.path, value=spot.value, given=await _given(origin, rows, facts, sources), overrode=overrode
    )


async def _given(origin: Origin, rows: list[Row], facts: list[Said], sources: Sources) -> Given:
    position, message, connection, account, subject, ref, hash_, recorded_at, _ = rows[origin.fact]
    return Given(
        fact=position, message=message, connection=connection, account=account, subject=subject, ref=ref,
        field=origin.spot.path, revision=facts[origin.fact].rev, recorded_at=text(recorded_at),
        mapping=await sources.name(message, hash_), hash=hash_,
        source=await sources.find(message, hash_, facts[origin.fact], origin.spot.path),
    )  # fmt: skip

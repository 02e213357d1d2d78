"""Findings: what a page of the source would change in the book, found by folding it and taking nothing of it over."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from hub.directory import Connection
from hub.inbound.record import Recorded
from hub.orders.book import Turned
from hub.orders.diff import diff
from hub.repair.parts import take_turn
from hub.repair.survey.walk import Look, Sources
from hub.store.engine import Row, Unit
from hub.store.rows import PLAIN

_STATES = frozenset(
    "state payment_status fulfillment_status source_status source_payment_status source_fulfillment_status "
    "cancelled_at holds".split()
)
_TOTALS = frozenset("totals payments refunds currency discounts taxes fees".split())
_OURS = frozenset({"source_revision", "computed_totals", "anomalies"})
"""What may differ without the order being another: clocks, and what we count ourselves."""
_MOST = 50

MISSING_HERE, MISSING_THERE, STALE = "missing_here", "missing_there", "stale"
STATE, TOTALS, UNMARKED = "state_drift", "totals_drift", "unmarked_there"


@dataclass(frozen=True, slots=True)
class Finding:
    """One order that the source tells otherwise than the book: the fields that differ (the book's value `from`, the
    source's `to`), and the events that it makes (`events`)."""

    order: str
    ref: str
    kind: str
    fields: list[dict[str, Any]]
    events: list[str]
    look: Look | None = None
    message: str = ""
    repaired: bool = False


async def judge(hub: Sources, looks: Sequence[Look]) -> list[Finding]:
    """The drifts that these pages show; nothing is written and nobody is told."""
    read = [look for look in looks if look.understood.status == "processed" and look.understood.input.heard]
    if not read:
        return []

    async def work(unit: Unit) -> Recorded:
        return await hub.recorder.record(unit, [look.understood.input for look in read])

    recorded = await take_turn(hub, work, apply=False)
    out, seen = [], set()
    for look, orders in zip(read, recorded.orders, strict=True):
        for id_ in orders:
            turned = recorded.turned.get(id_)
            if turned is None or id_ in seen:
                continue
            found = _found(turned, look, fresh=id_ in recorded.fresh)
            if found is not None:
                seen.add(id_)
                out.append(found)
    return out


def _found(turned: Turned, look: Look, *, fresh: bool) -> Finding | None:
    if not turned.changed:
        return None
    before, after = turned.before or {}, turned.page.doc or {}
    fields = [one for one in diff(before, after) if _root(one["path"]) not in _OURS]
    if not fields:
        return None
    ref = str(after.get("ref") or next((one.said.ref for one in look.understood.input.heard), ""))
    missing = not before or before.get("state") == "stub"
    kind = MISSING_HERE if missing else classed(fields)
    order = "" if fresh else turned.page.id
    shown = [] if missing else fields[:_MOST]
    return Finding(order, ref, kind, shown, [event.type for event in turned.events], look)


def classed(fields: Sequence[dict[str, Any]]) -> str:
    """The one word for what differs: where its states do, else its money, else anything."""
    roots = {_root(one["path"]) for one in fields}
    return STATE if roots & _STATES else TOTALS if roots & _TOTALS else STALE


def _root(path: str) -> str:
    return path.partition(".")[0].partition("[")[0]


async def add(unit: Unit, hub: Sources, connection: Connection, run: str, found: Sequence[Finding]) -> None:
    """Write findings within a unit. It takes positions: call it last."""
    if not found:
        return
    now, first = hub.world.now(), await unit.positions(len(found))
    unit.add("drifts_add", [_row(place, connection, run, one, now) for place, one in enumerate(found, first)])


def _row(place: int, connection: Connection, run: str, one: Finding, now: int) -> Row:
    doc = PLAIN.encode({"fields": one.fields, "events": one.events, "message": one.message})
    return (place, connection.tenant, run, connection.id, one.order, one.ref, one.kind, now,
            now if one.repaired else 0, doc)  # fmt: skip

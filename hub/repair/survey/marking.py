"""Marking: news of ours that its source should have been told by a write, and was not: shipped here, not marked there.

A write that is dead, dropped or was never made goes out again; a write is searched for before it is made, so what
somebody did by hand meanwhile is found and not done twice. What a person skipped stays skipped.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import msgspec

from hub.audience import Target
from hub.contract.clock import micros
from hub.directory import Connection
from hub.inbound.hear import speaker
from hub.repair.redelivery import begun, send_to
from hub.repair.survey.finding import UNMARKED, Finding
from hub.repair.survey.walk import EVER, Sources
from hub.store.engine import Row, Unit
from hub.store.rows import whole

_EVENTS = 500
_LOST = ("dead", "dropped", "held")


@dataclass(frozen=True, slots=True)
class Part:
    """What a look at some events found: per write, deliveries to send again and events that were never written."""

    after: int
    more: bool
    found: list[Finding]
    again: dict[str, list[tuple[int, str]]]
    fresh: dict[str, list[tuple[str, str]]]


@dataclass(frozen=True, slots=True)
class Marking:
    """Looks at what a connection should have been told; `woken` is told when there is something to write."""

    hub: Sources
    woken: Callable[[], None]

    async def part(self, connection: Connection, after: int, since: int) -> Part:
        """The next events from a position on."""
        hub = self.hub
        part = Part(after, False, [], {}, {})
        writes = self._writes(connection)
        if connection.mode != "live" or not writes:
            return part
        after = after or await begun(hub.engine, since)
        rows = await hub.engine.fetch(
            "events_between",
            tenant=connection.tenant,
            after=after,
            last=EVER,
            since=since,
            until=EVER,
            most=_EVENTS,
        )
        for name, on in writes.items():
            await self._looked(
                connection, name, [row for row in rows if row[3] in on and self._ours(row, connection)], part
            )
        return Part(rows[-1][0] if rows else after, len(rows) == _EVENTS, part.found, part.again, part.fresh)

    async def send(self, unit: Unit, connection: Connection, part: Part) -> None:
        """Have it written, within a unit. It takes positions: call it last."""
        for name in sorted(part.again.keys() | part.fresh.keys()):
            target = Target(f"{connection.id}/{name}", ordered=True, shape="write", held=False)
            again, fresh = part.again.get(name, []), part.fresh.get(name, [])
            await send_to(unit, self.hub, connection.tenant, target, again, fresh)

    def _writes(self, connection: Connection) -> dict[str, tuple[str, ...]]:
        channel = self.hub.directory.channel(connection)
        able = self.hub.directory.can
        return {
            name: write.on for name, write in channel.writes.items()
            if write.on and channel.kind != "tracker" and able(connection, write.needs)
        }  # fmt: skip

    def _ours(self, row: Row, connection: Connection) -> bool:
        """Whether the news is of an order of this connection, told aloud, and not from there itself."""
        if row[8] != connection.id or row[9] or row[4]:
            return False
        cause = msgspec.json.decode(whole(bytes(row[6]), None)).get("cause", {})
        return bool(cause.get("connection") != connection.id)

    async def _looked(self, connection: Connection, name: str, rows: list[Row], part: Part) -> None:
        target = f"{connection.id}/{name}"
        known: dict[str, list[tuple[int, str]]] = {}
        asked = [(row[1],) for row in rows]
        for event, position, status in await self.hub.engine.fetch(
            "deliveries_of_events", asked, target=target
        ):
            known.setdefault(event, []).append((position, status))
        for row in rows:
            had = sorted(known.get(row[1], []))
            if had and had[-1][1] not in _LOST:
                continue
            if _marked(row, await self._now(connection.tenant, row[2]), speaker(connection)):
                continue
            told: dict[str, Any] = {"path": row[3], "to": f"{name} {had[-1][1] if had else 'never made'}"}
            if had:
                part.again.setdefault(name, []).append((had[-1][0], row[2]))
            elif self._since(connection, row):
                part.fresh.setdefault(name, []).append((row[1], row[2]))
            else:
                continue
            part.found.append(Finding(row[2], name, UNMARKED, [told], [row[3]], repaired=True))

    async def _now(self, tenant: str, order: str) -> dict[str, Any]:
        rows = await self.hub.engine.fetch("orders_get", tenant=tenant, id=order)
        doc: dict[str, Any] = msgspec.json.decode(rows[0][10]) if rows else {}
        return doc

    def _since(self, connection: Connection, row: Row) -> bool:
        """Whether the connection was there when it happened: an older one may have been told under another name."""
        envelope = msgspec.json.decode(whole(bytes(row[6]), None))
        return micros(envelope["recorded_at"]) >= connection.created_at


def _marked(row: Row, doc: dict[str, Any], source: str) -> bool:
    """Whether the source itself has told of the shipment that the news is about: then it knows it."""
    subject = msgspec.json.decode(whole(bytes(row[6]), None))["subject"]
    parts = doc.get(f"{subject['type']}s", ()) if subject["type"] != "order" else ()
    mine: dict[str, Any] = next((one for one in parts if one.get("id") == subject["id"]), {})
    return any(ref.get("account") == source for ref in mine.get("refs", ()))

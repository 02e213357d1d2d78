"""Reading again: what held messages tell each order now, beside the facts that they gave before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from hub.inbound.hear import Heard
from hub.inbound.leaf import owned
from hub.inbound.normalise import Understood
from hub.orders.registers import Said
from hub.registry import Registry
from hub.repair.parts import Parts
from hub.store.engine import Row
from hub.store.rows import JSON, arrival

_SAID = msgspec.json.Decoder(Said)
_RECEIVED, _CONNECTION = 8, 3

Given = dict[str, set[tuple[str, bytes]]]
"""By order, the facts that a message gave it: digest and content."""


@dataclass(frozen=True, slots=True)
class Reread:
    """A message read again. `now` has its facts by order, by `parked:…`, or by the name of one there is not
    yet; `moved` are those of them to which it says something else than before. `status` is what it was."""

    position: int
    id: str
    status: str
    error: str
    understood: Understood
    now: dict[str, list[Heard]]
    moved: frozenset[str]

    def only(self, orders: set[str]) -> Reread:
        """The same as far as these orders are concerned: a page that speaks of many is not kept for a few."""
        now = {key: facts for key, facts in self.now.items() if key in orders}
        told = msgspec.structs.replace(
            self.understood, arrival=msgspec.structs.replace(self.understood.arrival, body=b"")
        )
        return Reread(self.position, self.id, self.status, self.error, told, now, self.moved & orders)


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads the messages of a tenant again with the mappings of `registry`; `since` and `connection` bound
    the window."""

    hub: Parts
    tenant: str
    registry: Registry
    since: int = 0
    connection: str = ""

    async def named(self, ids: Sequence[str]) -> list[Reread]:
        """Those of these messages that are still held and lie in the window."""
        rows = await self.hub.engine.fetch("messages_of", [(id_,) for id_ in ids], tenant=self.tenant)
        return await self.read([row for row in rows if self._within(row)])

    def _within(self, row: Row) -> bool:
        return row[_RECEIVED] >= self.since and self.connection in ("", row[_CONNECTION])

    async def read(self, rows: Sequence[Row]) -> list[Reread]:
        """These messages, read again and compared."""
        told = [self.hub.normalise.understand(arrival(row[:9]), self.registry) for row in rows]
        owners = await self.hub.recorder.filing.known(self.hub.engine, [one.input for one in told])
        before: dict[str, Given] = {}
        found = await self.hub.engine.fetch(
            "facts_of_messages", [(row[1],) for row in rows], tenant=self.tenant
        )
        for message, order, digest, said in found:
            before.setdefault(message, {}).setdefault(order, set()).add((digest, _content(said)))
        return [
            self._compared(one, row[9], owners, before.get(row[1], {}))
            for one, row in zip(told, rows, strict=True)
        ]

    def _compared(self, told: Understood, status: str, owners: dict[Row, list[str]], before: Given) -> Reread:
        now: dict[str, list[Heard]] = {}
        for heard in told.input.heard:
            for key in self._keys(told, heard, owners, before):
                now.setdefault(key, []).append(heard)
        said = {key: {(one.digest, one.blob) for one in facts} for key, facts in now.items()}
        failed = told.status == "failed"
        moved = (
            () if failed else [key for key in said.keys() | before.keys() if said.get(key) != before.get(key)]
        )
        return Reread(
            position=told.arrival.position, id=told.arrival.id, status=status,
            error=told.troubles[0].title if failed else "", understood=told, now=now, moved=frozenset(moved),
        )  # fmt: skip

    def _keys(self, told: Understood, heard: Heard, owners: dict[Row, list[str]], before: Given) -> list[str]:
        """Where a fact belongs. A parcel's scans stay where they are: which orders know its number depends on
        what came before them, not on how they are read."""
        if heard.said.subject == "tracking":
            same = [key for key, given in before.items() if (heard.digest, heard.blob) in given]
            if same:
                return same
        known = sorted(owned(owners, told.input, heard))
        if known or heard.order:
            return known or ["new:" + "/".join(heard.order or ())]
        return [f"parked:{self.tenant}"]


def _content(said: bytes) -> bytes:
    """A stored fact as it would be written today."""
    return JSON.encode(_SAID.decode(said))

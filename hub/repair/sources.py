"""Sources: the line of a mapping file and the path in a message from which a fact's values were read.

The mapping that made a fact is known by its hash: it is the one in force, or one that was activated once
and is kept. Its slow twin (hub.contract.mapping.interpret) reads the stored message again and tells.
"""

from __future__ import annotations

import contextlib
import re
from dataclasses import dataclass, field
from typing import Any

import msgspec

from hub.contract.channel import MappingRef
from hub.contract.errors import Misconfigured, Rejected
from hub.contract.mapping import Mapping, Trace
from hub.directory import Connection
from hub.orders.registers import Said
from hub.repair.parts import Parts
from hub.store.rows import Arrival, arrival
from hub.vault import Locked

_STEP = re.compile(r"\['([^']*)'\]|\[(\d+)\]|([^.\[\]]+)")

Traces = dict[str, Trace]


class Read(msgspec.Struct, kw_only=True):
    """A path in a message and what stands there."""

    path: str
    value: Any


class Source(msgspec.Struct, kw_only=True):
    """The place in a mapping file, and what it read there in the message."""

    file: str
    line: int
    column: int
    reads: list[Read]


@dataclass(slots=True)
class _Opened:
    """What each fact of a message's was read from: its ref, what it says, where each leaf stood in which payload."""

    facts: list[tuple[str, dict[str, Any], Traces, Any]]


@dataclass(slots=True)
class Sources:
    """Looks mappings and messages up, each once."""

    hub: Parts
    tenant: str
    _arrivals: dict[str, Arrival | None] = field(default_factory=dict)
    _mappings: dict[tuple[str, str], Mapping | None] = field(default_factory=dict)
    _opened: dict[tuple[str, str], _Opened | None] = field(default_factory=dict)
    _names: dict[str, str] = field(default_factory=dict)

    async def name(self, message: str, hash_: str) -> str:
        """The name of the mapping with this hash, "" for a reader in Python or one that is not known any more."""
        found = await self._mapping(message, hash_) if hash_ else None
        if found is None and hash_ and hash_ not in self._names:
            rows = await self.hub.engine.fetch("mappings_get", hash=hash_)
            self._names[hash_] = rows[0][0] if rows else ""
        return found.name if found else self._names.get(hash_, "")

    async def find(self, message: str, hash_: str, said: Said, path: str) -> Source | None:
        """Where a field of a fact was read, None where the message or the mapping is not held any more."""
        opened = await self._open(message, hash_) if hash_ else None
        if opened is None:
            return None
        same = [one for one in opened.facts if one[0] == said.ref and one[1] == said.doc]
        trace = _above(same[0][2], path) if same else None
        if trace is None:
            return None
        reads = [Read(path=one, value=_at(same[0][3], one)) for one in trace.source.split(", ") if one]
        return Source(file=trace.file, line=trace.line, column=trace.column, reads=reads)

    async def _open(self, message: str, hash_: str) -> _Opened | None:
        key = (message, hash_)
        if key not in self._opened:
            mapping = await self._mapping(message, hash_)
            one = await self._arrival(message)
            self._opened[key] = self._traced(one, mapping) if one and mapping else None
        return self._opened[key]

    def _traced(self, one: Arrival, mapping: Mapping) -> _Opened | None:
        connection = self.hub.directory.get(Connection, one.connection)
        if connection is None:
            return None
        try:
            return self._whole(one, connection, mapping)
        except (Locked, Misconfigured):
            return None
        except Rejected:
            parts = self.hub.normalise.parts(one, connection)
        found: list[tuple[str, dict[str, Any], Traces, Any]] = []
        for part in parts:
            with contextlib.suppress(Rejected):
                found += self._whole(part, connection, mapping).facts
        return _Opened(found) if found else None

    def _whole(self, one: Arrival, connection: Connection, mapping: Mapping) -> _Opened:
        message = self.hub.normalise.opened(one, connection)
        payload = mapping.decode(message)
        traced = mapping.engine.traced(payload, message, [])
        return _Opened([(*_fact(mapping, doc, traces), payload) for doc, _, traces in traced])

    async def _arrival(self, message: str) -> Arrival | None:
        if message not in self._arrivals:
            rows = await self.hub.engine.fetch("messages_of", [(message,)], tenant=self.tenant)
            self._arrivals[message] = arrival(rows[0][:9]) if rows else None
        return self._arrivals[message]

    async def _mapping(self, message: str, hash_: str) -> Mapping | None:
        """The mapping with this hash: by the names that the message's connection reads its topic with, else
        from the texts that were activated once."""
        one = await self._arrival(message)
        key = (one.connection + "/" + one.topic if one else "", hash_)
        if key not in self._mappings:
            found = next((known for name in self._used(one) if (known := self._compiled(name, hash_))), None)
            self._mappings[key] = found or await self._kept(hash_)
        return self._mappings[key]

    def _used(self, one: Arrival | None) -> list[str]:
        connection = self.hub.directory.get(Connection, one.connection) if one else None
        if one is None or connection is None:
            return []
        own = [connection.mappings[topic] for topic in (one.topic, "*") if topic in connection.mappings]
        channel = self.hub.directory.registry.channels.get(connection.channel)
        reader = channel.reader(one.topic) if channel else None
        return [*own, *([reader.name] if isinstance(reader, MappingRef) else [])]

    def _compiled(self, name: str, hash_: str, text: str | None = None) -> Mapping | None:
        registry = self.hub.directory.registry
        try:
            found = (registry if text is None else registry.with_mappings({name: text})).mapping(name)
        except Misconfigured:
            return None
        return found if found.hash == hash_ else None

    async def _kept(self, hash_: str) -> Mapping | None:
        rows = await self.hub.engine.fetch("mappings_get", hash=hash_)
        return self._compiled(rows[0][0], hash_, rows[0][1]) if rows else None


def _fact(mapping: Mapping, doc: dict[str, Any], traces: list[Trace]) -> tuple[str, dict[str, Any], Traces]:
    """A document as it became a fact: its ref, without what the fact carries beside it."""
    kept = (
        doc if mapping.subject == "order" else {name: value for name, value in doc.items() if name != "order"}
    )
    return str(doc.get("ref") or doc.get("number") or ""), kept, {one.field: one for one in traces}


def _above(traces: Traces, path: str) -> Trace | None:
    """The trace of a field, or of the value that it is a part of (an amount of its money)."""
    while path:
        if path in traces:
            return traces[path]
        path = path[: max(path.rfind("."), path.rfind("["), 0)]
    return None


def _at(payload: Any, path: str) -> Any:
    """What stands at a path of a payload."""
    for key, number, name in _STEP.findall(path):
        if number:
            payload = (
                payload[int(number)] if isinstance(payload, list) and int(number) < len(payload) else None
            )
        else:
            payload = payload.get(key or name) if isinstance(payload, dict) else None
    return payload

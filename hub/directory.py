"""The directory: connections, endpoints, partners, routes and tokens as this process knows them.

They are few and read on every path, so they live in memory and are loaded again when the store's
revision of them moves (another process changed one).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

import msgspec

from hub.contract.channel import Channel
from hub.contract.errors import Misconfigured
from hub.contract.proof import Proof
from hub.contract.settings import Settings, secret_fields
from hub.registry import Registry
from hub.store.engine import Engine, Row, Unit
from hub.things import (
    KINDS,
    SCHEDULE,
    Connection,
    Doc,
    Endpoint,
    Partner,
    Route,
    Thing,
    Token,
    shape,
)
from hub.vault import Locked, Vault

__all__ = [
    "KINDS", "SCHEDULE", "Connection", "Directory", "Doc", "Endpoint", "Partner", "Route", "Thing", "Token",
    "names", "row", "seal_settings", "shape",
]  # fmt: skip
"""What operators make is known from here."""

T = TypeVar("T", bound=Thing)
_SIGNED = ("body_signed", "body_signed_with_time")


class Directory:
    """Everything an operator made, by id, by name and by what it listens to."""

    def __init__(self, engine: Engine, vault: Vault, registry: Registry) -> None:
        self.engine = engine
        self.vault = vault
        self.registry = registry
        self.changed: Callable[[], None] = lambda: None
        self.revision: Row = (-1, -1)
        self._things: dict[str, dict[str, Thing]] = {kind: {} for kind in KINDS}
        self._doors: dict[str, Connection] = {}
        self._settings: dict[str, Settings] = {}
        self._shaped: dict[str, Channel] = {}
        self._proofs: dict[str, Proof] = {}
        self._vouched: dict[str, bool] = {}

    async def refresh(self) -> bool:
        """Load again where the store has moved on, and tell who asked for it (`changed`); True when it had."""
        revision = (await self.engine.fetch("things_revision"))[0]
        if revision == self.revision:
            return False
        for kind, type_ in KINDS.items():
            rows = await self.engine.fetch("things_all", kind=kind)
            self._things[kind] = {row[1]: _thing(type_, row) for row in rows}
        self.revision = revision
        self._settings.clear()
        self._shaped.clear()
        self._proofs.clear()
        self._vouched.clear()
        named = [one for one in self.all(Connection) if self._named(one)]
        # A name that two tenants gave is nobody's door, and none stands over a key.
        counts = Counter(one.name for one in named)
        self._doors = {one.name: one for one in named if counts[one.name] == 1}
        self._doors |= {one.key: one for one in self.all(Connection)}
        self.changed()
        return True

    def _named(self, connection: Connection) -> bool:
        if connection.by_name is not None:
            return connection.by_name
        if connection.channel not in self.registry.channels:
            return False
        try:
            return self.vouched(connection)
        except (Locked, Misconfigured):
            return False

    def all(self, type_: type[T], tenant: str | None = None) -> list[T]:
        """All things of a kind, oldest first."""
        found = self._things[type_.__name__.lower()].values()
        return [one for one in found if isinstance(one, type_) and (tenant is None or one.tenant == tenant)]

    def get(self, type_: type[T], id_or_name: str, tenant: str | None = None) -> T | None:
        """One thing by its id or its name."""
        one = self._things[type_.__name__.lower()].get(id_or_name)
        if isinstance(one, type_) and (tenant is None or one.tenant == tenant):
            return one
        return next((one for one in self.all(type_, tenant) if one.name == id_or_name), None)

    def by_id(self, type_: type[T], id_: str) -> T | None:
        """One thing by its id."""
        one = self._things[type_.__name__.lower()].get(id_)
        return one if isinstance(one, type_) else None

    def door(self, key: str) -> Connection | None:
        """The connection that an intake URL names."""
        return self._doors.get(key)

    def channel(self, connection: Connection) -> Channel:
        """The channel of a connection, as its settings shape it; raises Misconfigured where it is not installed any
        more. Settings that cannot be read now shape nothing: whoever needs them is told so."""
        plain = self.registry.channel(connection.channel)
        if plain.shaped is None:
            return plain
        known = self._shaped.get(connection.id)
        if known is None:
            try:
                known = self._shaped[connection.id] = plain.with_settings(self.settings(connection))
            except (Locked, Misconfigured):
                return plain
        return known

    def settings(self, connection: Connection) -> Settings:
        """A connection's settings with its secrets open; raises Locked where they cannot be read, Misconfigured where
        its channel does not know them any more."""
        known = self._settings.get(connection.id)
        if known is None:
            type_ = self.registry.channel(connection.channel).settings
            plain = self.opened(connection.settings, connection.id)
            try:
                known = self._settings[connection.id] = msgspec.convert(plain, type_)
            except msgspec.ValidationError as error:
                raise Misconfigured(
                    f"the settings of {connection.name} do not fit {connection.channel}: {error}"
                ) from None
        return known

    def proof(self, connection: Connection) -> Proof:
        """The proof that a connection's settings choose; raises Locked and Misconfigured as `settings` does."""
        known = self._proofs.get(connection.id)
        if known is None:
            known = self._proofs[connection.id] = self.channel(connection).proof_for(
                self.settings(connection)
            )
        return known

    def vouched(self, connection: Connection) -> bool:
        """Whether the bodies of a connection's pushes are signed: what they say is then believed."""
        known = self._vouched.get(connection.id)
        if known is None:
            known = self._vouched[connection.id] = self.proof(connection).authenticity in _SIGNED
        return known

    def opened(self, settings: Doc, row: str) -> Doc:
        """Sealed settings of this row, open; raises Locked where they cannot be read."""
        return {name: self._open(value, row) for name, value in settings.items()}

    def _open(self, value: Any, row: str) -> Any:
        if isinstance(value, dict) and "sealed" in value:
            return self.vault.open(value["sealed"], row)
        return [self._open(one, row) for one in value] if isinstance(value, list) else value

    def secrets(self, endpoint: Endpoint, now: int) -> list[str]:
        """The secrets that sign for an endpoint now: the newest first, older ones while they still count."""
        return [
            self.vault.open(one["sealed"], endpoint.id)
            for one in endpoint.secrets
            if not one.get("until") or one["until"] > now
        ]

    def can(self, connection: Connection, needs: Iterable[str]) -> bool:
        """Whether a connection has the settings that a poll or write cannot do without; `a|b` is either."""
        settings = self.settings(connection)
        return all(any(getattr(settings, name, None) for name in need.split("|")) for need in needs)

    async def put(self, unit: Unit, thing: Thing, now: int) -> None:
        """Write a thing, new or as it was read and then changed; seen by `refresh` once the unit is done. The unit is
        Poisoned where its name is taken, or where it was changed by somebody else since it was read: `moved` tells
        which. Call it last: it takes a position."""
        thing.created_at = thing.created_at or now
        thing.updated_at = now
        seen, position = thing.position, await unit.positions(1)
        told = row(msgspec.structs.replace(thing, position=position))
        if seen:
            unit.add("things_change", [(*told, seen)])
        else:
            unit.add("things_add", [told])

    async def moved(self, thing: Thing) -> bool:
        """Whether somebody else has changed or removed this thing since it was read; what is known is up to date then."""
        await self.refresh()
        now = self.by_id(type(thing), thing.id)
        return thing.position != (now.position if now else 0)

    async def stand(self, unit: Unit, thing: Thing, now: int) -> None:
        """As `put`, of how a thing stands alone, whoever changes the rest of it."""
        kind, position = type(thing).__name__.lower(), await unit.positions(1)
        unit.add("things_stand", kind=kind, id=thing.id, status=thing.status, position=position, now=now)


def row(thing: Thing) -> Row:
    """A thing as its row."""
    doc = msgspec.to_builtins(thing)
    head = [
        doc.pop(name) for name in ("id", "tenant", "name", "position", "status", "created_at", "updated_at")
    ]
    return (type(thing).__name__.lower(), *head, msgspec.json.encode(doc))


def _thing(type_: type[T], found: Row) -> T:
    doc = msgspec.json.decode(found[8])
    names = ("id", "tenant", "name", "position", "status", "created_at", "updated_at")
    return msgspec.convert(doc | dict(zip(names, found[1:8], strict=True)), type_)


def seal_settings(settings: Settings, vault: Vault, id_: str) -> Doc:
    """Settings as they are kept: secret fields sealed, defaults left out."""
    hidden = secret_fields(type(settings))
    out: Doc = {}
    for field in msgspec.structs.fields(type(settings)):
        value = getattr(settings, field.name)
        if value not in (None, [], {}) and value != field.default:
            out[field.name] = (
                _sealed(value, vault, id_) if field.name in hidden else msgspec.to_builtins(value)
            )
    return out


def _sealed(value: Any, vault: Vault, id_: str) -> Any:
    if isinstance(value, list):
        return [_sealed(one, vault, id_) for one in value]
    return {"sealed": vault.seal(value, id_)}


def names(things: Iterable[Thing]) -> list[str]:
    """Their names."""
    return [one.name for one in things]

"""The directory: connections, endpoints, partners, routes and tokens as this process knows them.

They are few and read on every path, so they live in memory and are loaded again when the store's
revision of them moves (another process changed one).
"""

from __future__ import annotations

import fnmatch
import re
from collections import Counter
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any, TypeVar

import msgspec
import structlog

from hub.contract.channel import Channel
from hub.contract.errors import Misconfigured, Unmapped
from hub.contract.settings import Settings, secret_fields
from hub.registry import Registry
from hub.store.engine import Engine, Row, Unit
from hub.things import (
    KINDS,
    SCHEDULE,
    Connection,
    Doc,
    Endpoint,
    NoticeRule,
    Notifier,
    Partner,
    Route,
    Thing,
    Token,
    address_of,
    places,
    shape,
)
from hub.vault import Locked, Vault

__all__ = [
    "KINDS", "SCHEDULE", "Connection", "Directory", "Doc", "Endpoint", "Partner", "Route", "Target", "Thing", "Token",
    "names", "row", "seal_settings", "shape",
]  # fmt: skip
"""What operators make is known from here."""

T = TypeVar("T", bound=Thing)
log = structlog.get_logger("orderhub.directory")


class Target(msgspec.Struct, frozen=True):
    """Someone to tell, after so many seconds: an endpoint (`id` is its own), or a write of a connection
    (`con_…/name`)."""

    id: str
    ordered: bool
    shape: str
    held: bool
    delay: int = 0


class Directory:
    """Everything an operator made, by id, by name and by what it listens to."""

    def __init__(
        self, engine: Engine, vault: Vault, registry: Registry, compile_filter: Callable[[str], Any]
    ) -> None:
        self.engine = engine
        self.vault = vault
        self.registry = registry
        self.changed: Callable[[], None] = lambda: None
        self._compile = compile_filter
        self._revision: Row = (-1, -1)
        self._things: dict[str, dict[str, Thing]] = {kind: {} for kind in KINDS}
        self._doors: dict[str, Connection] = {}
        self._settings: dict[str, Settings] = {}
        self._shaped: dict[str, Channel] = {}
        self._audiences: dict[tuple[str, str], list[Endpoint]] = {}
        self._filters: dict[str, Any] = {}

    async def refresh(self) -> bool:
        """Load again where the store has moved on, and tell who asked for it (`changed`); True when it had."""
        revision = (await self.engine.fetch("things_revision"))[0]
        if revision == self._revision:
            return False
        for kind, type_ in KINDS.items():
            rows = await self.engine.fetch("things_all", kind=kind)
            self._things[kind] = {row[1]: _thing(type_, row) for row in rows}
        self._revision = revision
        self._settings.clear()
        self._shaped.clear()
        self._audiences.clear()
        self._filters.clear()
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
        channel = self.registry.channels.get(connection.channel)
        if channel is None:
            return False
        try:
            proof = self.channel(connection).proof_for(self.settings(connection))
        except (Locked, Misconfigured):
            return False
        return proof.authenticity in ("body_signed", "body_signed_with_time")

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

    def audience(self, tenant: str, event: str) -> list[Endpoint]:
        """The endpoints whose globs take this event. `*` is what befalls orders: the hub's own troubles, which tell of
        other partners' data too, go to those who name their group."""
        key = (tenant, event)
        found = self._audiences.get(key)
        if found is None:
            found = self._audiences[key] = [
                one for one in self.all(Endpoint, tenant) if listens(one.events, event)
            ]
        return found

    def targets(self, tenant: str, event: str, doc: Doc, connection: str) -> list[Target]:
        """Everyone to be told of this event of this order: endpoints whose filters take it."""
        out = []
        for one in self.audience(tenant, event):
            if not self.wants(one, event, doc, connection):
                continue
            held = one.status == "disabled"
            ordered = one.ordering == "per_order" and not held
            out.append(Target(one.id, ordered, self.shape(one), held, one.schedule[0]))
        return out

    def shape(self, endpoint: Endpoint) -> str:
        """How an endpoint's bodies look now, with the version of its mapping that is in force."""
        return shape(endpoint, self.version(endpoint.mapping)) if endpoint.mapping else shape(endpoint)

    def version(self, mapping: str) -> str:
        """The hash of a mapping in force, "" where there is none or it does not compile."""
        try:
            return self.registry.mapping(mapping).hash
        except Misconfigured:
            return ""

    def wants(self, one: Endpoint, event: str, doc: Doc, connection: str) -> bool:
        """Whether an endpoint that listens to such events is to hear of this one."""
        if doc.get("test") and not one.include_test:
            return False
        if one.connections and connection not in one.connections:
            return False
        if one.locations and places(doc).isdisjoint(one.locations):
            return False
        return not one.filter or self._holds(one.filter, event, doc)

    def writes(self, tenant: str, event: str, doc: Doc, home: str, cause: str) -> list[Target]:
        """The writes that carry this news to far sides: to the order's own source, to trackers, along
        routes; never back to the connection that it came from."""
        found = [
            f"{one.id}/{name}"
            for one in self.all(Connection, tenant)
            if one.id != cause and self._listens(one, home)
            for name, write in self.channel(one).writes.items()
            if event in write.on and self._able(one, write.needs)
        ]
        found += [
            f"{route.connection}/{route.write}"
            for route in self.all(Route, tenant)
            if route.status == "active" and route.connection != cause and _glob(route.event)(event)
            if self._live(route.connection)
            if not route.predicate or self._holds(route.predicate, event, doc)
        ]
        return [Target(target, ordered=True, shape="write", held=False) for target in found]

    def notices(self, tenant: str, event: str, doc: Doc) -> list[Target]:
        """The notices that people are to get of this event of their order: each a notifier's, by the rule in
        `shape`, in order per order. None of test orders, of people who are forgotten, or of notices themselves."""
        if doc.get("test") or doc.get("redacted_at") or event.startswith("notification."):
            return []
        return [
            Target(f"{rule.notifier}/notice", ordered=True, shape=rule.id, held=False)
            for rule in self.all(NoticeRule, tenant)
            if rule.status == "active" and _glob(rule.event)(event) and self._reaches(rule, doc)
            if not rule.predicate or self._holds(rule.predicate, event, doc)
            if not rule.consent or self._holds(rule.consent, event, doc)
        ]

    def _reaches(self, rule: NoticeRule, doc: Doc) -> bool:
        found = self._things["notifier"].get(rule.notifier)
        return isinstance(found, Notifier) and address_of(found.kind, rule.to, doc) is not None

    def _live(self, id_: str) -> bool:
        """Whether a route's connection may be written to: one that is observed is not."""
        found = self._things["connection"].get(id_)
        return not isinstance(found, Connection) or found.mode == "live"

    def _listens(self, connection: Connection, home: str) -> bool:
        """Whether an order's news goes to this connection by itself: it is the order's own, or a tracker's. One that
        is paused or parted is told later: what happens meanwhile waits for it."""
        channel = self.registry.channels.get(connection.channel)
        live = connection.mode == "live"
        return live and channel is not None and (connection.id == home or channel.kind == "tracker")

    def can(self, connection: Connection, needs: Iterable[str]) -> bool:
        """Whether a connection has the settings that a poll or write cannot do without; `a|b` is either."""
        settings = self.settings(connection)
        return all(any(getattr(settings, name, None) for name in need.split("|")) for need in needs)

    def _able(self, connection: Connection, needs: Iterable[str]) -> bool:
        """Whether a write is to be tried. One whose settings cannot be read now is, later: it must not keep an order
        from everyone else."""
        try:
            return self.can(connection, needs)
        except (Locked, Misconfigured):
            return True

    def _holds(self, filter_: str, event: str, doc: Doc) -> bool:
        """Whether a filter takes an event; one that cannot judge it does not, and keeps nobody else waiting."""
        try:
            return bool(self._compiled(filter_).value({"type": event, "data": doc}))
        except Unmapped as error:
            log.warning(
                "a filter could not judge an event", filter=filter_, event_type=event, fault=str(error)
            )
            return False

    def _compiled(self, filter_: str) -> Any:
        found = self._filters.get(filter_)
        if found is None:
            found = self._filters[filter_] = self._compile(filter_)
        return found

    async def put(self, unit: Unit, thing: Thing, now: int) -> None:
        """Write a thing; seen by `refresh` once the unit is done. Call it last: it takes a position."""
        thing.updated_at = now
        thing.created_at = thing.created_at or now
        thing.position = await unit.positions(1)
        unit.add("things_put", [row(thing)])


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


OPERATORS = frozenset({"exception", "mapping", "message", "connection", "endpoint", "reconciliation"})
"""Groups of events that tell how the hub itself is: they are for those who run it."""


def listens(globs: Iterable[str], event: str) -> bool:
    """Whether an endpoint with these globs is told: of the operators' groups only where a glob names the group."""
    group = event.partition(".")[0]
    asked = [one for one in globs if one.startswith(group)] if group in OPERATORS else globs
    return hears(asked, event)


@lru_cache(maxsize=1024)
def _glob(glob: str) -> Callable[[str], object]:
    return re.compile(fnmatch.translate(glob)).match


def hears(globs: Iterable[str], event: str) -> bool:
    """Whether one of these globs takes an event of this type."""
    return any(_glob(glob)(event) for glob in globs)


def names(things: Iterable[Thing]) -> list[str]:
    """Their names."""
    return [one.name for one in things]

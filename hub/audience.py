"""The audience: who is told of an event. Endpoints whose globs and filters take it, writes that carry it to far
sides, notices that people asked for.

Who might be told of a kind of event is found once and known until an operator changes something; what an order
itself decides is asked each time.
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import msgspec
import structlog

from hub.contract.errors import Misconfigured, Unmapped
from hub.directory import Connection, Directory, Doc, Endpoint, Route
from hub.things import NoticeRule, Notifier, address_of, places, shape
from hub.vault import Locked

_CARRIERS = 20_000
_UNJUDGED = 1000
log = structlog.get_logger("orderhub.audience")


class Target(msgspec.Struct, frozen=True):
    """Someone to tell, after so many seconds: an endpoint (`id` is its own), a write of a connection
    (`con_…/name`), or a notifier's notices (`…/notice`)."""

    id: str
    ordered: bool
    shape: str
    held: bool
    delay: int = 0


class Unjudged(msgspec.Struct, frozen=True):
    """A piece of news of an order that a filter could not judge: it was not sent to whom that filter guards."""

    whom: Endpoint | Route | NoticeRule
    event: str
    order: str
    version: int
    fault: Unmapped = msgspec.field(default_factory=lambda: Unmapped(""))

    @property
    def key(self) -> tuple[str, str, str, int]:
        """The same news, however often it is asked about before it is told."""
        return self.whom.id, self.event, self.order, self.version


class _Known(msgspec.Struct):
    """What was found for one revision of the directory, by tenant and event (and the order's home)."""

    revision: tuple[Any, ...]
    endpoints: dict[tuple[str, str], list[Endpoint]] = {}
    carriers: dict[tuple[str, str, str], list[tuple[str, Target]]] = {}
    routes: dict[tuple[str, str], list[tuple[Route, Target]]] = {}
    rules: dict[tuple[str, str], list[tuple[NoticeRule, Target]]] = {}
    filters: dict[str, Any] = {}


@dataclass(slots=True)
class Audience:
    """Who listens, as this process knows it; `compile` makes a filter of its text."""

    directory: Directory
    compile: Callable[[str], Any]
    _last: _Known = field(default_factory=lambda: _Known(()))
    _unjudged: dict[tuple[str, str, str, int], Unjudged] = field(default_factory=dict)

    @property
    def _known(self) -> _Known:
        revision = self.directory.revision
        if self._last.revision != revision:
            self._last = _Known(revision)
        return self._last

    def listeners(self, tenant: str, event: str) -> list[Endpoint]:
        """The endpoints whose globs take this event. `*` is what befalls orders: the hub's own troubles, which tell of
        other partners' data too, go to those who name their group."""
        known = self._known.endpoints
        found = known.get((tenant, event))
        if found is None:
            found = known[tenant, event] = [
                one for one in self.directory.all(Endpoint, tenant) if listens(one.events, event)
            ]
        return found

    def targets(self, tenant: str, event: str, doc: Doc, connection: str) -> list[Target]:
        """Everyone to be told of this event of this order: endpoints whose filters take it."""
        out = []
        for one in self.listeners(tenant, event):
            if not self.wants(one, event, doc, connection, told=True):
                continue
            held = one.status == "disabled"
            ordered = one.ordering == "per_order" and not held
            out.append(Target(one.id, ordered, self.shape(one), held, one.schedule[0]))
        return out

    def shape(self, endpoint: Endpoint) -> str:
        """How an endpoint's bodies look now, with the version of its mapping that is in force."""
        return shape(endpoint, self._version(endpoint.mapping)) if endpoint.mapping else shape(endpoint)

    def _version(self, mapping: str) -> str:
        """The hash of a mapping in force, "" where there is none or it does not compile."""
        try:
            return self.directory.registry.mapping(mapping).hash
        except Misconfigured:
            return ""

    def wants(
        self, one: Endpoint, event: str, doc: Doc, connection: str, *, told: bool = False
    ) -> bool:  # fmt: skip
        """Whether an endpoint that listens to such events is to hear of this one, which is being `told` or was."""
        if doc.get("test") and not one.include_test:
            return False
        if one.connections and connection not in one.connections:
            return False
        if one.locations and places(doc).isdisjoint(one.locations):
            return False
        return not one.filter or self._holds(one.filter, event, doc, one if told else None)

    def writes(self, tenant: str, event: str, doc: Doc, home: str, cause: str) -> list[Target]:
        """The writes that carry this news to far sides: to the order's own source, to trackers, along
        routes; never back to the connection that it came from."""
        found = [target for connection, target in self._carriers(tenant, event, home) if connection != cause]
        return found + [
            target
            for route, target in self._routes(tenant, event)
            if route.connection != cause
            and (not route.predicate or self._holds(route.predicate, event, doc, route))
        ]

    def _carriers(self, tenant: str, event: str, home: str) -> list[tuple[str, Target]]:
        """The writes that take such news by themselves: of the order's own connection, and of trackers."""
        known = self._known.carriers
        found = known.get((tenant, event, home))
        if found is None:
            if len(known) >= _CARRIERS:
                known.clear()
            found = known[tenant, event, home] = [
                (one.id, _write(f"{one.id}/{name}"))
                for one in self.directory.all(Connection, tenant)
                if self._listens(one, home)
                for name, write in self.directory.channel(one).writes.items()
                if event in write.on and self._able(one, write.needs)
            ]
        return found

    def _routes(self, tenant: str, event: str) -> list[tuple[Route, Target]]:
        known = self._known.routes
        found = known.get((tenant, event))
        if found is None:
            found = known[tenant, event] = [
                (route, _write(f"{route.connection}/{route.write}"))
                for route in self.directory.all(Route, tenant)
                if route.status == "active" and glob(route.event)(event) and self._live(route.connection)
            ]
        return found

    def notices(self, tenant: str, event: str, doc: Doc) -> list[Target]:
        """The notices that people are to get of this event of their order: each a notifier's, by the rule in
        `shape`, in order per order. None of test orders, of people who are forgotten, or of notices themselves."""
        if doc.get("test") or doc.get("redacted_at") or event.startswith("notification."):
            return []
        return [
            target
            for rule, target in self._rules(tenant, event)
            if self._reaches(rule, doc)
            if not rule.predicate or self._holds(rule.predicate, event, doc, rule)
            if not rule.consent or self._holds(rule.consent, event, doc, rule)
        ]

    def _rules(self, tenant: str, event: str) -> list[tuple[NoticeRule, Target]]:
        known = self._known.rules
        found = known.get((tenant, event))
        if found is None:
            found = known[tenant, event] = [
                (rule, Target(f"{rule.notifier}/notice", ordered=True, shape=rule.id, held=False))
                for rule in self.directory.all(NoticeRule, tenant)
                if rule.status == "active" and glob(rule.event)(event)
            ]
        return found

    def _reaches(self, rule: NoticeRule, doc: Doc) -> bool:
        found = self.directory.by_id(Notifier, rule.notifier)
        return found is not None and address_of(found.kind, rule.to, doc) is not None

    def _live(self, id_: str) -> bool:
        """Whether a route's connection may be written to: one that is observed is not."""
        found = self.directory.by_id(Connection, id_)
        return found is None or found.mode == "live"

    def _listens(self, connection: Connection, home: str) -> bool:
        """Whether an order's news goes to this connection by itself: it is the order's own, or a tracker's. One that
        is paused or parted is told later: what happens meanwhile waits for it."""
        channel = self.directory.registry.channels.get(connection.channel)
        live = connection.mode == "live"
        return live and channel is not None and (connection.id == home or channel.kind == "tracker")

    def _able(self, connection: Connection, needs: Iterable[str]) -> bool:
        """Whether a write is to be tried. One whose settings cannot be read now is, later: it must not keep an order
        from everyone else."""
        try:
            return self.directory.can(connection, needs)
        except (Locked, Misconfigured):
            return True

    def unjudged(self) -> list[Unjudged]:
        """What no filter could judge since this was asked last; a thousand of them are kept."""
        found, self._unjudged = list(self._unjudged.values()), {}
        return found

    def not_told(self, found: Iterable[Unjudged]) -> None:
        """These could not be told of: they are asked for again."""
        self._unjudged = {one.key: one for one in found} | self._unjudged

    def _holds(
        self, filter_: str, event: str, doc: Doc, whom: Endpoint | Route | NoticeRule | None
    ) -> bool:  # fmt: skip
        """Whether a filter takes an event; one that cannot judge it does not (it may be what keeps data from a
        partner), keeps nobody else waiting, and is told of."""
        filters = self._known.filters
        compiled = filters.get(filter_)
        if compiled is None:
            compiled = filters[filter_] = self.compile(filter_)
        try:
            return bool(compiled.value({"type": event, "data": doc}))
        except Unmapped as error:
            log.warning(
                "a filter could not judge an event", filter=filter_, event_type=event, fault=str(error)
            )
            # An exception about what tells of exceptions would be news of itself, for ever.
            if whom is not None and len(self._unjudged) < _UNJUDGED and not event.startswith("exception."):
                one = Unjudged(whom, event, str(doc.get("id", "")), doc.get("version") or 0, error)
                self._unjudged.setdefault(one.key, one)
            return False


def _write(id_: str) -> Target:
    return Target(id_, ordered=True, shape="write", held=False)


OPERATORS = frozenset({"exception", "mapping", "message", "connection", "endpoint", "reconciliation"})
"""Groups of events that tell how the hub itself is: they are for those who run it."""


def listens(globs: Iterable[str], event: str) -> bool:
    """Whether an endpoint with these globs is told: of the operators' groups only where a glob names the group."""
    group = event.partition(".")[0]
    asked = [one for one in globs if one.startswith(group)] if group in OPERATORS else globs
    return hears(asked, event)


@lru_cache(maxsize=1024)
def glob(text: str) -> Callable[[str], object]:
    """What matches a glob of event types."""
    return re.compile(fnmatch.translate(text)).match


def hears(globs: Iterable[str], event: str) -> bool:
    """Whether one of these globs takes an event of this type."""
    return any(glob(one)(event) for one in globs)

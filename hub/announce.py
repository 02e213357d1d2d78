"""Announcing: events as they are kept, and a delivery for everyone who wants to be told, in one unit.

An event's envelope is stored without the order's snapshot, which all events of one version share; a NUL,
which JSON cannot contain, marks where it goes. So a body is the same bytes at every attempt, and stored once.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import msgspec

from hub.audience import Audience, Target
from hub.contract.clock import text
from hub.orders.book import Page
from hub.orders.events import Event
from hub.replies import notice_id
from hub.store.engine import Engine, Unit
from hub.store.rows import JSON, Due
from hub.world import World

API_VERSION = "2027-01"
LEASE = 60_000_000
_MENDED = frozenset({"rebuild", "redaction"})
"""Causes of which no person is told: history was put right, nothing happened."""
ASKED = "notification.requested"
"""The event that says that a person is to be told of another."""


class Cause(msgspec.Struct, kw_only=True):
    """What made an order change: the message, its connection, and what kind of actor spoke."""

    message: str
    connection: str
    actor: str
    occurred_at: int
    quiet: bool = False


class News(msgspec.Struct, kw_only=True):
    """What happened to one order, and why; `silent` keeps it from everyone."""

    page: Page
    tenant: str
    fresh: bool
    events: list[Event]
    cause: Cause
    connection: str
    silent: bool


class _Before(msgspec.Struct, kw_only=True):
    """The part of an envelope that sorts before the snapshot."""

    api_version: str
    cause: dict[str, str]
    changes: list[dict[str, Any]]


class _After(msgspec.Struct, kw_only=True):
    """The part that sorts after it."""

    id: str
    occurred_at: str
    order: str | None
    previous: str | None
    recorded_at: str
    sequence: int | None
    subject: dict[str, str]
    tenant: str
    test: bool
    type: str


@dataclass(slots=True)
class Draft:
    """Events and deliveries that want only their positions."""

    claim: str
    now: int
    events: list[list[Any]]
    deliveries: list[list[Any]]
    heads: dict[tuple[str, str], list[Any]]

    @property
    def size(self) -> int:
        """How many positions it needs."""
        return len(self.events) + len(self.deliveries)

    def write(self, unit: Unit, first: int, docs: dict[str, bytes]) -> list[Due]:
        """Add all rows to the unit; returns the deliveries of new orders, due or waiting for the one before
        (those that ask the head are not among them: whether they are due is known once it commits)."""
        unit.add("events_add", [(first + n, *row) for n, row in enumerate(self.events)])
        by_event = {row[0]: row for row in self.events}
        first += len(self.events)
        for n, row in enumerate(self.deliveries):
            if row[3]:
                self._head(row, first + n if row[6] else 0)
        unit.add("heads_take", [(*key, *head) for key, head in sorted(self.heads.items())])
        unit.add("deliveries_add", [(first + n, *row[:6], *row[7:]) for n, row in enumerate(self.deliveries)])
        return [
            _due(first + n, row, by_event[row[2]], docs)
            for n, row in enumerate(self.deliveries)
            if row[4] in ("due", "waiting")
        ]

    def _head(self, row: list[Any], place: int) -> None:
        target, event, order = row[1:4]
        key = (target, order)
        held = self.heads.get(key)
        if held is None:
            self.heads[key] = [place, event]
        else:
            held[1] = event

    def asked(self, first: int) -> list[int]:
        """The positions of deliveries that asked the head, given where the draft was written."""
        first += len(self.events)
        return [first + n for n, row in enumerate(self.deliveries) if row[5]]


def _due(place: int, row: list[Any], event: list[Any], docs: dict[str, bytes]) -> Due:
    return Due(
        position=place, tenant=row[0], target=row[1], event=row[2], order=row[3], attempts=0, first_at=0,
        previous=row[8], trigger=row[9], shape=row[10], due_at=row[7], type=event[4], envelope=event[8],
        doc=docs.get(row[3]), claimed_until=row[12], waiting=row[4] == "waiting",
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Announcer:
    """Drafts events; `claim` is this process's mark on what it will deliver itself ("" where it is alone)."""

    engine: Engine
    audience: Audience
    world: World
    claim: str = ""

    async def draft(self, unit: Unit, news: list[News]) -> Draft:
        """Number the events of each order and find their audience."""
        now = self.world.now()
        draft = Draft(self.claim, now, [], [], {})
        known = await self._known(unit, news)
        for one in news:
            self._order(draft, one, known)
        return draft

    def plain(self, tenant: str, type_: str, subject: tuple[str, str], data: dict[str, Any]) -> Draft:
        """An event of no order: an exception, an endpoint, a test."""
        now = self.world.now()
        draft = Draft(self.claim, now, [], [], {})
        event = Event(type_, subject[0], subject[1], [])
        envelope = _envelope(self.world.new_id("evt"), event, None, tenant, Cause(
            message="", connection="", actor="hub", occurred_at=now), now)  # fmt: skip
        id_ = envelope[0]
        body = envelope[1].replace(b"\0", JSON.encode(data), 1)
        draft.events.append([id_, tenant, "", None, type_, 0, 0, now, body, 0])
        for target in self.audience.targets(tenant, type_, data, ""):
            if target.id == subject[1]:
                continue  # what befell an endpoint is told to the others
            status = "held" if target.held else "due"
            draft.deliveries.append(
                _delivery(draft, tenant, target, id_, "", status, ask=False, ordered=False, previous="")
            )
        return draft

    async def _known(self, unit: Unit, news: list[News]) -> dict[tuple[str, str], str]:
        pairs = {
            (target.id, one.page.id)
            for one in news
            if not one.fresh and not one.silent
            for event, targets in self._told(one)
            for target in targets
        }
        rows = sorted(pairs)
        if self.engine.shared and rows:
            await unit.fetch("heads_lock", rows)
        return {(row[0], row[1]): row[2] for row in await unit.fetch("heads_find", rows)}

    def _targets(self, one: News, event: Event) -> list[Target]:
        doc = one.page.doc or {}
        found = self.audience.targets(one.tenant, event.type, doc, one.connection)
        found += self.audience.writes(one.tenant, event.type, doc, one.connection, one.cause.connection)
        return (
            found
            if one.cause.actor in _MENDED
            else found + self.audience.notices(one.tenant, event.type, doc)
        )

    def _told(self, one: News) -> Iterator[tuple[Event, list[Target]]]:
        """Each event with its audience; one that a person is to be told of is followed by that news itself."""
        for event in one.events:
            targets = [] if one.silent else self._targets(one, event)
            yield event, targets
            for target in targets:
                if target.id.endswith("/notice"):
                    asked = _asked(event, target)
                    yield asked, self._targets(one, asked)

    def _order(self, draft: Draft, one: News, known: dict[tuple[str, str], str]) -> None:
        page = one.page
        doc = page.doc or {}
        told = ""
        for event, targets in self._told(one):
            if event.type == ASKED:
                event.subject = notice_id(told, event.subject)
            page.sequence += 1
            id_, envelope = _envelope(self.world.new_id("evt"), event, one, one.tenant, one.cause, draft.now)
            test = int(bool(doc.get("test")))
            draft.events.append([id_, one.tenant, page.id, page.sequence, event.type, test, page.version, draft.now, envelope,
                                 int(one.silent)])  # fmt: skip
            page.last_event = id_
            told = told if event.type == ASKED else id_
            for target in targets:
                self._deliver(draft, one, target, id_, known)

    def _deliver(
        self, draft: Draft, one: News, target: Target, event: str, known: dict[tuple[str, str], str]
    ) -> None:
        key = (target.id, one.page.id)
        previous = known.get(key, "")
        ordered = target.ordered
        waits = ordered and one.fresh and previous
        status = "held" if target.held else "waiting" if waits else "due"
        ask = ordered and not one.fresh
        draft.deliveries.append(
            _delivery(draft, one.tenant, target, event, one.page.id, "" if ask else status, ask=ask, ordered=ordered,
                      previous=previous)
        )  # fmt: skip
        known[key] = event


def _asked(event: Event, target: Target) -> Event:
    """The news that a person is to be told of an event; its subject is the rule until it has its own name."""
    to = {"event": event.type, "rule": target.shape, "notifier": target.id.partition("/")[0]}
    return Event(ASKED, "notification", target.shape, [{"path": "notifications", "to": to}])


def _delivery(
    draft: Draft, tenant: str, target: Target, event: str, order: str, status: str, *, ask: bool, ordered: bool, previous: str
) -> list[Any]:  # fmt: skip
    until = draft.now + LEASE if draft.claim else 0
    due_at = draft.now + target.delay * 1_000_000
    return [tenant, target.id, event, order, status, int(ask), int(ordered), due_at, previous, "first", target.shape,
            draft.claim, until]  # fmt: skip


def _envelope(
    id_: str, event: Event, one: News | None, tenant: str, cause: Cause, now: int
) -> tuple[str, bytes]:
    page = one.page if one else None
    before = JSON.encode(_Before(
        api_version=API_VERSION,
        cause={name: value for name, value in (
            ("message", cause.message), ("connection", cause.connection), ("actor", cause.actor)) if value},
        changes=event.changes,
    ))  # fmt: skip
    after = JSON.encode(_After(
        id=id_, occurred_at=text(cause.occurred_at), order=page.id if page else None,
        previous=(page.last_event or None) if page else None, recorded_at=text(now),
        sequence=page.sequence if page else None, subject={"id": event.subject, "type": event.subject_type},
        tenant=tenant, test=bool(page and (page.doc or {}).get("test")), type=event.type,
    ))  # fmt: skip
    return id_, before[:-1] + b',"data":\0,' + after[1:]

"""Walking: a source is read from a moment on, some pages a turn, and taken up where it stood after a crash.

A walk has a cursor of its own: that of the connection's sweep never moves. Between turns the conversation stays open,
so that no page is read twice; a process that died begins again at the last cursor that was durable, and what it reads
again is known by its text.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Protocol

import msgspec

from hub.contract.errors import Postponed
from hub.contract.flow import Page
from hub.converse import Converser, Reading
from hub.directory import Connection
from hub.inbound.keep import Keeper
from hub.inbound.normalise import Understood
from hub.inbound.poll import Sweeper
from hub.repair.jobs import Job
from hub.repair.parts import Parts
from hub.store.rows import PLAIN, Arrival, Head

SURVEYS = frozenset({"backfill", "compare", "reconcile"})
"""The kinds of jobs that walk."""
EVER = 2**62
_OPEN = 16


class Sources(Parts, Protocol):
    """The parts of a hub that surveys work with."""

    converser: Converser
    sweeper: Sweeper
    keeper: Keeper


class Wish(msgspec.Struct, kw_only=True, omit_defaults=True):
    """What to read: all that changed from `since` to `until` (unix microseconds); `emit` none tells nobody of what is
    older than the job, `rate` is orders a second at most (0: as fast as the far side lets us)."""

    since: int
    until: int = EVER
    emit: str = "none"
    rate: float = 0.0


class Mark(msgspec.Struct, kw_only=True, omit_defaults=True):
    """How far a survey has come: the source's cursor, the latest change it saw, what it counted."""

    cursor: str = ""
    reached: int = 0
    phase: str = "reading"
    after: str = ""
    checked: int = 0
    unreadable: int = 0
    named: bool = False
    counts: dict[str, int] = {}


@dataclass(frozen=True, slots=True)
class Look:
    """A page as it was read, what it means, and the latest revision that it speaks of (0: it does not say)."""

    page: Page
    understood: Understood
    revision: int


@dataclass(frozen=True, slots=True)
class Part:
    """What a turn read; `wait` are the seconds that the far side wants before the next."""

    looks: list[Look]
    mark: Mark
    ended: bool
    wait: float = 0.0
    note: str = ""


@dataclass(slots=True)
class Stop:
    """Why a part ends before it is full: the source did, or wants a pause."""

    ended: bool = False
    wait: float = 0.0
    note: str = ""

    def __bool__(self) -> bool:
        return self.ended or bool(self.wait)


@dataclass(slots=True)
class Walk:
    """Reads the sources of jobs."""

    hub: Sources
    _open: dict[str, tuple[str, Reading]] = field(default_factory=dict)

    async def part(
        self, job: Job, connection: Connection, most: int, take: Callable[[Look], Awaitable[None]] | None = None
    ) -> Part:  # fmt: skip
        """The next pages of a job within its span; each is taken before the far side is asked for the next."""
        wish, mark = wish_of(job), mark_of(job)
        since = self.hub.directory.channel(connection).since
        cursor, reading = self._open.pop(job.id, ("", None))
        if reading is None or cursor != job.cursor:
            reading = await self._begun(connection, mark, wish)
        looks: list[Look] = []
        wait = most / wish.rate if wish.rate else 0.0
        stop = Stop()
        for _ in range(most):
            page = await self._page(reading, stop, patient=bool(looks))
            if page is None:
                break
            seen = look(self.hub, connection, page)
            mark.cursor, mark.reached = page.cursor or mark.cursor, max(mark.reached, seen.revision)
            if seen.revision > wish.until:
                stop.ended = bool(since and since.ascending and page.cursor)
                if stop.ended:
                    break
                continue
            if take is not None:
                await take(seen)
            looks.append(seen)
        mark.checked += len(looks)
        if not stop:
            self._hold(job.id, "", reading)
        return Part(looks, mark, stop.ended, stop.wait or wait, stop.note)

    async def _page(self, reading: Reading, stop: Stop, *, patient: bool) -> Page | None:
        """The next page. A far side that wants to be left alone for a while ends the turn where something was read."""
        try:
            page = await reading.page()
        except Postponed as error:
            if not patient:
                raise
            stop.wait, stop.note = error.after or 60.0, str(error)
            return None
        stop.ended = page is None
        return page

    def settled(self, job: Job, mark: Mark) -> str:
        """The cursor that this mark is, once it is final; the conversation goes on from there."""
        cursor = PLAIN.encode(mark).decode()
        held = self._open.pop(job.id, None)
        if held is not None:
            self._hold(job.id, cursor, held[1])
        return cursor

    def _hold(self, job: str, cursor: str, reading: Reading) -> None:
        while len(self._open) >= _OPEN:  # those of jobs that were cancelled
            self._open.pop(next(iter(self._open)))
        self._open[job] = (cursor, reading)

    async def _begun(self, connection: Connection, mark: Mark, wish: Wish) -> Reading:
        channel = self.hub.directory.channel(connection)
        assert channel.poll is not None and channel.since is not None  # noqa: S101, PT018  asked only where there is
        context = await self.hub.converser.context(connection)
        cursor = mark.cursor or channel.since.cursor(wish.since)
        return self.hub.converser.reading(connection, channel.poll(context, cursor))


def look(hub: Sources, connection: Connection, page: Page) -> Look:
    """What a page means, as if it had just been kept."""
    now = hub.world.now()
    arrival = Arrival(
        0, "", connection.tenant, connection.id, "poll", page.topic,
        Head(headers=page.headers.pairs, rank=now if page.reread else 0), page.body, now,
    )  # fmt: skip
    understood = hub.normalise.understand(arrival)
    return Look(page, understood, max((one.said.rev[0] for one in understood.input.heard), default=0))


def wish_of(job: Job) -> Wish:
    """What a survey was asked for."""
    return msgspec.json.decode(job.params, type=Wish)


def mark_of(job: Job) -> Mark:
    """How far a survey has come."""
    return msgspec.json.decode(job.cursor, type=Mark) if job.cursor else Mark()


def progress(job: Job) -> float:
    """How much of its span a survey has seen, by the latest change that it read."""
    wish, mark = wish_of(job), mark_of(job)
    if job.state == "done" or mark.phase != "reading":
        return 1.0
    end = min(wish.until, job.created_at)
    return min(1.0, max(0.0, (mark.reached - wish.since) / (end - wish.since))) if end > wish.since else 0.0

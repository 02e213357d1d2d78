"""Redelivery: an endpoint gets again, or for the first time, what happened; a job of the kind `replay`.

The same webhook id and the same bytes, marked as a replay, in turn with each order. It goes no further ahead
than the endpoint takes: the rest waits at the cursor, not in the queue before today's news.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import msgspec

from hub.audience import Target, hears, listens
from hub.circuit import SECOND
from hub.directory import Endpoint
from hub.repair.jobs import Job, Turn
from hub.repair.parts import Parts
from hub.store.engine import Engine, Row, Unit
from hub.store.rows import whole

KIND = "replay"
_BATCH = 500
_AHEAD = 10.0
_LEAST = 50
_EVER = 2**62
_LATE = 5.0
_SLACK = 60_000_000
_ENDED = ("delivered", "dead", "skipped", "dropped")


class Wish(msgspec.Struct, kw_only=True, omit_defaults=True):
    """What to send: `all` that the endpoint wants, what is `missing` (never delivered), or what has `failed`,
    of a span of time, of types, of an order, or one delivery; `last` is where the job ends, later news goes out by itself."""

    only: Literal["all", "missing", "failed"] = "all"
    since: int = 0
    until: int = _EVER
    events: list[str] = []
    order: str = ""
    delivery: int = 0
    first: int = 0
    last: int = 0


@dataclass(frozen=True, slots=True)
class Part:
    """A page of what there is to do: ended deliveries to send again, events that have none yet."""

    cursor: int
    looked: int
    full: bool
    again: list[tuple[int, str]]
    fresh: list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Redelivery:
    """Works at replays; `woken` is told when there is something to deliver."""

    hub: Parts
    woken: Callable[[], None]

    async def total(self, job: Job) -> int:
        """How many deliveries or events it will look at."""
        wish = _wish(job)
        if wish.delivery:
            return 1
        if wish.only == "failed":
            rows = await self.hub.engine.fetch(
                "deliveries_dead_count", target=job.subject, since=wish.since, order_id=wish.order
            )
        else:
            rows = await self.hub.engine.fetch(
                "events_count", tenant=job.tenant, after=wish.first, last=wish.last, order_id=wish.order
            )
        return int(rows[0][0])

    async def turn(self, job: Job) -> Turn | None:
        """The next page; None while the endpoint takes nothing, or has enough before it."""
        endpoint = self.hub.directory.get(Endpoint, job.subject)
        if endpoint is None:
            return Turn(cursor=job.cursor, ended=True, note="the endpoint was removed")
        room = await self._room(endpoint)
        if endpoint.status != "active" or room <= 0:
            return None
        wish = _wish(job)
        place, _, told = (job.cursor or str(wish.first)).partition("/")
        after = int(place)
        page = self._one if wish.delivery else self._failed if wish.only == "failed" else self._events
        part = await page(job, endpoint, wish, after, room)

        async def write(unit: Unit) -> None:
            await send(unit, self.hub, job.tenant, endpoint, part.again, part.fresh)

        # Whoever does not know of a new endpoint yet tells without it for a moment: that is caught up with too.
        early = wish.last == _EVER and self.hub.world.now() < job.created_at + _LATE * SECOND
        sent = int(told or 0) + len(part.again) + len(part.fresh)
        return Turn(
            cursor=f"{part.cursor}/{sent}", done=part.looked, ended=not (part.full or early), write=write,
            after=self.woken, wait=_LATE if early and not part.full else 0.0, note=f"{sent} to be sent",
        )  # fmt: skip

    async def _room(self, endpoint: Endpoint) -> int:
        """How many more it is worth to have ready: some seconds of its rate."""
        most = max(_LEAST, int(endpoint.rate * _AHEAD)) if endpoint.rate else 2 * _BATCH
        rows = await self.hub.engine.fetch("deliveries_outstanding", target=endpoint.id, most=most)
        room = most - int(rows[0][0])
        return min(room, _BATCH) if room >= min(_LEAST, most) else 0

    async def _one(self, job: Job, endpoint: Endpoint, wish: Wish, after: int, most: int) -> Part:
        rows = await self.hub.engine.fetch("deliveries_get", tenant=job.tenant, position=wish.delivery)
        again = [(row[0], row[3]) for row in rows if row[1] == endpoint.id]
        return Part(wish.delivery, len(again), False, again, [])

    async def _failed(self, job: Job, endpoint: Endpoint, wish: Wish, after: int, most: int) -> Part:
        rows = await self.hub.engine.fetch(
            "deliveries_dead", target=endpoint.id, after=after, since=wish.since, until=wish.until,
            order_id=wish.order, most=most,
        )  # fmt: skip
        again = [(row[0], row[2]) for row in rows if not wish.events or hears(wish.events, row[3])]
        return Part(rows[-1][0] if rows else after, len(rows), len(rows) == most, again, [])

    async def _events(self, job: Job, endpoint: Endpoint, wish: Wish, after: int, most: int) -> Part:
        params = {"tenant": job.tenant, "after": after, "last": wish.last, "since": wish.since,
                  "until": wish.until, "most": most}  # fmt: skip
        if wish.order:
            rows = await self.hub.engine.fetch("events_of_order_between", order_id=wish.order, **params)
        else:
            rows = await self.hub.engine.fetch("events_between", **params)
        wanted = [row for row in rows if self._wanted(endpoint, wish, row)]
        known = await self._known(endpoint, wanted)
        again, fresh = [], []
        for row in wanted:
            had = known.get(row[1])
            if not had:
                fresh.append((row[1], row[2]))
            elif wish.only == "all" or all(status != "delivered" for _, status in had):
                again += [(had[-1][0], row[2])] if had[-1][1] in _ENDED else []
        return Part(rows[-1][0] if rows else after, len(rows), len(rows) == most, again, fresh)

    async def _known(self, endpoint: Endpoint, rows: list[Row]) -> dict[str, list[tuple[int, str]]]:
        found: dict[str, list[tuple[int, str]]] = {}
        ids = [(row[1],) for row in rows]
        for event, position, status in sorted(
            await self.hub.engine.fetch("deliveries_of_events", ids, target=endpoint.id)
        ):
            found.setdefault(event, []).append((position, status))
        return found

    def _wanted(self, endpoint: Endpoint, wish: Wish, row: Row) -> bool:
        if wish.events and not hears(wish.events, row[3]):
            return False
        return wanted(self.hub, endpoint, row)


def wanted(hub: Parts, endpoint: Endpoint, row: Row) -> bool:
    """Whether an endpoint, as it is now, is to hear of an event: position, id, order, type, test, sequence,
    envelope, doc, the order's connection, whether the order is silent."""
    if row[9] or not listens(endpoint.events, row[3]):
        return False
    doc = _doc(row) if endpoint.filter or endpoint.locations else {"test": bool(row[4])}
    return hub.audience.wants(endpoint, row[3], doc, row[8])


def _doc(row: Row) -> dict[str, object]:
    if row[7] is not None:
        doc: dict[str, object] = msgspec.json.decode(row[7])
        return doc
    told: dict[str, object] = msgspec.json.decode(whole(bytes(row[6]), None)).get("data", {})
    return told


async def send(
    unit: Unit, hub: Parts, tenant: str, endpoint: Endpoint, again: list[tuple[int, str]], fresh: list[tuple[str, str]]
) -> None:  # fmt: skip
    """Make deliveries of an endpoint go out: ended ones again (position, order), and events that it never got
    (event, order). Where it wants order, each waits its turn behind what is outstanding of its order."""
    target = Target(endpoint.id, endpoint.ordering == "per_order", hub.audience.shape(endpoint), held=False)
    await send_to(unit, hub, tenant, target, again, fresh)


async def send_to(
    unit: Unit, hub: Parts, tenant: str, target: Target, again: list[tuple[int, str]], fresh: list[tuple[str, str]]
) -> None:  # fmt: skip
    """As above, for anybody who is told."""
    now = hub.world.now()
    ordered = int(target.ordered)
    orders = {order for _, order in [*again, *fresh] if order} if ordered else set()
    pairs = sorted((target.id, order) for order in orders)
    await unit.claim("heads_take_empty", pairs)
    if hub.engine.shared and pairs:
        await unit.fetch("heads_lock", pairs)
    previous = await told_before(unit, target.id, fresh)
    unit.add("deliveries_replay", [(position, ordered, now) for position, _ in again])
    first = await unit.positions(len(fresh)) if fresh else 0
    unit.add("deliveries_add", [
        (first + n, tenant, target.id, event, order, "waiting" if ordered and order else "due", 0, now,
         previous.get(event, ""), "replay", target.shape, "", 0)
        for n, (event, order) in enumerate(fresh)
    ])  # fmt: skip
    unit.add("heads_restart", pairs)
    unit.add("deliveries_promote", pairs, now=now, claim="", until=0)


async def told_before(unit: Unit, target: str, fresh: list[tuple[str, str]]) -> dict[str, str]:
    """The event of its order that a target was told of before each of these (event, order), oldest first; and from
    now on the last of them is the one before the next. Event ids sort by time."""
    pairs = [(event, order) for event, order in fresh if order]
    before: dict[str, str] = {
        row[0]: row[1] or "" for row in await unit.fetch("events_before", pairs, target=target)
    }
    last: dict[str, str] = {}
    for event, order in pairs:
        before[event] = max(before.get(event, ""), last.get(order, ""))
        last[order] = event
    unit.add("heads_told", [(target, order, event) for order, event in sorted(last.items())])
    return before


async def begun(engine: Engine, at: int) -> int:
    """The position before the first event that was told at a time or later, found by halving."""
    last = int((await engine.fetch("events_last"))[0][0])
    low, high = 0, last
    while at and low < high:
        middle = (low + high) // 2
        rows = await engine.fetch("events_near", position=middle + 1)
        if rows and rows[0][1] < at - _SLACK:
            low = min(int(rows[0][0]), high)
        else:
            high = middle
    return low


def _wish(job: Job) -> Wish:
    return msgspec.json.decode(job.params, type=Wish)

"""Balancing a day: what the source has, what is here, and what each partner has acknowledged, with each gap named.

A day is one of the connection's own time zone. The source is asked where it can be read from a moment on; orders
count by when they were placed.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import msgspec

from hub.audience import hears
from hub.contract.clock import micros
from hub.contract.errors import HubError
from hub.directory import Connection, Endpoint
from hub.inbound.hear import speaker
from hub.repair.survey.walk import Sources, look
from hub.store.engine import Row

MOST_PAGES = 5000
_MOST = 100_000
_UNREAD = 100
_CREATED = "order.created"
_REASONS = {"dead": "dead letter", "held": "held for a disabled endpoint", "skipped": "skipped by a person",
            "dropped": "dropped with its endpoint's queue", "due": "on its way", "waiting": "waits behind another of its order"}  # fmt: skip


class Gap(msgspec.Struct, kw_only=True, omit_defaults=True):
    """An order that is missing somewhere, and why."""

    ref: str
    reason: str
    order: str = ""
    message: str = ""


class Heard(msgspec.Struct, kw_only=True):
    """One endpoint: how many of the day's orders it has acknowledged, how many are none of its business (filtered, or
    told to nobody), which it lacks."""

    endpoint: str
    partner: str
    acknowledged: int
    excluded: dict[str, int]
    missing: list[Gap]


class Balance(msgspec.Struct, kw_only=True):
    """One connection's day: `source` orders there (null: it was not asked, `note` says why), `here` those in the hub;
    what is missing, and messages that could not be read."""

    connection: str
    day: str
    source: int | None
    here: int
    missing_here: list[Gap]
    missing_there: list[Gap]
    unread: list[Gap]
    endpoints: list[Heard]
    balanced: bool
    note: str = ""


@dataclass(frozen=True, slots=True)
class Day:
    """A day of a connection, in unix microseconds."""

    name: str
    since: int
    until: int


def day_of(connection: Connection, day: date) -> Day:
    """The day as the connection's own time zone has it."""
    zone = ZoneInfo(connection.time_zone or "UTC")
    begin, end = (datetime.combine(one, time(), zone) for one in (day, day + timedelta(days=1)))
    return Day(day.isoformat(), int(begin.timestamp()) * 1_000_000, int(end.timestamp()) * 1_000_000)


async def balance(hub: Sources, connection: Connection, day: Day) -> Balance:
    """Balance a day of a connection. It speaks to the far side: no transaction is open."""
    rows = await hub.engine.fetch(
        "orders_of_day", tenant=connection.tenant, connection=connection.id, source=speaker(connection),
        since=day.since, until=day.until, after="", most=_MOST,
    )  # fmt: skip
    there, note, broken = await _there(hub, connection, day)
    here = {row[3] or row[1] or row[0]: row for row in rows}
    unread = await _unread(hub, connection, day) + broken
    gone = [
        Gap(ref=ref, reason="no message told of it: orderhub reconcile reads it")
        for ref in sorted((there or set()) - here.keys())
    ]
    extra = [
        Gap(ref=ref, order=here[ref][0], reason="the source does not list it")
        for ref in sorted(here.keys() - there)
    ] if there is not None else []  # fmt: skip
    heard = [
        await _heard(hub, one, rows)
        for one in hub.directory.all(Endpoint, connection.tenant)
        if hears(one.events, _CREATED)
    ]
    even = not (gone or extra or unread or any(one.missing for one in heard))
    return Balance(
        connection=connection.name, day=day.name, source=None if there is None else len(there), here=len(rows),
        missing_here=gone, missing_there=extra, unread=unread, endpoints=heard, balanced=even, note=note,
    )  # fmt: skip


async def _there(hub: Sources, connection: Connection, day: Day) -> tuple[set[str] | None, str, list[Gap]]:
    """The refs of the orders that the source has of the day; None with the reason where it cannot be asked."""
    channel = hub.directory.channel(connection)
    if channel.poll is None or channel.since is None or not hub.directory.can(connection, channel.needs):
        return None, "its source cannot be read from a time on", []
    context = await hub.converser.context(connection)
    reading = hub.converser.reading(connection, channel.poll(context, channel.since.cursor(day.since)))
    found: set[str] = set()
    broken: list[Gap] = []
    try:
        for _ in range(MOST_PAGES):
            page = await reading.page()
            if page is None:
                return found, "", broken
            seen = look(hub, connection, page)
            found |= {
                one.said.ref for one in seen.understood.input.heard
                if one.said.subject == "order" and day.since <= _placed(one.said.doc.get("placed_at")) < day.until
            }  # fmt: skip
            if seen.understood.status == "failed":
                told = seen.understood.troubles[0].title
                broken.append(Gap(ref=page.ref.removeprefix("order:"), reason=told))
    except HubError as error:
        return None, f"its source could not be read: {error}", []
    return None, f"its source has more than {MOST_PAGES} changes since then", []


def _placed(at: str | None) -> int:
    return micros(at) if at else -1


async def _unread(hub: Sources, connection: Connection, day: Day) -> list[Gap]:
    rows = await hub.engine.fetch(
        "messages_unread", tenant=connection.tenant, connection=connection.id, since=day.since, until=day.until,
        most=_UNREAD,
    )  # fmt: skip
    return [
        Gap(ref="", message=row[0], reason=f"{row[1] or 'message'} is {row[2]}{_why(row[3])}") for row in rows
    ]


def _why(error: bytes | None) -> str:
    told = msgspec.json.decode(error).get("error", "") if error else ""
    return f": {told}" if told else ""


async def _heard(hub: Sources, endpoint: Endpoint, orders: list[Row]) -> Heard:
    """What one endpoint has of these orders, by the event that told of each first."""
    named = {row[0]: row[3] or row[1] or row[0] for row in orders}
    events = {row[0]: row for row in await hub.engine.fetch("events_first", [(row[0],) for row in orders])}
    asked = [(row[1],) for row in events.values()]
    states: dict[str, list[str]] = {}
    for event, _, status in sorted(await hub.engine.fetch("deliveries_of_events", asked, target=endpoint.id)):
        states.setdefault(event, []).append(status)
    out = Heard(endpoint=endpoint.name, partner=endpoint.partner, acknowledged=0, excluded={}, missing=[])
    for order in orders:
        event = events.get(order[0])
        had = states.get(event[1], []) if event else []
        if "delivered" in had:
            out.acknowledged += 1
        elif had:
            reason = _REASONS.get(had[-1], had[-1])
            paused = f"; the endpoint is {endpoint.status}" if endpoint.status != "active" else ""
            out.missing.append(Gap(ref=named[order[0]], order=order[0], reason=reason + paused))
        else:
            why = _excluded(endpoint, order, event)
            out.excluded[why] = out.excluded.get(why, 0) + 1
    return out


def _excluded(endpoint: Endpoint, order: Row, event: Row | None) -> str:
    """Why an endpoint was never to hear of an order."""
    if event is None:
        return "no event"
    if event[4] or order[2]:
        return "silent"
    if event[5] < endpoint.created_at:
        return "before the endpoint"
    return "test" if event[3] and not endpoint.include_test else "filtered"

"""Scans: when one is the same as another, and in which order they happened.

Carriers' clocks are of three kinds: with a zone, without one, and a mere date. Two stamps of one kind
compare as they stand; across kinds there is a doubt of a day, and where the doubt covers both, the
provider's own order decides, then how far along the parcel must have been. `position` counts from the
oldest in the provider's list.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from functools import lru_cache
from hashlib import blake2b
from typing import Any

from hub.contract.message import json_body
from hub.orders.numbers import normal

Doc = Mapping[str, Any]
Telling = tuple[Doc, str | None, frozenset[str]]
"""A scan, the revision of the report that brought it, and who has told it."""

RANK: dict[str | None, int] = {
    word: rank
    for rank, word in enumerate(
        """unknown pre_transit in_transit out_for_delivery delivery_attempted available_for_pickup exception
        cancelled failed delivered returning returned""".split()
    )
}
"""How far along: what settles the order of events of one moment."""

_EARLIEST, _LATEST = 14 * 3600.0, 12 * 3600.0
"""A stamp without a zone was made somewhere between UTC+14 and UTC-12."""
_DAY = 86_399.999
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_PLACE = ("name", "city", "region", "postal_code", "country")


@dataclass(slots=True)
class Event:
    """A scan (or a bare word of a report) as the fold sees it: `low` and `high` bound its moment in unix
    seconds, of UTC or, when `floating`, of an unknown zone; `position` is -1 where none was given."""

    status: str | None
    sub_status: str | None
    scan: Doc
    sources: frozenset[str]
    key: str
    position: int = -1
    rank: int = 0
    dated: bool = False
    low: float = 0.0
    high: float = 0.0
    floating: bool = False
    bare: bool = False


def identity(scan: Doc) -> str:
    """What makes a scan itself within its parcel: local time, code, place and text, never what it was mapped
    to. An aggregator's own word (`source_word`) is such a mapping too: it counts only where nothing else does."""
    when = scan.get("local_time") or scan.get("at") or ""
    if len(when) >= 19 and when[4] == "-":
        when = f"{when[:10]} {when[11:19]}"
    place = scan.get("place") or {}
    where = "|".join([value for name in _PLACE if (value := place.get(name))]).casefold() if place else ""
    said = " ".join((scan.get("text") or "").casefold().split())
    code = scan.get("carrier_code") or ("" if said else scan.get("source_word")) or ""
    return f"{when}\x1f{code}\x1f{where}\x1f{said}"


def fingerprint(scan: Doc, number: str, *, carrier: str = "", instance: str = "") -> str:
    """The natural key of a scan: 32 hex digits, the same however often and by whatever mapping it is told."""
    whole = f"{carrier}\x1f{normal(number)}\x1f{instance}\x1f{identity(scan)}"
    return blake2b(whole.encode("utf-8", "replace"), digest_size=16).hexdigest()


def union(reports: Iterable[Doc]) -> list[Event]:
    """Every scan of these reports once: the newest telling stands, all who told it are named."""
    held: dict[str, Telling] = {}
    for report in reports:
        name, revision = report.get("ref") or "", report.get("source_revision")
        for scan in report.get("scans") or ():
            key = identity(scan)
            telling = (scan, revision, alone(scan.get("source") or name))
            held[key] = _newer(held[key], telling) if key in held else telling
    fine = any([_is_fine(scan) for scan, _, _ in held.values()])
    return [_event(scan, sources, key, fine) for key, (scan, _, sources) in held.items()]


def _newer(held: Telling, told: Telling) -> Telling:
    sources = held[2] | told[2]
    if held[1] == told[1]:
        newer = told[0] is not held[0] and json_body(told[0]) > json_body(held[0])
    else:
        newer = (seconds(told[1]), told[1] or "") > (seconds(held[1]), held[1] or "")
    return (told[0], told[1], sources) if newer else (held[0], held[1], sources)


def seconds(stamp: str | None) -> float:
    """Unix seconds, nought for what cannot be read."""
    try:
        moment = datetime.fromisoformat(stamp) if stamp else _EPOCH
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except ValueError:
        return 0.0


@lru_cache(maxsize=1024)
def alone(source: str) -> frozenset[str]:
    """The set of one source."""
    return frozenset({source})


def _event(scan: Doc, sources: frozenset[str], key: str, fine: bool) -> Event:
    status, sub = scan.get("status"), scan.get("sub_status")
    if scan.get("effect") == "keep_last":
        status = None
    elif sub:
        # `delivered` to a locker is told as available_for_pickup.…: the finer word names the status.
        head = sub.partition(".")[0]
        status = head if head in RANK else None if head == "keep_last" else status
    position = scan.get("position")
    event = Event(status, sub, scan, sources, key, -1 if position is None else position, RANK.get(status, 0))
    moment = _moment(scan)
    if moment is not None:
        event.dated, event.floating = True, moment.tzinfo is None
        event.low = (moment.replace(tzinfo=UTC) if event.floating else moment).timestamp()
        event.high = event.low + _DAY if _is_date(scan, fine) else event.low
    return event


def _is_fine(scan: Doc) -> bool:
    """Whether a stamp is finer than minutes, so that its carrier's midnights are real."""
    when = scan.get("local_time") or scan.get("at") or ""
    return when[16:17] == ":" and when[17:19] != "00"


def _moment(scan: Doc) -> datetime | None:
    for stamp in (scan.get("at"), scan.get("local_time")):
        if not stamp:
            continue
        try:
            moment = datetime.fromisoformat(stamp)
        except ValueError:
            continue
        offset = scan.get("utc_offset")
        if moment.tzinfo is None and offset is not None and -1440 < offset < 1440:
            return moment.replace(tzinfo=timezone(timedelta(minutes=offset)))
        return moment
    return None


def _is_date(scan: Doc, fine: bool) -> bool:
    precision = scan.get("precision")
    if precision:
        return bool(precision == "date")
    when = scan.get("local_time") or scan.get("at") or ""
    return len(when) == 10 or (not fine and when[11:19] in ("00:00:00", "00:00"))


def ordered(events: list[Event]) -> list[Event]:
    """As they happened, the same whatever order they were told in."""
    dated = [event for event in events if event.dated]
    undated = [event for event in events if not event.dated]
    if _plain(dated):
        dated.sort(key=lambda event: (event.low, event.position, event.rank, event.key))
    else:
        dated = _woven(dated)
    return _placed(dated, undated) if undated else dated


def _plain(dated: list[Event]) -> bool:
    """Whether all stamps compare as they stand."""
    if any(event.low != event.high for event in dated):
        return False
    floating = [event for event in dated if event.floating]
    if not floating:
        return True
    return len(floating) == len(dated) and (
        all(event.position < 0 for event in dated) or len({_town(event) for event in dated}) == 1
    )


def _town(event: Event) -> str:
    place = event.scan.get("place") or {}
    return "|".join([place.get(name) or "" for name in ("city", "region", "country")]).casefold()


def _span(event: Event) -> tuple[float, float, float, float, str]:
    """The bounds of an event in UTC, its bounds in its own zone, and its town ("" where a zone is known)."""
    if not event.floating:
        return event.low, event.high, 0.0, 0.0, ""
    return event.low - _EARLIEST, event.high + _LATEST, event.low, event.high, "@" + _town(event)


def before(one: Event, other: Event) -> bool:
    """Whether one certainly came before the other; what is undated never did."""
    if not (one.dated and other.dated):
        return False
    if one.floating and other.floating:
        return one.high < other.low
    return _span(one)[1] < _span(other)[0]


def _woven(dated: list[Event]) -> list[Event]:
    """A partial order made whole: what is certain holds, the provider's order and then rank settle the rest.

    Why not sort by a guessed instant: a guess would decide exactly the cases in which it is worth nothing.
    """
    dated = sorted(dated, key=lambda event: event.key)
    sole = len({event.sources for event in dated}) == 1 == len(dated[0].sources)
    listed = sole and all([event.position >= 0 for event in dated])
    spans = [_span(event) for event in dated]
    after: list[list[int]] = [[] for _ in dated]
    waiting = [0] * len(dated)
    for here, one in enumerate(spans):
        end, local_end, town = one[1], one[3], one[4]
        for there, (start, _, local_start, _, other) in enumerate(spans):
            if end < start or (town and (town == other or not listed) and other and local_end < local_start):
                after[here].append(there)
                waiting[there] += 1
    free = [(_turn(event, listed=listed), index) for index, event in enumerate(dated) if not waiting[index]]
    heapq.heapify(free)
    out = []
    while free:
        _, index = heapq.heappop(free)
        out.append(dated[index])
        for there in after[index]:
            waiting[there] -= 1
            if not waiting[there]:
                heapq.heappush(free, (_turn(dated[there], listed=listed), there))
    return out


def _turn(event: Event, *, listed: bool) -> tuple[int, int, float, str]:
    return event.position if listed else 0, event.rank, event.low + event.high, event.key


def _placed(dated: list[Event], undated: list[Event]) -> list[Event]:
    """Undated events by their place in the provider's list, never the newest; without a place, the oldest."""
    undated.sort(key=lambda event: (event.position, event.rank, event.key))
    if not dated:
        return undated
    oldest = [event for event in undated if event.position < 0]
    out = list(dated)
    for event in undated[len(oldest) :]:
        later = (
            index
            for index, other in enumerate(out)
            if other.dated and other.position > event.position and other.sources & event.sources
        )
        last = max(index for index, other in enumerate(out) if other.dated)
        out.insert(next(later, last), event)
    return oldest + out

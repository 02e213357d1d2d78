"""Sweeps: reading all that changed since a time, and telling where one stands so that it goes on after a crash.

Where a list comes in the order of its changes, the cursor is the last change seen, and `beginning` says where to read
on. Where it comes in any other order, a sweep has to be finished before its start becomes the next one's beginning:
`stretches` are what is to be read, and their cursors say where in the middle it stood.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta

import msgspec

from hub.contract.flow import Page

OVERLAP = timedelta(minutes=30)
"""How far a sweep goes back behind what the one before has seen."""

FIRST = timedelta(hours=24)
"""How far the first sweep of a connection goes back; what is older comes by a backfill."""


def beginning(last: str, now: int) -> datetime:
    """Where a sweep begins: the overlap behind the last change seen (a time, of UTC where it says no offset), or a day
    before now (unix microseconds) where there is none."""
    if not last:
        return datetime.fromtimestamp(now / 1_000_000, UTC) - FIRST
    seen = datetime.fromisoformat(last)
    return (seen if seen.tzinfo else seen.replace(tzinfo=UTC)).astimezone(UTC) - OVERLAP


class Stretch(msgspec.Struct, frozen=True):
    """What changed `since` a time, as a sweep that `started` then reads it; from the far side's `page` on, "" for the
    first."""

    since: str
    started: str
    page: str = ""

    def told(self, pages: Iterable[Page], page: str, following: str) -> Iterator[Page]:
        """What one page of the list holds, with cursors: the page is read again until its last is durable; then it
        goes on with the following one, or ("") the stretch is done."""
        found = [*pages]
        for number, one in enumerate(found, start=1):
            at = self._at(page) if number < len(found) else self._at(following) if following else self.started
            yield msgspec.structs.replace(one, cursor=at)

    def _at(self, page: str) -> str:
        return f"{self.since}|{self.started}|{page}" if page else self.since


def stretches(cursor: str, now: int, form: str) -> Iterator[Stretch]:
    """What a sweep has to read: the rest of one that was cut off, where the cursor stands in the middle of one, and
    what changed since that began. Times are in the far side's form, of UTC. The cursor is `since`, or
    `since|started|page`."""
    since, _, rest = cursor.partition("|")
    started, _, page = rest.partition("|")
    if page:
        yield Stretch(since, started, page)
        since = started
    yield Stretch(
        beginning(since, now).strftime(form), datetime.fromtimestamp(now / 1_000_000, UTC).strftime(form)
    )

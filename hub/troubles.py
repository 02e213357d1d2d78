"""Exceptions: what a person has to look at, one row per cause, opened within the step that met it.

A trouble is one subject (a message, a delivery, a connection) under a cause. Troubles of one cause are
counted together; when the last of them is gone the exception closes itself.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from hub.contract.errors import Place, Unreadable
from hub.store.engine import Row, Unit
from hub.world import World


class Trouble(msgspec.Struct, kw_only=True):
    """One thing that went wrong: `cause` groups it with its like, `hint` says what to do next."""

    tenant: str
    cause: str
    subject: str
    title: str
    hint: str = ""
    severity: str = "error"
    orders: list[str] = []
    connection: str = ""
    place: dict[str, Any] | None = None


def place(error: Unreadable) -> dict[str, Any]:
    """An error's place as it is shown."""
    where: Place = error.place
    return {
        name: value
        for name, value in (
            ("file", where.file),
            ("line", where.line),
            ("column", where.column),
            ("field", where.field),
            ("value", where.value[:200]),
        )
        if value
    }


def cause(*parts: str) -> str:
    """A short name for what troubles have in common."""
    return hashlib.blake2b("\0".join(parts).encode(), digest_size=8).hexdigest()


class Known:
    """The subjects that may be in trouble, in memory: all that are, and hardly any that are not. So a step that mends
    nothing, as nearly all do, asks the store nothing."""

    def __init__(self) -> None:
        self._opened: dict[str, int] = {}
        self._under_way: Counter[str] = Counter()
        self._count = 0
        self._whole = False

    async def load(self, unit: Unit) -> None:
        """Read what the store has, where that is not known; what is being opened meanwhile is not in it yet."""
        if self._whole:
            return
        begun, under_way = self._count, set(self._under_way)
        found = {row[0]: 0 for row in await unit.fetch("troubles_subjects")}
        late = {one: n for one, n in self._opened.items() if one in found or one in under_way or n > begun}
        self._opened = found | late
        self._whole = True

    def stale(self, _: bool) -> None:
        """Some are in trouble no more, nobody says which: the store is read again."""
        self._whole = False

    def opens(self, unit: Unit, subjects: set[str]) -> None:
        """These are in trouble, if the unit succeeds."""
        self._count = number = self._count + 1
        fresh = subjects - self._opened.keys() if self._whole else set()
        self._opened.update(dict.fromkeys(subjects, number))
        self._under_way.update(subjects)

        def ended(durable: bool) -> None:
            self._under_way -= Counter(subjects)
            if not durable:
                self._forget(dict.fromkeys(fresh, number))

        unit.ends.append(ended)

    def among(self, unit: Unit, subjects: set[str]) -> set[str]:
        """Those of these that may be in trouble; they are not, once the unit has succeeded, unless they are opened again
        or are just being opened."""
        found = {one for one in subjects if one in self._opened}
        last = {one: self._opened[one] for one in found if one not in self._under_way}

        def ended(durable: bool) -> None:
            if durable:
                self._forget(last)

        if last:
            unit.ends.append(ended)
        return found

    def _forget(self, last: Mapping[str, int]) -> None:
        for one, number in last.items():
            if self._opened.get(one) == number:
                del self._opened[one]

    def __len__(self) -> int:
        return len(self._opened)


class Troubles:
    """Opens and closes exceptions within the unit of the step that met or mended them."""

    def __init__(self, world: World, *, alone: bool) -> None:
        """`alone`: no other process opens troubles, so that what is open is known without asking."""
        self._world = world
        self._known = Known() if alone else None

    async def open(self, unit: Unit, troubles: Iterable[Trouble]) -> None:
        """One exception per cause: opened, or counted up. Takes positions: call it last but for other writes."""
        by_cause: dict[tuple[str, str], list[Trouble]] = {}
        for trouble in troubles:
            by_cause.setdefault((trouble.tenant, trouble.cause), []).append(trouble)
        if not by_cause:
            return
        now = self._world.now()
        first = await unit.positions(len(by_cause))
        rows: list[Row] = []
        for place_, (key, group) in enumerate(sorted(by_cause.items()), first):
            last = group[-1]
            doc = msgspec.json.encode({
                "title": last.title, "hint": last.hint, "subject": last.subject, "connection": last.connection,
                "orders": sorted({order for one in group for order in one.orders})[:100], "place": last.place,
            })  # fmt: skip
            rows.append((self._world.new_id("exc"), *key, place_, last.severity, len(group), now, doc))
        unit.add("exceptions_open", rows)
        subjects = {(one.tenant, one.cause, one.subject, now) for group in by_cause.values() for one in group}
        unit.add("troubles_add", sorted(subjects))
        if self._known is not None:
            self._known.opens(unit, {subject for _, _, subject, _ in subjects})

    async def clear(self, unit: Unit, subjects: Iterable[str]) -> None:
        """These subjects are well again; an exception whose last trouble this was closes itself."""
        wanted = set(subjects)
        if self._known is not None:
            await self._known.load(unit)
            wanted = self._known.among(unit, wanted)
        rows = [(subject,) for subject in sorted(wanted)]
        causes = await unit.fetch("troubles_causes", rows)
        if causes:
            unit.add("troubles_clear", rows)
            position = await unit.positions(1)
            unit.add("exceptions_close_idle", sorted(causes), position=position, now=self._world.now())

    def drop(self, unit: Unit, tenant: str, cause: str) -> None:
        """A person closed the exception of this cause: nothing is in trouble for it any more."""
        unit.add("troubles_drop_cause", tenant=tenant, cause=cause)
        if self._known is not None:
            unit.ends.append(self._known.stale)

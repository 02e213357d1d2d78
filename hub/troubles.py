"""Exceptions: what a person has to look at, one row per cause, opened within the step that met it.

A trouble is one subject (a message, a delivery, a connection) under a cause. Troubles of one cause are
counted together; when the last of them is gone the exception closes itself.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
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


class Troubles:
    """Opens and closes exceptions within the unit of the step that met or mended them."""

    def __init__(self, world: World, *, alone: bool) -> None:
        """`alone`: no other process opens troubles, so that what is open is known without asking."""
        self._world = world
        self._alone = alone
        self._known: set[str] = set()
        self._loaded = False

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
        self._known |= {subject for _, _, subject, _ in subjects}

    async def clear(self, unit: Unit, subjects: Iterable[str]) -> None:
        """These subjects are well again; an exception whose last trouble this was closes itself."""
        if self._alone and not self._loaded:
            self._known = {row[0] for row in await unit.fetch("troubles_subjects")}
            self._loaded = True
        wanted = set(subjects) & self._known if self._alone else set(subjects)
        rows = [(subject,) for subject in sorted(wanted)]
        causes = await unit.fetch("troubles_causes", rows)
        if causes:
            unit.add("troubles_clear", rows)
            position = await unit.positions(1)
            unit.add("exceptions_close_idle", sorted(causes), position=position, now=self._world.now())

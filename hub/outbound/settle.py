"""Settling: what came of attempts is written together, and the next of each order gets its turn.

One transaction: the deliveries' new status, the attempt log, the heads passed on, the promoted ones due.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

import msgspec

from hub.announce import LEASE, Announcer
from hub.outbound.carried import carried
from hub.outbound.verdict import Verdict
from hub.store.engine import Engine, Row, Unavailable, Unit
from hub.store.group import Group
from hub.store.rows import Due
from hub.troubles import Trouble, Troubles, cause
from hub.world import World

_FINAL = ("delivered", "dead", "skipped")


class Tried(msgspec.Struct):
    """One attempt that ended: the delivery, the verdict, when it began, and its log."""

    due: Due
    verdict: Verdict
    at: int
    log: bytes
    name: str = ""


class Settler:
    """Writes attempts in groups; answers each with the deliveries that became due."""

    def __init__(
        self, engine: Engine, troubles: Troubles, announcer: Announcer, world: World, claim: str = ""
    ) -> None:
        self.health: Callable[[list[Tried]], list[Row]] = lambda _: []
        self.noted: Callable[[list[Row]], None] = lambda _: None
        self._engine = engine
        self._announcer = announcer
        self._troubles = troubles
        self._world = world
        self._claim = claim
        self._group: Group[Tried, list[int]] = Group(self._write)

    async def settle(self, tried: Tried) -> list[int]:
        """Durable when this returns: the positions that it promoted."""
        return await self._group.add(tried)

    async def _write(self, group: list[Tried]) -> list[list[int]]:
        final = [one for one in group if one.verdict.status in _FINAL and one.due.order]
        pairs = sorted({(one.due.target, one.due.order) for one in final})
        now = self._world.now()
        told: list[int] = []
        health = self.health(group)

        async def work(unit: Unit) -> Unit:
            if self._engine.shared:
                await unit.fetch("heads_lock", pairs)
            unit.add("deliveries_settle", [self._row(one) for one in group])
            unit.add("attempts_add", [self._attempt(one) for one in group])
            unit.add("health_put", health)
            unit.add("heads_settle", [(one.due.target, one.due.order, one.due.position) for one in final])
            until = now + LEASE if self._claim else 0
            unit.add("deliveries_promote", pairs, now=now, claim=self._claim, until=until)
            await self._troubles.clear(
                unit, [_subject(one) for one in group if one.verdict.status == "delivered"]
            )
            counted = await self._counted(unit, group)
            await self._troubles.open(
                unit, [one for tried in counted if (one := _trouble(tried)) is not None]
            )
            told[:] = await self._tell(unit, counted)
            return unit

        unit = await self._engine.transact(work)
        self.noted(health)
        if unit.counts.get("deliveries_promote"):
            told += await self._promoted(pairs, now)
        return [told, *([] for _ in group[1:])]

    async def _promoted(self, pairs: list[tuple[str, str]], now: int) -> list[int]:
        """What this moment's promotion made due; where the store goes away now, it is found there when it is back."""
        with contextlib.suppress(Unavailable):
            return [row[0] for row in await self._engine.fetch("heads_of", pairs, now=now, claim=self._claim)]
        return []

    async def _counted(self, unit: Unit, group: list[Tried]) -> list[Tried]:
        """Those that there is something to say of, and whose verdict counts: not where another process has taken the
        delivery since, nor where this was settled already and only the answer of the store was lost."""
        found = [one for one in group if _trouble(one) is not None or _said(one) is not None]
        places = [(one.due.position,) for one in found]
        rows = await unit.fetch("deliveries_ours", places, claim=self._claim)
        ours: dict[int, int] = dict(rows)
        return [one for one in found if ours.get(one.due.position) == one.due.attempts]

    async def _tell(self, unit: Unit, ended: list[Tried]) -> list[int]:
        """What became of writes, for who listens: the positions of the deliveries."""
        out: list[int] = []
        for one in ended:
            found = _said(one)
            if found is not None:
                type_, data = found
                draft = self._announcer.plain(
                    one.due.tenant, type_, ("writeback", str(data["delivery"])), data
                )
                out += [due.position for due in draft.write(unit, await unit.positions(draft.size), {})]
        return out

    async def pass_over(self, blocked: list[tuple[Any, ...]], name: str) -> None:
        """Give their orders' turn to the next; what blocked them goes on by its schedule, and a person is told."""

        async def work(unit: Unit) -> None:
            pairs = sorted((row[0], row[1]) for row in blocked)
            if self._engine.shared:
                await unit.fetch("heads_lock", pairs)
            unit.add("heads_pass", [row[:3] for row in blocked])
            unit.add("deliveries_promote", pairs, now=self._world.now(), claim="", until=0)
            await self._troubles.open(unit, [_passed(row, name) for row in blocked])

        await self._engine.transact(work)

    async def over(self, subjects: list[str]) -> None:
        """What these deliveries were in trouble for is over."""
        await self._engine.transact(lambda unit: self._troubles.clear(unit, subjects))

    def _row(self, one: Tried) -> tuple[Any, ...]:
        verdict = one.verdict
        return (
            one.due.position,
            verdict.status,
            verdict.due_at,
            verdict.outcome,
            int(verdict.tried),
            one.at,
            self._claim,
            one.due.attempts,
        )

    def _attempt(self, one: Tried) -> tuple[Any, ...]:
        return (one.due.position, one.at, one.due.target, one.at, one.verdict.outcome, one.log)


def _said(one: Tried) -> tuple[str, dict[str, Any]] | None:
    """The news that a write has ended, and how."""
    verdict = one.verdict
    return carried(one.due, verdict.status, one.log) if verdict.status in _FINAL else None


def _subject(one: Tried) -> str:
    return f"dlv_{one.due.position}"


def _passed(row: tuple[Any, ...], name: str) -> Trouble:
    target, order, position, tenant, type_, outcome = row
    return Trouble(
        tenant=tenant,
        cause=cause("blocked", target),
        subject=f"dlv_{position}",
        severity="warning",
        title=f"{name} has not taken {type_} ({outcome}): later news of its order passes it now",
        hint="See `orderhub deliveries show`; it is tried again by its schedule, or `orderhub deliveries skip` it.",
        orders=[order],
    )


def _trouble(one: Tried) -> Trouble | None:
    """What a person has to look at."""
    if one.verdict.outcome == "unknown":
        return _doubtful(one)
    if one.verdict.status == "dead":
        return _dead(one)
    return _stumbled(one) if one.verdict.outcome == "fault" else None


def _doubtful(one: Tried) -> Trouble:
    return Trouble(
        tenant=one.due.tenant,
        cause=cause("unknown", one.due.target),
        subject=_subject(one),
        title=f"whether the message about {one.due.type} went out by {one.name} is not known: it is not sent twice",
        hint=f"Ask the provider; `orderhub deliveries redeliver {_subject(one)}` sends it, "
        f"`orderhub deliveries skip {_subject(one)}` lets it be.",
        orders=[one.due.order] if one.due.order else [],
    )


def _stumbled(one: Tried) -> Trouble:
    return Trouble(
        tenant=one.due.tenant,
        cause=cause("fault", one.due.target),
        subject=_subject(one),
        title=f"{one.name or one.due.target} could not be told of {one.due.type}: a fault of ours",
        hint=f"See `orderhub deliveries show {_subject(one)}` and the hub's log; it is tried again by its schedule.",
        orders=[one.due.order] if one.due.order else [],
    )


def _dead(one: Tried) -> Trouble:
    return Trouble(
        tenant=one.due.tenant,
        cause=cause("dead", one.due.target),
        subject=_subject(one),
        title=f"{one.name or one.due.target} refused {one.due.type} until its schedule ran out: {one.verdict.outcome}",
        hint="See `orderhub deliveries show`, mend the receiver, then `orderhub deliveries redeliver`.",
        orders=[one.due.order] if one.due.order else [],
    )

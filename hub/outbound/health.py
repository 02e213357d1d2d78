"""Health: an endpoint that does nothing but fail is told of after an hour and disabled after two weeks.

The run of failures stands in columns of the store, not in a process. A lone failure weeks ago disables nobody:
what counts is from the first failure to the last one seen. What it is owed is held, never dropped.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from hub.announce import Announcer
from hub.contract.clock import text
from hub.directory import Directory, Endpoint
from hub.outbound.settle import Tried
from hub.store.engine import Engine, Row, Unit
from hub.store.rows import PLAIN, Due
from hub.troubles import Trouble, Troubles, cause
from hub.world import World

SECOND = 1_000_000
FAILING_AFTER = 3600 * SECOND
_OFTEN = 60 * SECOND
_BY_HAND = "by hand"


@dataclass(slots=True)
class Health:
    """Notes how endpoints fare and acts on it; `disable` sets one aside, `hand` gets the deliveries of what is told."""

    engine: Engine
    directory: Directory
    announcer: Announcer
    troubles: Troubles
    world: World
    disable: Callable[[Endpoint, str], Awaitable[None]]
    hand: Callable[[list[Due]], None]
    _noted: dict[str, tuple[bool, int]] = field(default_factory=dict)
    _succeeded: dict[str, int] = field(default_factory=dict)

    def rows(self, group: Iterable[Tried]) -> list[Row]:
        """What attempts say of their endpoints, to be written with them: each change at once, the same again at
        most once a minute. `kept` says that it is written."""
        found: dict[str, list[int]] = {}
        for one in sorted(group, key=lambda one: one.at):
            if one.verdict.sent and self.directory.get(Endpoint, one.due.target) is not None:
                _count(found.setdefault(one.due.target, [0, 0, 0]), one)
        for target, times in found.items():
            self._succeeded[target] = max(times[2], self._succeeded.get(target, 0))
        return sorted((target, *times) for target, times in found.items() if self._news(target, times))

    def _news(self, target: str, times: list[int]) -> bool:
        failing, at = times[0] > 0, max(times)
        known = self._noted.get(target)
        again = known is not None and known[0] == failing and at - known[1] < _OFTEN
        return not again or (failing and times[2] > 0)

    def kept(self, rows: Iterable[Row]) -> None:
        """These rows are durable: what they say is news no more."""
        for target, first, *times in rows:
            self._noted[target] = (first > 0, max(first, *times))

    async def step(self) -> int:
        """Tell of those that have failed for an hour and of those that are well again; disable those that have done
        nothing else for as long as they may. Returns how many there were."""
        count = 0
        for target, first, last, _, told in await self._failing():
            endpoint = self.directory.get(Endpoint, target)
            if endpoint is None or endpoint.status == "disabled":
                continue
            if first and 0 < endpoint.disable_after * SECOND <= last - first:
                await self.disable(endpoint, f"it has done nothing but fail since {text(first)}")
                count += 1
            elif (first and not told and self.world.now() - first >= FAILING_AFTER) or (told and not first):
                count += await self._tell(endpoint)
        return count

    async def _failing(self) -> list[Row]:
        """Those that fail, and those told of. A success that was no news here ends what another process noted before
        it: else two failures, weeks apart, would be a run."""
        rows = await self.engine.fetch("health_failing")
        ended = [
            (target, at) for target, first, *_ in rows if 0 < first < (at := self._succeeded.get(target, 0))
        ]
        if not ended:
            return rows

        async def work(unit: Unit) -> None:
            unit.add("health_succeeded", ended)

        await self.engine.transact(work)
        return await self.engine.fetch("health_failing")

    async def _tell(self, endpoint: Endpoint) -> int:
        """It fails, or it does no more: an event, and an exception opened or closed, once for all processes."""

        async def work(unit: Unit) -> list[Due]:
            await unit.positions(1)  # whoever else tells of it does so before or after
            rows = await unit.fetch("health_get", target=endpoint.id)
            first, told = (rows[0][1], rows[0][4]) if rows else (0, 0)
            if bool(first) == bool(told):
                return []
            unit.add("health_told", target=endpoint.id, told_at=self.world.now() if first else 0)
            what = "failing" if first else "recovered"
            due = await self._announce(unit, endpoint, what, "", first or told, rows[0][3])
            if first:
                await self.troubles.open(unit, [_failing(endpoint, first)])
            else:
                await self.troubles.clear(unit, [f"failing:{endpoint.id}"])
            return due

        due = await self.engine.transact(work)
        self.hand(due)
        return 1

    async def turned(self, unit: Unit, endpoint: Endpoint, status: str, reason: str) -> list[Due]:
        """Add to a unit what follows from an endpoint's new status; returns the deliveries to hand over after it."""
        await unit.positions(1)
        rows = await unit.fetch("things_status", kind="endpoint", id=endpoint.id)
        was = rows[0][0] if rows else ""
        if status == "disabled" != was:
            return await self._disabled(unit, endpoint, reason)
        if was == "disabled" != status:
            unit.add("health_reset", target=endpoint.id)
            await self.troubles.clear(unit, subjects(endpoint))
        return []

    async def _disabled(self, unit: Unit, endpoint: Endpoint, reason: str) -> list[Due]:
        rows = await unit.fetch("health_get", target=endpoint.id)
        first, success = (rows[0][1], rows[0][3]) if rows else (0, 0)
        due = await self._announce(unit, endpoint, "disabled", reason or _BY_HAND, first, success)
        await self.troubles.clear(unit, [f"failing:{endpoint.id}"])
        if reason:
            await self.troubles.open(unit, [_away(endpoint, reason)])
            row = (await unit.positions(1), endpoint.tenant, self.world.now(), "hub", "endpoint.disabled", endpoint.id,
                   PLAIN.encode({"reason": reason}))  # fmt: skip
            unit.add("audit_add", [row])
        return due

    async def _announce(
        self, unit: Unit, endpoint: Endpoint, what: str, reason: str, since: int, success: int
    ) -> list[Due]:
        data: dict[str, Any] = {
            "id": endpoint.id, "name": endpoint.name, "reason": reason,
            "failing_since": text(since) if since else None, "last_success_at": text(success) if success else None,
        }  # fmt: skip
        draft = self.announcer.plain(endpoint.tenant, f"endpoint.{what}", ("endpoint", endpoint.id), data)
        return draft.write(unit, await unit.positions(draft.size), {})


def _count(times: list[int], one: Tried) -> None:
    """[first failure since a success, last failure, last success]."""
    if one.verdict.status == "delivered":
        times[0], times[2] = 0, one.at
    else:
        times[0], times[1] = times[0] or one.at, one.at


def subjects(endpoint: Endpoint) -> list[str]:
    """What the exceptions of an endpoint's health are about."""
    return [f"failing:{endpoint.id}", f"disabled:{endpoint.id}"]


def _failing(endpoint: Endpoint, since: int) -> Trouble:
    return Trouble(
        tenant=endpoint.tenant,
        cause=cause("failing", endpoint.id),
        subject=f"failing:{endpoint.id}",
        severity="warning",
        title=f"{endpoint.name} has taken nothing since {text(since)}",
        hint=f"See `orderhub endpoints attempts {endpoint.name}` and `orderhub endpoints test {endpoint.name}`; what "
        "it is owed waits.",
    )


def _away(endpoint: Endpoint, reason: str) -> Trouble:
    return Trouble(
        tenant=endpoint.tenant,
        cause=cause("disabled", endpoint.id),
        subject=f"disabled:{endpoint.id}",
        title=f"{endpoint.name} is disabled: {reason}",
        hint=f"Mend it with the partner, then `orderhub endpoints enable {endpoint.name}`: what is held flows; or "
        f"`orderhub endpoints drop {endpoint.name}`.",
    )

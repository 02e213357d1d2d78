"""Refusals: pushes whose proof fits nothing are told of to a person where nothing else comes.

Most forgeries are nobody's news: they are refused, counted, and one line in the log. But where a connection refuses
whatever comes, it is most likely our secret that is wrong, and every order is lost at the door.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import structlog

from hub.contract.errors import Forged
from hub.directory import Connection, Directory
from hub.store.engine import Engine, Unit
from hub.troubles import Trouble, Troubles, cause
from hub.world import World

_FEW = 3
_QUIET = 600 * 1_000_000
log = structlog.get_logger("orderhub.intake")


@dataclass(slots=True)
class Run:
    """Pushes that were refused one after the other: how many since the last that was believed, why the latest was, and
    whether a person knows."""

    count: int = 0
    reason: str = ""
    told: bool = False


@dataclass(slots=True)
class Refusals:
    """What this process refused and believed, by connection."""

    engine: Engine
    directory: Directory
    troubles: Troubles
    world: World
    _refused: dict[str, int] = field(default_factory=dict)
    _runs: dict[str, Run] = field(default_factory=dict)
    _believed: dict[str, int] = field(default_factory=dict)
    _well: set[str] = field(default_factory=set)

    def refused(self, connection: Connection, error: Forged) -> None:
        """One line in the log for the first of each power of two: a flood of forgeries is not a flood of lines."""
        run = self._runs.setdefault(connection.id, Run())
        run.count, run.reason = run.count + 1, error.reason
        count = self._refused[connection.id] = self._refused.get(connection.id, 0) + 1
        if count & (count - 1) == 0:
            log.warning("a message was refused", connection=connection.id, reason=error.reason, refused=count)

    def believed(self, connection: Connection, now: int) -> None:
        """What comes is true again: so it may be for the first that this process takes, whatever another one told."""
        if connection.id in self._runs or connection.id not in self._believed:
            self._runs.pop(connection.id, None)
            self._well.add(connection.id)
        self._believed[connection.id] = now

    async def step(self) -> int:
        """Tell of connections that believe nothing that comes, and take back what is over; returns how many there were."""
        before = self.world.now() - _QUIET
        wrong = {
            id_: run
            for id_, run in self._runs.items()
            if run.count >= _FEW and not run.told and self._believed.get(id_, 0) <= before
        }
        well, self._well = self._well, set()
        found = [(one, run) for id_, run in wrong.items() if (one := self.directory.by_id(Connection, id_))]
        if not found and not well:
            return 0

        async def work(unit: Unit) -> None:
            await self.troubles.clear(unit, map(subject, well))
            await self.troubles.open(unit, [_trouble(one, run) for one, run in found])

        try:
            await self.engine.transact(work)
        except BaseException:
            self._well |= well
            raise
        for run in wrong.values():
            run.told = True
        return len(found) + len(well)


def subject(connection: str) -> str:
    """What the exception of this connection is about."""
    return f"refused:{connection}"


def _trouble(one: Connection, run: Run) -> Trouble:
    return Trouble(
        tenant=one.tenant, cause=cause("refused", one.id), subject=subject(one.id), connection=one.id,
        title=f"{one.name} believes nothing that is pushed to it, {run.count} were refused: {run.reason}",
        hint=f"Where its far side sent them: `orderhub connections show {one.name}` has the settings, give the secret as the "
        "far side has it (`orderhub connections set`). Nothing that was refused is kept: `orderhub backfill` or "
        "`orderhub reconcile` reads it where the source can be asked, else have it sent again.",
    )  # fmt: skip

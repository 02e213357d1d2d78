"""Jobs: work that takes longer than a request. Each goes on where it stopped, whatever died in between.

A job is a row: its kind, what it was asked for, and a cursor. A turn reads on from the cursor and says what
to write; that is written in the transaction that moves the cursor, so that nothing is done twice and
nothing is left out. One process works at a job at a time: it takes one when it is about to work at it, and keeps
its claim until the turn is written.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol

import msgspec
import structlog

from hub.contract.errors import HubError, Postponed
from hub.store.engine import Engine, Row, Unavailable, Unit
from hub.store.rows import PLAIN
from hub.troubles import Trouble, Troubles, cause
from hub.world import World

SECOND = 1_000_000
_LEASE = 60 * SECOND
_PATIENCE = 60.0
_MOST = 8
State = Literal["running", "done", "cancelled"]
log = structlog.get_logger("orderhub.jobs")


class Job(msgspec.Struct, kw_only=True):
    """A piece of work: `subject` is what it is about (an endpoint, a connection), `total` how much there is to
    do (-1: not known yet), `note` a sentence about how it ended or why it waits."""

    position: int
    id: str
    tenant: str
    kind: str
    subject: str
    state: str
    params: bytes
    cursor: str
    done: int
    total: int
    note: str
    actor: str
    created_at: int
    updated_at: int


class Turn(msgspec.Struct, kw_only=True):
    """What one turn came to: where to go on, how much more is done, and what is written with it. `after` is
    called once that is durable, `wait` are the seconds until the next turn."""

    cursor: str
    done: int = 0
    ended: bool = False
    note: str = ""
    wait: float = 0.0
    write: Callable[[Unit], Awaitable[None]] | None = None
    after: Callable[[], None] | None = None


class Kind(Protocol):
    """How jobs of a kind are done."""

    async def total(self, job: Job) -> int:
        """How much there is to do, in the unit that `done` counts."""

    async def turn(self, job: Job) -> Turn | None:
        """Go on from the job's cursor; None: not now. It may speak to far sides: no transaction is open."""


@dataclass(slots=True)
class Jobs:
    """The stage that works at jobs; `claim` is this process's mark ("" where it is alone)."""

    engine: Engine
    troubles: Troubles
    world: World
    claim: str = ""
    kinds: dict[str, Kind] = field(default_factory=dict)
    _news: asyncio.Event = field(default_factory=asyncio.Event)
    _at_work: set[int] = field(default_factory=set)

    async def add(self, unit: Unit, tenant: str, kind: str, subject: str, params: object, actor: str) -> str:
        """Begin a job within the unit of whoever asked for it; its id. Call it last: it takes a position."""
        id_, now = self.world.new_id("job"), self.world.now()
        position = await unit.positions(1)
        unit.add("jobs_add", position=position, id=id_, tenant=tenant, kind=kind, subject=subject,
                 params=PLAIN.encode(params), actor=actor, now=now)  # fmt: skip
        return id_

    def wake(self) -> None:
        """There is a job, or one may go on."""
        self._news.set()

    async def wait(self, seconds: float) -> None:
        """Until there is something, or so long."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._news.wait()
        self._news.clear()

    async def step(self) -> int:
        """A turn for each job that may go on: those that wait hold up no other. Where there are other processes each is
        taken by itself, so that none waits here that another could work at. Returns how many went on."""
        count = after = 0
        while rows := await self._open(after):
            for row in rows:
                count += await self._one(job(row))
            after = rows[-1][0]
        return count

    async def renew(self) -> None:
        """Keep what is worked at for ourselves: a turn may ask its far side for longer than a lease."""
        held = [(position, self.claim) for position in sorted(self._at_work)]
        if not self.engine.shared or not held:
            return

        async def work(unit: Unit) -> None:
            unit.add("jobs_renew", held, until=self.world.now() + _LEASE)

        await self.engine.transact(work)

    async def cancel(self, unit: Unit, tenant: str, id_: str) -> None:
        """End a job within a unit: what it has done stays done."""
        unit.add("jobs_end", id=id_, tenant=tenant, state="cancelled", now=self.world.now())

    async def _open(self, after: int) -> list[Row]:
        now, kinds = self.world.now(), [(kind,) for kind in sorted(self.kinds)]
        if not self.engine.shared:
            return await self.engine.fetch("jobs_due", kinds, now=now, after=after, most=_MOST)

        async def work(unit: Unit) -> list[Row]:
            return await unit.fetch(
                "jobs_claim", kinds, now=now, after=after, most=1, claim=self.claim, until=now + _LEASE
            )

        if not await self.engine.fetch("jobs_due", kinds, now=now, after=after, most=1):
            return []
        return await self.engine.transact(work)

    async def _one(self, one: Job) -> int:
        self._at_work.add(one.position)
        try:
            return await self._went(one)
        finally:
            self._at_work.discard(one.position)

    async def _went(self, one: Job) -> int:
        kind = self.kinds[one.kind]
        try:
            if one.total < 0:
                one.total = await kind.total(one)
            turn = await kind.turn(one)
            return await self._written(one, turn) if turn is not None else 0
        except Unavailable:
            raise
        except Postponed as error:
            wait = error.after if error.after is not None else _PATIENCE
            await self._written(one, Turn(cursor=one.cursor, wait=wait, note=str(error)))
        except Exception as error:  # noqa: BLE001  what one job meets keeps no other from going on
            await self._failed(one, error)
        return 0

    async def _written(self, one: Job, turn: Turn, trouble: Trouble | None = None) -> int:
        """The turn is durable, or was another's: then nothing of it is, nor the trouble that ended it."""
        now = self.world.now()

        async def work(unit: Unit) -> bool:
            if not await unit.fetch(
                "jobs_hold", id=one.id, claim=self.claim if self.engine.shared else "", cursor=one.cursor
            ):
                return False
            unit.add("jobs_put", id=one.id, state="done" if turn.ended else "running", cursor=turn.cursor,
                     done=one.done + turn.done, total=one.total, note=turn.note, now=now,
                     due_at=now + int(turn.wait * SECOND))  # fmt: skip
            if trouble is None:
                await self.troubles.clear(unit, [one.id])
            else:
                await self.troubles.open(unit, [trouble])
            if turn.write is not None:
                await turn.write(unit)
            return True

        if not await self.engine.transact(work):
            return 0
        if turn.after is not None:
            turn.after()
        return 1

    async def _failed(self, one: Job, error: Exception) -> None:
        bug = None if isinstance(error, HubError) else error
        log.error("a job stumbled; it goes on in a minute", job=one.id, error=str(error), exc_info=bug)
        trouble = Trouble(
            tenant=one.tenant,
            cause=cause("job", one.kind, type(error).__name__),
            subject=one.id,
            title=f"the {one.kind} {one.id} cannot go on: {error}",
            hint="It is tried again each minute; `orderhub jobs cancel` ends it.",
        )
        await self._written(one, Turn(cursor=one.cursor, wait=_PATIENCE, note=str(error)[:500]), trouble)


def job(row: Row) -> Job:
    """From a row of the jobs."""
    names = Job.__struct_fields__
    values: Mapping[str, object] = dict(zip(names, row, strict=True))
    return Job(**{**values, "params": bytes(row[names.index("params")])})  # type: ignore[arg-type]

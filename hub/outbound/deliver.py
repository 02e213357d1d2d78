"""Delivering: due deliveries go out, many at a time, in order per order, and what came of each is settled.

`step` sends all that may go out now and waits for the answers (tests call it); `run` keeps sending. Both
dispatch the same way. The store is the truth: a process that dies sends again what it had not settled.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import structlog
from prometheus_client import Counter

from hub.announce import LEASE
from hub.circuit import SECOND, Circuit
from hub.directory import Connection, Directory, Endpoint
from hub.metrics import Metrics
from hub.outbound.heads import Heads
from hub.outbound.lanes import Bucket, Lane
from hub.outbound.postman import Postman
from hub.outbound.sender import Answer, Sender
from hub.outbound.settle import Settler, Tried
from hub.outbound.verdict import Verdict, judge
from hub.store.engine import Engine, Unit
from hub.store.rows import PLAIN, Due, due
from hub.things import Notifier
from hub.world import World

_LOAD = 500
_WAKE = 1000
_IDLE = 1.0
log = structlog.get_logger("orderhub.deliver")

Writer = Callable[[Due, Connection, str], Awaitable[tuple[Answer, bytes]]]
"""Runs a write's conversation: what a receiver would have answered, and its log."""
Speaker = Callable[[Due], Awaitable[tuple[Answer, bytes]]]
"""Says a notice to a person, and tells the same."""


@dataclass(slots=True)
class Deliver:
    """The stage between events and partners."""

    engine: Engine
    directory: Directory
    settler: Settler
    postman: Postman
    write: Writer
    metrics: Metrics
    world: World
    disable: Callable[[Endpoint, str], Awaitable[None]]
    heads: Heads
    say: Speaker
    claim: str = ""
    lanes: dict[str, Lane] = field(default_factory=dict)
    held: bool = False
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)
    _news: asyncio.Event = field(default_factory=asyncio.Event)
    _counters: dict[tuple[str, str], Counter] = field(default_factory=dict)
    _loaded_at: int = 0
    _reads: int = 0
    _ended: set[int] = field(default_factory=set)

    @property
    def sender(self) -> Sender:
        """What posts go out through."""
        return self.postman.sender

    @sender.setter
    def sender(self, sender: Sender) -> None:
        """Send through another."""
        self.postman.sender = sender

    def hand(self, found: list[Due]) -> None:
        """Take over deliveries that have just been written."""
        for one in found:
            self._lane(one.target).put(one)
        self._news.set()

    async def take(self, found: list[Due], asked: list[int]) -> None:
        """Take over deliveries that have just been written, and those of `asked` that are due and ours."""
        if found:
            self.hand(found)
        if asked:
            with self._reading():
                rows = await self.engine.fetch("deliveries_load", [(one,) for one in asked], claim=self.claim)
                until = self.world.now() + LEASE if self.claim else 0
                self.hand([due(row, until) for row in rows if row[0] not in self._ended])

    @contextlib.contextmanager
    def _reading(self) -> Iterator[None]:
        """The store is being read: an attempt that ends meanwhile is not due because it was when that began."""
        self._reads += 1
        try:
            yield
        finally:
            self._reads -= 1
            if not self._reads:
                self._ended.clear()

    async def step(self) -> int:
        """Send everything that may go out now, and settle it; returns how many attempts were made."""
        if self.held:
            return 0
        await self.load()
        count = self._dispatch()
        while self._tasks:
            await asyncio.wait(set(self._tasks))
            count += self._dispatch()
        return count

    async def run(self) -> None:
        """Keep sending until cancelled."""
        while True:
            self._news.clear()
            if not self.held:
                self._dispatch()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_IDLE):
                    await self._news.wait()
            if self._hungry() and not self.held:
                await self.load()

    async def drain(self, seconds: float) -> None:
        """Begin nothing more, wait for what is under way, and leave the rest to others."""
        self.held = True
        if self._tasks:
            await asyncio.wait(set(self._tasks), timeout=seconds)
        for lane in self.lanes.values():
            lane.forget()
        await self._give_back()

    def _hungry(self) -> bool:
        now = self.world.now()
        return now - self._loaded_at >= _IDLE * SECOND or any(
            lane.spilled and len(lane.ready) < 50 and not lane.circuit.is_open for lane in self.lanes.values()
        )

    def _lane(self, target: str) -> Lane:
        lane = self.lanes.get(target)
        if lane is None:
            endpoint = self.directory.get(Endpoint, target)
            speaks = self.directory.get(Notifier, target.partition("/")[0])
            rate, slots = (
                (endpoint.rate, endpoint.concurrency) if endpoint else (speaks.rate if speaks else 0.0, 4)
            )
            lane = self.lanes[target] = Lane(target, slots, Bucket(rate), Circuit(since=self.world.now()))
            lane.paused = self._paused(target)
        return lane

    def _paused(self, target: str) -> bool:
        """Whether a target takes nothing for now: an endpoint, or the connection that a write goes to."""
        owner = target.partition("/")[0]
        found = (
            self.directory.get(Endpoint, target)
            or self.directory.get(Connection, owner)
            or self.directory.get(Notifier, owner)
        )
        return found is not None and found.status != "active"

    def configure(self) -> None:
        """Endpoints were changed: take their rates, slots and pauses; open no lane, close none under way."""
        for lane in self.lanes.values():
            endpoint = self.directory.get(Endpoint, lane.target)
            lane.paused = self._paused(lane.target)
            if endpoint is not None:
                lane.concurrency, lane.bucket.rate = endpoint.concurrency, endpoint.rate
                if endpoint.status == "disabled":
                    lane.forget()
        self.postman.forget()
        self._news.set()

    def forget(self, orders: set[str]) -> None:
        """These orders were redacted: what memory has of them is loaded again, as the store has it now."""
        for lane in self.lanes.values():
            lane.let_go(orders)
        self._news.set()

    async def load(self) -> None:
        """Fetch what is due and not in memory: retries, what memory spilled, what a dead process left."""
        self._loaded_at = self.world.now()
        await self._give_back()
        for row in await self.engine.fetch("deliveries_targets"):
            lane = self._lane(row[0])
            if lane.paused or lane.room() <= 0:
                continue
            if lane.circuit.is_open and lane.circuit.probe_at > self._loaded_at:
                continue
            await self._fill(lane, 1 if lane.circuit.is_open else min(_LOAD, lane.room()))
            if lane.circuit.is_open:
                lane.sort()

    async def _give_back(self) -> None:
        """What this process has claimed and does not hold is anyone's again: no one waits for its lease to end."""
        spare = sorted(position for lane in self.lanes.values() for position in lane.spare)
        for lane in self.lanes.values():
            lane.spare.clear()
        if spare:

            async def work(unit: Unit) -> None:
                unit.add("deliveries_renew", [(position, self.claim) for position in spare], until=0)

            await self.engine.transact(work)

    async def renew(self) -> None:
        """Keep what is under way for ourselves: a write may ask its far side for longer than a lease."""
        until = self.world.now() + LEASE
        under_way = [one for lane in self.lanes.values() for one in lane.busy()]
        if not self.claim or not under_way:
            return

        async def work(unit: Unit) -> None:
            unit.add("deliveries_renew", sorted((one.position, self.claim) for one in under_way), until=until)

        await self.engine.transact(work)
        for one in under_way:
            one.claimed_until = until

    async def _fill(self, lane: Lane, most: int) -> None:
        """Fetch a target's oldest due ones, beyond those that memory has (a claim passes them over by itself)."""
        most += 0 if self.engine.shared else len(lane.held)
        with self._reading():
            found = await self._due(lane, most)
            lane.spilled = len(found) >= most
            for one in found:
                if (
                    self.claim or one.position not in self._ended
                ):  # what is claimed is due now, whatever ended
                    lane.put(one)

    async def _due(self, lane: Lane, most: int) -> list[Due]:
        now = self._loaded_at
        if not self.engine.shared:
            rows = await self.engine.fetch("deliveries_due", target=lane.target, now=now, most=most)
            return [due(row) for row in rows]

        async def work(unit: Unit) -> list[tuple[Any, ...]]:
            taken = await unit.fetch(
                "deliveries_claim",
                target=lane.target,
                now=now,
                most=most,
                claim=self.claim,
                until=now + LEASE,
            )
            rows = await unit.fetch("deliveries_load", sorted((row[0],) for row in taken), claim=self.claim)
            return sorted(rows, key=lambda row: (row[10], row[0]))

        rows = await self.engine.transact(work)
        return [due(row, now + LEASE) for row in rows]

    def _dispatch(self) -> int:
        count = 0
        now = self.world.now()
        for lane in self.lanes.values():
            while (one := lane.next(now)) is not None:
                task = asyncio.get_running_loop().create_task(self._one(lane, one))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)
                count += 1
        return count

    async def _one(self, lane: Lane, one: Due) -> None:
        """One attempt, from signing to settling."""
        answered = False
        try:
            tried = await self._attempt(lane, one)
            lane.answered()
            answered = True
            self._news.set()
            promoted = await self.settler.settle(tried) if tried else []
        except Exception as error:
            # Whatever it was, the store still says that it is due: it is made again.
            log.exception("an attempt could not be settled", target=one.target, error=str(error))
            lane.drop(one)
            await self.world.sleep(1.0)
            promoted = []
        finally:
            lane.done(one, answered=answered)
            if self._reads:
                self._ended.add(one.position)
            self._news.set()
        until = self.world.now() + LEASE if self.claim else 0
        lanes = self.lanes.values()
        await self.take(
            [], [place for place in promoted if not any(lane.promoted(place, until) for lane in lanes)]
        )

    async def _attempt(self, lane: Lane, one: Due) -> Tried | None:
        at = self.world.now()
        endpoint = self.directory.get(Endpoint, one.target)
        if self.claim and one.claimed_until - at < ((endpoint.timeout if endpoint else 30.0) + 15) * SECOND:
            lane.drop(one)
            return None
        if endpoint is None:
            answer, entry = await self._write(one)
            schedule: list[int] = [0, 5, 30, 300, 1800, 7200, 18_000, 36_000]
            name = one.target
        else:
            answer, entry = await self.postman.post(endpoint, one, at)
            schedule, name = endpoint.schedule, endpoint.name
        verdict = judge(
            answer.status, answer.error, answer.retry_after, attempts=one.attempts, schedule=schedule,
            circuit_open=lane.circuit.is_open, now=self.world.now(), chance=self.world.chance(),
            accepted=answer.accepted,
        )  # fmt: skip
        await self._health(lane, endpoint, verdict)
        self._count(one, verdict)
        return Tried(one, verdict, at, entry, name)

    async def _write(self, one: Due) -> tuple[Answer, bytes]:
        connection, _, name = one.target.partition("/")
        if name == "notice":
            return await self.say(one)
        found = self.directory.get(Connection, connection)
        if found is None:
            gone = Answer(status=410, error=None)
            return gone, PLAIN.encode({"error": "the connection is gone"})
        return await self.write(one, found, name)

    async def _health(self, lane: Lane, endpoint: Endpoint | None, verdict: Verdict) -> None:
        now = self.world.now()
        if not verdict.sent:
            return
        if verdict.gone and endpoint is not None:
            await self.disable(endpoint, "the endpoint answered 410: it wants no more")
            lane.paused = True
        if verdict.reached:
            if lane.circuit.answered(now, accepted=verdict.status == "delivered"):
                await self._wake(lane)
        elif lane.circuit.failed(now, verdict.wait):
            log.warning("a target is down; probing it", target=lane.target, outcome=verdict.outcome)
        self.metrics.circuit.labels(lane.target).set(lane.circuit.is_open)

    def _count(self, one: Due, verdict: Verdict) -> None:
        word = "delivered" if verdict.status == "delivered" else verdict.outcome
        counter = self._counters.get((one.target, word))
        if counter is None:
            counter = self._counters[one.target, word] = self.metrics.attempts.labels(
                one.tenant, one.target, word
            )
        counter.inc()
        if word == "delivered":
            self.metrics.latency.observe((self.world.now() - one.due_at) / SECOND)

    async def _wake(self, lane: Lane) -> None:
        """The far side is back: everything that waited is due, oldest first."""

        async def work(unit: Unit) -> Unit:
            unit.add("deliveries_wake", target=lane.target, now=now, most=_WAKE)
            return unit

        now = self.world.now()
        while (await self.engine.transact(work)).counts.get("deliveries_wake", 0) == _WAKE:
            continue
        if lane.room() > 0:
            await self._fill(lane, min(_LOAD, lane.room()))
        lane.sort()
        log.info("a target is back", target=lane.target)

    async def unblock(self) -> bool:
        """Look after a page of each target's heads; whether there are more pages."""
        more = await self.heads.turn(list(self.lanes.values()))
        if self.heads.freed:
            self.heads.freed = False
            self.spilled()
        return more

    def spilled(self) -> None:
        """The store has more than memory: look there."""
        self._loaded_at = 0
        for lane in self.lanes.values():
            lane.spilled = True
        self._news.set()

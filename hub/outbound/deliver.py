"""Delivering: due deliveries go out, many at a time, in order per order, and what came of each is settled.

`step` sends all that may go out now and waits for the answers (tests call it); `run` keeps sending. Both
dispatch the same way. The store is the truth: a process that dies sends again what it had not settled.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from functools import partial

import msgspec
import structlog

from hub.announce import LEASE
from hub.circuit import SECOND, Circuit
from hub.directory import Directory, Endpoint
from hub.outbound import targets
from hub.outbound.claims import give_back, keep, read, take
from hub.outbound.courier import Courier
from hub.outbound.flows import Flows
from hub.outbound.heads import Heads
from hub.outbound.lanes import Bucket, Lane
from hub.outbound.patience import patiently
from hub.outbound.sender import Sender
from hub.outbound.settle import Settler, Tried
from hub.outbound.tally import Tally
from hub.outbound.verdict import Verdict
from hub.store.engine import Engine, Unit
from hub.store.rows import Due
from hub.world import World

_LOAD = 500
_WAKE = 1000
_IDLE = 1.0
_TICK = 0.2
_PAUSE = 5.0
log = structlog.get_logger("orderhub.deliver")


@dataclass(slots=True)
class Deliver:
    """The stage between events and partners."""

    engine: Engine
    directory: Directory
    settler: Settler
    courier: Courier
    tally: Tally
    world: World
    disable: Callable[[Endpoint, str], Awaitable[None]]
    heads: Heads
    flows: Flows
    claim: str = ""
    lanes: dict[str, Lane] = field(default_factory=dict)
    held: bool = False
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)
    _news: asyncio.Event = field(default_factory=asyncio.Event)
    _loaded_at: int = 0
    _reads: int = 0
    _ended: set[int] = field(default_factory=set)
    _astray: set[int] = field(default_factory=set)
    _recalls: int = 0

    @property
    def sender(self) -> Sender:
        """What posts go out through."""
        return self.courier.postman.sender

    @sender.setter
    def sender(self, sender: Sender) -> None:
        """Send through another."""
        self.courier.postman.sender = sender

    def hand(self, found: list[Due]) -> None:
        """Take over deliveries that have just been written; one that is due later is found in the store then."""
        now = self.world.now()
        for one in found:
            lane = self._lane(one.target)
            place = lane.drop if one.due_at > now and not one.waiting else lane.put
            place(one)
        self._news.set()

    async def take(self, found: list[Due], asked: list[int]) -> None:
        """Take over deliveries that have just been written, and those of `asked` that are due and ours. Where the
        store went away since they were written, they are found there when it is back."""
        if found:
            self.hand(found)
        if asked:
            recalls = self._recalls
            with self._reading():
                rows = await read(self.engine, asked, self.claim, self.world.now(), self._astray)
                if recalls == self._recalls:
                    self.hand([one for one in rows if one.position not in self._ended])
                else:
                    self._leave(rows)

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
        count = await self._round()
        if any(lane.spare for lane in self.lanes.values()):
            await self.load()  # what was claimed for too long is claimed anew
            count += await self._round()
        while self._tasks:
            await asyncio.wait(set(self._tasks))
            count += await self._round()
        return count

    async def run(self) -> None:
        """Keep sending until cancelled."""
        while True:
            self._news.clear()
            if not self.held:
                await self._round()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_TICK if self._metered() else _IDLE):
                    await self._news.wait()
            if self._hungry() and not self.held:
                await self.load()

    async def drain(self, seconds: float) -> None:
        """Begin nothing more, wait for what is under way, and leave the rest to others."""
        self.held = True
        if self._tasks:
            await asyncio.wait(set(self._tasks), timeout=seconds)
        await self.leave()
        await self.flows.leave()

    async def leave(self) -> None:
        """Give back all that is claimed and not under way: no one waits for our lease to end."""
        for lane in self.lanes.values():
            lane.forget()
        await self._give_back()

    def _metered(self) -> bool:
        """Whether something waits for the clock to let it go."""
        return any(lane.bucket.rate > 0 and lane.ready for lane in self.lanes.values())

    async def _round(self) -> int:
        """Ask for slots and rate where it is time to, and send what may go."""
        now = self.world.now()
        await self._share([lane for lane in self.lanes.values() if lane.asks(now)])
        return self._dispatch()

    async def _share(self, lanes: list[Lane]) -> None:
        """What gets no slot is given back at once: who has them sends it."""
        without = [lane for lane in await self.flows.share(lanes) if lane.ready] if lanes else []
        for lane in without:
            lane.forget()
        if without:
            await self._give_back()
            self.engine.bell.far("deliveries")

    def _hungry(self) -> bool:
        now = self.world.now()
        return now - self._loaded_at >= _IDLE * SECOND or any(
            lane.starves(now) for lane in self.lanes.values()
        )

    def _lane(self, target: str) -> Lane:
        lane = self.lanes.get(target)
        if lane is None:
            pace = targets.pace(self.directory, target)
            lane = Lane(target, pace.slots, Bucket(pace.rate), Circuit(since=self.world.now()))
            lane.bucket.shared = self.engine.shared
            self.lanes[target] = lane
            self.flows.begin(lane)
            self._pace(lane)
        return lane

    def _pace(self, lane: Lane) -> None:
        """Its rate, slots and pause, as they are now."""
        pace = targets.pace(self.directory, lane.target)
        lane.limit, lane.bucket.rate, lane.patience = pace.slots, pace.rate, pace.patience
        lane.concurrency = min(lane.concurrency, lane.limit) if lane.shared else lane.limit
        lane.paused = targets.paused(self.directory, lane.target)

    def configure(self) -> None:
        """Endpoints were changed: take their rates, slots and pauses; open no lane, close none but of who is gone."""
        gone = [
            lane.target
            for lane in self.lanes.values()
            if lane.idle() and not targets.owner(self.directory, lane.target)
        ]
        for target in gone:
            del self.lanes[target]
        for lane in self.lanes.values():
            self._pace(lane)
            endpoint = self.directory.by_id(Endpoint, lane.target)
            if endpoint is not None and endpoint.status == "disabled":
                lane.forget()
        self.courier.postman.forget()
        self._news.set()

    def forget(self, orders: set[str]) -> None:
        """These orders were redacted: what memory has of them is loaded again, as the store has it now."""
        self._recalls += 1
        for lane in self.lanes.values():
            lane.let_go(orders)
        self._news.set()

    def recall(self) -> None:
        """Another process skipped a delivery or redacted an order: nothing goes out as memory has it. What is on the
        wire already cannot be recalled."""
        self._recalls += 1
        for lane in self.lanes.values():
            lane.forget()
        self.spilled()

    async def load(self) -> None:
        """Fetch what is due and not in memory: retries, what memory spilled, what a dead process left."""
        self._loaded_at = now = self.world.now()
        await self._give_back()
        await self.flows.look(list(self.lanes.values()))
        for lane in self.lanes.values():
            lane.spilled = (
                False  # so it is where the store has nothing due; what is dropped from here on spills anew
            )
        found = [self._lane(row[0]) for row in await self.engine.fetch("deliveries_targets")]
        for lane in found:
            lane.spilled = True
        open_ = [lane for lane in found if not lane.paused and lane.room() > 0]
        await self._share([lane for lane in open_ if lane.without(now) and await self._first(lane)])
        for lane in open_:
            if lane.without(now):
                continue
            if not lane.circuit.is_open:
                await self._fill(lane, min(_LOAD, lane.room()))
            elif lane.circuit.probe_at <= now and await self.flows.probe(lane):
                await self._fill(lane, 1)
                lane.turns()

    async def _first(self, lane: Lane) -> bool:
        """Whether there is anything to ask slots for: what another process has claimed is no reason."""
        if not lane.ready:
            await self._fill(lane, 1)
        return bool(lane.ready)

    async def _give_back(self) -> None:
        """What this process has claimed and does not hold is anyone's again: no one waits for its lease to end."""
        await give_back(self.engine, self.lanes.values(), self.claim, self._astray)

    async def renew(self) -> None:
        """Keep what is under way for ourselves: a write may ask its far side for longer than a lease."""
        until = self.world.now() + LEASE
        under_way = [one for lane in self.lanes.values() for one in lane.busy()]
        if self.claim:
            await keep(self.engine, sorted(one.position for one in under_way), self.claim, until=until)
            for one in under_way:
                one.claimed_until = until

    async def _fill(self, lane: Lane, most: int) -> None:
        """Fetch a target's oldest due ones, beyond those that memory has (a claim passes them over by itself)."""
        most += 0 if self.engine.shared else len(lane.held)
        recalls = self._recalls
        with self._reading():
            found = await take(self.engine, lane.target, self._loaded_at, most, self.claim)
            if recalls != self._recalls:
                self._leave(found)
                return
            lane.spilled = len(found) >= most
            for one in found:
                if (
                    self.claim or one.position not in self._ended
                ):  # what is claimed is due now, whatever ended
                    lane.put(one)

    def _leave(self, found: list[Due]) -> None:
        """Something was recalled while these were read: they are read again."""
        for one in found:
            self._lane(one.target).drop(one)
        self._news.set()

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
            promoted = await patiently(self.world, one, partial(self.settler.settle, tried))
        except Exception as error:
            # Whatever it was, the store still says that it is due: it is made again.
            log.exception("an attempt could not be settled", target=one.target, error=str(error))
            lane.drop(one)
            await self.world.sleep(_PAUSE)
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

    async def _attempt(self, lane: Lane, one: Due) -> Tried:
        tried = await self.courier.take(one, circuit_open=lane.circuit.is_open)
        try:
            await self._health(lane, tried.verdict)
        except Exception:  # what the far side said counts all the same, and is not asked again
            log.exception("how a target fares could not be kept", target=one.target)
        verdict = tried.verdict
        if lane.circuit.is_open and verdict.tried and not verdict.reached:  # the failure that opened it
            tried.verdict = msgspec.structs.replace(
                verdict, status="due", due_at=self.world.now(), tried=False
            )
        self.tally.attempt(one, tried.verdict, self.world.now())
        return tried

    async def _health(self, lane: Lane, verdict: Verdict) -> None:
        now = self.world.now()
        if not verdict.sent:
            return
        endpoint = self.directory.by_id(Endpoint, lane.target) if verdict.gone else None
        if endpoint is not None:
            await self.disable(endpoint, "the endpoint answered 410: it wants no more")
            lane.paused = True
        if verdict.reached:
            if lane.circuit.answered(now, accepted=verdict.status == "delivered"):
                await self.flows.keep(lane)
                await self._wake(lane)
        else:
            probe = lane.circuit.probe_at
            if lane.circuit.failed(now, verdict.wait):
                log.warning("a target is down; probing it", target=lane.target, outcome=verdict.outcome)
                lane.shrink()
            if lane.circuit.probe_at != probe:
                await self.flows.keep(lane)
        self.tally.circuit(lane.target, lane.circuit)

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

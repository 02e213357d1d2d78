"""Lanes: for each target what is ready in memory, what is under way, its circuit and its rate.

One slow or dead target never delays another: each lane has its own queue and its own slots. What does not
fit into memory stays in the store and is loaded when there is room.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from hub.circuit import SECOND, Circuit
from hub.store.rows import Due

_READY = 1000
_LATER = 4000
_LOW = 50
_BYTES = 8 << 20
_AHEAD = 0.25
_RENEW = 10 * SECOND
_AGAIN = 200_000
_UNSETTLED = 256


@dataclass(slots=True)
class Bucket:
    """A token bucket: `rate` a second, at most a second's worth at once; 0 is no limit. A `shared` one does not fill
    by itself: it is filled from the store, a part of a second's worth at a time."""

    rate: float
    tokens: float = 1.0
    at: int = 0
    shared: bool = False

    def take(self, now: int) -> bool:
        """One token, if there is one."""
        if self.rate <= 0:
            return True
        if not self.shared:
            self.tokens = min(
                max(1.0, self.rate),
                self.tokens + (now - self.at) / SECOND * self.rate if self.at else self.tokens,
            )
            self.at = now
        if self.tokens < 1:
            return False
        self.tokens -= 1
        return True

    def draw(self, allowed_at: int, now: int, wanted: int) -> tuple[int, int]:
        """How many more to take of what all processes share: `allowed_at` is when the next one may go, a second in the
        past at most; gives what it is then, and how many these are."""
        if self.rate <= 0:
            return allowed_at, 0
        each = SECOND / self.rate
        full = max(1.0, self.rate)
        begin = max(allowed_at, int(now - full * each)) if allowed_at else int(now - each)
        least = self.rate * _AHEAD
        more = int(
            min((now - begin) / each + 1e-6, max(1.0, wanted - self.tokens, least), full - self.tokens)
        )
        return begin + int(max(0, more) * each), max(0, more)

    def wait(self) -> float:
        """Seconds until there is one again."""
        return max(0.0, (1 - self.tokens) / self.rate) if self.rate > 0 else 0.0


@dataclass(slots=True)
class Lane:
    """One target's deliveries: `held` is what memory has by position, ready or under way. `under_way` has what
    was claimed of the same since, its next attempt; `unsettled` of them were answered and are being written;
    `spare` is claimed and not in memory, to be given back; what is claimed for less than an attempt may take
    (`patience`) goes there too. Where it is `shared` with other processes `concurrency`
    is its part of the `limit`, good `until`."""

    target: str
    concurrency: int
    bucket: Bucket
    circuit: Circuit = field(default_factory=Circuit)
    ready: deque[Due] = field(default_factory=deque)
    later: dict[int, Due] = field(default_factory=dict)
    held: dict[int, Due] = field(default_factory=dict)
    under_way: dict[int, Due | None] = field(default_factory=dict)
    spare: list[int] = field(default_factory=list)
    unsettled: int = 0
    patience: int = 0
    weight: int = 0
    spilled: bool = True
    paused: bool = False
    shared: bool = False
    limit: int = 0
    until: int = 0

    def put(self, due: Due) -> None:
        """Take a delivery over, if there is room; it is in the store anyway."""
        if due.position in self.under_way:
            # A claim passes over what is claimed: that attempt is settled, or given up, and this is the next one.
            self.under_way[due.position] = due if due.claimed_until else None
            return
        known = self.held.get(due.position)
        if known is not None:
            known.claimed_until = max(known.claimed_until, due.claimed_until)
            return
        if due.waiting:
            if due.position not in self.later:
                if len(self.later) >= _LATER or self.weight >= _BYTES:
                    self._relieve()
                self.later[due.position] = due
                self.weight += _weight(due)
            return
        if self.later.pop(due.position, None) is not None:
            self.weight -= _weight(due)
        if len(self.ready) >= _READY or (self.ready and self.weight >= _BYTES):
            self.drop(due)
            return
        self.weight += _weight(due)
        self.held[due.position] = due
        self.ready.append(due)

    def drop(self, due: Due) -> None:
        """Leave a delivery to the store, free for anyone."""
        self.spilled = True
        if due.claimed_until and self.under_way.get(due.position) is None:
            self.spare.append(due.position)

    def promoted(self, position: int, until: int) -> bool:
        """A delivery that waited is due, claimed for so long: True when memory has it."""
        due = self.later.pop(position, None)
        if due is None:
            return False
        self.weight -= _weight(due)
        due.waiting, due.claimed_until = False, until
        self.put(due)
        return True

    def let_go(self, orders: set[str]) -> None:
        """Forget the deliveries of these orders that are not under way."""
        gone = [due for due in self.ready if due.order in orders]
        if gone:
            for due in gone:
                self._out(due)
                self.drop(due)
            self.ready = deque(due for due in self.ready if due.order not in orders)
        for due in [due for due in self.later.values() if due.order in orders]:
            self.weight -= _weight(self.later.pop(due.position))

    def _out(self, due: Due) -> None:
        """Memory has it no more."""
        if self.held.pop(due.position, None) is not None:
            self.weight -= _weight(due)

    def busy(self) -> list[Due]:
        """What is under way."""
        return [self.held[place] for place in self.under_way if place in self.held]

    def room(self) -> int:
        """How many more it would take."""
        return _READY - len(self.ready) if not self.ready or self.weight < _BYTES else 0

    def starves(self, now: int) -> bool:
        """Whether it could send more than memory has. One that shares its slots and was given none asks again later."""
        if not self.spilled or self.paused or self.circuit.is_open or len(self.ready) >= _LOW:
            return False
        return not self.without(now) or now - self.bucket.at >= _AGAIN

    def idle(self) -> bool:
        """Whether it holds nothing at all."""
        return not (self.held or self.later or self.under_way or self.spare)

    def next(self, now: int) -> Due | None:
        """The next that may go out now."""
        if self.shared and now >= self.until:
            return None
        if self.paused or not self.ready or self.sending >= self.concurrency or self.unsettled >= _UNSETTLED:
            return None
        while self.ready and 0 < self.ready[0].claimed_until < now + self.patience:
            stale = self.ready.popleft()
            self._out(stale)
            self.drop(stale)
        if not self.ready:
            return None
        if self.circuit.may_send(now, len(self.under_way)) == 0 or (
            self.shared and self.circuit.is_open and not self.circuit.granted
        ):
            return None
        if not self.bucket.take(now):
            return None
        self.circuit.granted, self.circuit.probing = False, self.circuit.is_open
        due = self.ready.popleft()
        self.under_way[due.position] = None
        return due

    def asks(self, now: int) -> bool:
        """Whether it is time to ask for slots and rate, or to renew them before they run out."""
        if not self.shared or self.paused or not (self.ready or self.under_way):
            return False
        if now >= self.until - _RENEW:
            return True
        dry = self.bucket.rate > 0 and self.bucket.tokens < 1
        return (dry or not self.concurrency) and now - self.bucket.at >= _AGAIN

    def without(self, now: int) -> bool:
        """Whether it shares its slots with other processes and has none now."""
        return self.shared and not (self.concurrency and now < self.until)

    @property
    def sending(self) -> int:
        """How many are at the far side now."""
        return len(self.under_way) - self.unsettled

    def part(self, others: list[int]) -> int:
        """Its part of the slots: all that is free, or a fair part where another has none."""
        fair = max(1, self.limit // (len(others) + 1))
        free = max(0, self.limit - sum(others))
        return min(free, fair) if 0 in others else free

    def grant(self, slots: int, tokens: int, now: int, until: int) -> None:
        """It has these slots until then, and so many more tokens."""
        self.concurrency, self.until = slots, until
        self.bucket.tokens += tokens
        self.bucket.at = now

    def shrink(self) -> None:
        """The target is down: the oldest is enough to probe it with, the rest is left to the store."""
        first = min(self.ready, key=lambda due: due.position, default=None)
        self.forget()
        if first is not None:
            self.spare = [place for place in self.spare if place != first.position]
            self.put(first)
            self.spilled = True

    def sort(self) -> None:
        """Oldest first, after an outage that let memory and store take turns."""
        self.ready = deque(sorted(self.ready, key=lambda due: due.position))

    def turns(self) -> None:
        """First what was tried the longest ago: one event that breaks a receiver is no probe for ever."""
        self.ready = deque(sorted(self.ready, key=lambda due: (due.due_at, due.position)))

    def forget(self) -> None:
        """Leave all of it to the store; what is under way stays."""
        for due in self.ready:
            self._out(due)
            self.drop(due)
        self.ready.clear()
        self._relieve()
        self.spilled = True

    def _relieve(self) -> None:
        """What waits is found in the store when its turn comes; some of it another process has sent long since."""
        self.weight -= sum(map(_weight, self.later.values()))
        self.later.clear()

    def answered(self) -> None:
        """The far side has no more to do with an attempt: its slot is free while the store is written."""
        self.unsettled += 1

    def done(self, due: Due, *, answered: bool) -> None:
        """An attempt ended; what becomes of the delivery is in the store."""
        self.unsettled -= answered
        self._out(due)
        again = self.under_way.pop(due.position)
        if again is not None:
            self.put(again)


def _weight(due: Due) -> int:
    """What it takes of memory, about; a document that several share is counted for each."""
    return len(due.envelope) + len(due.doc or b"")

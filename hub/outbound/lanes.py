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
_UNSETTLED = 256


@dataclass(slots=True)
class Bucket:
    """A token bucket: `rate` a second, at most a second's worth at once; 0 is no limit."""

    rate: float
    tokens: float = 1.0
    at: int = 0

    def take(self, now: int) -> bool:
        """One token, if there is one."""
        if self.rate <= 0:
            return True
        self.tokens = min(
            max(1.0, self.rate),
            self.tokens + (now - self.at) / SECOND * self.rate if self.at else self.tokens,
        )
        self.at = now
        if self.tokens < 1:
            return False
        self.tokens -= 1
        return True

    def wait(self) -> float:
        """Seconds until there is one again."""
        return max(0.0, (1 - self.tokens) / self.rate) if self.rate > 0 else 0.0


@dataclass(slots=True)
class Lane:
    """One target's deliveries: `held` is what memory has by position, ready or under way. `under_way` has what
    was claimed of the same since, its next attempt; `unsettled` of them were answered and are being written;
    `spare` is claimed and not in memory, to be given back."""

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
    spilled: bool = True
    paused: bool = False

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
            if len(self.later) < _LATER:
                self.later[due.position] = due
            return
        self.later.pop(due.position, None)
        if len(self.ready) >= _READY:
            self.drop(due)
            return
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
        due.waiting, due.claimed_until = False, until
        self.put(due)
        return True

    def let_go(self, orders: set[str]) -> None:
        """Forget the deliveries of these orders that are not under way."""
        gone = [due for due in self.ready if due.order in orders]
        if gone:
            for due in gone:
                self.held.pop(due.position, None)
                self.drop(due)
            self.ready = deque(due for due in self.ready if due.order not in orders)
        self.later = {place: due for place, due in self.later.items() if due.order not in orders}

    def busy(self) -> list[Due]:
        """What is under way."""
        return [self.held[place] for place in self.under_way if place in self.held]

    def room(self) -> int:
        """How many more it would take."""
        return _READY - len(self.ready)

    def next(self, now: int) -> Due | None:
        """The next that may go out now."""
        sending = len(self.under_way) - self.unsettled
        if self.paused or not self.ready or sending >= self.concurrency or self.unsettled >= _UNSETTLED:
            return None
        if self.circuit.may_send(now, len(self.under_way)) == 0 or not self.bucket.take(now):
            return None
        due = self.ready.popleft()
        self.under_way[due.position] = None
        return due

    def sort(self) -> None:
        """Oldest first, after an outage that let memory and store take turns."""
        self.ready = deque(sorted(self.ready, key=lambda due: due.position))

    def forget(self) -> None:
        """Leave all of it to the store; what is under way stays."""
        for due in self.ready:
            self.held.pop(due.position, None)
            self.drop(due)
        self.ready.clear()
        self.later.clear()
        self.spilled = True

    def answered(self) -> None:
        """The far side has no more to do with an attempt: its slot is free while the store is written."""
        self.unsettled += 1

    def done(self, due: Due, *, answered: bool) -> None:
        """An attempt ended; what becomes of the delivery is in the store."""
        self.unsettled -= answered
        self.held.pop(due.position, None)
        again = self.under_way.pop(due.position)
        if again is not None:
            self.put(again)

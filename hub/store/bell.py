"""The bell: rings when something of a topic was committed, here or in another process.

It saves waiting, nothing else: who hears it looks into the store, and who misses it looks there anyway.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable

RECALLS = "recalls"
"""What was on its way is not to go out as it was: a delivery was skipped, an order's people are forgotten. Each process
lets go of what it had ready and looks into the store. What is at the far side already nobody can recall; a process that
cannot hear now may send what it has claimed, until it hears again or its lease ends."""

TOPICS = {
    "events_add": "events",
    "deliveries_again": "deliveries",
    "deliveries_replay": "deliveries",
    "deliveries_release": "deliveries",
    "deliveries_skip": RECALLS,
    "envelopes_put": RECALLS,
    "messages_reopen": "messages",
    "things_add": "things",
    "things_change": "things",
    "things_stand": "things",
    "things_drop": "things",
    "activations_add": "things",
    "jobs_add": "jobs",
    "exceptions_open": "exceptions",
    "exceptions_close_idle": "exceptions",
    "exceptions_state": "exceptions",
}
"""What a statement's success is news of. New messages and deliveries are not here: who writes them hands them on in
memory, and rings by hand where it does not."""


class Bell:
    """Topics, and who waits for them; `far` carries what was rung here to other processes."""

    def __init__(self) -> None:
        self.far: Callable[[str], None] = lambda _: None
        self._counts: Counter[str] = Counter()
        self._waiting: dict[str, set[asyncio.Future[None]]] = defaultdict(set)
        self._calls: dict[str, list[Callable[[], None]]] = defaultdict(list)
        self._elsewhere: dict[str, list[Callable[[], None]]] = defaultdict(list)

    def on(self, topic: str, call: Callable[[], None]) -> None:
        """Call this at each ring."""
        self._calls[topic].append(call)

    def elsewhere(self, topic: str, call: Callable[[], None]) -> None:
        """Call this at each ring of another process."""
        self._elsewhere[topic].append(call)

    def written(self, names: Iterable[str]) -> None:
        """These statements were committed."""
        for topic in {TOPICS[name] for name in names if name in TOPICS}:
            self.ring(topic)

    def ring(self, topic: str) -> None:
        """There is something new, for everyone."""
        self._rung(topic)
        self.far(topic)

    def heard(self, topic: str) -> None:
        """Another process has rung, or may have while nobody listened."""
        for call in self._elsewhere[topic]:
            call()
        self._rung(topic)

    def _rung(self, topic: str) -> None:
        self._counts[topic] += 1
        for waiting in self._waiting.pop(topic, ()):
            if not waiting.done():
                waiting.set_result(None)
        for call in self._calls[topic]:
            call()

    def count(self, topic: str) -> int:
        """How often it has rung: ask before looking into the store, and wait for it to pass that."""
        return self._counts[topic]

    async def after(self, topic: str, count: int, seconds: float) -> bool:
        """Until it has rung more often than that, or so long; whether it has."""
        if self._counts[topic] == count and seconds > 0:
            waiting: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiting[topic].add(waiting)
            try:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(seconds):
                        await waiting
            finally:
                self._waiting[topic].discard(waiting)
        return self._counts[topic] != count

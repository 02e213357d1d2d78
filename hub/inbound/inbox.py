"""The inbox: messages that are durable, handed from intake to normalise in memory.

The store is the truth: what memory loses (a process dies, the inbox is full) is found there again by its
status. `Full` is not an error; it only means that the rest is read back later.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque

from hub.store.rows import Arrival


class Inbox:
    """First in, first out, up to so many messages and bytes; `spilled` says that some are only in the store."""

    def __init__(self, most: int = 4000, most_bytes: int = 24 << 20) -> None:
        self.most = most
        self.most_bytes = most_bytes
        self._bytes = 0
        self._waiting: deque[Arrival] = deque()
        self._held: set[int] = set()
        self._news = asyncio.Event()
        self.spilled = True

    def put(self, arrivals: list[Arrival]) -> None:
        """Take these over, those that fit."""
        for one in arrivals:
            if one.position in self._held:
                continue
            if len(self._waiting) >= self.most or self._bytes >= self.most_bytes:
                self.spilled = True
                break
            self._held.add(one.position)
            self._waiting.append(one)
            self._bytes += len(one.body)
        self._news.set()

    def take(self, most: int, most_bytes: int = 1 << 20) -> list[Arrival]:
        """The oldest, at most so many and, but for the first, no more bytes; they count as held until `done`."""
        out: list[Arrival] = []
        size = 0
        while self._waiting and len(out) < most:
            size += len(self._waiting[0].body)
            if out and size > most_bytes:
                break
            out.append(self._waiting.popleft())
        self._bytes -= sum(len(one.body) for one in out)
        if not self._waiting:
            self._news.clear()
        return out

    def back(self, arrivals: list[Arrival]) -> None:
        """These were taken and are not settled: they are the next again."""
        kept = [one for one in arrivals if one.position in self._held]
        self._waiting.extendleft(reversed(kept))
        self._bytes += sum(len(one.body) for one in kept)
        if kept:
            self._news.set()

    def done(self, arrivals: list[Arrival]) -> None:
        """These are settled in the store."""
        self._held.difference_update(one.position for one in arrivals)

    def held(self) -> set[int]:
        """The positions of what is here: what waits, and what was taken and is not done."""
        return set(self._held)

    async def wait(self, seconds: float) -> None:
        """Until there is something, or so long."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):  # wait_for of Python 3.11 may swallow a cancellation
                await self._news.wait()

    def __len__(self) -> int:
        return len(self._waiting)

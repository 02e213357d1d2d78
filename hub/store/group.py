"""Group commit: whoever waits at the same moment shares a transaction.

While one group is being written the next gathers, so the group grows with the load and nobody waits for
a timer. A group that fails on data is halved until only the culprit fails; on storage, all are told.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

from hub.store.engine import Poisoned

T = TypeVar("T")
R = TypeVar("R")


class Group(Generic[T, R]):
    """Gathers items and writes them together; `write` returns a result for each, in order."""

    def __init__(self, write: Callable[[list[T]], Awaitable[list[R]]], most: int = 256) -> None:
        self._write = write
        self._most = most
        self._waiting: list[tuple[T, asyncio.Future[R]]] = []
        self._writer: asyncio.Task[None] | None = None

    def add(self, item: T) -> asyncio.Future[R]:
        """Wait for this to be durable: raises what its group, or it alone, raised."""
        future: asyncio.Future[R] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, future))
        if self._writer is None:
            self._writer = asyncio.get_running_loop().create_task(self._work())
        return future

    async def _work(self) -> None:
        try:
            while self._waiting:
                group, self._waiting = self._waiting[: self._most], self._waiting[self._most :]
                await self._settle(group)
        finally:
            self._writer = None

    async def _settle(self, group: list[tuple[T, asyncio.Future[R]]]) -> None:
        try:
            results = await self._write([item for item, _ in group])
            told = list(zip(group, results, strict=True))
        except Poisoned as error:
            if len(group) == 1:
                _fail(group, error)
                return
            half = len(group) // 2
            await self._settle(group[:half])
            await self._settle(group[half:])
        except Exception as error:  # noqa: BLE001  each waiter is told; none may hang
            _fail(group, error)
        else:
            for (_, future), result in told:
                if not future.done():
                    future.set_result(result)


def _fail(group: list[tuple[T, asyncio.Future[R]]], error: Exception) -> None:
    for _, future in group:
        if not future.done():
            future.set_exception(error)

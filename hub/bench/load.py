"""The load: a client that speaks just enough HTTP/1.1 to be far cheaper than what it measures.

Closed loop: so many connections, each sends when it was answered. Open loop: so many a second, whatever
the answers do; late answers then show as latency and not as a lower rate.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from typing import cast

Build = Callable[[int, float], bytes]


class Client(asyncio.Protocol):
    """One connection: sends a request, resolves when its answer is whole."""

    def __init__(self) -> None:
        self._waiter: asyncio.Future[int] | None = None
        self._buffer = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ready to send."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Collect until the body's length is there."""
        self._buffer += data
        head, blank, body = self._buffer.partition(b"\r\n\r\n")
        if not blank:
            return
        at = head.lower().find(b"content-length:")
        length = int(head[at + 15 :].split(b"\r\n", 1)[0]) if at >= 0 else 0
        if len(body) >= length and self._waiter is not None and not self._waiter.done():
            self._buffer = body[length:]
            self._waiter.set_result(int(head[9:12]))

    def connection_lost(self, exc: Exception | None) -> None:
        """The server hung up: whoever waits is told."""
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_exception(exc or ConnectionResetError("hung up"))

    async def ask(self, request: bytes) -> int:
        """Send, and return the status of the answer."""
        assert self._transport is not None  # noqa: S101  connected before it is used
        self._waiter = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        return await self._waiter


async def connect(port: int) -> Client:
    """A connection to this machine."""
    _, client = await asyncio.get_running_loop().create_connection(Client, "127.0.0.1", port)
    return client


async def closed(
    port: int, requests: Iterator[bytes], connections: int, seconds: float
) -> tuple[int, float, float]:
    """At saturation: answers 2xx, the seconds they took, and when the first was asked for (unix seconds)."""
    clients = [await connect(port) for _ in range(connections)]
    first, begun = time.time(), time.perf_counter()
    end = begun + seconds
    done = 0

    async def worker(client: Client) -> None:
        nonlocal done
        for request in requests:
            if time.perf_counter() >= end:
                return
            status = await client.ask(request)
            done += 200 <= status < 300

    await asyncio.gather(*(worker(client) for client in clients))
    return done, time.perf_counter() - begun, first


async def opened(port: int, build: Build, rate: float, seconds: float, connections: int = 64) -> list[float]:
    """Seconds from when each request was due to its answer, at a fixed rate."""
    free: asyncio.Queue[Client] = asyncio.Queue()
    for _ in range(connections):
        free.put_nowait(await connect(port))
    latencies: list[float] = []
    begun, wall = time.perf_counter(), time.time()

    async def one(number: int, due: float) -> None:
        client = await free.get()
        await client.ask(build(number, wall + due - begun))
        free.put_nowait(client)
        latencies.append(time.perf_counter() - due)

    tasks = []
    for number in range(int(rate * seconds)):
        due = begun + number / rate
        pause = due - time.perf_counter()
        if pause > 0:
            await asyncio.sleep(pause)
        tasks.append(asyncio.ensure_future(one(number, due)))
    await asyncio.gather(*tasks)
    return latencies

"""The load generator's process: what it sends is made and signed there, so that it does not cost the hub."""

from __future__ import annotations

import asyncio
import multiprocessing
import time
from itertools import count
from multiprocessing.connection import Connection as Pipe
from typing import Any

import msgspec
import uvloop

from hub.bench.load import closed, connect, opened
from hub.bench.workload import SIZE, Workload, workload
from hub.registry import load_registry


class Child(msgspec.Struct):
    """What to send: `closed` at saturation, `open` at a rate, `count` so many as fast as may be."""

    mode: str
    port: int
    seconds: float = 0.0
    rate: float = 0.0
    count: int = 0
    connections: int = 64
    size: int = SIZE


async def run_in_child(child: Child) -> Any:
    """Run the load in a process of its own; what it measured."""
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=_main, args=(theirs, child), daemon=True)
    process.start()
    theirs.close()
    while not ours.poll():  # noqa: ASYNC110  a pipe of another process sets no event
        await asyncio.sleep(0.02)
    found = ours.recv()
    process.join(5)
    return found


def _main(pipe: Pipe, child: Child) -> None:
    pipe.send(uvloop.run(_run(child)))


async def _run(child: Child) -> Any:
    load = workload(load_registry(), size=child.size)
    first = int(time.time() * 1000) % 10**9 * 1000
    if child.mode == "open":
        return await opened(child.port, lambda n, at: _one(load, first + n, at), child.rate, child.seconds)
    if child.mode == "count":
        return await _count(child, load, first)
    ready = [_one(load, first + n, time.time()) for n in range(int(child.seconds * 9000))]
    return await closed(child.port, iter(ready), child.connections, child.seconds)


async def _count(child: Child, load: Workload, first: int) -> tuple[int, float]:
    requests = (_one(load, first + n, time.time()) for n in range(child.count))
    clients = [await connect(child.port) for _ in range(child.connections)]
    done = count()

    async def worker(client: Any) -> None:
        for request in requests:
            await client.ask(request)
            next(done)

    await asyncio.gather(*(worker(client) for client in clients))
    return next(done), 0.0


def _one(load: Workload, number: int, at: float) -> bytes:
    return load.request("/in/bench", load.signed(number, at))

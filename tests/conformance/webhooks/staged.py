"""A hub on a stage of the suite's own: its days are shorter, its names are answered by the suite.

    python -m tests.conformance.webhooks.staged '{"database": …, "port": …, "speed": 6, "names": "127.0.0.1:5353"}'

The hub is the one that `orderhub serve` runs. What is replaced is the machine under it: the clocks that it reads and
the resolver that it asks, before anything of it is imported. A lease of a minute is over in ten seconds at a speed of
six, and so are its timeouts and its pauses; hubs that began at the same moment (`began`, in nanoseconds) agree on it.
"""

from __future__ import annotations

import asyncio
import json
import selectors
import socket
import sys
import time
from typing import Any


def hurry(speed: float, began: int) -> None:
    """From now on every clock of this process runs so much faster, since that moment."""
    ticks, tocks, wall = time.monotonic, time.perf_counter, time.time_ns
    first, second = ticks(), tocks()
    time.monotonic = lambda: first + (ticks() - first) * speed
    time.perf_counter = lambda: second + (tocks() - second) * speed
    time.time_ns = lambda: began + int((wall() - began) * speed)
    time.time = lambda: time.time_ns() / 1e9


def loop(speed: float) -> asyncio.AbstractEventLoop:
    """A loop that waits by that clock."""

    class Hurried(selectors.DefaultSelector):
        def select(self, timeout: float | None = None) -> Any:
            return super().select(timeout / speed if timeout else timeout)

    return asyncio.SelectorEventLoop(Hurried())


def ask(server: str) -> None:
    """Names of `.example` are asked of this name server, each time anew, as a resolver without a cache would."""
    import dns.resolver  # noqa: PLC0415  once the clocks are set

    machine = socket.getaddrinfo
    host, _, port = server.rpartition(":")
    resolver = dns.resolver.Resolver(configure=False)
    resolver.nameservers, resolver.port, resolver.cache = [host], int(port), None

    def getaddrinfo(name: Any, service: Any, *more: Any, **named: Any) -> Any:
        if not str(name).endswith(".example"):
            return machine(name, service, *more, **named)
        try:
            found = resolver.resolve(name, "A", search=False)
        except dns.exception.DNSException as error:
            raise socket.gaierror(socket.EAI_NONAME, str(error)) from error
        kind = (socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "")
        return [(*kind, (one.address, int(service))) for one in found]

    socket.getaddrinfo = getaddrinfo


def main() -> None:
    told = json.loads(sys.argv[1])
    speed = told.get("speed", 1.0)
    hurry(speed, told.get("began") or time.time_ns())
    if told.get("names"):
        ask(told["names"])

    from hub.config import from_environment  # noqa: PLC0415  once the clocks are set
    from hub.serve import serve  # noqa: PLC0415
    from hub.world import World  # noqa: PLC0415

    config = from_environment(
        database=told["database"], port=told["port"], allow_private=tuple(told["allow_private"])
    )
    with asyncio.Runner(loop_factory=lambda: loop(speed)) as runner:
        # A world of its own: the store's clock, which several hubs keep to, does not hurry.
        runner.run(serve(config, world=World.real()))


if __name__ == "__main__":
    main()

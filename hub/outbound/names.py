"""Names to addresses: the system's own resolver, in threads that nothing else waits for.

The loop's own pool has six threads on a machine of two cores: six names whose servers do not answer would keep
everyone's new connections waiting. A lookup cannot be cancelled, so its thread holds its place until the system gives
it up, however early who asked went away; it is a daemon, which no end of the process waits for.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from collections.abc import Callable
from functools import partial
from typing import Any

from aiohttp.abc import AbstractResolver, ResolveResult

LOOKUPS = 64
"""How many lookups are under way at once; one more waits for one of them."""
_NUMERIC = socket.AI_NUMERICHOST | socket.AI_NUMERICSERV


class SystemNames(AbstractResolver):
    """What the system says of names, many at a time, each in a thread of its own."""

    def __init__(self, most: int = LOOKUPS) -> None:
        self._places = asyncio.Semaphore(most)

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """The addresses of a name; raises OSError where it has none."""
        ask = partial(socket.getaddrinfo, host, port, family, socket.SOCK_STREAM, flags=socket.AI_ADDRCONFIG)
        return [
            ResolveResult(
                hostname=host,
                host=_host(address),
                port=address[1],
                family=kind,
                proto=protocol,
                flags=_NUMERIC,
            )
            for kind, _, protocol, _, address in await self._asked(ask)
            if isinstance(address[0], str)  # Python without IPv6 says an IPv6 address in numbers
        ]

    async def _asked(self, ask: Callable[[], list[Any]]) -> list[Any]:
        await self._places.acquire()
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[list[Any]] = loop.create_future()

        def ended(found: list[Any], fault: Exception | None) -> None:
            self._places.release()
            if answer.done():
                return  # who asked went away
            if fault is None:
                answer.set_result(found)
            else:
                answer.set_exception(fault)

        def run() -> None:
            found: list[Any] = []
            fault: Exception | None = None
            try:
                found = ask()
            except Exception as error:  # noqa: BLE001  raised where it was asked
                fault = error
            with contextlib.suppress(RuntimeError):  # the loop is closed: nobody asks any more
                loop.call_soon_threadsafe(ended, found, fault)

        try:
            threading.Thread(target=run, name="orderhub-name", daemon=True).start()
        except RuntimeError as error:  # the system gives no thread
            self._places.release()
            raise OSError(f"no name can be looked up now: {error}") from error
        return await answer

    async def close(self) -> None:
        """Nothing to let go of: lookups that hang end by themselves."""


def _host(address: tuple[Any, ...]) -> str:
    """An address as text, a link-local one with its zone."""
    if len(address) > 3 and address[3]:
        return f"{str(address[0]).partition('%')[0]}%{address[3]}"
    return str(address[0])

"""The wire between the bells of several processes: LISTEN and NOTIFY of PostgreSQL, on a connection of its own.

What is rung within a few milliseconds goes out as one. A notice is sent after the commit and beside it, so no
transaction pays for it; when the connection breaks, the next one begins by ringing everything.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import Any

from hub.store.bell import TOPICS, Bell

CHANNEL = "orderhub"
_GATHER = 0.004
_ALIVE = 15.0
_ANSWER = 10.0


class Wire:
    """Carries rings to and fro while `run` runs."""

    def __init__(self, bell: Bell) -> None:
        self._bell = bell
        self._out: set[str] = set()
        self._news = asyncio.Event()
        self.listening = False

    def send(self, topic: str) -> None:
        """Tell the others; nothing while nobody listens, they begin by looking."""
        if self.listening:
            self._out.add(topic)
            self._news.set()

    async def run(self, connect: Callable[[], Awaitable[Any]]) -> None:
        """Until the connection breaks: raises what broke it."""
        connection = await connect()
        ours = connection.get_server_pid()

        def heard(_: Any, pid: int, __: str, payload: str) -> None:
            if pid != ours:
                for topic in payload.split():
                    self._bell.heard(topic)

        try:
            connection.add_termination_listener(lambda _: self._news.set())
            await connection.add_listener(CHANNEL, heard)
            self.listening = True
            for topic in sorted(set(TOPICS.values())):
                self._bell.heard(topic)
            while True:
                await self._turn(connection)
        finally:
            self.listening = False
            with contextlib.suppress(Exception):  # it may be broken already; the server forgets its listeners
                await connection.close(timeout=1.0)

    async def _turn(self, connection: Any) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_ALIVE):
                await self._news.wait()
        self._news.clear()
        if connection.is_closed():
            raise ConnectionError("the connection that listens was closed")
        if not self._out:
            await connection.fetchval("SELECT 1", timeout=_ANSWER)
            return
        await asyncio.sleep(_GATHER)
        topics, self._out = " ".join(sorted(self._out)), set()
        await connection.execute("SELECT pg_notify($1, $2)", CHANNEL, topics, timeout=_ANSWER)

"""How a connection comes to be: the guarded session, and what an exchange learns of its connection.

The guard stands in the resolver (a name is refused if any of its addresses is) and in the socket factory,
which is handed the very address about to be dialled, for names and literals alike. No redirects, no
cookies, no proxies from the environment, no decompression.

Why not TraceConfig for the phases: its signals cost a fifth of the throughput at 50 concurrent posts
(measured), and only new connections have phases to tell. A context variable costs next to nothing.
"""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Coroutine
from contextvars import ContextVar
from typing import Any

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult

from hub.outbound.guard import Guard
from hub.outbound.names import SystemNames

_FIELD = 1 << 15
"""Bytes of one header of an answer: an honest Content-Security-Policy may be longer than aiohttp's usual 8 kB."""


class Blocked(OSError):
    """The guard refuses this address."""


class Dial:
    """What one exchange learns: when each step was done, from whom the answer came, why none could."""

    __slots__ = tuple("address answered begun blocked body connected dns opened ready response".split())

    def __init__(self, begun: float) -> None:
        self.begun = begun
        self.blocked = self.address = ""
        self.dns = self.opened = self.connected = self.ready = self.answered = 0.0
        self.response: aiohttp.ClientResponse | None = None
        self.body = bytearray()

    def phases(self) -> dict[str, float]:
        """Milliseconds of each step; those of the connection where one was made."""
        phases = {}
        if self.dns:
            phases["dns"] = _ms(self.dns)
        if self.connected:
            phases["connect"] = _ms(self.connected - self.opened)
            if self.ready and self.response is not None and self.response.url.scheme == "https":
                phases["tls"] = _ms(self.ready - self.connected)
        if self.answered:
            phases["first_byte"] = _ms(self.answered - self.begun)
        phases["total"] = _ms(time.perf_counter() - self.begun)
        return phases


DIAL: ContextVar[Dial | None] = ContextVar("dial", default=None)


class GuardedResolver(AbstractResolver):
    """Names to addresses; a name with an address that the guard refuses has none."""

    def __init__(self, guard: Guard, inner: AbstractResolver) -> None:
        self._guard = guard
        self._inner = inner

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """The addresses of a name, all of them allowed; Blocked otherwise."""
        dial = DIAL.get()
        begun = time.perf_counter()
        if dial is not None:
            dial.opened = begun  # a new connection is being made, whatever becomes of it
        found = await self._inner.resolve(host, port, family)
        for one in found:
            if reason := self._guard.judge(one["host"]):
                raise _blocked(dial, f"{host} resolves to {one['host']}, which is not allowed: {reason}")
        if dial is not None:
            dial.dns = time.perf_counter() - begun
        return found

    async def close(self) -> None:
        """Closes the resolver inside."""
        await self._inner.close()


class _Connector(aiohttp.TCPConnector):
    """Tells the dial when TCP stood and when TLS did. Only for the log: nothing is guarded here."""

    async def _wrap_create_connection(self, *args: Any, **kwargs: Any) -> Any:
        dial = DIAL.get()
        if dial is None or not args:
            return await super()._wrap_create_connection(*args, **kwargs)
        protocol = args[0]

        def connected() -> Any:
            dial.connected = time.perf_counter()
            return protocol()

        made = await super()._wrap_create_connection(connected, *args[1:], **kwargs)
        dial.ready = time.perf_counter()
        return made


class _Response(aiohttp.ClientResponse):
    """Remembers whom it is from: the connection is given back as soon as a short answer is complete."""

    def start(self, connection: Any) -> Coroutine[Any, Any, aiohttp.ClientResponse]:
        dial = DIAL.get()
        if dial is not None and connection.transport is not None:
            peer = connection.transport.get_extra_info("peername")
            dial.address = peer[0] if peer else ""
        return super().start(connection)


def open_session(
    guard: Guard,
    *,
    limit: int = 4096,
    per_host: int = 0,
    resolver: AbstractResolver | None = None,
    tls: ssl.SSLContext | None = None,
) -> aiohttp.ClientSession:
    """A guarded client session, made within a running loop: the only way this hub opens connections.

    How many go to one host its endpoints say (`concurrency`): waiting for a connection would count as its slowness.
    """

    def guarded_socket(found: Any) -> socket.socket:
        family, kind, protocol, _, address = found
        if reason := guard.judge(address[0]):
            raise _blocked(DIAL.get(), f"{address[0]} is not allowed: {reason}")
        if reason := guard.judge_port(address[1]):
            raise _blocked(DIAL.get(), reason)
        made = socket.socket(family=family, type=kind, proto=protocol)
        if (dial := DIAL.get()) is not None:
            dial.opened, dial.address = time.perf_counter(), address[0]
        return made

    connector = _Connector(
        resolver=GuardedResolver(guard, resolver or SystemNames()),
        socket_factory=guarded_socket,
        limit=limit,
        limit_per_host=per_host,
        keepalive_timeout=30,
        ssl=tls or True,
    )
    return aiohttp.ClientSession(
        connector=connector,
        cookie_jar=aiohttp.DummyCookieJar(),
        headers={"Accept-Encoding": "identity"},
        skip_auto_headers=("Accept", "User-Agent", "Content-Type"),
        auto_decompress=False,
        trust_env=False,
        max_field_size=_FIELD,
        timeout=aiohttp.ClientTimeout(total=None),
        response_class=_Response,
    )


def _blocked(dial: Dial | None, reason: str) -> Blocked:
    if dial is not None:
        dial.blocked = reason
    return Blocked(reason)


def _ms(seconds: float) -> float:
    return round(seconds * 1000, 3)

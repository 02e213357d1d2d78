"""Receivers that a partner may run: honest, slow, gone, rude."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from dnslib import QTYPE, RR, A, DNSRecord

from tests.outbound.receivers import scripted, served, settled

Answers = Callable[[int], web.Response | None]
"""By the number of the request, from 0; None hangs up."""


@dataclass(frozen=True)
class Hook:
    """A webhook as it came."""

    headers: dict[str, str]
    body: bytes
    path: str

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]

    @property
    def event(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.body)
        return found


@dataclass
class Receiver:
    """Keeps everything it is sent, in order; answers as told, after `delay` seconds or when `wait` is over."""

    answers: Answers
    delay: float = 0.0
    wait: Callable[[int], Awaitable[Any]] | None = None
    got: list[Hook] = field(default_factory=list)
    taken: list[Hook] = field(default_factory=list)
    connections: set[tuple[str, int]] = field(default_factory=set)
    under_way: int = 0
    most: int = 0
    url: str = ""

    async def take(self, request: web.Request) -> web.StreamResponse:
        """One webhook."""
        hook = Hook(
            {name.lower(): value for name, value in request.headers.items()},
            await request.read(),
            request.path,
        )
        self.got.append(hook)
        assert request.transport is not None
        self.connections.add(request.transport.get_extra_info("peername"))
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        number = len(self.got) - 1
        await (self.wait(number) if self.wait else asyncio.sleep(self.delay))
        self.under_way -= 1
        answer = self.answers(number)
        if answer is None:
            request.transport.abort()
            return web.Response(status=500)
        if 200 <= answer.status < 300:
            self.taken.append(hook)
        return answer

    def ids(self) -> list[str]:
        """Of what it took."""
        return [one.id for one in self.taken]


def always(status: int, **more: Any) -> Answers:
    """The same answer to everything."""
    return lambda _: web.Response(status=status, **more)


def first(count: int, status: int, **more: Any) -> Answers:
    """So many times this status, then 200."""
    return lambda n: web.Response(status=status, **more) if n < count else web.Response()


@asynccontextmanager
async def receiver(
    answers: Answers | None = None, delay: float = 0.0, host: str = "127.0.0.1"
) -> AsyncIterator[Receiver]:
    """A receiver on a port of its own."""
    one = Receiver(answers or always(200), delay)
    async with served(one.take, host=host) as url:
        one.url = f"{url}/hooks"
        yield one


@asynccontextmanager
async def saying(head: bytes, drip: Callable[[], bytes], pause: float, count: int) -> AsyncIterator[str]:
    """A server that answers with this head, then drips pieces for as long as somebody listens."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        try:
            writer.write(head)
            for _ in range(count):
                writer.write(drip())
                await writer.drain()
                await asyncio.sleep(pause)
        except (ConnectionError, asyncio.CancelledError):
            return
        finally:
            writer.close()

    async with scripted(talk) as url:
        yield url


@dataclass
class Names(asyncio.DatagramProtocol):
    """A name server: what it answers to each question in turn, the last for ever; nothing may be kept of it."""

    answers: list[list[str]]
    asked: int = 0
    address: str = ""
    _out: Any = None

    def connection_made(self, transport: Any) -> None:
        self._out = transport

    def datagram_received(self, data: bytes, addr: Any) -> None:
        question = DNSRecord.parse(data)
        reply = question.reply()
        for one in self.answers[min(self.asked, len(self.answers) - 1)]:
            reply.add_answer(RR(question.q.qname, QTYPE.A, rdata=A(one), ttl=0))
        self.asked += 1
        self._out.sendto(reply.pack(), addr)


@asynccontextmanager
async def names(*answers: list[str]) -> AsyncIterator[Names]:
    """A name server on a port of its own."""
    loop = asyncio.get_running_loop()
    transport, server = await loop.create_datagram_endpoint(
        lambda: Names(list(answers)), local_addr=("127.0.0.1", 0)
    )
    server.address = "{}:{}".format(*transport.get_extra_info("sockname")[:2])
    try:
        yield server
    finally:
        transport.close()


@asynccontextmanager
async def sink(port: int) -> AsyncIterator[list[Any]]:
    """Somebody on 127.0.0.1 who should never be called: who connected to it, if only for a moment."""
    callers: list[Any] = []

    async def talk(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        callers.append(writer.get_extra_info("peername"))
        writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", port)
    try:
        yield callers
    finally:
        server.close()
        await settled()

"""The sink: a receiver in a process of its own that answers 200 and notes how long each order took."""

from __future__ import annotations

import asyncio
import multiprocessing
import time
from dataclasses import dataclass
from multiprocessing.connection import Connection as Pipe
from typing import cast

import uvloop

from hub.bench.workload import MARK

_ANSWER = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"


class Receiver(asyncio.Protocol):
    """One connection from the hub."""

    def __init__(self, seen: list[tuple[float, float]], delay: float, sizes: list[int]) -> None:
        self._seen = seen
        self._sizes = sizes
        self._delay = delay
        self._buffer = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The hub connected."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Answer each whole request."""
        self._buffer += data
        while True:
            at = self._buffer.find(b"\r\n\r\n")
            if at < 0:
                return
            head = self._buffer[:at].lower()
            start = head.find(b"content-length:")
            length = int(head[start + 15 :].split(b"\r\n", 1)[0])
            if len(self._buffer) < at + 4 + length:
                return
            body = self._buffer[at + 4 : at + 4 + length]
            self._buffer = self._buffer[at + 4 + length :]
            mark = body.find(MARK)
            sent = float(body[mark + len(MARK) :].split(b";", 1)[0]) if mark >= 0 else 0.0
            now = time.time()
            self._seen.append((now, now - sent))
            self._sizes[:] = [len(body)]
            asyncio.get_running_loop().call_later(
                self._delay, self._answer
            ) if self._delay else self._answer()

    def _answer(self) -> None:
        if self._transport is not None:
            self._transport.write(_ANSWER)


@dataclass(slots=True)
class Sink:
    """A running receiver: `port` to deliver to, `take` what it saw since it was last asked."""

    process: multiprocessing.process.BaseProcess
    pipe: Pipe
    port: int

    def take(self) -> list[tuple[float, float]]:
        """(moment, seconds since the order was sent) of each webhook."""
        self.pipe.send("take")
        found: list[tuple[float, float]] = self.pipe.recv()
        return found

    def count(self) -> int:
        """How many there are."""
        self.pipe.send("count")
        number: int = self.pipe.recv()
        return number

    def size(self) -> int:
        """The bytes of the last body."""
        self.pipe.send("size")
        number: int = self.pipe.recv()
        return number

    def close(self) -> None:
        """End the process."""
        self.pipe.send("stop")
        self.process.join(5)


def start_sink(delay: float = 0.0) -> Sink:
    """A receiver that answers after so many seconds."""
    ours, theirs = multiprocessing.Pipe()
    context = multiprocessing.get_context("spawn")
    process = context.Process(target=_main, args=(theirs, delay), daemon=True)
    process.start()
    port: int = ours.recv()
    return Sink(process, ours, port)


def _main(pipe: Pipe, delay: float) -> None:
    uvloop.run(_serve(pipe, delay))


async def _serve(pipe: Pipe, delay: float) -> None:
    seen: list[tuple[float, float]] = []
    loop = asyncio.get_running_loop()
    sizes = [0]
    server = await loop.create_server(lambda: Receiver(seen, delay, sizes), "127.0.0.1", 0)
    pipe.send(server.sockets[0].getsockname()[1])
    stopped = asyncio.Event()

    def asked() -> None:
        word = pipe.recv()
        if word == "take":
            pipe.send(list(seen))
            seen.clear()
        elif word == "count":
            pipe.send(len(seen))
        elif word == "size":
            pipe.send(sizes[0])
        else:
            stopped.set()

    loop.add_reader(pipe.fileno(), asked)
    await stopped.wait()
    server.close()

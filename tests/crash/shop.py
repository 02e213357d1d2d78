"""A shop whose hub dies again and again: it signs what it says, notes what was answered, and says it again.

An order's revision stands in its note and moves its `updated_at`, so that an order shows which revision it
is at. Revisions overtake each other, some are sent twice, and what was not answered is mostly sent again,
as platforms do; the rest is given up.
"""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from hub.contract.message import Headers
from hub.contract.proof import Stamp
from hub.contract.settings import Settings
from hub.registry import Registry, load_registry

CHANNEL = "shopify"
KEY = "door"
_BEGAN = datetime(2026, 3, 14, 9, 30, tzinfo=UTC)
_OWN = ("x-shopify-webhook-id", "x-shopify-topic", "content-length", "host")
_GONE = (ConnectionError, asyncio.IncompleteReadError)


def _never() -> bool:
    return False


@dataclass(eq=False)
class Push:
    """One message: its delivery id, the order and revision it tells, and the statuses it was answered with."""

    key: str
    number: str
    revision: int
    request: bytes
    answers: list[int] = field(default_factory=list)

    @property
    def accepted(self) -> bool:
        return any(200 <= status < 300 for status in self.answers)

    def __str__(self) -> str:
        return f"{self.key} ({self.number} revision {self.revision}, answered {self.answers or 'never'})"


class Shop:
    def __init__(self, seed: int, registry: Registry | None = None) -> None:
        registry = registry or load_registry()
        samples = registry.samples(CHANNEL)
        self.channel = registry.channel(CHANNEL)
        self.settings: Settings = msgspec.convert(samples.settings, self.channel.settings)
        self.pushes: list[Push] = []
        self.hasty = True
        self._sample = samples.fixture("orders-create.plain").message
        self._order: dict[str, Any] = json.loads(self._sample.body)
        self._chance = random.Random(seed)
        self._revisions: list[int] = []
        self._waiting: list[Push] = []

    def next(self) -> Push:
        """What it says now: something again, a new order, or the next revision of one of the latest."""
        if self._waiting and (not self.hasty or self._chance.random() < 0.5):
            return self._waiting.pop(0)
        what = self._chance.choices(("again", "new", "overtaken", "next"), (1, 3, 1, 6))[0]
        if what == "again" and self.pushes:
            return self._chance.choice(self.pushes[-40:])
        if what == "new" or len(self._revisions) < 3:
            return self._made(self._opened())
        order = self._chance.randrange(max(0, len(self._revisions) - 25), len(self._revisions))
        if what == "overtaken":
            self._waiting.append(self._made(order))
        return self._made(order)

    def _opened(self) -> int:
        self._revisions.append(0)
        return len(self._revisions) - 1

    def _made(self, order: int) -> Push:
        self._revisions[order] += 1
        push = self._push(order, self._revisions[order])
        self.pushes.append(push)
        return push

    def _push(self, order: int, revision: int) -> Push:
        key, number = f"push-{len(self.pushes)}", f"C-{order}"
        told = _BEGAN + timedelta(seconds=revision)
        body = self._order | {
            "id": 7_100_000_000_000 + order, "name": number, "note": f"revision {revision}", "updated_at": told.isoformat(),
        }  # fmt: skip
        topic = "orders/create" if revision == 1 else "orders/updated"
        pairs = [pair for pair in self._sample.headers.pairs if pair[0].lower() not in _OWN]
        pairs += [("x-shopify-webhook-id", key), ("x-shopify-topic", topic)]
        message = msgspec.structs.replace(
            self._sample, body=json.dumps(body).encode(), headers=Headers(pairs)
        )
        signed = self.channel.proof_for(self.settings).sign(message, self.settings, Stamp(now=0))
        return Push(key, number, revision, _request(signed.headers.pairs, signed.body))

    async def talk(
        self, port: int, *, rate: float, lines: int = 16, enough: Callable[[], bool] = _never
    ) -> None:
        """Say so many things a second over so many connections, until they break or it is enough."""
        await asyncio.gather(*(self._line(port, lines / rate, enough) for _ in range(lines)))

    async def _line(self, port: int, pause: float, enough: Callable[[], bool]) -> None:
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            return
        try:
            while not enough():
                if not await self._say(self.next(), reader, writer):
                    return
                await asyncio.sleep(pause * self._chance.random() * 2)
        finally:
            writer.close()

    async def _say(self, push: Push, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Whether it was answered at all; what was not taken is mostly said again, later."""
        try:
            writer.write(push.request)
            status = await _status(reader)
        except _GONE:
            status = 0
        if status:
            push.answers.append(status)
        if not push.accepted and self._chance.random() < 0.7:
            self._waiting.append(push)
        return bool(status)

    async def finish(self, port: int) -> None:
        """Say again what it still has to say, and nothing new."""
        self.hasty = False
        await self.talk(port, rate=400, lines=4, enough=lambda: not self._waiting)

    def refused(self) -> Iterator[Push]:
        """What was answered with anything but success or "not now"."""
        return (
            one
            for one in self.pushes
            if any(not 200 <= status < 300 and status != 503 for status in one.answers)
        )


def _request(pairs: Any, body: bytes) -> bytes:
    head = [f"POST /in/{KEY} HTTP/1.1", "host: 127.0.0.1", f"content-length: {len(body)}"]
    head += [f"{name}: {value}" for name, value in pairs if name.lower() not in _OWN[2:]]
    return "\r\n".join([*head, "", ""]).encode("latin-1") + body


async def _status(reader: asyncio.StreamReader) -> int:
    head = await reader.readuntil(b"\r\n\r\n")
    length = next(
        (int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")), 0
    )
    await reader.readexactly(length)
    return int(head[9:12])

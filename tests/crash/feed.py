"""A reader of the pull twin: it pages through the events by their cursor while the hub dies under it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

import httpx

_PAGE = 200


@dataclass
class Feed:
    """`ids` are the events in the order they were read, `cursor` is where it goes on."""

    port: int
    token: str
    ids: list[str] = field(default_factory=list)
    cursor: str = "0"

    async def follow(self) -> None:
        """Read until cancelled; a hub that is away is asked again."""
        headers = {"authorization": f"Bearer {self.token}"}
        async with httpx.AsyncClient(headers=headers, base_url=f"http://127.0.0.1:{self.port}") as client:
            while True:
                try:
                    found = await self._page(client)
                except httpx.TransportError:
                    found = 0
                if found < _PAGE:
                    await asyncio.sleep(0.1)

    async def _page(self, client: httpx.AsyncClient) -> int:
        answer = await client.get("/v1/events", params={"after": self.cursor, "limit": _PAGE})
        page = answer.raise_for_status().json()
        self.ids += [event["id"] for event in page["data"]]
        self.cursor = page["cursor"]
        return len(page["data"])

    async def caught_up(self, count: int) -> None:
        """Until so many were read, or no more come."""
        for _ in range(100):
            if len(self.ids) >= count:
                return
            await asyncio.sleep(0.05)


@asynccontextmanager
async def followed(port: int, token: str) -> AsyncIterator[Feed]:
    """A feed that is read for as long as the block runs; what broke its reader breaks the block's end."""
    feed = Feed(port, token)
    task = asyncio.ensure_future(feed.follow())
    try:
        yield feed
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task

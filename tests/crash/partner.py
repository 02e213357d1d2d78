"""A partner that keeps everything it is sent, refuses some of it and hangs up on some."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from aiohttp import web
from standardwebhooks.webhooks import Webhook

from tests.outbound.receivers import served

REFUSES, HANGS_UP = 13, 29


@dataclass(frozen=True)
class Letter:
    """One webhook that came: whether the partner answered that it took it."""

    id: str
    body: bytes
    previous: str
    taken: bool

    @property
    def told(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.body)
        return found


@dataclass
class Partner:
    """`letters` in the order they came; `faults` are those that nobody honest would send."""

    secret: str
    letters: list[Letter] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    url: str = ""
    _count: int = 0

    async def take(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        self._count += 1
        self._verify(request, body)
        hung_up, refused = self._count % HANGS_UP == 0, self._count % REFUSES == 0
        await asyncio.sleep(0.002 * (self._count % 5))
        self.letters.append(
            Letter(
                request.headers.get("webhook-id", ""), body, request.headers.get("orderhub-previous", ""),
                taken=not (hung_up or refused),
            )
        )  # fmt: skip
        if hung_up and request.transport is not None:
            request.transport.abort()
        return web.Response(status=500 if refused else 200)

    def _verify(self, request: web.Request, body: bytes) -> None:
        """By other people's code; not `verify`, which would mind a clock that was moved on."""
        id_, at = request.headers.get("webhook-id", ""), int(request.headers.get("webhook-timestamp", "0"))
        right = Webhook(self.secret).sign(id_, datetime.fromtimestamp(at, UTC), body.decode())
        if right not in request.headers.get("webhook-signature", "").split():
            self.faults.append(f"{id_} is not signed with the endpoint's secret")
        if json.loads(body)["id"] != id_:
            self.faults.append(f"{id_} carries an event of another id")


@asynccontextmanager
async def listening(secret: str) -> AsyncIterator[Partner]:
    """A partner at an address of this machine."""
    partner = Partner(secret)
    async with served(partner.take) as url:
        partner.url = f"{url}/hook"
        yield partner

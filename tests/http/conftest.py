"""The real application over a real hub, on each engine in turn, spoken to by httpx without a socket."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from hub.config import Config
from hub.directory import Token
from hub.http.app import build
from hub.run import Hub, open_hub
from hub.store.engine import Unit
from hub.tokens import token_hash
from tests.engines import ADMIN

on_sqlite = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
"""For what does not look at the store: one engine is enough."""


@dataclass
class House:
    """A hub and a way to speak to it."""

    hub: Hub
    http: httpx.AsyncClient
    admin: str = ADMIN

    async def say(
        self, method: str, path: str, body: Any = None, token: str = ADMIN, **headers: str
    ) -> httpx.Response:
        """One request; `headers` with underscores for dashes."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.http.request(
            method, path, json=body, headers={"authorization": f"Bearer {token}", **named}
        )

    async def get(self, path: str, token: str = ADMIN) -> Any:
        """What a GET that has to succeed says."""
        answer = await self.say("GET", path, token=token)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def post(self, path: str, body: Any = None, token: str = ADMIN, **headers: str) -> Any:
        """What a POST that has to succeed says."""
        answer = await self.say("POST", path, body, token, **headers)
        assert answer.status_code in (200, 201, 202), answer.text
        return answer.json()

    async def token(self, *scopes: str, tenant: str = "main", partner: str = "") -> str:
        """A token of these scopes, in any tenant."""
        text = f"oh_{tenant}_{'_'.join(scopes)}_{partner}"
        thing = Token(id=self.hub.world.new_id("tok"), tenant=tenant, name=text, hash=token_hash(text),
                      scopes=list(scopes), partner=partner)  # fmt: skip

        async def work(unit: Unit) -> None:
            await self.hub.directory.put(unit, thing, self.hub.world.now())

        await self.hub.engine.transact(work)
        await self.hub.directory.refresh()
        return text


@pytest.fixture
async def house(config: Config) -> AsyncIterator[House]:
    async with open_hub(config) as hub:
        transport = httpx.ASGITransport(build(hub))
        async with httpx.AsyncClient(transport=transport, base_url="http://hub.test") as client:
            yield House(hub, client)

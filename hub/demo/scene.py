"""The scene: the hub with its two connections and its partner, and how each is asked and waited for."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import httpx

from hub.contract.errors import HubError
from hub.contract.given import read_settings
from hub.demo.partner import Partner, Webhook
from hub.demo.senders import FarSide
from hub.demo.shop import TOKEN, Shop
from hub.demo.voice import Voice
from hub.registry import load_registry

Doc = dict[str, Any]
T = TypeVar("T")

SHOP = "kite-and-kettle"
PARCELS = "parcels"
PARTNER = "warehouse"
SCHEDULE = [0, 1, 1, 2]
"""Seconds before each try: the demo's partner is back soon, a real one gets three days."""

_PATIENCE = 20.0
_LOOK = 0.05


class Broken(HubError):
    """The hub did not do what the story needs to go on."""


@dataclass(slots=True)
class Scene:
    """Who takes part, and the API of the hub between them."""

    api: httpx.AsyncClient
    voice: Voice
    partner: Partner
    shop: Shop
    shop_url: str
    partner_url: str
    store: FarSide
    parcels: FarSide

    async def get(self, path: str, **params: Any) -> Any:
        """What the API says."""
        return self._said(await self.api.get(path, params=params))

    async def post(self, path: str, body: Any = None) -> Any:
        """Do something over the API."""
        return self._said(
            await self.api.post(path, json=body, headers={"idempotency-key": secrets.token_hex(12)})
        )

    async def patch(self, path: str, body: Doc) -> Any:
        """Change something over the API."""
        return self._said(await self.api.patch(path, json=body))

    def _said(self, answer: httpx.Response) -> Any:
        if answer.is_success:
            return answer.json() if answer.content else None
        raise Broken(
            f"{answer.request.method} {answer.request.url.path} was answered {answer.status_code}: {answer.text}"
        )

    async def rows(self, path: str, **params: Any) -> list[Doc]:
        """All rows of a list that fits on a page."""
        found: list[Doc] = (await self.get(path, limit=500, **params))["data"]
        return found

    async def order(self, number: str, holds: Callable[[Doc], bool] = bool) -> Doc:
        """The order of this number as soon as it is so."""

        async def look() -> Doc | None:
            return next((one for one in await self.rows("/v1/orders", number=number) if holds(one)), None)

        return await self.until(f"order {number}", look)

    async def heard(self, type_: str, number: str) -> Webhook:
        """The partner's acknowledged webhook of this type for the order of this number."""
        found = await self.partner.until(
            lambda one: one.type == type_ and one.number == number and one.answered < 300, _PATIENCE
        )
        if found is None:
            got = (
                ", ".join(f"{one.type} of {one.number} ({one.answered})" for one in self.partner.heard)
                or "nothing"
            )
            raise Broken(f"the partner did not get {type_} of {number}; it got {got}")
        return found

    async def until(self, what: str, look: Callable[[], Awaitable[T | None]]) -> T:
        """What `look` finds, as soon as it finds something."""
        clock = asyncio.get_running_loop()
        end = clock.time() + _PATIENCE
        while (found := await look()) is None:
            if clock.time() > end:
                raise Broken(f"waited {_PATIENCE:.0f} seconds for {what}")
            await asyncio.sleep(_LOOK)
        return found


async def set_up(
    api: httpx.AsyncClient, sender: httpx.AsyncClient, voice: Voice, partner: Partner, partner_url: str,
    shop: Shop, shop_url: str,
) -> Scene:  # fmt: skip
    """Make the endpoint and the two connections over the API, as an operator would."""
    made = await _made(api, "/v1/endpoints", {
        "name": PARTNER, "url": f"{partner_url}/hooks", "events": ["order.*", "shipment.*"], "schedule": SCHEDULE,
    })  # fmt: skip
    partner.secret = made["secret"]
    told = {"webhook_secret": secrets.token_hex(24), "base_url": shop_url, "access_token": TOKEN}
    store = await _far_side(api, sender, SHOP, "shopify", told)
    parcels = await _far_side(api, sender, PARCELS, "aftership", {"webhook_secret": secrets.token_hex(24)})
    return Scene(api, voice, partner, shop, shop_url, partner_url, store, parcels)


async def _far_side(
    api: httpx.AsyncClient, sender: httpx.AsyncClient, name: str, channel: str, told: Doc
) -> FarSide:
    made = await _made(api, "/v1/connections", {"name": name, "channel": channel, "settings": told})
    found = load_registry().channel(channel)
    return FarSide(found, read_settings(found.settings, told), made["intake_url"], sender)


async def _made(api: httpx.AsyncClient, path: str, body: Doc) -> Doc:
    answer = await api.post(path, json=body)
    if answer.status_code != 201:
        raise Broken(f"POST {path} was answered {answer.status_code}: {answer.text}")
    found: Doc = answer.json()
    return found

"""A backfill whose process is killed again and again goes on where it was: every order once, none doubled."""

from __future__ import annotations

import asyncio
import json
import random
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import httpx
import msgspec

from hub.directory import Connection, Endpoint, seal_settings
from hub.outbound.signing import new_secret
from hub.registry import load_registry
from hub.run import open_hub
from hub.store.engine import Unit
from tests.crash.process import ADMIN, Hub, config
from tests.path.town import served

ORDERS = 300
_FORM = "%Y-%m-%dT%H:%M:%S"
_BEGAN = datetime(2026, 3, 14, 9, 30, tzinfo=UTC)


@dataclass
class Beans:
    """A WooCommerce shop that takes its time, and the partner who hears of its orders."""

    orders: list[dict[str, Any]]
    lists: int = 0
    told: dict[str, str] = field(default_factory=dict)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        event = await receive()
        found: Any = []
        if scope["path"] == "/hooks":
            said = json.loads(event["body"])
            self.told[said["id"]] = said["data"]["number"]
        elif scope["path"].endswith("/orders"):
            found = await self._listed(parse_qs(scope["query_string"].decode()))
        body = json.dumps(found).encode()
        length = [(b"content-length", b"%d" % len(body))]
        await send({"type": "http.response.start", "status": 200, "headers": length})
        await send({"type": "http.response.body", "body": body})

    async def _listed(self, asked: dict[str, list[str]]) -> list[dict[str, Any]]:
        if asked["status"] == ["trash"]:
            return []
        self.lists += 1
        await asyncio.sleep(0.02)
        size, page = int(asked["per_page"][0]), int(asked["page"][0])
        after = [one for one in self.orders if one["date_modified_gmt"] > asked["modified_after"][0]]
        return after[(page - 1) * size : page * size]


def beans() -> Beans:
    sample = load_registry().samples("woocommerce").fixture("poll-order.plain").message
    plain = json.loads(sample.body)
    made = []
    for number in range(ORDERS):
        at = (_BEGAN + timedelta(seconds=10 * number)).strftime(_FORM)
        times = {"date_created_gmt": at, "date_modified_gmt": at, "date_paid_gmt": at}
        made.append({**plain, "id": 7000 + number, "number": f"B-{number}", **times})
    return Beans(made)


async def prepare(database: str, url: str) -> None:
    """A shop that is not swept, and a partner."""
    async with open_hub(config(database)) as hub:
        channel = hub.registry.channel("woocommerce")
        shop = Connection(
            id="con_beans", name="beans", channel="woocommerce", key="k", sweep=False, account="beans"
        )
        told = {"base_url": url, "consumer_key": "ck_1", "consumer_secret": "cs_1", "page_size": 10}
        shop.settings = seal_settings(msgspec.convert(told, channel.settings), hub.vault, shop.id)
        end = Endpoint(
            id="end_1", name="partner", url=f"{url}/hooks", events=["order.created"], schedule=[0] * 40
        )
        end.secrets = [{"sealed": hub.vault.seal(new_secret(), end.id)}]

        async def work(unit: Unit) -> None:
            await hub.directory.put(unit, shop, hub.world.now())
            await hub.directory.put(unit, end, hub.world.now())

        await hub.engine.transact(work)


async def job_of(client: httpx.AsyncClient, id_: str) -> dict[str, Any]:
    found: dict[str, Any] = (await client.get(f"/v1/jobs/{id_}")).json()
    return found


async def test_a_backfill_killed_in_the_middle_goes_on_and_doubles_nothing(
    database: str, tmp_path: Path
) -> None:
    chance, shop = random.Random(), beans()
    hub = Hub(database, tmp_path)
    async with served(shop) as url:
        await prepare(database, url)
        try:
            await hub.start()
            headers = {"authorization": f"Bearer {ADMIN}"}
            async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{hub.port}", headers=headers) as client:
                wish = {"since": "2026-01-01T00:00:00Z", "emit": "changes"}
                begun = await client.post("/v1/connections/beans/backfill", json=wish)
                assert begun.status_code == 202, begun.text
                for _ in range(4):
                    await asyncio.sleep(chance.uniform(0.2, 0.8))
                    await hub.kill()
                    await hub.start()
                job = await _ended(client, begun.json()["id"])
                assert job["state"] == "done", hub.said()
                await _told(shop)
        finally:
            await hub.kill()
    assert sorted(shop.told.values()) == sorted(f"B-{number}" for number in range(ORDERS)), hub.said()
    async with open_hub(config(database)) as books:
        rows = await books.engine.fetch("orders_after", tenant="main", after="", most=2 * ORDERS)
        events = await books.engine.fetch(
            "events_between", tenant="main", after=0, last=2**62, since=0, until=2**62, most=20 * ORDERS
        )
        created = [row[2] for row in events if row[3] == "order.created"]
        assert (len(rows), len(created), len(set(created))) == (ORDERS, ORDERS, ORDERS)


async def _ended(client: httpx.AsyncClient, id_: str) -> dict[str, Any]:
    for _ in range(600):
        job = await job_of(client, id_)
        if job["state"] != "running":
            return job
        await asyncio.sleep(0.1)
    return job


async def _told(shop: Beans) -> None:
    for _ in range(300):
        if len(shop.told) >= ORDERS:
            return
        await asyncio.sleep(0.1)

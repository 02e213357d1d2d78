"""News between processes: what one takes in another delivers, and a third's reader is told, without waiting for a poll."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack

import httpx
import msgspec

from hub.config import Config
from hub.http.app import build
from hub.run import open_hub
from hub.serve import stages
from tests.http.conftest import House
from tests.outbound.desk import Script


async def test_a_process_that_takes_in_is_heard_by_one_that_delivers_and_one_that_is_read(
    postgres_url, monkeypatch
):
    monkeypatch.setattr("hub.outbound.deliver._IDLE", 300.0)
    monkeypatch.setattr("hub.http.feeds._BACKSTOP", 300.0)
    config = Config(database=postgres_url, keys=(bytes(32),), admin_token="oh_admin_token_of_the_tests")
    roles = ("inbound", "outbound", "http")
    async with AsyncExitStack() as stack:
        takes, sends, reads = [
            await stack.enter_async_context(
                open_hub(msgspec.structs.replace(config, roles=frozenset({role, "http"})))
            )
            for role in roles
        ]
        sends.deliver.sender = script = Script()
        for hub in (takes, sends, reads):
            await stack.enter_async_context(stages(hub))
            while not hub.engine._wire.listening:
                await asyncio.sleep(0.01)
        writer, reader = [
            House(hub, await stack.enter_async_context(
                httpx.AsyncClient(transport=httpx.ASGITransport(build(hub)), base_url="http://hub.test", timeout=60)
            ))
            for hub in (takes, reads)
        ]  # fmt: skip
        made = {"url": "https://partner.example/in", "name": "wms", "events": ["order.created"]}
        await writer.post("/v1/endpoints", made)
        waiting = asyncio.create_task(reader.get("/v1/events?after=latest&wait=30&type=order.created"))
        while not reads.engine.bell._waiting["events"]:
            await asyncio.sleep(0.01)
        async with asyncio.timeout(60):
            [row] = (await writer.post("/v1/orders", {"ref": "r1", "number": "N1"}))["data"]
            page = await waiting
            while not script.posts:
                await asyncio.sleep(0.01)

    assert [event["order"] for event in page["data"]] == [row["order"]]
    assert [post.headers["webhook-id"] for post in script.posts] == [page["data"][0]["id"]]

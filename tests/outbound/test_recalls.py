"""What was on its way is recalled in every process: skipped deliveries, and orders whose people are forgotten."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from hub.config import Config
from hub.contract.fact import Redaction
from hub.repair.redact import redact
from hub.run import Hub, open_hub
from hub.serve import bell_turn, loop
from hub.store.bell import RECALLS
from hub.store.engine import Unit
from hub.world import World
from tests.outbound.desk import Desk, Script, desk, said

MAIL = "ilka.brandt@example.com"


@asynccontextmanager
async def pair(url: str) -> AsyncIterator[tuple[Desk, Hub, Script]]:
    """A desk whose hub has claimed all it tells, and another process on the same database; both hear the bell."""
    config = Config(database=url, keys=(bytes(32),), admin_token="oh_a")
    world = World.still()
    async with open_hub(config, world) as sends, open_hub(config, world) as other:
        d = await desk(sends)
        await d.endpoint()
        await other.directory.refresh()
        other.deliver.sender = script = Script()
        running = [asyncio.create_task(loop("bell", hub, bell_turn)) for hub in (sends, other)]
        try:
            for hub in (sends, other):
                while not hub.engine._wire.listening:  # type: ignore[attr-defined]
                    await asyncio.sleep(0.005)
            yield d, other, script
        finally:
            for one in running:
                one.cancel()
            await asyncio.gather(*running, return_exceptions=True)


async def skip(hub: Hub, position: int) -> None:
    async def work(unit: Unit) -> None:
        unit.add("deliveries_skip", tenant="main", position=position)

    await hub.engine.transact(work)


async def test_what_another_process_skips_is_not_sent_from_memory(postgres_url: str) -> None:
    async with pair(postgres_url) as (d, other, _):
        await d.tell("A", "1")
        await d.tell("B", "1")
        [lane] = d.hub.deliver.lanes.values()
        assert len(lane.ready) == 2
        rung = d.hub.engine.bell.count(RECALLS)
        await skip(other, min(await d.deliveries()))
        assert await d.hub.engine.bell.after(RECALLS, rung, 30)
        await d.hub.deliver.step()

        assert said(d.script.posts) == [("B", "1")]
        assert await d.statuses() == ["skipped", "delivered"]


async def test_nobody_sends_a_person_whom_another_process_has_forgotten(postgres_url: str) -> None:
    async with pair(postgres_url) as (d, other, script):
        await d.tell("A", "1", "2", buyer={"email": MAIL})
        await d.tell("B", "1")
        order = next(iter((await d.deliveries()).values()))[2]
        assert MAIL.encode() in (next(iter(d.hub.deliver.lanes.values())).ready[0].doc or b"")
        rung = d.hub.engine.bell.count(RECALLS)
        done = await redact(other, "main", Redaction(orders=(order,)), apply=True)
        assert done.orders == [order]
        assert await d.hub.engine.bell.after(RECALLS, rung, 30)
        await d.hub.settle()
        await other.settle()

        posts = [*d.script.posts, *script.posts]
        assert max(said(posts)) == ("B", "1")
        assert len(posts) >= 3
        assert not [post for post in posts if MAIL.encode() in post.body]


async def test_what_is_being_read_while_something_is_recalled_is_read_again(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with pair(postgres_url) as (d, other, _):
        await d.tell("A", "1")
        await d.hub.deliver.drain(0)
        d.hub.deliver.held = False
        [position] = await d.deliveries()
        transact = d.hub.engine.transact

        async def meanwhile(work: object) -> object:
            found = await transact(work)  # type: ignore[arg-type]
            if found and isinstance(found, list) and not (await d.deliveries(status="skipped")):
                rung = d.hub.engine.bell.count(RECALLS)
                await skip(other, position)
                assert await d.hub.engine.bell.after(RECALLS, rung, 30)
            return found

        monkeypatch.setattr(d.hub.engine, "transact", meanwhile)
        await d.hub.deliver.step()

        assert d.script.posts == []
        assert await d.statuses() == ["skipped"]


async def test_its_own_recalls_leave_the_rest_of_memory_alone(postgres_url: str) -> None:
    async with pair(postgres_url) as (d, _, __):
        await d.tell("A", "1")
        await d.tell("B", "1")
        await skip(d.hub, min(await d.deliveries()))

        [lane] = d.hub.deliver.lanes.values()
        assert len(lane.ready) == 2

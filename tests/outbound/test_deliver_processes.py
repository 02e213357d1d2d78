"""Several processes deliver from one store: nobody waits for one that ends, knows less, or shares with one at rest."""

from __future__ import annotations

import asyncio

import pytest

from hub.config import Config
from hub.contract.fact import Fact
from hub.directory import Connection
from hub.inbound.report import Call
from hub.outbound import deliver
from hub.outbound.deliver import Deliver
from hub.outbound.sender import Answer, Post
from hub.repair.redelivery import send
from hub.run import Hub, open_hub
from hub.serve import stages
from hub.store.engine import Row, Unit
from hub.store.rows import Due
from hub.world import World
from tests.outbound.desk import OK, desk, on_one_engine


def shared(url: str) -> Config:
    return Config(database=url, keys=(bytes(32),), admin_token="oh_a")


async def events(hub: Hub) -> list[Row]:
    return await hub.engine.fetch(
        "events_between", tenant="main", after=0, last=2**62, since=0, until=2**62, most=10
    )


async def test_what_was_being_claimed_when_a_process_ended_is_sent_by_another_at_once(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World.still()
    async with (
        open_hub(shared(postgres_url), world) as ending,
        open_hub(shared(postgres_url), world) as other,
    ):
        d = await desk(ending)
        other.deliver.sender = d.script
        await d.endpoint()
        plain, claimed, gate = deliver.take, asyncio.Event(), asyncio.Event()

        async def take(engine, target, now, most, claim) -> list[Due]:  # type: ignore[no-untyped-def]
            found = await plain(engine, target, now, most, claim)
            if engine is ending.engine and found:
                claimed.set()
                await gate.wait()  # the store has answered, and we are not told yet
            return found

        monkeypatch.setattr(deliver, "take", take)
        ending.deliver.held = True
        await d.tell("A", "1")
        for lane in ending.deliver.lanes.values():
            lane.forget()
        await ending.deliver.leave()
        ending.deliver.held = False
        async with stages(ending):
            await claimed.wait()
            draining = asyncio.ensure_future(ending.deliver.drain(1))
            await asyncio.sleep(0)
            gate.set()
            await draining
        assert d.script.posts == []
        await other.directory.refresh()
        await other.deliver.step()

        assert len(d.script.posts) == 1
        assert await d.statuses() == ["delivered"]


async def test_what_is_told_while_a_process_ends_is_sent_by_another_at_once(postgres_url: str) -> None:
    world = World.still()
    async with (
        open_hub(shared(postgres_url), world) as ending,
        open_hub(shared(postgres_url), world) as other,
    ):
        d = await desk(ending)
        other.deliver.sender = d.script
        await d.endpoint()
        async with stages(ending):
            await ending.deliver.drain(1)
            await d.tell("A", "1")
        assert d.script.posts == []
        await other.directory.refresh()
        await other.deliver.step()

        assert len(d.script.posts) == 1


async def test_an_endpoint_that_another_process_has_just_made_is_posted_to(postgres_url: str) -> None:
    world = World.still()
    async with open_hub(shared(postgres_url), world) as first, open_hub(shared(postgres_url), world) as other:
        d = await desk(first)
        other.deliver.sender = d.script
        await d.tell("A", "1")
        await other.directory.refresh()
        one = await d.endpoint()
        [told, *_] = await events(first)
        await first.engine.transact(lambda unit: send(unit, first, "main", one, [], [(told[1], told[2])]))
        await other.deliver.step()

        [(position, row)] = (await d.deliveries()).items()
        assert row[3] == "delivered"
        assert [one["outcome"] for one in await d.attempts(position)] == ["200"]


class Counted:
    """Answers after a moment, and knows how often the store was looked into meanwhile."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.loads = 0
        self.posts = 0
        plain = Deliver.load

        async def load(stage: Deliver) -> None:
            self.loads += 1
            await plain(stage)

        monkeypatch.setattr(Deliver, "load", load)

    async def send(self, post: Post) -> Answer:
        await asyncio.sleep(0.001)
        self.posts += 1
        return OK


@pytest.mark.parametrize("beside", ["nobody", "idle", "paused", "removed"])
@on_one_engine
async def test_the_store_is_not_looked_into_for_each_answer_because_of_who_takes_nothing(
    config: Config, monkeypatch: pytest.MonkeyPatch, beside: str
) -> None:
    async with open_hub(config) as hub:
        d = await desk(hub)
        hub.deliver.sender = counted = Counted(monkeypatch)  # type: ignore[assignment]
        await d.endpoint(url="https://busy.example/in", concurrency=8)
        if beside != "nobody":
            quiet = await d.endpoint(
                url="https://quiet.example/in", filter="data.number == 'Z'",
                status="paused" if beside == "paused" else "active",
            )  # fmt: skip
            hub.deliver.held = beside == "removed"
            await tell(hub, "Z")
            if beside == "removed":
                await remove(hub, quiet.id)
        hub.deliver.held = True
        for number in range(400):
            await tell(hub, f"A{number}")
        hub.deliver.spilled()
        hub.deliver.held = False
        async with stages(hub):
            counted.loads = counted.posts = 0
            while counted.posts < 400:
                await asyncio.sleep(0.01)

        assert counted.loads < 40, "as often as memory runs low, and once a second"


async def remove(hub: Hub, id_: str) -> None:
    """The endpoint is gone, and what it was owed is left."""

    async def work(unit: Unit) -> None:
        unit.add("things_drop", kind="endpoint", id=id_, tenant="main")

    await hub.engine.transact(work)
    await hub.directory.refresh()


async def tell(hub: Hub, number: str) -> None:
    """An order, by a clock that runs."""
    doc = {"ref": number, "number": number, "currency": "EUR", "tags": ["1"], "lines": [],
           "placed_at": "2026-01-01T00:00:00.000Z"}  # fmt: skip
    fact = Fact(subject="order", ref=number, doc=doc, revision=1, full=frozenset({"order", "lines"}))
    [shop, *_] = hub.directory.all(Connection)
    await hub.reporter.tell(Call(connection=shop, topic="orders", body=b"", facts=[fact], actor="source"))

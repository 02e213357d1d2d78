"""What a receiver can bear: concurrency and rate; and what a process that dies leaves behind."""

from __future__ import annotations

import asyncio

import msgspec
import pytest

from hub.config import Config
from hub.outbound.sender import Post
from hub.run import Hub, open_hub
from hub.world import World
from tests.outbound.desk import DOWN, MINUTE, OK, Answer, Desk, Script, desk, event, ids, said


async def test_no_more_are_under_way_than_the_endpoint_allows(hub: Hub) -> None:
    d = await desk(hub)
    await d.endpoint(concurrency=3)
    for n in range(20):
        await d.tell(f"A{n}", "1")
    await hub.settle()

    assert len(d.script.posts) == 20
    assert d.script.most == 3


async def test_no_more_are_sent_in_a_second_than_the_endpoint_allows(hub: Hub) -> None:
    d = await desk(hub)
    await d.endpoint(rate=5.0)
    for n in range(23):
        await d.tell(f"A{n}", "1")
    sent = []
    for _ in range(8):
        await hub.deliver.step()
        sent.append(len(d.script.take()))
        hub.world.move(1)

    assert sum(sent) == 23
    assert max(sent) <= 5


async def test_what_waited_for_a_target_that_is_back_comes_within_its_rate(hub: Hub) -> None:
    d = await desk(hub, DOWN)
    await d.endpoint(rate=2.0)
    for n in range(12):
        await d.tell(f"A{n}", "1")
    for _ in range(10):
        await hub.deliver.step()
        hub.world.move(1)
    d.script.take()
    d.script.says = OK
    hub.world.move(5 * MINUTE)
    sent = []
    for _ in range(12):
        await hub.deliver.step()
        sent.append(len(d.script.take()))
        hub.world.move(1)

    assert sum(sent) == 12
    assert max(sent) <= 2


async def test_held_outbound_sends_nothing(config: Config) -> None:
    async with open_hub(msgspec.structs.replace(config, hold_outbound=True), World.still()) as hub:
        d = await desk(hub)
        await d.endpoint()
        await d.tell("A", "1")
        await hub.settle()

        assert d.script.posts == []
        assert await d.statuses() == ["due"]


class _Dies(Script):
    """A sender whose process ends while the answer is on its way."""

    async def send(self, post: Post) -> Answer:
        await super().send(post)
        raise asyncio.CancelledError


async def test_a_crash_between_attempt_and_settling_sends_again_with_the_same_id(config: Config) -> None:
    world = World.still()
    async with open_hub(config, world) as hub:
        d = await desk(hub)
        await d.endpoint()
        await d.tell("A", "1", "2")
        hub.deliver.sender = dying = _Dies()
        await hub.deliver.step()
        assert said(dying.posts) == [("A", "1")]
        assert await d.statuses() == ["due", "waiting"]
    world.move(2 * MINUTE)
    async with open_hub(config, world) as hub:
        again = Desk(hub, Script(), d.shop)
        hub.deliver.sender = again.script
        await hub.settle()

        assert said(again.script.posts) == [("A", "1"), ("A", "2")]
        assert ids(again.script.posts)[0] == ids(dying.posts)[0]
        assert again.script.posts[0].body == dying.posts[0].body
        assert await again.statuses() == ["delivered", "delivered"]


async def test_another_process_takes_over_what_a_dead_one_had_claimed(postgres_url: str) -> None:
    config = Config(
        database=postgres_url, keys=(bytes(32),), admin_token="oh_a", allow_private=("127.0.0.1/32",)
    )
    world = World.still()
    async with open_hub(config, world) as dead, open_hub(config, world) as alive:
        d = await desk(dead)
        await d.endpoint()
        await d.tell("A", "1", "2", "3")
        await d.tell("B", "1")
        await alive.directory.refresh()
        alive.deliver.sender = script = Script()
        await alive.deliver.step()
        assert script.posts == [], "they are the other's"
        world.move(61)
        while await alive.deliver.step():
            continue

        assert sorted(said(script.posts)) == [("A", "1"), ("A", "2"), ("A", "3"), ("B", "1")]


async def test_two_processes_never_send_the_same_twice_nor_out_of_order(postgres_url: str) -> None:
    config = Config(
        database=postgres_url, keys=(bytes(32),), admin_token="oh_a", allow_private=("127.0.0.1/32",)
    )
    world = World.still()
    async with open_hub(config, world) as one, open_hub(config, world) as two:
        d = await desk(one)
        await d.endpoint()
        await two.directory.refresh()
        two.deliver.sender = d.script
        for n in range(10):
            await d.tell(f"A{n}", "1", "2", "3")
        world.move(61)
        while sum(await asyncio.gather(one.deliver.step(), two.deliver.step())):
            world.move(61)

        assert len(ids(d.script.posts)) == len(set(ids(d.script.posts))) == 30
        for n in range(10):
            assert [tag for name, tag in said(d.script.posts) if name == f"A{n}"] == ["1", "2", "3"]


async def test_more_than_memory_holds_is_read_back_in_order(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hub.outbound.lanes._READY", 5)
    monkeypatch.setattr("hub.outbound.lanes._LATER", 3)
    d = await desk(hub)
    await d.endpoint(concurrency=2)
    for n in range(30):
        await d.tell(f"A{n}", "1", "2")
    while await hub.settle():
        hub.world.move(61)

    assert len(d.script.posts) == len(set(ids(d.script.posts))) == 60
    for n in range(30):
        assert [tag for name, tag in said(d.script.posts) if name == f"A{n}"] == ["1", "2"]


async def test_an_order_of_hundreds_of_events_flows(hub: Hub) -> None:
    d = await desk(hub)
    await d.endpoint()
    await d.tell("A", *[str(n) for n in range(300)])
    await hub.settle()

    assert [event(post)["data"]["tags"] for post in d.script.posts] == [[str(n)] for n in range(300)]

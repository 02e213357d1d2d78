"""What an attempt came to counts once: not again when the store's answer was lost, nor after another took it over."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from hub.config import Config
from hub.contract import Context, Conversation, Outcome, Pause, Task
from hub.outbound import bodies
from hub.run import Hub, open_hub
from hub.store.engine import Unavailable
from hub.world import World
from tests.outbound.desk import NO, desk, on_one_engine
from tests.outbound.test_writes import fine, registry, told


async def written_back(hub: Hub) -> list[str]:
    """The types of the events that tell what writes came to."""
    rows = await hub.engine.fetch(
        "events_between", tenant="main", after=0, last=2**62, since=0, until=2**62, most=100
    )
    return [row[3] for row in rows if row[3].startswith("writeback.")]


def lose_one_answer(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    """The connection to the store breaks once: a settling was committed, and nobody hears of it."""
    kind, plain = type(hub.engine), type(hub.engine).transact
    lost: list[bool] = []

    async def transact(self: Any, work: Callable[[Any], Awaitable[Any]]) -> Any:
        result = await plain(self, work)
        if "deliveries_settle" in getattr(result, "counts", {}) and not lost:
            lost.append(True)
            raise Unavailable("the connection to the database broke")
        return result

    monkeypatch.setattr(kind, "transact", transact)


async def test_a_write_whose_settling_was_committed_unheard_is_told_of_once(
    config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_hub(config, World.still(), registry(fine)) as hub:
        await told(hub)
        lose_one_answer(hub, monkeypatch)
        await hub.deliver.step()

        assert await written_back(hub) == ["writeback.applied"]


async def test_an_attempt_whose_settling_was_committed_unheard_is_one_attempt(
    config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_hub(config, World.still()) as hub:
        d = await desk(hub, NO)
        await d.endpoint(schedule=[0, 5, 300])
        await d.tell("A", "1")
        lose_one_answer(hub, monkeypatch)
        await hub.deliver.step()

        [row] = (await d.deliveries()).values()
        assert (row[3], row[5], len(d.script.posts)) == ("due", 1, 1)


async def test_a_dead_letter_whose_settling_was_committed_unheard_is_one_trouble(
    config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_hub(config, World.still()) as hub:
        d = await desk(hub, NO)
        await d.endpoint(schedule=[0])
        await d.tell("A", "1")
        lose_one_answer(hub, monkeypatch)
        await hub.deliver.step()

        assert await d.statuses() == ["dead"]
        assert [one["count"] for one in await d.troubles()] == [1]


async def test_a_process_that_froze_tells_nothing_of_a_write_that_another_has_made(postgres_url: str) -> None:
    shared = Config(database=postgres_url, keys=(bytes(32),), admin_token="oh_a")
    world, gate, begun = World.still(), asyncio.Event(), asyncio.Event()

    def slow(ctx: Context[Any], task: Task) -> Conversation[Outcome]:
        begun.set()
        yield Pause(1)
        return Outcome(status="applied")

    async with (
        open_hub(shared, world, registry(slow)) as frozen,
        open_hub(shared, world, registry(fine)) as other,
    ):
        await told(frozen)
        await other.directory.refresh()
        frozen.converser.world = dataclasses.replace(World.real(), now=world.now, sleep=lambda _: gate.wait())
        sending = asyncio.ensure_future(frozen.deliver.step())
        await begun.wait()
        world.move(61)  # nothing renews what a frozen process holds
        await other.settle()
        gate.set()
        await sending

        assert await written_back(frozen) == ["writeback.applied"]


@on_one_engine
async def test_a_body_that_meets_a_fault_fails_its_own_delivery_and_no_other(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    d = await desk(hub)
    thin = await d.endpoint(url="https://a.example/in", payload="thin", schedule=[0])
    await d.endpoint(url="https://b.example/in", payload="changes", schedule=[0])
    plain = bodies.render

    def render(full: bytes, shape: str, mapping: Any = None) -> bytes:
        if b'"number":"POISON"' in full and shape.startswith("thin"):
            raise KeyError("nobody foresaw it")
        return plain(full, shape, mapping)

    monkeypatch.setattr(bodies, "render", render)
    for number in ("A", "B", "POISON", "C"):
        await d.tell(number, "1")
    await hub.deliver.step()

    rows = (await d.deliveries()).values()
    assert sorted(row[3] for row in rows) == ["dead"] + ["delivered"] * 7
    assert [row[0] for row in rows if row[3] == "dead"] == [thin.id]

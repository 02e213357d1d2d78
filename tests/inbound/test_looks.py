"""Sources are looked after by one process at a time; hints wait in the store; the same text read again is no news."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest

from hub.config import Config
from hub.contract import Context, Conversation, Request, Stale
from hub.contract.flow import Page
from hub.directory import seal_settings
from hub.inbound import hints
from hub.inbound.hints import hint
from hub.registry import load_registry
from hub.run import Hub, open_hub
from hub.store.engine import Unit
from hub.world import World
from tests.path.corner import CORNER, PLACED, Corner, CornerSettings, Shop, opened
from tests.path.town import served

HOUR = 3_600_000_000


@pytest.fixture
async def corner(config: Config) -> AsyncIterator[Corner]:
    async with opened(config, World.still(time.time_ns() // 1000), Shop()) as one:
        yield one


def told(corner: Corner, note: str) -> dict[str, Any]:
    rows = [{"ref": "l1", "quantity": {"original": "2", "ordered": "2"}}]
    doc = {
        "ref": "O1",
        "number": "C-1",
        "currency": "EUR",
        "placed_at": PLACED,
        "customer_note": note,
        "lines": rows,
    }
    return {"subject": "order", "doc": doc, "at": corner.town.hub.world.now()}


async def hinted(hub: Hub, connection: str, *refs: str) -> None:
    said = [(connection, Stale(subject="order", ref=ref)) for ref in refs]

    async def work(unit: Unit) -> None:
        hint(unit, hub.world, said)

    await hub.engine.transact(work)


async def waiting(hub: Hub, connection: str) -> list[str]:
    rows = await hub.engine.fetch("hints_of", connection=connection, now=2**62, most=100)
    return sorted(row[1] for row in rows)


async def test_a_hint_that_a_process_died_with_is_read_by_the_next(config: Config) -> None:
    shop, world = Shop(), World.still(time.time_ns() // 1000)
    async with opened(config, world, shop) as corner:
        shop.order = told(corner, "ring")
        await corner.push("shipment", {"ref": "F1", "status": "shipped"}, order="O1")
        await corner.town.hub.normalise.step()
        assert await waiting(corner.town.hub, corner.connection.id) == ["O1"]
    async with served(shop) as url, opened(config, world, shop, corner) as later:
        settings = seal_settings(CornerSettings(base_url=url), later.town.hub.vault, corner.connection.id)
        await later.town.put(msgspec.structs.replace(corner.connection, settings=settings))
        await later.town.hub.sweeper.step()
        await later.town.hub.settle()
        assert shop.asked == ["O1"]
        assert (await later.town.order())["customer_note"] == "ring"
        assert await waiting(later.town.hub, corner.connection.id) == []


async def test_hints_for_one_object_count_as_one_and_are_bounded(
    corner: Corner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hints, "MOST", 3)
    hub, id_ = corner.town.hub, corner.connection.id
    await hub.sweeper._claimed(corner.connection)
    hub.sweeper._after[id_] = hub.world.now() + HOUR
    await hub.sweeper._released(corner.connection)
    await hinted(hub, id_, "a", "a", "b")
    (held,) = await hub.engine.fetch("sweeps_all")
    assert held[3] > hub.world.now()
    await hinted(hub, id_, "a", "c")
    await hinted(hub, id_, "d", "e")

    assert await waiting(hub, id_) == ["a", "b", "c"]
    (held,) = await hub.engine.fetch("sweeps_all")
    assert held[3] == 0, "what is more is found by a sweep, at once"


async def test_a_hint_that_comes_again_while_it_is_read_is_read_again(corner: Corner) -> None:
    hub, id_ = corner.town.hub, corner.connection.id
    corner.shop.order = told(corner, "ring")
    await hinted(hub, id_, "O1")
    ((_, _, stamp),) = await hub.engine.fetch("hints_of", connection=id_, now=2**62, most=1)
    await hinted(hub, id_, "O1")

    async def drop(unit: Unit) -> None:
        unit.add("hints_drop", connection=id_, subject="order", ref="O1", stamp=stamp)

    await hub.engine.transact(drop)
    assert await waiting(hub, id_) == ["O1"]


def listed(ctx: Context[Any], cursor: str) -> Conversation[None]:
    """Reads the only order, with its name."""
    answer = yield Request(url=f"{ctx.settings.base_url}/orders?note=O1")
    assert answer is not None
    yield Page(topic="news", body=answer.body, cursor=str(ctx.now), ref="order:O1")


SWEPT = msgspec.structs.replace(CORNER, poll=listed)


def swept(hub: Hub) -> None:
    """The shop can be listed, too."""
    hub.registry = dataclasses.replace(hub.registry, channels={**hub.registry.channels, "corner": SWEPT})
    hub.directory.registry = hub.registry


async def test_what_a_sweep_reads_again_unchanged_is_no_news_and_its_cursor_moves(corner: Corner) -> None:
    hub = corner.town.hub
    swept(hub)
    corner.shop.order = told(corner, "ring")
    for _ in range(3):
        assert await hub.sweeper.sweep(corner.connection) == 1
        await hub.settle()
        hub.world.move(60)  # type: ignore[attr-defined]
    assert await corner.town.statuses() == ["processed"]

    corner.shop.order = told(corner, "knock")
    await hub.sweeper.sweep(corner.connection)
    hub.world.move(60)  # type: ignore[attr-defined]
    corner.shop.order = told(corner, "ring")
    await hub.sweeper.sweep(corner.connection)
    await hub.settle()
    assert (await corner.town.order())["customer_note"] == "ring"
    assert len(await corner.town.messages()) == 3


async def test_of_two_processes_one_sweeps_a_connection_and_the_other_takes_over_when_it_died(
    postgres_url: str,
) -> None:
    shared = Config(
        database=postgres_url, keys=(bytes(32),), admin_token="oh_a", allow_private=("127.0.0.1/32",)
    )
    world, shop = World.still(time.time_ns() // 1000), Shop()
    async with opened(shared, world, shop) as first:
        registry = dataclasses.replace(load_registry(), channels=first.town.hub.registry.channels)
        async with open_hub(shared, world, registry) as other:
            one = first.town.hub
            for hub in (one, other):
                swept(hub)
            shop.order = told(first, "ring")
            await first.town.put(msgspec.structs.replace(first.connection, sweep=True))
            await other.directory.refresh()
            assert await one.sweeper._claimed(first.connection)
            await other.sweeper.step()
            assert shop.asked == []
            world.move(301)
            assert sum([await other.sweeper.step(), await one.sweeper.step()]) == 1, (
                "nobody twice in one interval"
            )
            assert shop.asked == ["O1"]
            world.move(299)
            assert await one.sweeper.step() + await other.sweeper.step() == 0
            world.move(2)
            assert await one.sweeper.step() + await other.sweeper.step() == 1

"""Writes: what a far side, an adapter or the store does in the middle of one costs no news and doubles none."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from hub.announce import LEASE
from hub.config import Config
from hub.contract import Channel, Context, Conversation, Settings, const
from hub.contract.flow import Outcome, Pause, Task, Write
from hub.contract.proof import StaticToken
from hub.directory import Connection
from hub.registry import Registry, load_registry
from hub.run import Hub, open_hub
from hub.store.engine import Unavailable
from hub.world import World
from tests.outbound.desk import Desk, desk, on_one_engine, put

Do = Callable[[Context[Any], Task], Conversation[Outcome]]


class BoardSettings(Settings, frozen=True, kw_only=True):
    """A made-up board on the wall of a warehouse."""

    webhook_secret: str = "a-token-of-the-board"


def registry(do: Do) -> Registry:
    """The channels, and the board, which is told of every new order."""
    board = Channel(
        name="board", title="Board", kind="tracker", settings=BoardSettings, proof=StaticToken(), topic=const("none"),
        freshness="arrival", reads={}, writes={"note": Write(do=do, on=("order.created",))},
    )  # fmt: skip
    packaged = load_registry()
    return dataclasses.replace(
        packaged,
        channels={**packaged.channels, "board": board},
        packages={**packaged.packages, "board": "adapters.api"},
    )


async def told(hub: Hub) -> Desk:
    """A new order, and a board that wants to hear of it."""
    d = await desk(hub)
    await put(hub, Connection(id="con_board", name="board", channel="board", key="board-key", sweep=False))
    await d.tell("A", "1")
    return d


def fine(ctx: Context[Any], task: Task) -> Conversation[Outcome]:
    yield Pause(1)
    return Outcome(status="applied")


def stumbles(ctx: Context[Any], task: Task) -> Conversation[Outcome]:
    yield Pause(1)
    raise KeyError("the far side answered something else")


@on_one_engine
async def test_a_store_that_is_away_in_the_middle_of_a_write_makes_no_dead_letter(
    config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_hub(config, World.still(), registry(fine)) as hub:
        d = await told(hub)
        context = hub.converser.context

        async def away(_: Connection) -> Context[Any]:
            raise Unavailable("the server closed the connection")

        monkeypatch.setattr(type(hub.converser), "context", lambda _, connection: away(connection))
        await hub.deliver.step()
        assert await d.statuses() == ["due"]

        monkeypatch.setattr(type(hub.converser), "context", lambda _, connection: context(connection))
        await hub.settle()
        assert await d.statuses() == ["delivered"]


@on_one_engine
async def test_an_adapter_that_stumbles_is_asked_again_by_schedule_and_not_at_once(config: Config) -> None:
    async with open_hub(config, World.still(), registry(stumbles)) as hub:
        d = await told(hub)
        await hub.deliver.step()

        ((_, _, _, status, due_at, attempts),) = (await d.deliveries()).values()
        assert (status, attempts) == ("due", 1)
        assert due_at >= hub.world.now() + 4_000_000

        await d.pass_by(2 * 86_400, step=3600)
        assert await d.statuses() == ["dead"]
        assert [one["severity"] for one in await d.troubles()] == ["error"]


async def test_a_write_that_takes_longer_than_a_lease_is_made_by_nobody_else(postgres_url: str) -> None:
    shared = Config(database=postgres_url, keys=(bytes(32),), admin_token="oh_a")
    world, gate, begun = World.still(), asyncio.Event(), []

    def slow(ctx: Context[Any], task: Task) -> Conversation[Outcome]:
        begun.append(task.key)
        yield Pause(1)
        return Outcome(status="applied")

    async with (
        open_hub(shared, world, registry(slow)) as first,
        open_hub(shared, world, registry(slow)) as other,
    ):
        d = await told(first)
        await other.directory.refresh()
        first.converser.world = dataclasses.replace(World.real(), now=world.now, sleep=lambda _: gate.wait())
        sending = asyncio.ensure_future(first.deliver.step())
        while not begun:
            await asyncio.sleep(0.01)
        for _ in range(3):
            world.move(LEASE / 2_000_000)
            await first.deliver.renew()
            await first.deliver.load()
            await other.deliver.step()
        gate.set()
        await sending
        await first.deliver.step()

        assert len(begun) == 1
        assert await d.statuses() == ["delivered"]


@on_one_engine
@pytest.mark.parametrize("status", ["paused", "reauth_required"])
async def test_what_happens_while_a_connection_is_away_is_written_there_when_it_is_back(
    config: Config, status: str
) -> None:
    async with open_hub(config, World.still(), registry(fine)) as hub:
        d = await told(hub)
        board = hub.directory.get(Connection, "con_board")
        assert board is not None
        await put(hub, msgspec.structs.replace(board, status=status))
        await d.tell("B", "1")
        await d.pass_by(3600)
        assert await d.statuses() == ["due", "due"]

        await put(hub, msgspec.structs.replace(board, status="active"))
        await hub.settle()
        assert await d.statuses() == ["delivered", "delivered"]


@on_one_engine
@pytest.mark.parametrize(
    "settings", [{"webhook_secret": {"sealed": "v1.0badc0de.AAAA"}}, {"since_renamed": "x"}]
)
async def test_settings_that_cannot_be_read_keep_no_order_from_anyone_else(
    config: Config, settings: dict[str, Any]
) -> None:
    async with open_hub(config, World.still(), registry(fine)) as hub:
        d = await told(hub)
        await hub.settle()
        board = hub.directory.get(Connection, "con_board")
        assert board is not None
        await put(hub, msgspec.structs.replace(board, settings=settings))
        await d.tell("B", "1")
        await hub.deliver.step()
        assert await d.statuses() == ["delivered", "due"]

        await put(hub, msgspec.structs.replace(board, settings={}))
        await d.pass_by(3600)
        assert await d.statuses() == ["delivered", "delivered"]


@on_one_engine
@pytest.mark.parametrize("theirs", ["A\0B", "x" * 5000, "\ud800"])
async def test_a_write_that_was_made_is_not_made_again_for_a_name_that_cannot_be_kept(
    config: Config, theirs: str
) -> None:
    made = []

    def names(ctx: Context[Any], task: Task) -> Conversation[Outcome]:
        made.append(task.key)
        yield Pause(1)
        return Outcome(status="applied", ref=theirs)

    async with open_hub(config, World.still(), registry(names)) as hub:
        d = await told(hub)
        async with asyncio.timeout(30):
            await hub.deliver.step()
        await d.pass_by(60)

        assert len(made) == 1
        assert await d.statuses() == ["delivered"]

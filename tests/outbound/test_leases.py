"""Leases on PostgreSQL: what a process has claimed it sends, or gives back at once; nobody waits for a lease to end
but that of a process that died."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec
import pytest

from hub.config import Config
from hub.outbound.lanes import Bucket, Lane
from hub.repair.standing import set_status
from hub.run import open_hub
from hub.serve import directory_turn
from hub.store.engine import Unavailable
from hub.store.rows import Due
from hub.world import World
from tests.outbound.desk import NO, OK, Desk, Script, desk, said, turns


@pytest.fixture
def shared(postgres_url: str) -> Config:
    return Config(
        database=postgres_url, keys=(bytes(32),), admin_token="oh_a", allow_private=("127.0.0.1/32",)
    )


def due(position: int, *, until: int = 0, attempts: int = 0) -> Due:
    return Due(
        position=position, tenant="main", target="end_1", event=f"evt_{position}", order="ord_1", attempts=attempts,
        first_at=0, previous="", trigger="first", shape="full", due_at=0, type="order.created", envelope=b"{}",
        doc=None, claimed_until=until,
    )  # fmt: skip


def test_what_is_claimed_again_while_its_last_attempt_ends_is_sent_when_that_has_ended() -> None:
    lane = Lane("end_1", 8, Bucket(0))
    lane.put(due(1, until=60))
    first = lane.next(0)
    assert first is not None
    lane.put(due(1, until=61, attempts=1))
    assert lane.next(0) is None, "one at a time"
    lane.done(first, answered=False)

    again = lane.next(0)
    assert again is not None
    assert (again.position, again.attempts) == (1, 1)


def test_what_is_read_again_without_a_claim_is_not_sent_twice() -> None:
    lane = Lane("end_1", 8, Bucket(0))
    lane.put(due(1))
    first = lane.next(0)
    assert first is not None
    lane.put(due(1))
    lane.done(first, answered=False)

    assert lane.next(0) is None


async def test_a_failure_that_is_due_again_at_once_waits_for_no_lease(shared: Config) -> None:
    async with open_hub(shared, World.still()) as hub:
        d = await desk(hub, OK)
        await d.endpoint(schedule=[0, 0, 0])
        d.script.says = turns(NO, NO, OK)
        hub.deliver.settler = _Loads(hub.deliver.settler, hub.deliver.load)
        await d.tell("A", "1")
        await hub.settle()

        assert await d.statuses() == ["delivered"]


@dataclass
class _Loads:
    """A settler after which the store is looked into before the attempt has ended."""

    inner: object
    load: object

    async def settle(self, tried):
        promoted = await self.inner.settle(tried)
        await self.load()
        return promoted


async def test_what_memory_has_no_room_for_waits_for_no_lease(
    shared: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hub.outbound.lanes._READY", 5)
    async with open_hub(shared, World.still()) as hub:
        d = await desk(hub)
        await d.endpoint()
        for n in range(12):
            await d.tell(f"A{n}", "1")
        await hub.settle()

        assert len(said(d.script.posts)) == 12


async def test_what_was_claimed_for_too_long_is_claimed_anew(shared: Config) -> None:
    async with open_hub(shared, World.still()) as hub:
        d = await desk(hub)
        await d.endpoint()
        await d.tell("A", "1")
        hub.world.move(40)
        await hub.settle()

        assert await d.statuses() == ["delivered"]


async def test_what_was_written_just_before_the_store_went_away_waits_for_no_lease(
    shared: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_hub(shared, World.still()) as hub:
        d = await desk(hub)
        await d.endpoint()
        await d.tell("A", "1")
        await hub.settle()
        fetch, transact = hub.engine.fetch, hub.engine.transact

        async def unread(name: str, *more: object, **named: object) -> object:
            if name == "deliveries_load":
                raise Unavailable("the server is away")
            return await fetch(name, *more, **named)

        async def away(_: object) -> None:
            raise Unavailable("the server is away")

        with monkeypatch.context() as patch:
            patch.setattr(hub.engine, "fetch", unread)
            await d.tell("A", "2")
            patch.setattr(hub.engine, "transact", away)
            with pytest.raises(Unavailable):
                await hub.deliver.load()
        assert hub.engine.transact == transact
        await hub.settle()

        assert await d.statuses() == ["delivered"] * 2


async def test_a_process_that_is_told_to_stop_leaves_its_deliveries_to_the_others(shared: Config) -> None:
    world = World.still()
    async with open_hub(shared, world) as stops, open_hub(shared, world) as stays:
        d = await desk(stops)
        await d.endpoint()
        await d.tell("A", "1", "2")
        await d.tell("B", "1")
        await stays.directory.refresh()
        stays.deliver.sender = script = Script()
        await stops.deliver.drain(1)
        await stays.settle()

        assert d.script.posts == []
        assert sorted(said(script.posts)) == [("A", "1"), ("A", "2"), ("B", "1")]


async def test_a_process_knows_of_a_pause_whoever_of_its_stages_saw_it_first(shared: Config) -> None:
    world = World.still()
    async with open_hub(shared, world) as asked, open_hub(shared, world) as sends:
        shop = (d := await desk(asked)).shop
        endpoint = await d.endpoint()
        await sends.directory.refresh()
        sends.deliver.sender = script = Script()
        await Desk(sends, script, shop).tell("A", "1")
        await set_status(asked, endpoint, "paused")
        await sends.directory.refresh()  # as the normalise stage does before it files
        await directory_turn(sends)
        await sends.deliver.step()

        assert script.posts == []


async def test_what_a_process_announces_that_delivers_nothing_waits_for_no_lease(shared: Config) -> None:
    world = World.still()
    inbound = msgspec.structs.replace(shared, roles=frozenset({"inbound", "http"}))
    async with open_hub(inbound, world) as takes, open_hub(shared, world) as sends:
        d = await desk(takes)
        await d.endpoint()
        await d.tell("A", "1", "2")
        await sends.directory.refresh()
        sends.deliver.sender = script = Script()
        await sends.deliver.step()

        assert said(script.posts) == [("A", "1"), ("A", "2")]
        assert not takes.deliver.lanes

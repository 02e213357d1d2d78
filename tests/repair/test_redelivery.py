"""Replays: whatever an endpoint had or missed goes out again, the same ids and bytes, once for each job, without a cap."""

from __future__ import annotations

import msgspec
import pytest

from hub.contract.clock import micros
from hub.directory import Endpoint
from hub.repair.jobs import Turn, job
from hub.repair.redelivery import KIND, Wish, begun
from hub.repair.standing import set_status
from hub.run import Hub, open_hub
from hub.store.engine import Unit
from hub.world import World
from tests.outbound.desk import DAY, NO, OK, Desk, desk, ids, said


async def replay(d: Desk, endpoint: Endpoint, **wish: object) -> str:
    """Begin a replay of all there is now; its job's id."""
    last = (await d.hub.engine.fetch("events_last"))[0][0]

    async def work(unit: Unit) -> str:
        return await d.hub.jobs.add(unit, "main", KIND, endpoint.id, Wish(**{"last": last, **wish}), "test")

    return await d.hub.engine.transact(work)


async def state(hub: Hub, id_: str) -> tuple[str, int, int]:
    one = job((await hub.engine.fetch("jobs_get", tenant="main", id=id_))[0])
    return one.state, one.done, one.total


async def trade(d: Desk, orders: int) -> None:
    for n in range(orders):
        await d.tell(f"A{n}", "1", "2")
    await d.hub.settle()


async def test_all_that_happened_goes_out_again_with_the_same_ids_and_bytes_in_turn(hub: Hub):
    d = await desk(hub)
    endpoint = await d.endpoint()
    await trade(d, 3)
    before = d.script.take()
    id_ = await replay(d, endpoint)
    await hub.settle()
    after = d.script.take()

    assert sorted(ids(after)) == sorted(ids(before))
    assert {post.body for post in after} == {post.body for post in before}
    assert {post.headers["orderhub-replay"] for post in after} == {"replay"}
    for n in range(3):
        assert [tag for number, tag in said(after) if number == f"A{n}"] == ["1", "2"]
    how, done, total = await state(hub, id_)
    assert (how, done) == ("done", total)
    assert set(await d.statuses()) == {"delivered"}


async def test_what_is_missing_alone_goes_out_to_an_endpoint_that_came_later(hub: Hub):
    d = await desk(hub)
    await trade(d, 2)
    late = await d.endpoint()
    await d.tell("B", "1")
    await hub.settle()
    assert said(d.script.take()) == [("B", "1")]
    await replay(d, late, only="missing")
    await hub.settle()

    assert sorted(said(d.script.take())) == [("A0", "1"), ("A0", "2"), ("A1", "1"), ("A1", "2")]
    await replay(d, late, only="missing")
    await hub.settle()
    assert d.script.posts == []


async def test_dead_letters_alone_go_out_again_with_a_whole_new_schedule(hub: Hub):
    d = await desk(hub)
    endpoint = await d.endpoint(schedule=[0])
    await trade(d, 1)
    d.script.says = NO
    await trade(d, 2)
    await d.pass_by(DAY, step=3600)
    assert sorted(await d.statuses()).count("dead") >= 2
    dead = sum(status == "dead" for status in await d.statuses())
    d.script.says = OK
    d.script.take()
    id_ = await replay(d, endpoint, only="failed")
    await hub.settle()

    assert len(d.script.posts) == dead
    assert set(await d.statuses()) == {"delivered"}
    assert await state(hub, id_) == ("done", dead, dead)
    assert await d.troubles() == []


async def test_types_orders_filters_and_the_endpoints_own_wishes_choose(hub: Hub):
    d = await desk(hub)
    await trade(d, 2)
    endpoint = await d.endpoint(filter="data.number == 'A1'", events=["order.*"])
    await replay(d, endpoint, events=["order.created"])
    await hub.settle()
    assert said(d.script.take()) == [("A1", "1")]

    [order] = {row[2] for row in (await d.deliveries()).values()}
    await replay(d, endpoint, order=order, events=["order.created", "order.updated"])
    await hub.settle()
    assert said(d.script.take()) == [("A1", "1"), ("A1", "2")]


async def test_a_replay_of_an_order_waits_its_turn_and_later_news_waits_for_it(hub: Hub):
    d = await desk(hub)
    endpoint = await d.endpoint()
    await trade(d, 1)
    d.script.take()
    await replay(d, endpoint)
    await hub.jobs.step()
    await d.tell("A0", "3")
    await hub.settle()

    assert said(d.script.posts) == [("A0", "1"), ("A0", "2"), ("A0", "3")]


async def test_what_died_between_two_turns_goes_on_and_sends_nothing_twice(config, monkeypatch):
    monkeypatch.setattr("hub.repair.redelivery._BATCH", 3)
    monkeypatch.setattr("hub.repair.redelivery._LEAST", 1)
    world = World.still()
    async with open_hub(config, world) as hub:
        d = await desk(hub)
        endpoint = await d.endpoint()
        await trade(d, 5)
        before = d.script.take()
        id_ = await replay(d, endpoint)
        assert await hub.jobs.step() == 1
        lost = hub.jobs.kinds[KIND].turn
        # The process dies after it has read on and before that is durable.
        assert isinstance(
            await lost(job((await hub.engine.fetch("jobs_get", tenant="main", id=id_))[0])), Turn
        )
        await hub.deliver.step()
        first = d.script.take()
    world.move(90)
    async with open_hub(config, world) as hub:
        hub.deliver.sender = d.script
        await hub.settle()
        state_ = await state(hub, id_)

    assert 0 < len(first) < 10
    assert sorted(ids(first + d.script.take())) == sorted(ids(before))
    assert state_[0] == "done"
    assert state_[1] == state_[2]


async def test_a_cancelled_replay_stops_where_it_is(hub: Hub, monkeypatch):
    monkeypatch.setattr("hub.repair.redelivery._BATCH", 3)
    monkeypatch.setattr("hub.repair.redelivery._LEAST", 1)
    d = await desk(hub)
    endpoint = await d.endpoint()
    await trade(d, 5)
    d.script.take()
    id_ = await replay(d, endpoint)
    await hub.jobs.step()
    await hub.engine.transact(lambda unit: hub.jobs.cancel(unit, "main", id_))
    await hub.settle()

    assert 0 < len(d.script.posts) <= 3
    assert (await state(hub, id_))[0] == "cancelled"


async def test_it_goes_no_further_ahead_than_the_endpoint_takes(hub: Hub):
    d = await desk(hub)
    endpoint = await d.endpoint(rate=1.0, ordering="none")
    for n in range(80):
        await d.tell(f"A{n}", "1")
    await d.pass_by(200, step=1)
    d.script.take()
    await replay(d, endpoint)
    for _ in range(5):
        await hub.jobs.step()
    ready = [status for status in await d.statuses() if status in ("due", "waiting")]
    assert 0 < len(ready) <= 50
    await d.pass_by(20, step=1)
    assert len(d.script.posts) <= 21
    await d.pass_by(120, step=1)
    assert len(d.script.posts) == 80


async def test_a_replay_waits_for_an_endpoint_that_takes_nothing(hub: Hub):
    d = await desk(hub)
    endpoint = await d.endpoint()
    await trade(d, 1)
    d.script.take()
    await set_status(hub, endpoint, "disabled")
    id_ = await replay(d, endpoint)
    await hub.settle()
    assert (d.script.posts, await state(hub, id_)) == ([], ("running", 0, -1))
    await set_status(hub, endpoint, "active")
    await hub.settle()

    assert len(d.script.posts) == 2


async def test_a_job_that_stumbles_stands_in_the_exceptions_until_it_goes_on(hub: Hub, monkeypatch):
    d = await desk(hub)
    endpoint = await d.endpoint()
    await trade(d, 1)
    d.script.take()
    good = hub.jobs.kinds[KIND]

    class Broken:
        total = staticmethod(good.total)

        async def turn(self, one):
            raise ValueError("a stone on the way")

    hub.jobs.kinds[KIND] = Broken()
    id_ = await replay(d, endpoint)
    await hub.settle()
    [trouble] = await d.troubles()
    assert "a stone on the way" in trouble["title"]
    hub.jobs.kinds[KIND] = good
    hub.world.move(61)
    await hub.settle()

    assert len(d.script.posts) == 2
    assert (await state(hub, id_))[0] == "done"
    assert await d.troubles() == []


async def test_a_time_is_found_by_halving(hub: Hub):
    d = await desk(hub)
    for n in range(20):
        await d.tell(f"A{n}", "1")
        hub.world.move(3600)
    rows = await hub.engine.fetch(
        "events_between", tenant="main", after=0, last=2**62, since=0, until=2**62, most=100
    )
    at = msgspec.json.decode(bytes(rows[10][6]).replace(b"\0", b"{}"))["recorded_at"]

    assert await begun(hub.engine, 0) == 0
    assert rows[9][0] <= await begun(hub.engine, micros(at)) < rows[10][0]
    assert await begun(hub.engine, micros(at) + 100 * DAY * 1_000_000) >= rows[-1][0]


@pytest.mark.parametrize("count", [10_001])
async def test_there_is_no_cap_and_no_more_in_memory_than_a_page(hub: Hub, count):
    d = await desk(hub)
    endpoint = await d.endpoint(ordering="none", concurrency=256)
    await d.tell("A", "1")
    await hub.settle()
    await forge(hub, endpoint, count)
    d.script.take()
    id_ = await replay(d, endpoint, only="failed")
    most = 0
    while await hub.jobs.step() + await hub.deliver.step():
        most = max(most, *(len(lane.ready) + len(lane.later) for lane in hub.deliver.lanes.values()))

    assert len(d.script.posts) == count
    assert await state(hub, id_) == ("done", count, count)
    assert most <= 1000


async def forge(hub: Hub, endpoint: Endpoint, count: int) -> None:
    """So many dead letters, all of one event."""
    [first, *_] = await hub.engine.fetch(
        "events_between", tenant="main", after=0, last=2**62, since=0, until=2**62, most=1
    )

    async def work(unit: Unit) -> None:
        at = await unit.positions(count)
        unit.add("deliveries_add", [
            (at + n, "main", endpoint.id, first[1], "", "dead", 0, 0, "", "first", "full", "", 0) for n in range(count)
        ])  # fmt: skip

    await hub.engine.transact(work)


async def test_jobs_that_wait_for_their_endpoints_hold_up_no_other(hub: Hub):
    d = await desk(hub)
    paused = [await d.endpoint(name=f"paused-{n}") for n in range(9)]
    active = await d.endpoint(name="active")
    await trade(d, 1)
    d.script.take()
    for endpoint in paused:
        await set_status(hub, endpoint, "paused")
        await replay(d, endpoint)
    id_ = await replay(d, active)
    await hub.settle()

    assert (await state(hub, id_))[0] == "done"
    assert len(d.script.take()) == 2

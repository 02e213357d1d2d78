"""An endpoint that does nothing but fail: told of, disabled, told of again when it is well."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from hub.config import Config
from hub.directory import Endpoint
from hub.http.endpoints import Dropped
from hub.outbound.health import subjects
from hub.repair.standing import set_status
from hub.run import Hub, open_hub
from hub.store.engine import Poisoned, Unavailable
from hub.world import World
from tests.outbound.desk import (
    DAY,
    DOWN,
    HOUR,
    MINUTE,
    NO,
    OK,
    Answer,
    Desk,
    Script,
    desk,
    event,
    on_one_engine,
)

GONE = Answer(status=410)


async def listening(d: Desk) -> list[dict[str, Any]]:
    """What another endpoint was told of endpoints since this was asked last."""
    told = [event(post) for post in d.script.take() if post.url == "https://watch.example/"]
    return [one for one in told if one["type"].startswith("endpoint.")]


async def watched(hub: Hub, says: Answer) -> tuple[Desk, Endpoint]:
    d = await desk(hub)
    one = await d.endpoint(name="erp", events=["order.created", "endpoint.*"])
    await d.endpoint(url="https://watch.example/", events=["endpoint.*"], name="watch")
    d.script.says = lambda post: OK if post.url == "https://watch.example/" else says
    return d, one


async def turn(d: Desk, seconds: float, step: float = MINUTE) -> None:
    """Time passes as in a running hub."""
    left = seconds
    while left > 0:
        d.hub.world.move(min(step, left))
        left -= step
        await d.hub.settle()
        await d.hub.health.step()
        await d.hub.settle()


async def columns(hub: Hub, one: Endpoint) -> tuple[int, ...]:
    (row,) = await hub.engine.fetch("health_get", target=one.id)
    return tuple(row[1:])


async def test_after_an_hour_of_failures_the_others_are_told_once_and_again_when_it_is_well(hub: Hub):
    d, one = await watched(hub, DOWN)
    began = hub.world.now()
    await d.tell("A", "1")
    await hub.settle()
    await turn(d, HOUR - 2 * MINUTE)
    assert await listening(d) == []

    await turn(d, 30 * MINUTE)
    (told,) = await listening(d)
    assert told["type"] == "endpoint.failing"
    assert told["subject"] == {"id": one.id, "type": "endpoint"}
    assert (told["data"]["name"], told["data"]["last_success_at"]) == ("erp", None)
    (trouble,) = await d.troubles()
    assert (trouble["severity"], trouble["subject"]) == ("warning", f"failing:{one.id}")
    first, last, success, _ = await columns(hub, one)
    assert began <= first < began + MINUTE * 1_000_000
    assert last > first
    assert success == 0

    d.script.says = OK
    await turn(d, 2 * HOUR)
    (well,) = await listening(d)
    assert well["type"] == "endpoint.recovered"
    assert await d.troubles() == []
    assert (await columns(hub, one))[0] == 0
    assert (await columns(hub, one))[2] > 0
    posts = [post for post in d.script.posts if event(post)["type"].startswith("endpoint.")]
    assert all(post.url == "https://watch.example/" for post in posts), "it is not told of itself"


async def test_two_weeks_of_nothing_but_failures_disable_it_and_hold_what_it_is_owed(hub: Hub):
    d, one = await watched(hub, DOWN)
    await d.tell("A", "1")
    await hub.settle()
    await turn(d, 13.9 * DAY, step=HOUR)
    assert [told["type"] for told in await listening(d)] == ["endpoint.failing"]

    await turn(d, 0.3 * DAY, step=HOUR)
    (told,) = await listening(d)
    assert told["type"] == "endpoint.disabled"
    assert "nothing but fail" in told["data"]["reason"]
    found = hub.directory.get(Endpoint, one.id)
    assert found is not None
    assert found.status == "disabled"
    await d.tell("B", "1")
    rows = (await d.deliveries(target=one.id)).values()
    assert {row[3] for row in rows} == {"held"}
    (trouble,) = await d.troubles()
    assert trouble["subject"] == f"disabled:{one.id}"
    audit = await hub.engine.fetch("audit_list", tenant="main", after=0, subject=one.id, most=10)
    assert [(row[2], row[3]) for row in audit] == [("hub", "endpoint.disabled")]

    d.script.says = OK
    await set_status(hub, msgspec.structs.replace(found), "active")
    await turn(d, 2 * MINUTE)
    assert {row[3] for row in (await d.deliveries(target=one.id)).values()} == {"delivered"}
    assert await d.troubles() == []
    assert await listening(d) == [], "it was enabled by hand: that is no recovery"


@on_one_engine
async def test_the_time_it_may_fail_is_settable_and_never_means_never(hub: Hub):
    d = await desk(hub, DOWN)
    soon = await d.endpoint(url="https://soon.example/", disable_after=2 * DAY, name="soon")
    never = await d.endpoint(url="https://never.example/", disable_after=0.0, name="never")
    await d.tell("A", "1")
    await turn(d, 2.2 * DAY, step=HOUR)

    status = {one.name: one.status for one in hub.directory.all(Endpoint)}
    assert status == {"soon": "disabled", "never": "active"}
    assert soon.id != never.id
    await turn(d, 30 * DAY, step=6 * HOUR)
    assert hub.directory.get(Endpoint, "never").status == "active"  # type: ignore[union-attr]


@on_one_engine
async def test_a_lone_failure_long_ago_disables_nobody(hub: Hub):
    d = await desk(hub, NO)
    await d.endpoint(schedule=[0], name="erp")
    await d.tell("A", "1")
    await hub.settle()
    await turn(d, 20 * DAY, step=DAY)

    assert hub.directory.get(Endpoint, "erp").status == "active"  # type: ignore[union-attr]


@on_one_engine
async def test_one_success_begins_the_count_anew(hub: Hub):
    d, one = await watched(hub, NO)
    await d.tell("A", "1")
    await turn(d, 13 * DAY, step=HOUR)
    d.script.says = OK
    await d.tell("B", "1")
    await turn(d, HOUR)
    d.script.says = lambda post: OK if post.url == "https://watch.example/" else NO
    await d.tell("C", "1")
    await turn(d, 3 * DAY, step=HOUR)

    assert hub.directory.get(Endpoint, one.id).status == "active"  # type: ignore[union-attr]
    assert [told["type"] for told in await listening(d)] == [
        "endpoint.failing",
        "endpoint.recovered",
        "endpoint.failing",
    ]


async def test_410_disables_at_once_and_is_told_once_however_many_answer_it(hub: Hub):
    d, one = await watched(hub, GONE)
    for number in "ABCDEF":
        await d.tell(number, "1")
    await hub.settle()
    await hub.settle()

    told = await listening(d)
    assert [one_["type"] for one_ in told] == ["endpoint.disabled"]
    assert "410" in told[0]["data"]["reason"]
    assert {row[3] for row in (await d.deliveries(target=one.id)).values()} == {"held"}
    assert [trouble["count"] for trouble in await d.troubles()] == [1]


async def test_the_run_of_failures_outlives_the_process(config: Config):
    world = World.still()
    async with open_hub(config, world) as first:
        d = await desk(first, DOWN)
        one = await d.endpoint(name="erp")
        await d.tell("A", "1")
        await first.settle()
        began = (await columns(first, one))[0]
    world.move(2 * HOUR)
    async with open_hub(config, world) as second:
        second.deliver.sender = Script(DOWN)
        await second.settle()
        assert await second.health.step() == 1
        assert await second.health.step() == 0, "told once"
        assert (await columns(second, one))[0] == began


async def test_two_processes_tell_of_it_once(config: Config):
    if config.sqlite_path:
        return  # one process owns the file
    world = World.still()
    async with open_hub(config, world) as one, open_hub(config, world) as two:
        d = await desk(one, DOWN)
        await d.endpoint(name="erp")
        await d.tell("A", "1")
        await one.settle()
        await two.directory.refresh()
        world.move(2 * HOUR)
        await one.health.step()
        await two.health.step()
        rows = await one.engine.fetch(
            "events_between", tenant="main", after=0, last=2**62, since=0, until=2**62, most=100
        )
        assert [row[3] for row in rows].count("endpoint.failing") == 1


@on_one_engine
async def test_a_mapping_that_fails_says_nothing_of_the_partners_health(hub: Hub):
    d = await desk(hub)
    await d.endpoint(mapping="nothing.there", name="erp")
    await d.tell("A", "1")
    await hub.settle()
    await turn(d, 2 * HOUR)

    assert await hub.engine.fetch("health_failing") == []
    assert d.script.posts == []


def test_what_is_dropped_is_counted():
    assert Dropped(3).dropped == 3
    assert subjects(Endpoint(id="end_1", name="x", url="")) == ["failing:end_1", "disabled:end_1"]


async def test_a_change_and_a_disabling_at_the_same_moment_undo_nothing_of_each_other(hub: Hub):
    d = await desk(hub)
    made = await d.endpoint()

    def read() -> Endpoint:
        found = hub.directory.get(Endpoint, made.id)
        assert found is not None
        return msgspec.structs.replace(found)

    faster = msgspec.structs.replace(read(), rate=5.0)
    await set_status(hub, read(), "disabled", "it answered 410")
    with pytest.raises(Poisoned):
        await hub.engine.transact(lambda unit: hub.directory.put(unit, faster, hub.world.now()))
    assert await hub.directory.moved(faster)
    assert (read().status, read().rate) == ("disabled", 0.0)

    faster = msgspec.structs.replace(read(), rate=5.0)
    await hub.engine.transact(lambda unit: hub.directory.put(unit, faster, hub.world.now()))
    stale = read()
    await hub.directory.refresh()
    assert (read().status, read().rate) == ("disabled", 5.0)
    await set_status(hub, stale, "active")
    assert (read().status, read().rate) == ("active", 5.0), "how it stands is changed alone"


async def test_a_recovery_that_the_store_did_not_take_at_once_is_not_forgotten(hub: Hub) -> None:
    d = await desk(hub, NO)
    one = await d.endpoint()
    await d.tell("A", "1")
    await hub.deliver.step()
    hub.world.move(MINUTE)
    d.script.says = OK
    whole, left = hub.engine.transact, [1]

    async def transact(work: Any) -> Any:
        async def lost(unit: Any) -> Any:
            found = await work(unit)
            if left[0] and "Settler._write" in work.__qualname__:
                left[0] -= 1
                raise Unavailable("the store went away in the middle of it")
            return found

        return await whole(lost)

    hub.engine.transact = transact  # type: ignore[method-assign]
    hub.deliver.spilled()
    await hub.deliver.step()

    assert left == [0]
    [row] = await hub.engine.fetch("health_get", target=one.id)
    assert row[1] == 0


async def test_a_success_ends_the_failures_that_another_process_noted_before_it(postgres_url: str) -> None:
    config = Config(database=postgres_url, keys=(bytes(32),), admin_token="oh_a")
    world = World.still()
    async with open_hub(config, world) as one, open_hub(config, world) as two:
        d = await desk(one)
        endpoint = await d.endpoint(schedule=[0])
        await two.directory.refresh()
        two.deliver.sender = script = Script(NO)
        other = Desk(two, script, d.shop)
        for said, number in ((d, "A"), (other, "B"), (d, "C")):
            await said.tell(number, "1")
            await said.hub.deliver.step()
            await said.hub.deliver.flows.leave()  # its slots are the other's now
            world.move(10)
        assert (await columns(one, endpoint))[0] > 0, "the second success was no news to its process"
        await two.health.step()
        await one.health.step()
        assert (await columns(one, endpoint))[0] == 0

        world.move(20 * DAY)
        await other.tell("D", "1")
        await two.deliver.step()
        await one.health.step()
        await two.health.step()
        await two.directory.refresh()
        assert two.directory.by_id(Endpoint, endpoint.id).status == "active"  # type: ignore[union-attr]


async def test_failures_after_the_success_that_was_no_news_are_a_run_of_their_own(postgres_url: str) -> None:
    config = Config(database=postgres_url, keys=(bytes(32),), admin_token="oh_a")
    world = World.still()
    async with open_hub(config, world) as one, open_hub(config, world) as two:
        d = await desk(one)
        endpoint = await d.endpoint(schedule=[0])
        await two.directory.refresh()
        two.deliver.sender = script = Script(NO)
        other = Desk(two, script, d.shop)
        for said, number in ((d, "A"), (other, "B"), (d, "C")):
            await said.tell(number, "1")
            await said.hub.deliver.step()
            await said.hub.deliver.flows.leave()  # its slots are the other's now
            world.move(10)
        assert (await columns(one, endpoint))[0] > 0
        world.move(MINUTE)
        await other.tell("D", "1")
        await two.deliver.step()
        await one.health.step()

        first, last, success, _ = await columns(one, endpoint)
        assert success < first == last

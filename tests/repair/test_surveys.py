"""Sources read over a span: history that tells nobody, comparisons that write nothing, drifts that are put right."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest

from hub.config import Config
from hub.repair.jobs import Job, job
from hub.repair.survey.finding import classed
from hub.repair.survey.walk import Wish, progress
from hub.store.engine import Unit
from hub.world import Still, World
from tests.path.corner import Corner
from tests.repair.source import DAY, Source, readable

SECOND = 1_000_000


@pytest.fixture
async def corner(config: Config) -> AsyncIterator[Corner]:
    async with readable(config, World.still(time.time_ns() // 1000), Source()) as one:
        yield one


def source(corner: Corner) -> Source:
    assert isinstance(corner.shop, Source)
    return corner.shop


def world(corner: Corner) -> Still:
    found = corner.town.hub.world
    assert isinstance(found, Still)
    return found


async def begin(corner: Corner, kind: str, *, days: float = 30, **wish: Any) -> str:
    """A job of this kind, over so many days."""
    hub = corner.town.hub
    since = hub.world.now() - int(days * DAY * SECOND)

    async def work(unit: Unit) -> str:
        return await hub.jobs.add(unit, "main", kind, corner.connection.id, Wish(since=since, **wish), "test")

    return await hub.engine.transact(work)


async def job_of(corner: Corner, id_: str) -> Job:
    return job((await corner.town.hub.engine.fetch("jobs_get", tenant="main", id=id_))[0])


async def run(corner: Corner, kind: str, **wish: Any) -> Job:
    """A job of this kind to its end."""
    id_ = await begin(corner, kind, **wish)
    await corner.town.hub.settle()
    done = await job_of(corner, id_)
    assert done.state == "done", done.note
    return done


async def runs(corner: Corner) -> list[dict[str, Any]]:
    rows = await corner.town.hub.engine.fetch(
        "reconciliations_list", tenant="main", after=0, connection="", kind="", most=100
    )
    return [msgspec.json.decode(row[7]) for row in rows]


async def drifts(corner: Corner, run_id: str) -> list[tuple[str, str, bool, list[str]]]:
    rows = await corner.town.hub.engine.fetch(
        "drifts_of_run", tenant="main", run=run_id, connection="", after=0, most=100
    )
    return [
        (row[3], row[4], bool(row[6]), [one["path"] for one in msgspec.json.decode(row[7])["fields"]])
        for row in rows
    ]


def history(corner: Corner, count: int, *, days: float = 20) -> None:
    """So many orders, an hour apart, beginning so many days ago."""
    begun = world(corner).now() - int(days * DAY * SECOND)
    for number in range(count):
        source(corner).put(f"O{number}", begun + number * 3600 * SECOND)


async def cursor(corner: Corner) -> list[Any]:
    return await corner.town.hub.engine.fetch(
        "memories_get", owner=f"sweep:{corner.connection.id}", name="cursor", now=world(corner).now()
    )


async def test_a_backfill_brings_history_and_tells_nobody_of_it(corner: Corner) -> None:
    partner = await corner.town.partner()
    history(corner, 7)
    before = await cursor(corner)
    done = await run(corner, "backfill")

    assert (done.done, progress(done)) == (7, 1.0)
    assert len(await corner.town.orders()) == 7
    assert partner.told() == []
    assert await cursor(corner) == before
    rows = await corner.town.hub.engine.fetch("events_newest", tenant="main", most=100)
    assert rows
    assert all(row[9] for row in rows), "a replay of what is missing would tell it otherwise"


async def test_a_backfill_that_is_to_tell_changes_tells_them(corner: Corner) -> None:
    partner = await corner.town.partner(events=["order.created"])
    history(corner, 3)
    await run(corner, "backfill", emit="changes")

    assert partner.told() == ["order.created"] * 3


async def test_history_that_is_backfilled_twice_is_read_and_not_kept_again(corner: Corner) -> None:
    history(corner, 3)
    await run(corner, "backfill")
    world(corner).move(60)
    await run(corner, "backfill")

    assert len(await corner.town.messages()) == 3


async def test_what_changed_a_moment_before_a_backfill_is_news_and_is_told(corner: Corner) -> None:
    partner = await corner.town.partner(events=["order.created"])
    history(corner, 2)
    source(corner).put("NEW", world(corner).now() - 5 * SECOND)
    await run(corner, "backfill")

    (hook,) = partner.take()
    assert hook.event["data"]["number"] == "C-NEW"


async def test_a_backfill_reads_no_further_than_it_is_told(corner: Corner) -> None:
    history(corner, 10)
    done = await run(
        corner, "backfill", until=world(corner).now() - int(20 * DAY * SECOND) + 3 * 3600 * SECOND
    )

    assert done.done == 4
    assert source(corner).listed == 3, "a page of two holds what is beyond"


async def test_a_backfill_that_is_cancelled_reads_nothing_more(corner: Corner) -> None:
    hub = corner.town.hub
    history(corner, 60)
    id_ = await begin(corner, "backfill")
    await hub.jobs.step()
    assert (await job_of(corner, id_)).done == 50

    async def work(unit: Unit) -> None:
        await hub.jobs.cancel(unit, "main", id_)

    await hub.engine.transact(work)
    listed = source(corner).listed
    await hub.settle()
    assert source(corner).listed == listed
    assert ((await job_of(corner, id_)).state, len(await corner.town.orders())) == ("cancelled", 50)


async def test_a_backfill_keeps_to_its_rate_and_shows_its_progress(corner: Corner) -> None:
    hub = corner.town.hub
    history(corner, 60)
    id_ = await begin(corner, "backfill", rate=10.0)
    await hub.settle()
    held = await job_of(corner, id_)
    assert (held.state, held.done) == ("running", 50)
    assert 0.3 < progress(held) < 1
    world(corner).move(4)
    assert await hub.jobs.step() == 0
    world(corner).move(2)
    await hub.settle()
    assert (await job_of(corner, id_)).state == "done"


async def test_a_backfill_goes_on_where_a_process_that_died_left_it(config: Config) -> None:
    shop, clock = Source(), World.still(time.time_ns() // 1000)
    async with readable(config, clock, shop) as one:
        history(one, 60)
        id_ = await begin(one, "backfill")
        await one.town.hub.jobs.step()
    clock.move(120)
    async with readable(config, clock, shop, one) as later:
        await later.town.hub.settle()
        assert (await job_of(later, id_)).state == "done"
        assert len(await later.town.orders()) == 60
        assert len(await later.town.messages()) == 60
        created = [event for event in await later.town.events() if event[1] == "order.created"]
        assert len(created) == 60


async def test_a_comparison_finds_what_differs_and_writes_nothing(corner: Corner) -> None:
    partner = await corner.town.partner()
    history(corner, 4)
    await run(corner, "backfill")
    now = world(corner).now()
    shop = source(corner)
    shop.put("O1", now - 900 * SECOND, customer_note="ring")
    shop.put("O2", now - 800 * SECOND, cancelled_at="2026-01-01T00:00:00.000Z")
    shop.put("NEW", now - 700 * SECOND)
    before = (await corner.town.orders(), len(await corner.town.messages()), await corner.town.events())
    done = await run(corner, "compare")

    assert (
        await corner.town.orders(),
        len(await corner.town.messages()),
        await corner.town.events(),
    ) == before
    assert partner.told() == []
    (one,) = await runs(corner)
    assert done.note == f"see reconciliation {one['id']}"
    assert (one["checked"], one["equal"]) == (5, 2)
    assert one["found"] == {"stale": 1, "state_drift": 1, "missing_here": 1}
    found = {ref: (kind, repaired, paths) for ref, kind, repaired, paths in await drifts(corner, one["id"])}
    assert found["O1"] == ("stale", False, ["customer_note"])
    assert found["NEW"] == ("missing_here", False, [])
    assert "state" in found["O2"][2]


async def test_a_reconciliation_puts_right_what_differs_and_proves_it(corner: Corner) -> None:
    history(corner, 4)
    await run(corner, "backfill")
    partner = await corner.town.partner(events=["order.*", "reconciliation.*"])
    world(corner).move(60)
    now = world(corner).now()
    shop = source(corner)
    shop.put("O1", now - 900 * SECOND, customer_note="ring")
    shop.put("NEW", now - 800 * SECOND)
    del shop.orders["O3"]
    await run(corner, "reconcile")

    (one,) = await runs(corner)
    assert one["found"] == {"stale": 1, "missing_here": 1, "missing_there": 1}
    assert one["repaired"] == {"stale": 1, "missing_here": 1}
    orders = {order["number"]: order for order in await corner.town.orders()}
    assert orders["C-O1"]["customer_note"] == "ring"
    assert "C-NEW" in orders
    hooks = [hook.event for hook in partner.take()]
    told = [event["type"] for event in hooks]
    assert told.count("reconciliation.drift_found") == 3
    assert told.count("reconciliation.repaired") == 2
    assert told[-1] == "reconciliation.completed"
    assert (hooks[-1]["data"]["checked"], hooks[-1]["data"]["found"]) == (one["checked"], one["found"])
    assert "order.created" in told

    world(corner).move(60)
    await run(corner, "reconcile")
    assert (await runs(corner))[-1]["found"] == {"missing_there": 1}, "what is right stays right"


async def test_what_could_not_be_understood_is_a_drift_that_is_not_repaired(corner: Corner) -> None:
    shop, now = source(corner), world(corner).now()
    shop.put("O1", now - 3600 * SECOND)
    shop.orders["BAD"] = {"doc": {"ref": "BAD"}, "at": now - 1800 * SECOND}
    await run(corner, "reconcile")

    (one,) = await runs(corner)
    assert (one["checked"], one["unreadable"], one["repaired"]) == (2, 1, {"missing_here": 1})


async def test_a_source_that_is_down_in_the_middle_is_asked_again_later(corner: Corner) -> None:
    hub, shop = corner.town.hub, source(corner)
    history(corner, 7)
    shop.down = 3
    id_ = await begin(corner, "backfill")
    for _ in range(8):
        await hub.settle()
        world(corner).move(400)
    assert (await job_of(corner, id_)).state == "done"
    assert len(await corner.town.messages()) == 7


async def test_what_a_sweep_finds_that_no_push_told_is_counted_and_reported(config: Config) -> None:
    clock = World.still(time.time_ns() // 1000 - 4000 * SECOND)
    async with readable(config, clock, Source()) as corner:
        hub, shop = corner.town.hub, source(corner)
        partner = await corner.town.partner(events=["reconciliation.*"])
        await hub.sweeper.step()
        clock.move(3600)
        shop.put("O1", clock.now() - 600 * SECOND)
        shop.put("O2", clock.now() - 5 * SECOND)
        for _ in range(2):
            await hub.sweeper.step()
            await hub.settle()
            clock.move(400)

        (one,) = await runs(corner)
        assert (one["kind"], one["found"], one["repaired"]) == (
            "sweep",
            {"missing_here": 1},
            {"missing_here": 1},
        )
        told = ["reconciliation.drift_found", "reconciliation.repaired", "reconciliation.completed"]
        assert partner.told() == told
        counted = hub.metrics.missed.labels("main", corner.connection.id, "missing_here")
        assert counted._value.get() == 1
        assert len(await corner.town.orders()) == 2


async def test_what_was_shipped_here_and_is_not_marked_there_is_written_again_once(corner: Corner) -> None:
    hub, shop = corner.town.hub, source(corner)
    shop.put("O1", world(corner).now() - 900 * SECOND)
    await run(corner, "backfill", emit="changes")
    await corner.ship("N1")
    await lose(corner)
    await hub.settle()
    assert shop.made == {}
    world(corner).move(5)
    await run(corner, "reconcile")

    assert [one["note"][:4] for one in shop.made.values()] == ["shp_"]
    assert (await runs(corner))[-1]["found"] == {"unmarked_there": 1}
    world(corner).move(5)
    await run(corner, "reconcile")
    assert len(shop.made) == 1
    assert (await runs(corner))[-1]["found"] == {}


async def lose(corner: Corner) -> None:
    """What is due is dead, as if its schedule had run out; the process starts again and knows no better."""
    hub = corner.town.hub
    rows = await hub.engine.fetch(
        "deliveries_list", tenant="main", after=0, target="", status="due", event="", order_id="", most=10
    )

    async def work(unit: Unit) -> None:
        claim = hub.sweeper.claim
        unit.add(
            "deliveries_settle", [(row[0], "dead", 0, "", 1, hub.world.now(), claim, row[6]) for row in rows]
        )
        unit.add("heads_settle", [(row[1], row[3], row[0]) for row in rows])

    await hub.engine.transact(work)
    hub.deliver.lanes.clear()


@pytest.mark.parametrize(
    ("paths", "kind"),
    [(["customer_note"], "stale"), (["totals.total.amount", "lines[0].sku"], "totals_drift"),
     (["totals.total.amount", "state"], "state_drift")],
)  # fmt: skip
def test_drifts_are_classed_by_what_matters_most(paths: list[str], kind: str) -> None:
    assert classed([{"path": path} for path in paths]) == kind

"""Fairness: what waits for a partner that is dead costs the others nothing, in queries and in memory."""

from __future__ import annotations

from prometheus_client import generate_latest

from hub.http.endpoints import Endpoint
from hub.metrics import Metrics
from hub.outbound.lanes import _BYTES, Bucket, Lane
from hub.outbound.tally import Tally
from hub.run import Hub, set_status
from hub.store.engine import Unit
from hub.store.rows import Due
from tests.outbound.desk import DOWN, OK, Desk, desk, event, put

MANY = 100_000


async def crowd(d: Desk, endpoint: Endpoint, count: int, status: str = "waiting") -> None:
    """So many deliveries for an endpoint, a hundred an order."""
    [first, *_] = await d.hub.engine.fetch(
        "events_between", tenant="main", after=0, last=2**62, since=0, until=2**62, most=1
    )
    for start in range(0, count, 10_000):

        async def work(unit: Unit, start: int = start) -> None:
            at = await unit.positions(10_000)
            unit.add("deliveries_add", [
                (at + n, "main", endpoint.id, first[1], f"ord_{(start + n) // 100}", status, 0, 0, "", "first", "full", "", 0)
                for n in range(min(10_000, count - start))
            ])  # fmt: skip

        await d.hub.engine.transact(work)


async def dead_beside_healthy(hub: Hub, count: int) -> tuple[Desk, Endpoint]:
    d = await desk(hub, lambda post: DOWN if "dead" in post.url else OK)
    await d.tell("A", "1")
    dead = await d.endpoint(url="https://dead.example/in", events=["order.updated"])
    await d.endpoint(url="https://healthy.example/in")
    for n in range(10):
        await d.tell(f"B{n}", "1", "2")
    await hub.settle()
    await crowd(d, dead, count)
    d.script.take()
    return d, dead


async def test_a_hundred_thousand_that_wait_for_a_dead_partner_are_left_alone(hub: Hub):
    d, dead = await dead_beside_healthy(hub, MANY)
    assert hub.deliver.lanes[dead.id].circuit.is_open
    asked = count_queries(hub)
    await d.tell("C", "1")
    await hub.deliver.step()
    await hub.deliver.unblock()

    assert [event(post)["data"]["number"] for post in d.script.posts] == ["C"]
    assert len(hub.deliver.lanes[dead.id].ready) + len(hub.deliver.lanes[dead.id].later) <= 1
    assert max(asked.values()) <= 500, asked


def count_queries(hub: Hub) -> dict[str, int]:
    """The most rows that each statement gave from now on."""
    seen: dict[str, int] = {}
    fetch = hub.engine.fetch

    async def counted(name, rows=None, /, **params):
        found = await fetch(name, rows, **params)
        seen[name] = max(seen.get(name, 0), len(found))
        return found

    hub.engine.fetch = counted
    return seen


async def test_a_partner_with_many_waiting_is_disabled_and_enabled_a_thousand_at_a_time(hub: Hub):
    d, dead = await dead_beside_healthy(hub, 5_000)
    asked = count_queries(hub)
    endpoint = hub.directory.get(Endpoint, dead.id)
    await set_status(hub, endpoint, "disabled")
    assert {row[3] for row in (await d.deliveries(target=dead.id)).values()} == {"held"}
    await set_status(hub, hub.directory.get(Endpoint, dead.id), "active")
    rows = (await d.deliveries(target=dead.id)).values()

    assert {row[3] for row in rows} == {"due", "waiting"}
    del asked["deliveries_list"]
    assert max(asked.values()) <= 2_000, asked


async def test_what_died_while_an_endpoint_was_disabled_is_put_aside_by_the_sweep(hub: Hub):
    d, dead = await dead_beside_healthy(hub, 1_500)
    endpoint = hub.directory.get(Endpoint, dead.id)
    endpoint.status = "disabled"
    await put(hub, endpoint)
    await hub.deliver.unblock()
    await hub.deliver.unblock()
    assert {row[3] for row in (await d.deliveries(target=dead.id)).values()} == {"held"}
    endpoint = hub.directory.get(Endpoint, dead.id)
    endpoint.status = "active"
    await put(hub, endpoint)
    await hub.deliver.unblock()
    await hub.deliver.unblock()

    assert {row[3] for row in (await d.deliveries(target=dead.id)).values()} == {"due", "waiting"}


async def test_what_waits_and_for_how_long_is_told_to_who_scrapes(hub: Hub):
    _, dead = await dead_beside_healthy(hub, 20_000)
    hub.world.move(3600)
    await hub.gauges.read()
    told = generate_latest(hub.metrics.registry).decode()
    hub.world.move(1)
    asked = count_queries(hub)
    await hub.gauges.read()

    assert f'orderhub_deliveries_queued{{status="waiting",target="{dead.id}"}} 10000.0' in told
    assert f'orderhub_circuit_open{{target="{dead.id}"}} 1.0' in told
    line = next(
        row
        for row in told.splitlines()
        if row.startswith(f'orderhub_deliveries_oldest_seconds{{target="{dead.id}"')
    )
    assert 3600 <= float(line.split()[-1]) < 3700
    assert asked == {}


def test_targets_beyond_a_few_hundred_share_a_label():
    tally = Tally(Metrics())
    labels = {tally.label(f"end_{n}") for n in range(1000)}

    assert len(labels) == 201
    assert tally.label("end_0") == "end_0"


def due(position: int, size: int, *, until: int = 0) -> Due:
    return Due(
        position=position, tenant="main", target="end_1", event=f"evt_{position}", order=f"ord_{position}", attempts=0,
        first_at=0, previous="", trigger="first", shape="full", due_at=0, type="order.created", envelope=b"{}",
        doc=b"x" * size, claimed_until=until, waiting=position % 2 == 0,
    )  # fmt: skip


def test_a_lane_holds_no_more_than_some_megabytes_and_forgets_them_again():
    lane = Lane("end_1", 8, Bucket(0))
    for position in range(100):
        lane.put(due(position, 1 << 20))
    assert len(lane.ready) + len(lane.later) <= (_BYTES >> 20) + 1
    assert lane.spilled
    while (one := lane.next(0)) is not None:
        lane.done(one, answered=False)
    lane.forget()

    assert lane.weight == 0


def test_what_is_claimed_for_too_short_takes_no_token_of_the_rate():
    lane = Lane("end_1", 8, Bucket(1.0), patience=30)
    lane.put(due(1, 1, until=40))
    lane.put(due(3, 1, until=100))

    assert lane.next(20).position == 3
    assert lane.spare == [1]

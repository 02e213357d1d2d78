"""An endpoint that is down is not a delivery that is refused: its circuit opens, probes, and wakes all at once."""

from __future__ import annotations

import asyncio
from itertools import pairwise

import pytest

from hub.run import Hub
from tests.outbound.desk import (
    DAY,
    DOWN,
    HOUR,
    MINUTE,
    NO,
    OK,
    SECOND,
    Answer,
    Desk,
    desk,
    event,
    ids,
    on_one_engine,
    said,
    turns,
)


async def _down(hub: Hub, orders: int = 8, **fields: object) -> Desk:
    """A partner that is down, found out by its first deliveries."""
    d = await desk(hub, DOWN)
    await d.endpoint(**fields)
    for n in range(orders):
        await d.tell(f"A{n}", "1", "2")
    await hub.settle()
    return d


async def test_five_failures_in_a_row_open_the_circuit_and_the_rest_wait(hub: Hub) -> None:
    d = await _down(hub, concurrency=1)

    assert len(d.script.posts) == 5
    hub.world.move(30)
    await hub.settle()
    assert len(d.script.posts) == 5, "the next probe is a minute away"


@on_one_engine
async def test_a_success_among_the_failures_keeps_it_closed(hub: Hub) -> None:
    d = await desk(hub, turns(*[DOWN] * 4, OK, *[DOWN] * 4, OK))
    await d.endpoint(concurrency=1)
    for n in range(10):
        await d.tell(f"A{n}", "1")
    await hub.settle()

    assert len(d.script.posts) == 10


@on_one_engine
async def test_a_refusal_is_an_answer_and_opens_nothing(hub: Hub) -> None:
    d = await desk(hub, NO)
    await d.endpoint(concurrency=1)
    for n in range(12):
        await d.tell(f"A{n}", "1")
    await hub.settle()

    assert len(d.script.posts) == 12


@on_one_engine
async def test_a_body_that_never_ends_is_no_answer(hub: Hub) -> None:
    d = await desk(hub, Answer(status=200, error="timeout"))
    await d.endpoint(concurrency=1)
    for n in range(8):
        await d.tell(f"A{n}", "1")
    await hub.settle()

    assert len(d.script.posts) == 5


@on_one_engine
async def test_probes_go_one_at_a_time_each_minute_growing_to_five(hub: Hub) -> None:
    d = await _down(hub)
    d.script.take()
    probes: list[float] = []
    for _ in range(30 * 6):
        hub.world.move(10)
        await hub.deliver.step()
        posts = d.script.take()
        assert len(posts) <= 1
        probes += [hub.world.now() / SECOND] * len(posts)

    gaps = [after - before for before, after in pairwise(probes)]
    assert [round(gap / 60) for gap in gaps[:6]] == [2, 3, 4, 5, 5, 5]


async def test_a_probe_carries_the_oldest_that_is_due(hub: Hub) -> None:
    d = await desk(hub, DOWN)
    await d.endpoint(concurrency=1, schedule=[0, 1, 1, 1, 1, 1, 1, 1, 1, 1])
    await d.tell("A", "1")
    for _ in range(5):
        await hub.deliver.step()
        hub.world.move(1.3)
    for n in range(3):
        await d.tell(f"B{n}", "1")
    d.script.take()
    hub.world.move(2 * MINUTE)
    await hub.deliver.step()

    assert said(d.script.posts) == [("A", "1")]


async def test_waiting_for_a_target_that_is_down_spends_nothing_of_the_schedule(hub: Hub) -> None:
    d = await _down(hub)
    before = sum(row[5] for row in (await d.deliveries()).values())
    await d.pass_by(DAY, step=5 * MINUTE)

    assert sum(row[5] for row in (await d.deliveries()).values()) == before
    assert set(await d.statuses()) == {"due", "waiting"}


@on_one_engine
async def test_a_wish_for_time_delays_the_probe(hub: Hub) -> None:
    d = await desk(hub, Answer(status=503, retry_after=2.0 * HOUR))
    await d.endpoint(concurrency=1, schedule=[0] * 20)
    for n in range(6):
        await d.tell(f"A{n}", "1")
    await hub.settle()
    d.script.take()
    hub.world.move(HOUR)
    await hub.settle()
    assert d.script.posts == []
    hub.world.move(HOUR + 1)
    await hub.settle()

    assert len(d.script.posts) == 1


async def test_the_first_success_wakes_everything_oldest_first(hub: Hub) -> None:
    d = await _down(hub, orders=12, concurrency=1)
    hub.world.move(HOUR)
    await hub.settle()
    await d.tell("late", "1")
    d.script.take()
    d.script.says = OK
    hub.world.move(HOUR)
    await hub.settle()

    firsts = [number for number, tag in said(d.script.posts) if tag == "1"]
    assert sorted(firsts[1:], key=lambda name: (name == "late", name[1:].zfill(3))) == firsts[1:], (
        "the probe apart"
    )
    assert set(await d.statuses()) == {"delivered"}


async def _outage(hub: Hub, days: float) -> None:
    """A partner is away for so long, while news goes on; then it is back."""
    d = await _down(hub, orders=6, name="warehouse")
    told: dict[str, list[str]] = {f"A{n}": ["1", "2"] for n in range(6)}
    parts = 8
    for part in range(parts):
        await d.pass_by(days * DAY / parts, step=HOUR)
        await d.tell(f"A{part % 6}", f"during{part}")
        told[f"A{part % 6}"].append(f"during{part}")
        await d.tell(f"N{part}", "1", "2")
        told[f"N{part}"] = ["1", "2"]
    tried = set(ids(d.script.take()))
    assert "dead" not in await d.statuses()
    d.script.says = OK
    back = hub.world.now()
    await d.pass_by(10 * MINUTE)

    assert (await d.statuses()) == ["delivered"] * sum(map(len, told.values()))
    assert hub.world.now() - back == 10 * MINUTE * SECOND, "all of it within minutes"
    got: dict[str, list[str]] = {}
    for number, tag in said(d.script.posts):
        got.setdefault(number, []).append(tag)
    assert got == told, "in order per order, each once"
    assert len(set(ids(d.script.posts))) == len(d.script.posts)
    assert tried <= set(ids(d.script.posts)), "with the ids it had when it was tried first"
    assert await d.troubles() == []


async def test_a_partner_that_was_down_for_twenty_hours_has_everything_minutes_after_it_is_back(
    hub: Hub,
) -> None:
    await _outage(hub, 20 / 24)


async def test_a_partner_that_was_down_for_eight_days_has_everything_and_no_dead_letter(hub: Hub) -> None:
    await _outage(hub, 8)


async def test_a_blocked_head_counts_its_time_anew_after_an_outage(hub: Hub) -> None:
    d = await _down(hub, orders=1, block_for=900.0)
    for n in range(5):
        await d.tell(f"B{n}", "1")
    await hub.settle()
    await d.pass_by(2 * HOUR)
    d.script.take()
    d.script.says = lambda post: NO if event(post)["data"]["number"] == "A0" else OK
    await d.pass_by(10 * MINUTE)
    assert ("A0", "2") not in said(d.script.posts)
    await d.pass_by(20 * MINUTE)

    assert ("A0", "2") in said(d.script.posts)


async def test_a_refusal_while_it_is_open_closes_it_too(hub: Hub) -> None:
    d = await _down(hub)
    d.script.says = NO
    hub.world.move(2 * MINUTE)
    await hub.deliver.step()
    await hub.deliver.step()

    assert len({number for number, _ in said(d.script.posts)}) == 8, "everyone is tried again"


async def test_what_was_told_by_a_clock_that_was_ahead_is_woken_once(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hub.outbound.deliver._WAKE", 3)
    d = await desk(hub, DOWN)
    await d.endpoint(concurrency=1, schedule=[0, *[HOUR] * 9])
    hub.world.move(DAY)
    for n in range(8):
        await d.tell(f"A{n}", "1")
    await hub.settle()
    hub.world.move(-DAY)
    async with asyncio.timeout(15):
        [lane] = hub.deliver.lanes.values()
        await hub.deliver._wake(lane)

    due = [row[4] for row in (await d.deliveries(status="due")).values()]
    assert len(due) == 8
    assert max(due) <= hub.world.now()

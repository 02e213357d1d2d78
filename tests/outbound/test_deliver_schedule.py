"""Patience: the schedule, its jitter, what a receiver asks for, dead letters and their second life."""

from __future__ import annotations

from itertools import pairwise

import pytest

from hub.directory import SCHEDULE
from hub.outbound.verdict import judge, schedule_at
from hub.run import Hub
from tests.outbound.desk import DAY, HOUR, MINUTE, NO, OK, SECOND, Answer, desk, ids, on_one_engine, turns


async def test_a_refused_delivery_is_tried_ten_times_over_three_days_and_then_is_a_dead_letter(
    hub: Hub,
) -> None:
    d = await desk(hub, NO)
    await d.endpoint()
    began = hub.world.now()
    await d.tell("A", "1")
    tried: list[float] = []
    await hub.settle()
    while True:
        tried += [(hub.world.now() - began) / SECOND] * len(d.script.take())
        (row,) = (await d.deliveries()).values()
        if row[3] == "dead":
            break
        wait = (row[4] - hub.world.now()) / SECOND
        hub.world.move(wait - 0.001)
        await hub.settle()
        assert d.script.posts == [], "never earlier"
        hub.world.move(0.002)
        await hub.settle()

    assert len(tried) == len(SCHEDULE) == 10
    for (before, after), wait in zip(pairwise(tried), SCHEDULE[1:], strict=True):
        assert wait <= after - before <= wait * 1.2 + 1, "as scheduled, a fifth later at most"
    assert sum(SCHEDULE) / DAY == pytest.approx(3.15, abs=0.01)


@pytest.mark.parametrize("chance", [0.0, 0.5, 0.999999])
def test_jitter_only_delays_and_by_a_fifth_at_most(chance: float) -> None:
    for attempt, wait in enumerate(SCHEDULE):
        at = schedule_at(SCHEDULE, attempt, 0, chance)
        assert at is not None
        assert wait * SECOND <= at <= wait * 1.2 * SECOND
    assert schedule_at(SCHEDULE, len(SCHEDULE), 0, chance) is None


@on_one_engine
async def test_an_endpoint_has_a_schedule_of_its_own(hub: Hub) -> None:
    d = await desk(hub, NO)
    await d.endpoint(schedule=[0, 60])
    await d.tell("A", "1")
    await hub.settle()
    hub.world.move(59)
    await hub.settle()
    assert len(d.script.posts) == 1
    hub.world.move(14)
    await hub.settle()

    assert len(d.script.posts) == 2
    assert await d.statuses() == ["dead"]


STATUSES = (300, 301, 302, 307, 400, 401, 403, 404, 409, 418, 422, 429, 500, 503, 599)
ERRORS = ("dns", "connect", "tls", "timeout", "reset", "blocked", "too_large")


async def test_every_answer_but_success_and_every_failed_transport_is_tried_again(hub: Hub) -> None:
    faults = [*(Answer(status=one) for one in STATUSES), *(Answer(error=one) for one in ERRORS)]
    answers = {f"https://partner.example/{n}": turns(fault, OK) for n, fault in enumerate(faults)}
    d = await desk(hub, lambda post: answers[post.url](post))
    for url in answers:
        await d.endpoint(url=url)
    await d.tell("A", "1")
    await hub.settle()
    assert await d.statuses() == ["due"] * len(faults)
    assert [row[5] for row in (await d.deliveries()).values()] == [1] * len(faults)
    hub.world.move(6)
    await hub.settle()

    assert await d.statuses() == ["delivered"] * len(faults)
    assert len(set(ids(d.script.posts))) == 1, "one event has one id, whoever gets it and however often"


@on_one_engine
async def test_a_status_whose_body_never_ended_counts_as_the_error_it_is(hub: Hub) -> None:
    d = await desk(hub, Answer(status=200, error="timeout"))
    await d.endpoint()
    await d.tell("A", "1")
    await hub.settle()

    assert await d.statuses() == ["due"]


@on_one_engine
async def test_a_receiver_that_asks_for_time_gets_it(hub: Hub) -> None:
    answers = {url: turns(Answer(status=status, retry_after=1800.0), OK)
               for url, status in (("https://a.example/", 429), ("https://b.example/", 503))}  # fmt: skip
    d = await desk(hub, lambda post: answers[post.url](post))
    for url in answers:
        await d.endpoint(url=url)
    await d.tell("A", "1")
    await hub.settle()
    hub.world.move(1799)
    await hub.settle()
    assert len(d.script.posts) == 2
    hub.world.move(2)
    await hub.settle()

    assert await d.statuses() == ["delivered"] * 2


def _wait(status: int, wish: float | None, attempts: int = 1) -> float:
    verdict = judge(
        status, None, wish, attempts=attempts, schedule=SCHEDULE, circuit_open=False, now=0, chance=0.0
    )
    return verdict.due_at / SECOND


def test_a_wish_only_ever_delays() -> None:
    assert _wait(429, 1.0) == 300
    assert _wait(429, 301.0) == 301
    assert _wait(429, None) == 300


def test_a_wish_is_heard_for_a_day_at_most() -> None:
    assert _wait(503, 31_536_000.0) == DAY


@pytest.mark.parametrize("status", [400, 404, 500, 502])
def test_only_429_and_503_may_ask_for_time(status: int) -> None:
    assert _wait(status, 7200.0) == 300


async def test_a_dead_letter_opens_an_exception_and_delivered_again_closes_it(hub: Hub) -> None:
    d = await desk(hub, Answer(status=422))
    await d.endpoint(schedule=[0], name="warehouse")
    await d.tell("A", "1")
    await d.tell("B", "1")
    await hub.settle()

    assert await d.statuses() == ["dead", "dead"]
    (trouble,) = await d.troubles()
    assert trouble["count"] == 2, "one exception for one cause"
    assert trouble["title"] == "warehouse refused order.created until its schedule ran out: 422"
    assert len(trouble["orders"]) >= 1

    d.script.says = OK
    d.script.take()
    first, second = await d.deliveries()
    await d.again(first)
    await hub.settle()
    assert len(await d.troubles()) == 1, "the other is still dead"
    await d.again(second)
    await hub.settle()
    assert await d.statuses() == ["delivered", "delivered"]
    assert await d.troubles() == []
    assert len(await d.troubles("closed")) == 1
    assert [post.headers["orderhub-replay"] for post in d.script.posts] == ["manual", "manual"]


@on_one_engine
async def test_what_is_redelivered_has_its_whole_schedule_before_it(hub: Hub) -> None:
    d = await desk(hub, NO)
    await d.endpoint(schedule=[0, 10])
    await d.tell("A", "1")
    await hub.settle()
    hub.world.move(13)
    await hub.settle()
    (only,) = await d.deliveries()
    d.script.take()
    await d.again(only)
    await hub.settle()
    assert await d.statuses() == ["due"]
    hub.world.move(13)
    await hub.settle()

    assert len(d.script.posts) == 2
    assert await d.statuses() == ["dead"]


async def test_a_delivery_that_was_received_can_be_sent_again_with_the_same_id_and_bytes(hub: Hub) -> None:
    d = await desk(hub)
    await d.endpoint()
    await d.tell("A", "1", "2")
    await hub.settle()
    first = next(iter(await d.deliveries()))
    hub.world.move(3 * HOUR)
    await d.again(first)
    await hub.settle()

    once, _, again = d.script.posts
    assert (once.headers["webhook-id"], once.body) == (again.headers["webhook-id"], again.body)
    assert once.headers["webhook-timestamp"] != again.headers["webhook-timestamp"]
    assert "orderhub-replay" not in once.headers


@on_one_engine
async def test_a_failure_costs_other_deliveries_nothing(hub: Hub) -> None:
    d = await desk(hub, turns(NO, OK))
    await d.endpoint()
    await d.tell("A", "1")
    await d.tell("B", "1")
    await hub.settle()
    hub.world.move(5 * MINUTE)
    await hub.settle()

    assert [row[5] for row in (await d.deliveries()).values()] == [2, 1]

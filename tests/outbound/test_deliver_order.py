"""In order per order: the next event of an order waits for the one before it; other orders flow."""

from __future__ import annotations

import asyncio

from hub.repair.standing import set_status
from hub.run import Hub
from tests.outbound.desk import DOWN, HOUR, MINUTE, NO, OK, Answer, desk, event, ids, said, turns


async def test_the_events_of_an_order_arrive_one_after_the_other(hub: Hub) -> None:
    d = await desk(hub)
    await d.endpoint()
    await d.tell("A", "a1", "a2", "a3", "a4")
    d.script.gate = asyncio.Event()
    sending = asyncio.ensure_future(hub.deliver.step())
    while not d.script.posts:
        await asyncio.sleep(0)
    for _ in range(50):
        await asyncio.sleep(0)

    assert said(d.script.posts) == [("A", "a1")], "nothing of this order may be under way beside its first"

    d.script.gate.set()
    await sending
    await hub.settle()
    assert said(d.script.posts) == [("A", "a1"), ("A", "a2"), ("A", "a3"), ("A", "a4")]
    assert [event(post)["sequence"] for post in d.script.posts] == sorted(
        event(post)["sequence"] for post in d.script.posts
    )


async def test_an_order_that_is_refused_waits_while_other_orders_flow(hub: Hub) -> None:
    d = await desk(hub, lambda post: NO if event(post)["data"]["number"] == "A" else OK)
    await d.endpoint()
    for tag in ("1", "2", "3"):
        await d.tell("A", tag)
        await d.tell("B", tag)
    await hub.settle()

    assert said(d.script.take()) == [("A", "1"), ("B", "1"), ("B", "2"), ("B", "3")]

    d.script.says = OK
    hub.world.move(6.1)
    await hub.settle()
    assert said(d.script.posts) == [("A", "1"), ("A", "2"), ("A", "3")]


async def test_news_that_comes_while_the_one_before_is_under_way_waits_its_turn(hub: Hub) -> None:
    d = await desk(hub)
    await d.endpoint()
    await d.tell("A", "1")
    d.script.gate = asyncio.Event()
    sending = asyncio.ensure_future(hub.deliver.step())
    while not d.script.posts:
        await asyncio.sleep(0)
    await d.tell("A", "2")

    assert await d.statuses() == ["due", "waiting"]

    d.script.gate.set()
    await sending
    await hub.settle()
    assert said(d.script.posts) == [("A", "1"), ("A", "2")]
    assert await d.statuses() == ["delivered", "delivered"]


async def test_an_endpoint_that_wants_no_order_is_told_all_at_once(hub: Hub) -> None:
    d = await desk(hub, NO)
    await d.endpoint(ordering="none")
    await d.tell("A", "1", "2", "3")
    await hub.settle()

    assert said(d.script.posts) == [("A", "1"), ("A", "2"), ("A", "3")]


async def test_each_event_names_the_one_before_it_that_this_endpoint_was_told(hub: Hub) -> None:
    d = await desk(hub)
    everything, updates = (
        await d.endpoint(url="https://a.example/"),
        await d.endpoint(url="https://b.example/", events=["order.updated"]),
    )
    loose = await d.endpoint(url="https://c.example/", ordering="none")
    await d.tell("A", "1", "2")
    await hub.settle()
    await d.tell("A", "3")
    await hub.settle()

    for one, count in ((everything, 3), (updates, 2), (loose, 3)):
        posts = [post for post in d.script.posts if post.url == one.url]
        assert len(posts) == count
        before = [post.headers.get("orderhub-previous") for post in posts]
        assert before == [None, *ids(posts)[:-1]]


async def test_the_chain_of_previous_events_does_not_break_over_held_deliveries(hub: Hub) -> None:
    d = await desk(hub)
    one = await d.endpoint()
    await d.tell("A", "1")
    await hub.settle()
    await set_status(hub, one, "disabled")
    await d.tell("A", "2")
    await d.tell("A", "3")
    await set_status(hub, one, "active")
    await d.tell("A", "4")
    await hub.settle()

    assert said(d.script.posts) == [("A", "1"), ("A", "2"), ("A", "3"), ("A", "4")]
    assert [post.headers.get("orderhub-previous") for post in d.script.posts] == [
        None,
        *ids(d.script.posts)[:-1],
    ]


async def test_a_disabled_endpoint_holds_its_deliveries_and_enabled_it_gets_them_in_order(hub: Hub) -> None:
    d = await desk(hub)
    one = await d.endpoint()
    await d.tell("A", "1", "2")
    await set_status(hub, one, "disabled")
    await d.tell("A", "3")
    await d.tell("B", "1")
    await hub.settle()

    assert d.script.posts == []
    assert await d.statuses() == ["held"] * 4

    await set_status(hub, one, "active")
    await d.tell("A", "4")
    await hub.settle()
    assert [two for two in said(d.script.posts) if two[0] == "A"] == [
        ("A", "1"),
        ("A", "2"),
        ("A", "3"),
        ("A", "4"),
    ]
    assert await d.statuses() == ["delivered"] * 5


async def test_an_endpoint_without_order_gets_what_was_held_at_once(hub: Hub) -> None:
    d = await desk(hub, NO)
    one = await d.endpoint(ordering="none")
    await set_status(hub, one, "disabled")
    await d.tell("A", "1", "2", "3")
    await set_status(hub, one, "active")
    await hub.settle()

    assert said(d.script.posts) == [("A", "1"), ("A", "2"), ("A", "3")]


async def test_a_paused_endpoint_is_told_later_and_loses_nothing(hub: Hub) -> None:
    d = await desk(hub)
    one = await d.endpoint()
    await set_status(hub, one, "paused")
    await d.tell("A", "1", "2")
    await hub.settle()
    assert d.script.posts == []

    await set_status(hub, one, "active")
    await hub.settle()
    assert said(d.script.posts) == [("A", "1"), ("A", "2")]


async def test_later_news_passes_a_head_that_has_blocked_for_too_long_and_an_exception_opens(
    hub: Hub,
) -> None:
    refused = lambda post: NO if event(post)["data"]["tags"] == ["1"] else OK  # noqa: E731
    d = await desk(hub, refused)
    await d.endpoint(block_for=900.0, name="warehouse")
    await d.tell("A", "1", "2", "3")
    await hub.settle()
    hub.world.move(14 * MINUTE)
    await hub.deliver.unblock()
    await hub.settle()

    assert {tag for _, tag in said(d.script.take())} == {"1"}, "a quarter of an hour is not over"
    assert await d.troubles() == []

    hub.world.move(2 * MINUTE)
    await hub.deliver.unblock()
    await hub.settle()
    assert [two for two in said(d.script.posts) if two[1] != "1"] == [("A", "2"), ("A", "3")]
    (trouble,) = await d.troubles()
    assert trouble["title"].startswith("warehouse has not taken order.created (404)")
    assert trouble["severity"] == "warning"
    assert trouble["orders"] == [next(iter((await d.deliveries()).values()))[2]]

    d.script.says = OK
    hub.world.move(6 * HOUR)
    await hub.settle()
    assert await d.statuses() == ["delivered"] * 3
    assert await d.troubles() == [], "what was passed has arrived"


async def test_the_time_for_which_an_operator_paused_an_endpoint_is_no_reason_to_pass_a_head(
    hub: Hub,
) -> None:
    d = await desk(hub, lambda post: NO if event(post)["data"]["tags"] == ["1"] else OK)
    one = await d.endpoint(block_for=900.0)
    await d.tell("A", "1", "2")
    await hub.settle()
    hub.world.move(5 * MINUTE)
    await set_status(hub, one, "paused")
    hub.world.move(HOUR)
    await hub.deliver.unblock()
    await set_status(hub, one, "active")
    for _ in range(14):
        await hub.deliver.unblock()
        await hub.settle()
        hub.world.move(MINUTE)
    assert {tag for _, tag in said(d.script.take())} == {"1"}, "it had but fourteen minutes since"
    assert await d.troubles() == []

    hub.world.move(2 * MINUTE)
    await hub.deliver.unblock()
    await hub.settle()
    assert ("A", "2") in said(d.script.posts)


async def test_a_passed_head_that_arrives_late_does_not_hurry_the_one_that_failed_after_it(hub: Hub) -> None:
    later = Answer(status=503, retry_after=10.0 * HOUR)
    d = await desk(hub, lambda post: NO if event(post)["data"]["tags"] == ["1"] else later)
    one = await d.endpoint(schedule=[0, 3600, 3600, 3600], block_for=60.0)
    await d.tell("A", "1", "2")
    await hub.settle()
    hub.world.move(61)
    await hub.deliver.unblock()
    await hub.settle()
    assert said(d.script.take()) == [("A", "1"), ("A", "2")]

    other = await d.endpoint(url="https://other.example/")
    d.script.says = OK
    hub.world.move(3600 * 1.2)
    await d.tell("B", "1", "2")
    await hub.settle()
    first = [two for two in said(post for post in d.script.posts if post.url == one.url) if two[0] == "A"]
    assert first == [("A", "1")], "the second may not be tried before its time"
    assert said(post for post in d.script.posts if post.url == other.url) == [("B", "1"), ("B", "2")]


async def test_a_dead_letter_lets_the_next_one_go(hub: Hub) -> None:
    d = await desk(hub, turns(NO, NO, OK))
    await d.endpoint(schedule=[0, 5])
    await d.tell("A", "1", "2")
    await hub.settle()
    hub.world.move(6)
    await hub.settle()

    assert said(d.script.posts) == [("A", "1"), ("A", "1"), ("A", "2")]
    assert await d.statuses() == ["dead", "delivered"]


async def test_a_skipped_head_lets_the_next_one_go(hub: Hub) -> None:
    d = await desk(hub, turns(NO, OK))
    await d.endpoint()
    await d.tell("A", "1", "2")
    await hub.settle()
    first = next(iter(await d.deliveries()))
    await hub.engine.transact(lambda unit: _skip(unit, first))
    await hub.deliver.unblock()
    await hub.settle()

    assert await d.statuses() == ["skipped", "delivered"]


async def _skip(unit: object, position: int) -> None:
    unit.add("deliveries_skip", tenant="main", position=position)  # type: ignore[attr-defined]


async def test_an_answer_of_410_disables_the_endpoint_and_holds_everything(hub: Hub) -> None:
    d = await desk(hub, Answer(status=410))
    one = await d.endpoint()
    await d.tell("A", "1", "2")
    await d.tell("B", "1")
    await hub.settle()

    now = hub.directory.get(type(one), one.id)
    assert now is not None
    assert now.status == "disabled"
    assert await d.statuses() == ["held"] * 3
    hub.world.move(10 * HOUR)
    d.script.take()
    await hub.settle()
    assert d.script.posts == []

    d.script.says = OK
    await set_status(hub, now, "active")
    await hub.settle()
    assert [two for two in said(d.script.posts) if two[0] == "A"] == [("A", "1"), ("A", "2")]
    assert await d.statuses() == ["delivered"] * 3


async def test_one_endpoint_that_is_down_does_not_delay_another(hub: Hub) -> None:
    d = await desk(hub, lambda post: DOWN if "dead" in post.url else OK)
    await d.endpoint(url="https://dead.example/")
    await d.endpoint(url="https://well.example/")
    for n in range(20):
        await d.tell(f"A{n}", "1", "2")
    await hub.settle()

    well = [post for post in d.script.posts if "well" in post.url]
    assert len(well) == 40

"""A filter that cannot judge an event: nothing is sent, a person is told, and what was kept back is found again."""

from __future__ import annotations

import msgspec
import pytest

from hub.run import Hub
from hub.store.engine import Unavailable
from hub.things import Route
from tests.outbound.desk import desk, on_one_engine, put, said
from tests.repair.test_redelivery import replay

STUMBLES = "(data.number | int) > 5"


async def test_an_event_that_a_filter_cannot_judge_is_not_sent_and_an_exception_says_so(hub: Hub) -> None:
    d = await desk(hub)
    one = await d.endpoint(name="erp", filter=STUMBLES)
    await d.endpoint(name="wms", url="https://wms.example/")
    await d.tell("A", "1")
    await hub.settle()
    assert {post.url for post in d.script.take()} == {"https://wms.example/"}
    assert await hub.doubts.step() == 1
    await d.tell("A", "2")
    await d.tell("9", "1")
    await hub.settle()
    await hub.doubts.step()

    (trouble,) = await d.troubles()
    assert (trouble["severity"], trouble["subject"], trouble["count"]) == ("warning", f"unjudged:{one.id}", 2)
    assert "erp" in trouble["title"]
    assert "order.updated" in trouble["title"]
    assert "orderhub endpoints replay erp --since 7d --missing" in trouble["hint"]
    assert trouble["orders"][0].startswith("ord_")
    assert trouble["place"]["file"] == "filter"
    assert await hub.doubts.step() == 0, "told once"


async def test_what_was_not_judged_is_found_by_a_replay_of_what_is_missing(hub: Hub) -> None:
    d = await desk(hub)
    one = await d.endpoint(name="erp", filter=STUMBLES)
    await d.tell("A", "1")
    await d.tell("9", "1")
    await hub.settle()
    assert said(d.script.take()) == [("9", "1")]
    await put(hub, msgspec.structs.replace(one, filter="data.number != ''"))
    await replay(d, one, only="missing")
    await hub.settle()

    assert said(d.script.take()) == [("A", "1")]


@on_one_engine
async def test_a_replay_that_cannot_judge_opens_nothing_more(hub: Hub) -> None:
    d = await desk(hub)
    one = await d.endpoint(name="erp", filter=STUMBLES)
    await d.tell("A", "1")
    await hub.doubts.step()
    await replay(d, one, only="missing")
    await hub.settle()

    assert await hub.doubts.step() == 0
    assert [trouble["count"] for trouble in await d.troubles()] == [1]


@on_one_engine
async def test_a_route_whose_predicate_stumbles_is_named(hub: Hub) -> None:
    d = await desk(hub)
    other = msgspec.structs.replace(
        d.shop, id=hub.world.new_id("con"), name="other", key="side", account="b.example"
    )
    await put(hub, other)
    await put(hub, Route(id="rte_1", name="marks", event="order.*", connection=other.id, write="fulfil",
                         predicate=STUMBLES))  # fmt: skip
    await d.tell("A", "1")
    await hub.doubts.step()

    (trouble,) = await d.troubles()
    assert (trouble["subject"], "route marks" in trouble["title"]) == ("unjudged:rte_1", True)


@on_one_engine
async def test_what_the_store_did_not_take_is_told_later(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    d = await desk(hub)
    await d.endpoint(name="erp", filter=STUMBLES)
    await d.tell("A", "1")

    async def away(_: object) -> None:
        raise Unavailable("the store is away")

    with monkeypatch.context() as patch:
        patch.setattr(hub.engine, "transact", away)
        with pytest.raises(Unavailable):
            await hub.doubts.step()
    assert await hub.doubts.step() == 1


@on_one_engine
async def test_an_exception_that_a_filter_cannot_judge_is_no_news_of_itself(hub: Hub) -> None:
    d = await desk(hub)
    await d.endpoint(name="erp", filter=STUMBLES)
    await d.endpoint(name="ops", events=["exception.*"], filter="(data.title | int) > 5")
    await d.tell("A", "1")
    assert await hub.doubts.step() == 1
    while await hub.watch.step():
        continue

    assert await hub.doubts.step() == 0

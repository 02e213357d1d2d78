"""Faults that no schedule foresaw: what a far side's bytes, a person's hand or the store may do to an attempt."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import msgspec
import pytest

from hub.audience import Audience
from hub.http.app import build
from hub.outbound.sender import Answer
from hub.run import Hub
from hub.store.engine import Unavailable, Unit
from tests.engines import ADMIN
from tests.outbound.desk import HOUR, MINUTE, NO, OK, desk, event, on_one_engine, put, said
from tests.outbound.receivers import Talk, scripted


def _answering(raw: bytes, count: list[int]) -> Talk:
    """Gives these bytes to every request, and counts them."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            lines = [line.lower() for line in head.split(b"\r\n")]
            sizes = [int(line.split(b":")[1]) for line in lines if line.startswith(b"content-length")]
            await reader.readexactly(sizes[0])
            count.append(1)
            writer.write(raw)
            await writer.drain()

    return talk


async def _delete(hub: Hub, path: str) -> httpx.Response:
    transport = httpx.ASGITransport(app=build(hub))
    async with httpx.AsyncClient(transport=transport, base_url="http://hub") as http:
        return await http.delete(path, headers={"authorization": f"Bearer {ADMIN}"})


async def _post(hub: Hub, path: str, body: Any = None) -> httpx.Response:
    transport = httpx.ASGITransport(app=build(hub))
    async with httpx.AsyncClient(transport=transport, base_url="http://hub") as http:
        return await http.post(path, json=body or {}, headers={"authorization": f"Bearer {ADMIN}"})


@on_one_engine
async def test_an_answer_with_a_header_that_is_no_unicode_is_settled_like_any_other(hub: Hub) -> None:
    count: list[int] = []
    real = hub.deliver.sender
    d = await desk(hub)
    hub.deliver.sender = real
    raw = b"HTTP/1.1 200 OK\r\nX-Shop: caf\xe9\r\nContent-Length: 2\r\n\r\nok"
    async with scripted(_answering(raw, count)) as url:
        one = await d.endpoint(url=url)
        await d.tell("A", "1")
        await hub.deliver.step()
        tested = await _post(hub, f"/v1/endpoints/{one.id}/test")

    assert await d.statuses() == ["delivered"]
    assert tested.status_code == 200, tested.text


@on_one_engine
async def test_one_event_that_breaks_a_receiver_does_not_keep_it_down_for_all_others(hub: Hub) -> None:
    d = await desk(hub, lambda post: Answer(status=500) if event(post)["data"]["number"] == "bad" else OK)
    await d.endpoint()
    await d.tell("bad", "1")
    await d.pass_by(4 * HOUR, step=5 * MINUTE)
    assert hub.deliver.lanes[next(iter(hub.deliver.lanes))].circuit.is_open
    d.script.take()
    await d.tell("good", "1")
    await d.pass_by(30 * MINUTE, step=MINUTE)

    assert ("good", "1") in said(d.script.posts)


async def test_a_delivery_that_was_skipped_is_not_sent_though_memory_had_it(hub: Hub) -> None:
    d = await desk(hub)
    one = await d.endpoint()
    await _post(hub, f"/v1/endpoints/{one.id}/pause")
    await d.tell("A", "1", "2")
    await d.tell("B", "1")
    await hub.deliver.step()
    first = min(await d.deliveries())
    assert (await _post(hub, f"/v1/deliveries/dlv_{first}/skip")).status_code == 200
    await _post(hub, f"/v1/endpoints/{one.id}/enable")
    await hub.settle()

    assert said(d.script.posts) == [("A", "2"), ("B", "1")] or said(d.script.posts) == [
        ("B", "1"),
        ("A", "2"),
    ]


async def test_a_name_that_cannot_be_kept_does_not_send_its_delivery_again(hub: Hub) -> None:
    d = await desk(hub, Answer(status=200, body=b'{"id": "a\\u0000b"}'))
    await d.endpoint(capture="body.id")
    await d.tell("A", "1")
    await hub.deliver.step()

    assert len(d.script.posts) == 1
    assert await d.statuses() == ["delivered"]


async def test_an_attempt_that_met_a_fault_of_ours_goes_by_its_schedule_and_is_told(hub: Hub) -> None:
    d = await desk(hub)

    def broken(_post: Any) -> Answer:
        raise ZeroDivisionError("a fault of ours")

    d.script.says = broken
    await d.endpoint()
    await d.tell("A", "1")
    await hub.deliver.step()
    await hub.deliver.step()

    assert len(d.script.posts) == 1
    place = min(await d.deliveries())
    assert [one["outcome"] for one in await d.attempts(place)] == ["fault"]
    assert [one["title"] for one in await d.troubles()]
    d.script.says = OK
    await d.pass_by(10 * MINUTE)
    assert await d.statuses() == ["delivered"]
    assert await d.troubles() == []


@on_one_engine
async def test_what_was_answered_while_the_store_is_away_is_not_asked_again(hub: Hub) -> None:
    d = await desk(hub)
    await d.endpoint()
    await d.tell("A", "1")
    whole = hub.engine.transact
    left = [3]

    async def away(work: Any) -> Any:
        if left[0]:
            left[0] -= 1
            raise Unavailable("the disk is full")
        return await whole(work)

    hub.engine.transact = away  # type: ignore[method-assign]
    await hub.deliver.step()
    await hub.deliver.step()

    assert await d.statuses() == ["delivered"]
    assert len(d.script.posts) == 1


async def test_a_delivery_to_an_endpoint_that_is_gone_or_disabled_cannot_be_sent_again(hub: Hub) -> None:
    d = await desk(hub, NO)
    one = await d.endpoint(schedule=[0])
    await d.tell("A", "1")
    await hub.settle()
    place = min(await d.deliveries())
    await _post(hub, f"/v1/endpoints/{one.id}/disable")
    asleep = await _post(hub, f"/v1/deliveries/dlv_{place}/redeliver")
    await _delete(hub, f"/v1/endpoints/{one.id}")
    gone = await _post(hub, f"/v1/deliveries/dlv_{place}/redeliver")

    assert [asleep.status_code, gone.status_code] == [409, 409]
    assert "enable" in asleep.json()["detail"]
    assert await d.statuses() == ["dead"]


async def test_what_is_blocked_and_then_dropped_is_no_trouble_any_more(hub: Hub) -> None:
    d = await desk(hub, NO)
    one = await d.endpoint()
    await d.tell("A", "1", "2")
    await d.pass_by(20 * MINUTE)
    assert [found["title"] for found in await d.troubles()]
    await _post(hub, f"/v1/endpoints/{one.id}/disable")
    await _post(hub, f"/v1/endpoints/{one.id}/drop")
    await hub.deliver.unblock()

    assert await d.troubles() == []


async def test_a_delivery_that_ends_while_it_is_passed_over_leaves_no_trouble_behind(hub: Hub) -> None:
    d = await desk(hub, NO)
    await d.endpoint(block_for=60)
    await d.tell("A", "1", "2")
    await hub.settle()
    hub.world.move(100)
    place = min(await d.deliveries())
    blocked = (await d.deliveries())[place]
    found = [(blocked[0], blocked[2], place, "main", "order.created", "404")]
    d.script.says = OK
    await d.again(place)
    hub.deliver.spilled()
    hub.world.move(600)
    await hub.settle()
    await hub.deliver.settler.pass_over(found, "partner")
    await hub.deliver.unblock()

    assert await d.troubles() == []


async def test_an_endpoint_whose_remover_died_is_owed_nothing_after_the_next_turns(hub: Hub) -> None:
    d = await desk(hub, NO)
    one = await d.endpoint(schedule=[0, 3600])
    other = await d.endpoint(url="https://other.example/", schedule=[0, 3600])
    await d.tell("A", "1", "2")
    await d.tell("B", "1")
    await hub.settle()

    async def died(unit: Unit) -> None:
        unit.add("things_drop", kind="endpoint", id=one.id, tenant="main")

    await hub.engine.transact(died)
    await hub.directory.refresh()
    hub.deliver.configure()
    posts = len(d.script.posts)
    await d.pass_by(2 * MINUTE)

    assert {row[3] for row in (await d.deliveries(target=one.id)).values()} == {"dropped"}
    assert {row[3] for row in (await d.deliveries(target=other.id)).values()} == {"due", "waiting"}
    assert len(d.script.posts) == posts


async def test_the_dead_letters_of_an_endpoint_that_is_removed_trouble_nobody_any_more(hub: Hub) -> None:
    d = await desk(hub, NO)
    one = await d.endpoint(schedule=[0])
    other = await d.endpoint(url="https://other.example/", schedule=[0], name="other")
    await d.tell("A", "1")
    await hub.settle()
    assert len(await d.troubles()) == 2
    await _delete(hub, f"/v1/endpoints/{one.id}")
    await hub.deliver.unblock()

    assert [trouble["title"].split()[0] for trouble in await d.troubles()] == ["other"]
    assert {row[3] for row in (await d.deliveries()).values()} == {"dead"}
    assert len(await d.deliveries(target=other.id)) == 1


async def test_a_token_that_was_fetched_for_an_endpoint_goes_with_it(hub: Hub) -> None:
    grant = Answer(status=200, body=b'{"access_token": "abc", "expires_in": 3600}')
    d = await desk(hub, lambda post: grant if "token" in post.url else OK)
    auth = {
        "type": "oauth2_client",
        "token_url": "https://id.example/token",
        "client_id": "us",
        "client_secret": "hush",
    }
    made = await _post(hub, "/v1/endpoints", {"url": "https://partner.example/hooks", "auth": auth})
    one = made.json()["id"]
    await d.tell("A", "1")
    await hub.settle()
    kept = await hub.engine.fetch("memories_all", owner=f"auth:{one}", now=hub.world.now())
    await _delete(hub, f"/v1/endpoints/{one}")

    assert len(kept) == 1
    assert await hub.engine.fetch("memories_all", owner=f"auth:{one}", now=hub.world.now()) == []


async def test_what_is_told_late_for_the_first_time_names_the_one_before_it_and_is_named_by_the_next(
    hub: Hub,
) -> None:
    d = await desk(hub)
    await d.tell("A", "1", "2", "3")
    made = await _post(
        hub, "/v1/endpoints", {"url": "https://late.example/", "events": ["order.*"], "from": 0}
    )
    assert made.status_code == 201
    await hub.settle()
    await d.tell("A", "4")
    await hub.settle()
    posts = [post for post in d.script.posts if post.url == "https://late.example/"]

    told = [post.headers["webhook-id"] for post in posts]
    assert len(told) >= 4
    assert [post.headers.get("orderhub-previous") for post in posts] == [None, *told[:-1]]


async def test_what_is_told_by_who_did_not_know_yet_of_an_endpoint_reaches_it_all_the_same(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    d = await desk(hub)
    await d.tell("A", "1")
    asked = {"url": "https://late.example/", "events": ["order.created"], "from": 0}
    assert (await _post(hub, "/v1/endpoints", asked)).status_code == 201
    await hub.settle()
    with monkeypatch.context() as behind:  # another process, a moment behind
        behind.setattr(Audience, "targets", lambda *_: [])
        await d.tell("B", "1")
    hub.world.move(6)
    await hub.settle()

    assert said(d.script.posts) == [("A", "1"), ("B", "1")]


async def test_an_event_sent_to_one_more_endpoint_names_the_one_before_it(hub: Hub) -> None:
    d = await desk(hub)
    one = await d.endpoint(events=["order.updated"], url="https://late.example/")
    await d.tell("A", "1", "2")
    await put(hub, msgspec.structs.replace(one, events=["order.cancelled"]))
    await d.tell("A", "3", "4")
    rows = await hub.engine.fetch(
        "events_of_order", tenant="main", order_id=(await _order(d)), after=0, most=99
    )
    asked = [row[1] for row in rows if row[3] == "order.updated"]
    await hub.settle()
    d.script.take()
    for event_ in asked[1:]:
        assert (await _post(hub, f"/v1/events/{event_}/redeliver", {"endpoint": one.id})).status_code == 202
        await hub.settle()

    assert [post.headers.get("orderhub-previous") for post in d.script.posts] == asked[:-1]


async def _order(d: Any) -> str:
    rows = await d.deliveries()
    return str(next(iter(rows.values()))[2])

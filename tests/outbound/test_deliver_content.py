"""What is sent: the same bytes and id at every attempt, signed anew; what is kept of each attempt."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec
from standardwebhooks import Webhook

from hub.directory import Endpoint
from hub.outbound.signing import new_secret
from hub.run import Hub
from tests.outbound.desk import MINUTE, NO, OK, SECOND, Answer, desk, event, ids, on_one_engine, put, turns


async def test_every_attempt_has_the_same_bytes_even_when_the_order_has_moved_on(hub: Hub) -> None:
    d = await desk(hub, turns(NO, NO, OK))
    await d.endpoint()
    await d.tell("A", "1")
    await hub.settle()
    await d.tell("A", "2")
    hub.world.move(6)
    await hub.settle()
    hub.world.move(6 * MINUTE)
    await hub.settle()

    first, second, third, fourth = d.script.posts
    assert first.body == second.body == third.body
    assert first.headers["webhook-id"] == second.headers["webhook-id"] == third.headers["webhook-id"]
    assert event(third)["data"]["tags"] == ["1"], "the snapshot of its time, not the newest order"
    assert event(fourth)["data"]["tags"] == ["2"]


@on_one_engine
async def test_every_attempt_is_signed_for_its_own_moment(hub: Hub) -> None:
    d = await desk(hub, turns(NO, OK))
    one = await d.endpoint()
    await d.tell("A", "1")
    await hub.settle()
    hub.world.move(6)
    await hub.settle()

    first, second = d.script.posts
    assert first.headers["webhook-timestamp"] != second.headers["webhook-timestamp"]
    assert first.headers["webhook-signature"] != second.headers["webhook-signature"]
    assert int(second.headers["webhook-timestamp"]) == hub.world.now() // SECOND
    (secret,) = hub.directory.secrets(one, hub.world.now())
    for post in (first, second):
        stamp, signature = int(post.headers["webhook-timestamp"]), post.headers["webhook-signature"]
        signed = Webhook(secret)
        made = signed.sign(post.headers["webhook-id"], _moment(stamp), post.body.decode())
        assert made == signature


def _moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


@on_one_engine
async def test_the_headers_are_those_that_were_promised(hub: Hub) -> None:
    d = await desk(hub)
    await d.endpoint(headers={"x-warehouse": "leipzig", "webhook-id": "mine"})
    await d.tell("A", "1")
    await hub.settle()

    (post,) = d.script.posts
    assert post.headers["content-type"] == "application/json"
    assert post.headers["user-agent"].startswith("orderhub/")
    assert post.headers["x-warehouse"] == "leipzig"
    assert post.headers["webhook-id"] == event(post)["id"], "an endpoint's own headers do not stand over ours"
    assert post.timeout == 15.0


@on_one_engine
async def test_the_envelope_has_every_part_that_was_promised(hub: Hub) -> None:
    d = await desk(hub)
    await d.endpoint(events=["*"])
    await d.tell("A", "1")
    await hub.settle()

    told = [event(post) for post in d.script.posts]
    assert [one["type"] for one in told] == ["order.created", "order.confirmed"]
    first, second = told
    assert set(first) == {
        "api_version", "cause", "changes", "data", "id", "occurred_at", "order", "previous", "recorded_at", "sequence",
        "subject", "tenant", "test", "type",
    }  # fmt: skip
    assert (first["sequence"], second["sequence"]) == (1, 2)
    assert (first["previous"], second["previous"]) == (None, first["id"])
    assert first["order"] == first["data"]["id"] == first["subject"]["id"]
    assert first["cause"]["connection"] == d.shop.id
    assert first["cause"]["message"].startswith("msg_")
    assert first["test"] is False
    assert first["tenant"] == "main"
    assert list(first) == sorted(first), "keys are sorted"
    assert first["data"]["sequence"] == 2, "the snapshot is the version's, shared by its events"


async def test_shapes_are_rendered_once_and_kept(hub: Hub) -> None:
    d = await desk(hub, turns(NO, NO, NO, OK))
    thin = [await d.endpoint(url=f"https://thin{n}.example/", payload="thin") for n in range(2)]
    cloud = await d.endpoint(url="https://cloud.example/", format="cloudevents", payload="changes")
    some = await d.endpoint(url="https://some.example/", fields=["number", "lines.sku"])
    await d.tell("A", "1", lines=[{"ref": "l1", "sku": "LAMP", "name": "Lamp", "quantity": {"ordered": "1"}}])
    await hub.settle()
    bodies = {post.url: post.body for post in d.script.take()}
    hub.world.move(6)
    await hub.settle()

    for post in d.script.posts:
        assert post.body == bodies[post.url], "the same bytes again"
    assert bodies[thin[0].url] == bodies[thin[1].url]
    assert "data" not in msgspec.json.decode(bodies[thin[0].url])
    told = msgspec.json.decode(bodies[cloud.url])
    assert told["specversion"] == "1.0"
    assert told["type"] == "order.created"
    assert "data" not in told["data"]
    assert msgspec.json.decode(bodies[some.url])["data"] == {"number": "A", "lines": [{"sku": "LAMP"}]}
    rows = [
        await hub.engine.fetch("renderings_get", [(told["id"], shape)])
        for shape in ("thin/orderhub/", "changes/cloudevents/", "full/orderhub/lines.sku,number")
    ]
    assert [len(one) for one in rows] == [1, 1, 1], "one row per event and shape, whoever gets it"


@on_one_engine
async def test_a_cloud_event_says_that_it_is_one(hub: Hub) -> None:
    d = await desk(hub)
    await d.endpoint(format="cloudevents")
    await d.tell("A", "1")
    await hub.settle()

    (post,) = d.script.posts
    told = event(post)
    assert post.headers["content-type"] == "application/cloudevents+json"
    assert told["id"] == post.headers["webhook-id"] == told["data"]["id"]
    assert told["subject"] == told["data"]["order"]
    assert told["time"] == told["data"]["occurred_at"]


async def test_the_attempt_log_tells_the_whole_exchange(hub: Hub) -> None:
    long = Answer(status=500, headers={"x-why": "disk full"}, body=b"\xff" + b"no" * 20_000, address="203.0.113.9",
                  phases={"dns": 1.5, "total": 12.25})  # fmt: skip
    d = await desk(hub, turns(long, Answer(error="timeout", phases={"total": 15_000.0}), OK))
    await d.endpoint()
    began = hub.world.now()
    await d.tell("A", "1")
    await hub.settle()
    hub.world.move(6)
    await hub.settle()
    hub.world.move(6 * MINUTE)
    await hub.settle()

    (position,) = await d.deliveries()
    first, second, third = await d.attempts(position)
    assert [one["outcome"] for one in (first, second, third)] == ["500", "timeout", "200"]
    assert [one["trigger"] for one in (first, second, third)] == ["first", "schedule", "schedule"]
    assert first["at"] >= began
    assert second["at"] - first["at"] == 6 * SECOND
    assert (first["status"], first["error"], first["address"]) == (500, None, "203.0.113.9")
    assert first["phases"] == {"dns": 1.5, "total": 12.25}
    assert first["headers"] == [["x-why", "disk full"]]
    assert first["body"].startswith("\N{REPLACEMENT CHARACTER}nono")
    assert len(first["body"]) <= 16_384
    assert (second["status"], second["error"]) == (None, "timeout")


@on_one_engine
async def test_a_redelivery_says_in_the_log_who_asked_for_it(hub: Hub) -> None:
    d = await desk(hub)
    await d.endpoint()
    await d.tell("A", "1")
    await hub.settle()
    (position,) = await d.deliveries()
    hub.world.move(60)
    await d.again(position)
    await hub.settle()

    assert [one["trigger"] for one in await d.attempts(position)] == ["first", "manual"]


async def test_an_event_that_nobody_wants_is_still_an_event(hub: Hub) -> None:
    d = await desk(hub)
    await d.endpoint(events=["shipment.*"])
    await d.tell("A", "1")
    await hub.settle()

    assert d.script.posts == []
    assert await d.deliveries() == {}
    rows = await hub.engine.fetch(
        "events_between", tenant="main", after=0, last=2**62, since=0, until=2**62, most=10
    )
    assert [row[3] for row in rows] == ["order.created", "order.confirmed"]


@on_one_engine
async def test_filters_decide_by_what_the_order_says(hub: Hub) -> None:
    d = await desk(hub)
    await d.endpoint(filter="data.currency == 'CHF'")
    await d.tell("A", "1")
    await d.tell("B", "1", currency="CHF")
    await hub.settle()

    assert [event(post)["data"]["number"] for post in d.script.posts] == ["B"]


@on_one_engine
async def test_test_orders_go_only_where_they_are_wanted(hub: Hub) -> None:
    d = await desk(hub)
    await d.endpoint(url="https://shop.example/")
    await d.endpoint(url="https://lab.example/", include_test=True)
    await d.tell("A", "1", test=True)
    await d.tell("B", "1")
    await hub.settle()

    got = sorted((post.url, event(post)["data"]["number"], event(post)["test"]) for post in d.script.posts)
    assert got == [
        ("https://lab.example/", "A", True), ("https://lab.example/", "B", False), ("https://shop.example/", "B", False),
    ]  # fmt: skip


@on_one_engine
async def test_while_a_secret_rotates_both_sign(hub: Hub) -> None:
    d = await desk(hub)
    one = await d.endpoint()
    old = one.secrets[0]
    await _rotate(hub, one)
    await d.tell("A", "1")
    await hub.settle()
    assert len(d.script.take()[0].headers["webhook-signature"].split()) == 2

    assert old["until"] > hub.world.now()
    hub.world.move(25 * 3600)
    await d.tell("A", "2")
    await hub.settle()
    assert len(d.script.posts[0].headers["webhook-signature"].split()) == 1


async def _rotate(hub: Hub, one: Endpoint) -> None:
    one.secrets[0]["until"] = hub.world.now() + 24 * 3600 * SECOND
    one.secrets.insert(0, {"sealed": hub.vault.seal(new_secret(), one.id)})
    await put(hub, one)


@on_one_engine
async def test_the_same_id_goes_to_every_endpoint(hub: Hub) -> None:
    d = await desk(hub)
    for n in range(3):
        await d.endpoint(url=f"https://p{n}.example/")
    await d.tell("A", "1")
    await hub.settle()

    assert len(d.script.posts) == 3
    assert len(set(ids(d.script.posts))) == 1

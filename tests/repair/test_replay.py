"""Replayed messages go through again: what failed is mended, nothing doubles, exceptions close."""

from __future__ import annotations

from dataclasses import replace

from hub.inbound.leaf import Input
from hub.inbound.normalise import Understood
from hub.repair.replay import failed, of_cause, of_exception, replay
from hub.repair.reread import Reread
from hub.store.rows import Arrival, Head
from tests.repair.shop import ORDER, order


def mend(shop, text):
    """Another text of the order mapping is in force."""
    shop.hub.registry = shop.hub.registry.with_mappings({"corner.order": text})
    shop.hub.directory.registry = shop.hub.registry


BROKEN = ORDER.replace("number: name", "number: label | required")


async def test_a_replay_after_a_fix_makes_the_order_and_closes_the_exception(shop):
    mend(shop, BROKEN)
    ids = [await shop.tell("orders", order(number)) for number in (1, 2)]
    (exception,) = await shop.exceptions()
    assert (exception["count"], exception["place"]["field"]) == (2, "number")
    mend(shop, ORDER)

    done = await replay(shop.hub, "main", await of_exception(shop.hub, "main", exception["id"]), actor="ops")
    await shop.hub.settle()

    assert sorted(done.reopened) == sorted(ids)
    assert [await shop.status(one) for one in ids] == ["processed", "processed"]
    assert len(await shop.orders()) == 2
    assert await shop.exceptions() == []
    assert [one["id"] for one in await shop.exceptions("closed")] == [exception["id"]]


async def test_an_exception_stays_open_while_one_of_its_messages_fails(shop):
    mend(shop, BROKEN)
    first = await shop.tell("orders", order(1))
    await shop.tell("orders", order(2))
    (exception,) = await shop.exceptions()
    mend(shop, ORDER)

    await replay(shop.hub, "main", [first])
    await shop.hub.settle()

    assert [one["id"] for one in await shop.exceptions()] == [exception["id"]]
    assert len(await of_cause(shop.hub, "main", exception["cause"])) == 1


async def test_a_replay_that_fails_again_is_failed_again(shop):
    mend(shop, BROKEN)
    id_ = await shop.tell("orders", order(1))

    await replay(shop.hub, "main", await failed(shop.hub, "main", shop.corner.id))
    await shop.hub.settle()

    assert await shop.status(id_) == "failed"
    assert len(await shop.exceptions()) == 1


async def test_what_was_understood_may_be_replayed_as_often_as_one_likes(shop):
    ids = [await shop.tell("orders", order(1, at=at)) for at in (0, 5)]
    before, events = await shop.order(), len(await shop.events())

    for _ in range(3):
        done = await replay(shop.hub, "main", ids)
        await shop.hub.settle()

    assert (done.reread, done.reopened, done.orders) == (ids, [], [])
    assert await shop.order() == before
    assert len(await shop.events()) == events


async def test_under_a_mended_mapping_a_replay_replaces_and_leaves_no_ambiguity(shop):
    first = await shop.tell("orders", order(1))
    mend(shop, ORDER.replace("      sku: sku\n", "      sku: sku | lower\n"))

    done = await replay(shop.hub, "main", [first])

    after = await shop.order()
    assert [one.order for one in done.orders] == [after["id"]]
    assert after["lines"][0]["sku"] == "tea-1"
    assert "anomalies" not in after


async def test_unknown_messages_and_those_of_others_are_named(shop):
    mine = await shop.tell("orders", order(1))

    done = await replay(shop.hub, "other", [mine, "msg_nothing"])

    assert done.gone == sorted([mine, "msg_nothing"])
    assert await of_exception(shop.hub, "main", "exc_nothing") is None


async def test_a_message_whose_body_is_gone_is_not_reopened(shop):
    mend(shop, BROKEN)
    id_ = await shop.tell("orders", order(1))
    await shop.write("messages_blank", [("main", id_)], head=b"{}")
    mend(shop, ORDER)

    done = await replay(shop.hub, "main", [id_])
    await shop.hub.settle()

    assert done.gone == [id_]
    assert await shop.status(id_) == "failed"


def test_a_message_read_again_keeps_no_body_for_a_few_orders():
    arrival = Arrival(1, "msg_1", "main", "con_1", "poll", "orders", Head(), b"long", 1)
    told = Understood(
        arrival=arrival,
        status="processed",
        input=Input(message="msg_1", tenant="main", connection="con_1", heard=[]),
    )
    one = Reread(1, "msg_1", "processed", "", told, {"ord_1": [], "ord_2": []}, frozenset({"ord_1", "ord_2"}))

    kept = one.only({"ord_2"})

    assert kept == replace(kept, now={"ord_2": []}, moved=frozenset({"ord_2"}))
    assert kept.understood.arrival.body == b""
    assert one.understood.arrival.body == b"long"

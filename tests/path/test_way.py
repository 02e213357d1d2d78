"""The whole way: a signed order in, a verified webhook out; and what must not get that far."""

from __future__ import annotations

import asyncio
import gzip
import json

import msgspec
import pytest

from hub.contract.message import Headers, Message
from tests.path.town import ORDER, Town, changed, knock


async def test_a_signed_order_becomes_an_order_and_a_webhook_that_others_can_verify(town: Town) -> None:
    shop, partner = await town.connect("shopify"), await town.partner()
    answer = await town.push(shop, "orders-create.plain")
    assert answer.status == 202
    assert answer.json()["message"].startswith("msg_")
    assert await town.orders() == [], "the answer waits for nothing but the store"
    await town.hub.settle()

    order = await town.order()
    assert (order["number"], order["state"], order["payment_status"]) == ("LL-2041", "confirmed", "paid")
    assert order["connection"] == shop.id
    hooks = partner.take()
    assert [hook.event["type"] for hook in hooks] == [
        "order.created",
        "order.confirmed",
        "order.paid",
        "order.ready",
    ]
    assert all(hook.event["data"] == order for hook in hooks)
    assert [hook.event["sequence"] for hook in hooks] == [1, 2, 3, 4]
    assert hooks[0].event["cause"] == {
        "message": answer.json()["message"],
        "connection": shop.id,
        "actor": "source",
    }
    assert hooks[0].headers["webhook-id"] == hooks[0].event["id"]


async def test_a_partner_that_is_down_gets_it_when_it_is_back(town: Town) -> None:
    shop = await town.connect("shopify")
    partner = await town.partner(events=["order.created"], schedule=[0, 5, 5])
    partner.answers = [500, 404]
    await town.say(shop, "orders-create.plain")
    assert partner.got == []
    for _ in range(2):
        town.hub.world.move(6)
        await town.hub.settle()

    assert partner.told() == ["order.created"]
    (row,) = await town.hub.engine.fetch("deliveries_list", tenant="main", after=0, target="", status="", event="",
                                         order_id="", most=10)  # fmt: skip
    assert (row[4], row[6]) == ("delivered", 3)


async def test_an_edit_that_arrives_before_its_order_makes_the_order_and_is_not_undone(town: Town) -> None:
    shop, partner = await town.connect("shopify"), await town.partner()
    await town.say(shop, "orders-updated.before_create")
    before = await town.order()
    assert partner.told()[:2] == ["order.created", "order.confirmed"]
    await town.say(shop, "orders-create.after_update")

    after = await town.order()
    assert partner.told() == []
    assert after["source_revision"] == before["source_revision"] == "2026-03-14T10:02:40.000Z"
    assert (after["version"], after["sequence"]) == (before["version"], before["sequence"])
    assert await town.statuses() == ["processed", "processed"], "what came late is kept and counted"


async def test_a_duplicate_is_answered_well_and_changes_nothing(town: Town) -> None:
    shop, partner = await town.connect("shopify"), await town.partner()
    await town.say(shop, "orders-create.plain")
    partner.take()
    again = await town.push(shop, "orders-create.plain")
    await town.hub.settle()

    assert (again.status, again.json()) == (200, {"status": "duplicate"})
    assert len(await town.messages()) == 1
    assert partner.got == []
    assert town.hub.metrics.messages.labels("main", shop.id, "duplicate")._value.get() == 1


async def test_the_same_words_under_another_delivery_id_change_nothing_either(town: Town) -> None:
    shop, partner = await town.connect("shopify"), await town.partner()
    await town.say(shop, "orders-create.plain")
    partner.take()
    await town.say(shop, changed(town.fixture("shopify", "orders-create.plain"), key="sent-again"))

    assert len(await town.messages()) == 2
    assert partner.got == []
    assert (await town.order())["version"] == 1


async def test_two_of_the_same_at_the_same_moment_are_one(town: Town) -> None:
    shop = await town.connect("shopify")
    answers = await asyncio.gather(*[town.push(shop, "orders-create.plain") for _ in range(8)])

    assert sorted(answer.status for answer in answers) == [200] * 7 + [202]
    assert len(await town.messages()) == 1


async def test_a_forged_message_is_refused_and_nothing_is_stored(town: Town) -> None:
    shop = await town.connect("shopify")
    honest = town.signed(shop, town.fixture("shopify", "orders-create.plain"))
    for forged in (
        msgspec.structs.replace(honest, body=honest.body.replace(b"LL-2041", b"LL-2099")),
        msgspec.structs.replace(
            honest, headers=Headers([two for two in honest.headers.pairs if "hmac" not in two[0]])
        ),
        town.fixture("shopify", "orders-create.plain"),
    ):
        answer = await knock(town.hub.intake, forged, f"/in/{shop.key}")
        assert answer.status == 401
    await town.hub.settle()

    assert await town.messages() == []
    assert await town.orders() == []
    assert town.hub.metrics.messages.labels("main", shop.id, "forged")._value.get() == 3


async def test_an_address_that_nobody_has_is_not_found(town: Town) -> None:
    await town.connect("shopify")
    for path in ("/in/nobody", "/in/", "/in/nobody/orders"):
        assert (await knock(town.hub.intake, Message(body=b"{}"), path)).status == 404


async def test_a_connection_may_be_addressed_by_its_name_where_its_proof_signs_the_body(town: Town) -> None:
    shop = await town.connect("shopify", name="lantern")
    closed = await town.connect("shopify", name="closed", by_name=False, account="other.myshopify.com")
    message = town.signed(shop, town.fixture("shopify", "orders-create.plain"))

    assert (await knock(town.hub.intake, message, "/in/lantern")).status == 202
    assert (await knock(town.hub.intake, message, f"/in/{closed.name}")).status == 404


async def test_more_than_the_cap_is_refused_in_one_piece_or_in_many(town: Town) -> None:
    shop = await town.connect("shopify")
    cap = town.hub.registry.channel("shopify").cap
    large = msgspec.structs.replace(town.fixture("shopify", "orders-create.plain"), body=b" " * (cap + 1))

    assert (await town.push(shop, large)).status == 413
    assert (await town.push(shop, large, chunks=64)).status == 413
    claimed = msgspec.structs.replace(large, body=b"{}", headers=Headers([("content-length", str(cap + 1))]))
    assert (await knock(town.hub.intake, claimed, f"/in/{shop.key}")).status == 413
    assert await town.messages() == []
    assert (await town.push(shop, "orders-create.plain", chunks=50)).status == 202, (
        "and the door is open again"
    )


def zipped(message: Message, body: bytes) -> Message:
    """A message as a sender that compresses sends it."""
    return msgspec.structs.replace(
        message, body=body, headers=Headers([*message.headers.pairs, ("content-encoding", "gzip")])
    )


async def test_a_gzip_body_is_read_as_what_is_in_it(town: Town) -> None:
    shop = await town.connect("shopify")
    honest = town.signed(shop, town.fixture("shopify", "orders-create.plain"))
    answer = await knock(town.hub.intake, zipped(honest, gzip.compress(honest.body)), f"/in/{shop.key}")
    await town.hub.settle()

    assert answer.status == 202
    assert (await town.order())["number"] == "LL-2041"


async def test_a_gzip_body_of_several_parts_is_read_whole(town: Town) -> None:
    shop = await town.connect("shopify")
    honest = town.signed(shop, town.fixture("shopify", "orders-create.plain"))
    parts = gzip.compress(honest.body[:2000]) + gzip.compress(honest.body[2000:])

    assert (await knock(town.hub.intake, zipped(honest, parts), f"/in/{shop.key}")).status == 202


async def test_a_small_body_that_inflates_beyond_the_cap_is_refused(town: Town) -> None:
    shop = await town.connect("shopify")
    cap = town.hub.registry.channel("shopify").cap
    bomb = gzip.compress(b"0" * (cap * 40))
    assert len(bomb) < cap
    honest = town.signed(shop, town.fixture("shopify", "orders-create.plain"))

    assert (await knock(town.hub.intake, zipped(honest, bomb), f"/in/{shop.key}")).status == 413
    many = gzip.compress(b"0" * (cap // 2)) * 3
    assert (await knock(town.hub.intake, zipped(honest, many), f"/in/{shop.key}")).status == 413


@pytest.mark.parametrize("body", [b"not gzip at all", gzip.compress(b'{"id": 1}' * 100, mtime=0)[:-20]])
async def test_what_claims_to_be_gzip_and_is_not_is_judged_as_it_came(town: Town, body: bytes) -> None:
    shop = await town.connect("shopify")
    raw = msgspec.structs.replace(town.fixture("shopify", "orders-create.plain"), body=body)
    answer = await knock(town.hub.intake, zipped(town.signed(shop, raw), body), f"/in/{shop.key}")
    await town.hub.settle()

    assert answer.status == 202, "the proof holds over the bytes that came"
    assert await town.statuses() == ["failed"]
    rows = await town.hub.engine.fetch("messages_get", tenant="main", id=(await town.messages())[0][1])
    assert bytes(rows[0][7]) == body


async def test_a_topic_that_nobody_reads_is_kept_and_counted(town: Town) -> None:
    shop = await town.connect("shopify")
    answer = await town.push(
        shop, changed(town.fixture("shopify", "orders-create.plain"), topic="orders/sung")
    )
    await town.hub.settle()

    assert answer.status == 202
    assert await town.statuses() == ["ignored"]
    assert await town.orders() == []
    assert await town.exceptions() == []
    assert town.hub.metrics.messages.labels("main", shop.id, "ignored")._value.get() == 1


async def test_a_paused_connection_asks_its_sender_to_come_again(town: Town) -> None:
    shop = await town.connect("shopify", status="paused")
    answer = await town.push(shop, "orders-create.plain")

    assert answer.status == 503
    assert "retry-after" in answer.headers


async def test_one_order_speaks_one_shape_whoever_told_it(town: Town) -> None:
    shop = await town.connect("shopify")
    await town.say(shop, "orders-create.plain")
    (row,) = await town.hub.engine.fetch("orders_of_ref", [(f"shopify:{shop.account}",)], tenant="main", ref=ORDER, after=0,
                                         number="", state="", connection="", updated_after=0, most=10)  # fmt: skip

    assert json.loads(bytes(row[10]))["ref"] == ORDER

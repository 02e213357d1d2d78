"""Customers are told: by rules, once, in order, on the order's own thread, and what came of it is part of the order."""

from __future__ import annotations

import asyncio
from urllib.parse import parse_qsl

import msgspec
import pytest

from hub.contract.fact import Redaction
from hub.outbound.notify.teller import SCHEDULE
from hub.outbound.sender import Answer
from hub.repair.redact import redact
from hub.store.engine import Unavailable
from tests.notify.counter import LI, Counter, counter
from tests.notify.receivers import far_side, postbox
from tests.outbound.desk import Script, on_one_engine, put, turns


async def told(hub, box, **more) -> Counter:
    """A counter whose mail account stands, and whose rules tell of receipt and shipping."""
    c = await counter(hub)
    mail = await c.mail(box.port, **more)
    await c.rule(mail, "order.created", "received")
    await c.rule(mail, "shipment.shipped", "shipped")
    return c


async def test_nothing_is_said_until_a_rule_says_so(hub):
    c = await counter(hub)
    async with postbox() as box:
        await c.mail(box.port)
        await c.order()
        await hub.settle()

    assert box.mails == []


async def test_a_customer_hears_of_receipt_and_shipping_on_one_thread(hub):
    async with postbox() as box:
        c = await told(hub, box)
        order = await c.order()
        await hub.settle()
        await c.shipment()
        await hub.settle()

    first, second = box.mails
    assert first["Subject"] == "We have received your order 1001"
    assert "Dear Ada Byron" in first.get_body(("plain",)).get_content()
    assert "2 × Lamp & Co" in first.get_body(("plain",)).get_content()
    assert "Total: 19.90 EUR" in first.get_body(("plain",)).get_content()
    assert "2 × Lamp &amp; Co" in first.get_body(("html",)).get_content()
    assert "DHL 00340434161094042557" in second.get_body(("plain",)).get_content()
    assert second["In-Reply-To"] == first["Message-ID"]
    assert second["References"].split() == [first["In-Reply-To"], first["Message-ID"]]
    assert hub.marks.order_of(second["Reply-To"].addresses[0].addr_spec) == order


async def test_each_notice_is_told_of_as_requested_and_sent_and_stands_in_the_order(hub):
    async with postbox() as box:
        c = await told(hub, box)
        order = await c.order()
        await hub.settle()

    doc = await c.doc(order)
    (one,) = doc["notifications"]
    assert [event for event in await c.events(order) if event.startswith("notification")] == [
        "notification.requested", "notification.sent",
    ]  # fmt: skip
    assert (one["status"], one["medium"], one["event"], one["template"]) == (
        "sent", "mail", "order.created", "received",
    )  # fmt: skip
    assert one["number"] == box.mails[0]["Message-ID"]
    assert await c.deliveries() == [("delivered", *row[1:]) for row in await c.deliveries()]
    rows = await hub.engine.fetch("events_of_order", tenant="main", order_id=order, after=0, most=100)
    asked, sent = (
        msgspec.json.decode(row[6].replace(b"\0", b"{}")) for row in rows if row[3].startswith("notif")
    )
    assert asked["subject"] == sent["subject"] == {"type": "notification", "id": one["id"]}
    assert asked["changes"][0]["to"]["event"] == "order.created"


async def test_a_chinese_customer_is_told_in_chinese(hub):
    async with postbox() as box:
        c = await told(hub, box)
        await c.order(buyer=LI)
        await hub.settle()

    assert box.mails[0]["Subject"] == "已收到您的订单 1001"
    assert "李雷，您好" in box.mails[0].get_body(("plain",)).get_content()


async def test_test_orders_history_and_observed_shops_are_silent(hub):
    async with postbox() as box:
        c = await told(hub, box)
        await c.order("1", test=True)
        await put(hub, msgspec.structs.replace(c.shop, mode="observe"))
        await c.order("2")
        await put(hub, msgspec.structs.replace(c.shop, cutover_at=hub.world.now()))
        await c.order("3")
        await hub.settle()

    assert box.mails == []


async def test_nobody_is_told_without_an_address_or_where_it_is_masked(hub):
    async with postbox() as box:
        c = await told(hub, box)
        await c.order("1", buyer={"name": "Ada"})
        await c.order("2", buyer={"name": "A**", "email": "a**@e**.com", "masked": True})
        await hub.settle()

    assert box.mails == []


async def test_consent_and_predicate_both_have_to_hold(hub):
    async with postbox() as box:
        c = await counter(hub)
        mail = await c.mail(box.port)
        await c.rule(
            mail, "order.created", "received", predicate="data.channel == 'online'",
            consent="data.attributes.tell_me == 'yes'",
        )  # fmt: skip
        await c.order("1", channel="online")
        await c.order("2", channel="online", attributes={"tell_me": "yes"})
        await c.order("3", channel="phone", attributes={"tell_me": "yes"})
        await hub.settle()

    assert [mail["Subject"][-1] for mail in box.mails] == ["2"]


async def test_a_person_who_wants_to_hear_no_more_is_told_nothing(hub):
    async with postbox() as box:
        c = await told(hub, box)
        await hub.teller._stop("main", "smtp", "ADA@example.com", "asked by phone")
        order = await c.order()
        await hub.settle()

    assert box.mails == []
    (one,) = (await c.doc(order))["notifications"]
    assert (one["status"], one["reason"]) == ("failed", "this person wants to hear no more")


async def test_a_person_who_is_forgotten_before_the_mail_goes_out_is_told_nothing(hub):
    async with postbox() as box:
        c = await told(hub, box)
        await c.order()
        await redact(hub, "main", Redaction(email="ada@example.com"), apply=True)
        await hub.settle()

    assert box.mails == []


async def test_a_server_that_is_down_for_an_hour_costs_no_mail_and_no_order_of_them(hub):
    async with postbox() as box:
        c = await told(hub, box)
    await c.order()
    await c.shipment()
    for _ in range(12):
        await hub.settle()
        hub.world.move(300)
        await hub.deliver.unblock()
    async with postbox(port=box.port) as again:
        for _ in range(3):
            await hub.settle()
            hub.world.move(4000)

    assert [mail["Subject"] for mail in again.mails] == [
        "We have received your order 1001", "Your order 1001 is on its way",
    ]  # fmt: skip


async def test_a_recipient_that_is_refused_is_a_dead_letter_with_its_reason(hub):
    async with postbox() as box:
        c = await told(hub, box)
        box.says["ada@example.com"] = "550 no such person"
        order = await c.order()
        await hub.settle()

    (one,) = (await c.doc(order))["notifications"]
    assert (one["status"], one["reason"]) == ("failed", "550 no such person")
    assert "notification.failed" in await c.events(order)
    assert "dead" in [row[0] for row in await c.deliveries()]


@on_one_engine
async def test_a_notice_fails_for_good_when_its_schedule_has_run_out(hub):
    async with postbox() as box:
        c = await told(hub, box)
        box.says["ada@example.com"] = "451 come back"
        order = await c.order()
        for _ in range(len(SCHEDULE) + 2):
            await hub.settle()
            hub.world.move(50_000)

    assert (await c.doc(order))["notifications"][0]["status"] == "failed"
    assert (await c.deliveries())[0][0] == "dead"


async def test_a_mail_whose_sending_was_not_settled_is_not_sent_again(hub, monkeypatch):
    async with postbox() as box:
        c = await told(hub, box)
        settle = hub.deliver.settler.settle

        async def away(_):
            raise Unavailable("the store is away")

        monkeypatch.setattr(hub.deliver.settler, "settle", away)
        order = await c.order()
        await hub.deliver.step()
        monkeypatch.setattr(hub.deliver.settler, "settle", settle)
        for _ in range(3):
            await hub.settle()
            hub.world.move(120)

    assert len(box.mails) == 1
    assert [row[0] for row in await c.deliveries()] == ["delivered"]
    assert (await c.events(order)).count("notification.sent") == 1


@on_one_engine
async def test_a_notice_that_is_redelivered_by_hand_goes_out_again_under_its_name(hub):
    async with postbox() as box:
        c = await told(hub, box)
        await c.order()
        await hub.settle()
        (position,) = [
            row[0] for row in await hub.engine.fetch("deliveries_list", tenant="main", after=0, most=10, target="",
                                                     status="", event="", order_id="")
        ]  # fmt: skip

        async def work(unit):
            unit.add("deliveries_again", tenant="main", position=position, now=hub.world.now())

        await hub.engine.transact(work)
        hub.world.move(60)
        await hub.settle()

    assert len({mail["Message-ID"] for mail in box.mails}) == 1
    assert len(box.mails) == 2


@on_one_engine
async def test_a_mails_order_is_answered_on_the_thread_it_came_by(hub):
    async with postbox() as box:
        c = await told(hub, box)
        raw = b"From: ada@example.com\r\nMessage-ID: <po-7@buyer.example>\r\nSubject: PO 7\r\n\r\nMessage-ID: <evil@x>\r\n"
        order = await c.order(channel="email", confirmed=None)
        rows = await hub.engine.fetch("facts_of_order", tenant="main", order_id=order)

        async def work(unit):
            place = await unit.positions(1)
            unit.add("messages_add", [(place, "msg_mail", "main", c.shop.id, "email", "mail", "k", b"{}", raw,
                                       "processed", hub.world.now(), 0)])  # fmt: skip

        await hub.engine.transact(work)
        monkey = hub.engine.fetch

        async def fetch(name, rows_=None, /, **params):
            if name == "facts_of_order":
                return [(rows[0][0], "msg_mail", *rows[0][2:])]
            return await monkey(name, rows_, **params)

        hub.engine.fetch = fetch
        await hub.settle()
        hub.engine.fetch = monkey

    assert box.mails[0]["In-Reply-To"] == "<po-7@buyer.example>"


@on_one_engine
async def test_an_sms_carries_its_template_and_variables(hub):
    c = await counter(hub)
    async with far_side(lambda _: (200, {"Code": "OK", "BizId": "932^0"})) as far:
        account = await c.notifier(
            "aliyun_sms", access_key_id="id", access_key_secret="k", sign_name="灯笼", base_url=far.url
        )
        await c.rule(
            account, "order.created", "received", code="SMS_77",
            params={"no": "data.number", "sum": "words.total"},
        )  # fmt: skip
        order = await c.order(buyer=LI)
        await hub.settle()

    fields = dict(parse_qsl(far.asked[0].body.decode()))
    assert (fields["TemplateCode"], fields["PhoneNumbers"]) == ("SMS_77", "13000000000")
    assert msgspec.json.decode(fields["TemplateParam"]) == {"no": "1001", "sum": "19.90 EUR"}
    assert (await c.doc(order))["notifications"][0]["number"] == "sms:aliyun_sms:932^0"


@on_one_engine
async def test_a_template_that_cannot_be_filled_holds_up_no_other_notice(hub):
    async with postbox() as box:
        c = await counter(hub)
        mail = await c.mail(box.port)
        await c.rule(mail, "order.created", "no-such")
        await c.rule(mail, "order.confirmed", "confirmed")
        for number in range(8):
            await c.order(str(number))
        for _ in range(20):
            await hub.settle()
            hub.world.move(300)
            await hub.deliver.unblock()

    assert len(box.mails) == 8


@on_one_engine
async def test_a_variable_that_an_order_has_no_fit_value_of_is_a_dead_letter_with_its_reason(hub):
    c = await counter(hub)
    async with far_side(lambda _: (200, {"Code": "OK", "BizId": "932^0"})) as far:
        account = await c.notifier(
            "aliyun_sms", access_key_id="id", access_key_secret="k", sign_name="灯笼", base_url=far.url
        )
        await c.rule(
            account, "order.created", "received", code="SMS_77", params={"no": "data.number | datetime"}
        )
        await c.order(buyer=LI)
        await asyncio.wait_for(hub.settle(), 30)

    assert far.asked == []
    rows = await hub.engine.fetch("deliveries_list", tenant="main", after=0, most=9, target="", status="dead",
                                  event="", order_id="")  # fmt: skip
    assert len(rows) == 1


@on_one_engine
async def test_a_redacted_order_keeps_no_words_of_a_mail_server(hub):
    async with postbox() as box:
        c = await told(hub, box)
        box.says["ada@example.com"] = "550 no ada@example.com here"
        order = await c.order()
        await hub.settle()
        await redact(hub, "main", Redaction(email="ada@example.com"), apply=True)

    doc = await c.doc(order)
    assert doc["notifications"][0]["status"] == "failed"
    assert "ada@" not in str(doc)


async def _texting(hub, says) -> tuple[Counter, Script]:
    """A counter that tells of receipt by SMS, and the provider's answers."""
    c = await counter(hub)
    account = await c.notifier(
        "aliyun_sms",
        access_key_id="id",
        access_key_secret="k",
        sign_name="灯笼",
        base_url="https://sms.example",
    )
    await c.rule(account, "order.created", "received", code="SMS_77", params={"no": "data.number"})
    hub.teller.notifiers.sender = script = Script(says)
    return c, script


SENT = Answer(status=200, body=b'{"Code": "OK", "BizId": "932^0"}')


@on_one_engine
@pytest.mark.parametrize(
    "answer",
    [Answer(error="timeout"), Answer(error="reset"), Answer(status=502), Answer(status=200, body=b"<html>")],
    ids=["timeout", "reset", "gateway", "garbage"],
)
async def test_an_sms_that_may_have_gone_out_is_not_sent_twice_and_a_person_is_told(hub, answer):
    c, script = await _texting(hub, turns(answer, SENT))
    order = await c.order(buyer=LI)
    for _ in range(20):
        await hub.settle()
        hub.world.move(300)

    assert len(script.posts) == 1
    assert [row[0] for row in await c.deliveries()] == ["dead"]
    (one,) = (await c.doc(order))["notifications"]
    assert (one["status"], one["reason"][:20]) == ("failed", "it may have gone out")
    rows = await hub.engine.fetch("exceptions_list", tenant="main", after=0, state="open", most=9)
    assert ["is not known" in msgspec.json.decode(bytes(row[8]))["title"] for row in rows] == [True]


async def test_an_sms_during_which_the_hub_died_is_not_sent_twice(hub):
    def died(_):
        raise Unavailable("nothing was heard of this attempt again")

    c, script = await _texting(hub, died)
    await c.order(buyer=LI)
    await hub.deliver.step()
    script.says = SENT
    for _ in range(20):
        await hub.settle()
        hub.world.move(300)

    assert len(script.posts) == 1
    assert [row[0] for row in await c.deliveries()] == ["dead"]


@on_one_engine
async def test_an_sms_whose_provider_nobody_could_dial_goes_out_later_once(hub):
    c, script = await _texting(
        hub, turns(Answer(error="connect"), Answer(error="timeout", begun=False), Answer(status=503), SENT)
    )
    order = await c.order(buyer=LI)
    for _ in range(20):
        await hub.settle()
        hub.world.move(300)

    assert len(script.posts) == 4
    assert (await c.doc(order))["notifications"][0]["status"] == "sent"
    assert await hub.engine.fetch("memories_all", owner="sms", now=hub.world.now()) == []

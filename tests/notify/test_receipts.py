"""What SMS providers report of a notice finds its order: late, early, twice, or of none of ours."""

from __future__ import annotations

import msgspec
import pytest

from hub.contract.given import read_settings
from hub.contract.message import Headers, Message
from hub.contract.proof import Stamp
from hub.directory import Connection, seal_settings
from hub.run import open_hub
from hub.world import World
from tests.notify.counter import LI, Counter, counter
from tests.notify.receivers import far_side
from tests.outbound.desk import on_one_engine, put
from tests.path.town import knock

BIZ = "118500200300400500^0"


def report(success: bool = True, at: str = "2026-01-01 08:00:05", biz: str = BIZ) -> bytes:
    code = "DELIVERED" if success else "MK:0012"
    return msgspec.json.encode([{"phone_number": "13000000000", "report_time": at, "success": success, "err_code": code,
                                 "biz_id": biz, "out_id": "x"}])  # fmt: skip


async def aliyun(hub, far, tenant: str = "main") -> tuple[Counter, Connection]:
    """A counter that tells by 阿里云短信, and the connection that takes its receipts."""
    c = await counter(hub)
    account = await c.notifier(
        "aliyun_sms", access_key_id="id", access_key_secret="k", sign_name="灯笼", base_url=far.url
    )
    await c.rule(account, "order.created", "received", code="SMS_1")
    door = Connection(
        id="con_sms", name="sms", channel="aliyun_sms", key="key-sms", sweep=False, tenant=tenant
    )
    await put(hub, door)
    return c, door


def sent(_):
    return 200, {"Code": "OK", "BizId": BIZ}


async def take(hub, body: bytes) -> dict:
    message = Message(body=body, method="POST", headers=Headers({"content-type": "application/json"}))
    answer = await knock(hub.intake, message, "/in/key-sms")
    assert answer.status == 200
    await hub.settle()
    return answer.json()


async def test_a_receipt_makes_a_notice_delivered(hub):
    async with far_side(sent) as far:
        c, _ = await aliyun(hub, far)
        order = await c.order(buyer=LI)
        await hub.settle()
        answer = await take(hub, report())
        await take(hub, report())

    assert answer == {"code": 0, "msg": "接收成功"}
    (one,) = (await c.doc(order))["notifications"]
    assert one["status"] == "delivered"
    told = [event for event in await c.events(order) if event.startswith("notification")]
    assert told == ["notification.requested", "notification.sent", "notification.delivered"]


async def test_a_receipt_of_a_failure_brings_its_reason(hub):
    async with far_side(sent) as far:
        c, _ = await aliyun(hub, far)
        order = await c.order(buyer=LI)
        await hub.settle()
        await take(hub, report(success=False))

    (one,) = (await c.doc(order))["notifications"]
    assert (one["status"], one["reason"]) == ("failed", "MK:0012")
    assert (await c.events(order))[-1] == "notification.failed"


async def test_a_receipt_that_is_faster_than_our_own_record_waits_for_it(hub):
    async with far_side(sent) as far:
        c, _ = await aliyun(hub, far)
        await take(hub, report())
        order = await c.order(buyer=LI)
        await hub.settle()

    (one,) = (await c.doc(order))["notifications"]
    assert one["status"] == "delivered"
    assert "notification.delivered" in await c.events(order)


async def test_a_receipt_of_none_of_ours_changes_no_order_and_makes_none(hub):
    async with far_side(sent) as far:
        c, _ = await aliyun(hub, far)
        order = await c.order(buyer=LI)
        await hub.settle()
        await take(hub, report(biz="999^0"))

    assert (await c.doc(order))["notifications"][0]["status"] == "sent"
    rows = await hub.engine.fetch(
        "orders_list", tenant="main", after=0, state="", connection="", updated_after=0, most=10
    )
    assert len(rows) == 1


async def test_a_receipt_of_another_tenant_reaches_no_order_of_this_one(hub):
    async with far_side(sent) as far:
        c, _ = await aliyun(hub, far, tenant="second")
        order = await c.order(buyer=LI)
        await hub.settle()
        await take(hub, report())

    assert (await c.doc(order))["notifications"][0]["status"] == "sent"


@on_one_engine
@pytest.mark.parametrize("forged", [False, True])
async def test_twilio_asks_for_receipts_and_only_signed_ones_count(config, forged):
    public = msgspec.structs.replace(config, public_url="https://hub.example")
    async with open_hub(public, World.still()) as hub, far_side(lambda _: (201, {"sid": "SM5"})) as far:
        c = await counter(hub)
        settings = read_settings(hub.registry.channel("twilio_sms").settings, {"webhook_secret": "tok"})
        door = Connection(id="con_tw", name="tw", channel="twilio_sms", key="key-tw", sweep=False,
                          settings=seal_settings(settings, hub.vault, "con_tw"))  # fmt: skip
        await put(hub, door)
        account = await c.notifier(
            "twilio_sms",
            account_sid="AC1",
            auth_token="tok",
            sender="+1500",
            connection="tw",
            base_url=far.url,
        )
        await c.rule(account, "order.created", "received")
        order = await c.order()
        await hub.settle()
        assert b"StatusCallback=https%3A%2F%2Fhub.example%2Fin%2Fkey-tw" in far.asked[0].body

        message = Message(body=b"MessageSid=SM5&MessageStatus=delivered", method="POST", url="https://hub.example/in/key-tw",
                          headers=Headers({"content-type": "application/x-www-form-urlencoded"}))  # fmt: skip
        signed = (
            hub.registry.channel("twilio_sms")
            .proof_for(settings)
            .sign(message, settings, Stamp(now=0, nonce="", id=""))
        )
        if forged:
            signed = msgspec.structs.replace(signed, body=signed.body.replace(b"delivered", b"failed"))
        answer = await knock(hub.intake, signed, "/in/key-tw")
        await hub.settle()

        assert answer.status == (401 if forged else 202), answer
        assert (await c.doc(order))["notifications"][0]["status"] == ("sent" if forged else "delivered")

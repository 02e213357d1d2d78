"""Parcels of 快递100: a shipment is subscribed to at a far side that listens, its pushes move the order, one without a
signature is asked about, and the exact reply is what the far side hears."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from itertools import permutations
from typing import Any
from urllib.parse import parse_qs, urlencode

import pytest

from adapters.kuaidi100 import api
from hub.contract.message import Headers, Message
from hub.directory import Connection
from tests.path.town import Town, knock, served

CREATE, SHIPPED = "orders-create.plain", "fulfillments-create.plain"
NUMBER = "SF8800110033009"
TAKEN = {"result": True, "returnCode": "200", "message": "成功"}


@dataclass
class Kuaidi:
    """The far side: takes subscriptions, answers queries, checks their signs."""

    subscribed: list[dict[str, Any]] = field(default_factory=list)
    asked: list[dict[str, Any]] = field(default_factory=list)
    code: str = "200"
    known: dict[str, Any] = field(default_factory=dict)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        event = await receive()
        form = {name: values[0] for name, values in parse_qs(event["body"].decode()).items()}
        param = json.loads(form["param"])
        told: dict[str, Any] = {"result": self.code == "200", "returnCode": self.code, "message": "…"}
        if scope["path"] == "/poll":
            self.subscribed.append(param)
        else:
            assert form["sign"] == api.sign(form["param"], "KEY", "CUST")
            self.asked.append(param)
            told = self.known or {"result": False, "returnCode": "500", "message": "查询无结果"}
        body = json.dumps(told).encode()
        headers = [(b"content-length", b"%d" % len(body)), (b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})


@pytest.fixture
async def far(town: Town) -> tuple[Kuaidi, str]:
    """It, on an address of this machine."""
    one = Kuaidi()
    return one, await town.stack.enter_async_context(served(one))


async def watched(town: Town, url: str, *, salt: str | None = "SALT") -> Connection:
    """A connection that can do all."""
    settings = {"api_key": "KEY", "customer": "CUST", "base_url": url, "webhook_secret": salt, "sender_phone": "9999",
                "callback_url": "http://push.example/in/k"}  # fmt: skip
    return await town.connect(
        "kuaidi100", settings={name: value for name, value in settings.items() if value}
    )


async def shipped(town: Town) -> None:
    """A shop whose parcel has our number."""
    shop = await town.connect("shopify")
    message = town.fixture("shopify", SHIPPED)
    body = json.loads(message.body) | {
        "tracking_number": NUMBER, "tracking_numbers": [NUMBER], "tracking_company": "SF Express",
    }  # fmt: skip
    parcel = Message(body=json.dumps(body).encode(), headers=message.headers)
    await town.say(shop, CREATE, parcel)


def news(state: str, *scans: tuple[str, str, str], status: str = "polling") -> Message:
    """A push, its scans newest first."""
    data = [{"ftime": time, "context": text, "statusCode": code} for time, code, text in scans]
    told = {"status": status, "lastResult": {"nu": NUMBER, "com": "shunfeng", "state": state, "data": data}}
    headers = Headers({"content-type": "application/x-www-form-urlencoded"})
    return Message(body=urlencode({"param": json.dumps(told, ensure_ascii=False)}).encode(), headers=headers)


def status(order: dict[str, Any]) -> str:
    """What the parcel's tracking says."""
    return str(order["shipments"][0]["packages"][0].get("tracking", {}).get("status", ""))


async def test_a_shipment_is_subscribed_to_once_and_its_pushes_move_the_order(
    town: Town, far: tuple[Kuaidi, str]
) -> None:
    kuaidi, url = far
    connection = await watched(town, url)
    partner = await town.partner(events=["shipment.*"])
    await shipped(town)

    assert {one["number"] for one in kuaidi.subscribed} == {NUMBER}
    assert kuaidi.subscribed[0]["company"] == "shunfeng"
    assert kuaidi.subscribed[0]["parameters"]["callbackurl"] == "http://push.example/in/k"
    partner.take()
    got, out = ("2026-03-15 20:00:00", "103", "已揽收"), ("2026-03-16 08:00:00", "5", "派件中")
    home = ("2026-03-16 10:00:00", "301", "本人签收")
    late = news("5", out, got)
    for message in (news("1", got), news("3", home, out, got, status="shutdown"), late):
        answer = await town.push(connection, message)
        assert (answer.status, answer.json()) == (200, TAKEN)
        assert answer.body.decode() == '{"result":true,"returnCode":"200","message":"成功"}'
        await town.hub.settle()
    again = await town.push(connection, late)

    assert (again.status, again.json()) == (200, TAKEN)
    order = await town.order()
    assert status(order) == "delivered"
    assert order["shipments"][0]["packages"][0]["tracking"]["state"] == "stopped"
    assert "shipment.delivered" in partner.told()
    assert await town.exceptions() == []


async def test_what_is_sent_back_and_signed_for_by_its_sender_is_never_delivered(
    town: Town, far: tuple[Kuaidi, str]
) -> None:
    connection = await watched(town, far[1])
    partner = await town.partner(events=["shipment.*"])
    await shipped(town)
    await town.say(
        connection, news("4", ("2026-03-17 10:00:00", "4", "退签"), ("2026-03-16 10:00:00", "14", "拒签"), status="shutdown")
    )  # fmt: skip

    assert status(await town.order()) == "returned"
    told = partner.told()
    assert "shipment.delivered" not in told
    assert "shipment.returned" in told


async def test_a_forged_push_hears_no_and_changes_nothing(town: Town, far: tuple[Kuaidi, str]) -> None:
    connection = await watched(town, far[1])
    message = news("3", ("2026-03-16 10:00:00", "301", "签收"))
    answer = await knock(town.hub.intake, message, f"/in/{connection.key}")

    assert (answer.status, answer.json()["result"]) == (401, False)
    assert await town.messages() == []


async def test_a_subscription_that_stands_already_counts_as_done(town: Town, far: tuple[Kuaidi, str]) -> None:
    kuaidi, url = far
    kuaidi.code = "501"
    await watched(town, url)
    await shipped(town)

    assert kuaidi.subscribed
    assert await town.exceptions() == []
    rows = await town.hub.engine.fetch(
        "memories_all", owner=f"state:{await only(town)}", now=town.hub.world.now()
    )
    assert [row[0] for row in rows] == [f"watch/shunfeng:{NUMBER}"]


async def only(town: Town) -> str:
    """The id of the tracker's connection."""
    return next(one.id for one in town.hub.directory.all(Connection) if one.channel == "kuaidi100")


async def test_a_parcel_that_was_subscribed_to_is_asked_for_until_it_is_home(
    town: Town, far: tuple[Kuaidi, str]
) -> None:
    kuaidi, url = far
    connection = await watched(town, url)
    await shipped(town)
    assert await town.hub.sweeper.sweep(connection) == 1
    assert kuaidi.asked == []
    kuaidi.known = {
        "message": "ok", "status": "200", "nu": NUMBER, "com": "shunfeng", "state": "3", "ischeck": "1",
        "data": [{"ftime": "2026-03-16 10:00:00", "context": "签收", "statusCode": "301"}],
    }  # fmt: skip
    town.hub.world.move(13 * 3600)
    assert await town.hub.sweeper.sweep(connection) == 1
    await town.hub.settle()

    assert [one["num"] for one in kuaidi.asked] == [NUMBER]
    assert kuaidi.asked[0]["phone"]
    assert status(await town.order()) == "delivered"
    town.hub.world.move(13 * 3600)
    await town.hub.sweeper.sweep(connection)
    assert len(kuaidi.asked) == 1


async def test_a_push_without_a_signature_is_only_a_hint_and_the_parcel_is_asked_for(
    town: Town, far: tuple[Kuaidi, str]
) -> None:
    kuaidi, url = far
    connection = await watched(town, url, salt=None)
    await shipped(town)
    assert "salt" not in kuaidi.subscribed[0]["parameters"]
    kuaidi.known = {
        "message": "ok", "status": "200", "nu": NUMBER, "com": "shunfeng", "state": "5", "ischeck": "0",
        "data": [{"ftime": "2026-03-16 08:00:00", "context": "派件", "statusCode": "5"}],
    }  # fmt: skip
    town.hub.world.move(3600)
    answer = await knock(
        town.hub.intake, news("3", ("2026-03-16 10:00:00", "301", "签收")), f"/in/{connection.key}"
    )
    await town.hub.settle()
    await town.hub.sweeper.step()
    await town.hub.settle()

    assert answer.json() == TAKEN
    assert [one["num"] for one in kuaidi.asked] == [NUMBER]
    assert status(await town.order()) == "out_for_delivery"


async def test_pushes_in_any_order_end_in_one_journey(town: Town, far: tuple[Kuaidi, str]) -> None:
    connection = await watched(town, far[1])
    got, leaves = ("2026-03-15 20:00:00", "103", "已揽收"), ("2026-03-16 02:00:00", "1002", "已发出")
    comes, home = ("2026-03-16 02:00:00", "1001", "已到达"), ("2026-03-16 10:00:00", "301", "本人签收")
    told = [("1", [got]), ("0", [comes, leaves, got]), ("3", [home, comes, leaves, got])]
    shop = await town.connect("shopify")
    await town.say(shop, CREATE)
    ends = []
    for turn, order in enumerate(permutations(told)):
        number = f"SF77000{turn}"
        shipment = json.loads(town.fixture("shopify", SHIPPED).body) | {
            "id": 7_000 + turn, "tracking_number": number, "tracking_numbers": [number], "tracking_company": "SF Express",
        }  # fmt: skip
        headers = town.fixture("shopify", SHIPPED).headers
        pairs = [pair for pair in headers.pairs if pair[0] != "x-shopify-webhook-id"]
        mine = Headers([*pairs, ("x-shopify-webhook-id", f"turn-{turn}")])
        await town.say(shop, Message(body=json.dumps(shipment).encode(), headers=mine))
        for state, scans in order:
            message = news(state, *scans, status="shutdown" if state == "3" else "polling")
            body = message.body.replace(NUMBER.encode(), number.encode())
            await town.say(connection, Message(body=body, headers=message.headers))
        packages = [one["packages"][0] for one in (await town.order())["shipments"]]
        found = next(one["tracking"] for one in packages if one["tracking_number"] == number)
        ends.append([found["status"], found["state"], [scan["text"] for scan in found["scans"]]])

    assert ends == [["delivered", "stopped", ["已揽收", "已发出", "已到达", "本人签收"]]] * 6

"""A WooCommerce shop the whole way: it pushes, is read, is told of shipments, and echoes what it was told."""

from __future__ import annotations

import contextlib
import json
import random
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import msgspec
import pytest

from hub.config import Config
from hub.contract.errors import Rejected
from hub.contract.fact import Fact
from hub.contract.message import Headers, Message
from hub.directory import Connection
from hub.fixtures import RECEIVED_AT
from hub.inbound.hear import hear
from hub.inbound.report import Call
from hub.orders import registers
from hub.orders.compose import compose
from hub.orders.registers import Said
from hub.registry import load_registry
from hub.run import open_hub
from hub.world import World
from tests.path.town import DHL, Town, knock, served

ROUTE = "/wp-json/wc-shipment-tracking/v3/orders/5107/shipment-trackings"
NUMBERS = "_wc_shipment_tracking_items"


@dataclass
class Shop:
    """WooCommerce with Shipment Tracking, as far as the hub speaks to it: one order, its refunds, its meta."""

    order: dict[str, Any]
    refunds: list[dict[str, Any]] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    gone: bool = False
    shut: bool = False
    hooks: list[dict[str, Any]] = field(default_factory=list)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        event = await receive()
        assert b"oauth_signature=" in scope["query_string"] or scope["path"] == "/wp-json/"
        self.asked.append(f"{scope['method']} {scope['path'].removeprefix('/wp-json/')}")
        told = self._answer(scope["method"], scope["path"], json.loads(event.get("body") or b"null"))
        body = json.dumps(told).encode()
        status = told.get("data", {}).get("status", 200) if isinstance(told, dict) else 200
        headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    def _answer(self, method: str, path: str, body: Any) -> Any:
        if self.shut:
            return {"code": "woocommerce_rest_cannot_view", "message": "Sorry.", "data": {"status": 401}}
        route = path.removeprefix("/wp-json/")
        if route.startswith("wc/v3/webhooks"):
            return self._hook(method, path, body)
        if path == ROUTE:
            return self._track(body) if method == "POST" else self.meta(NUMBERS) or []
        fixed = {
            "": {"home": "https://Bean.example", "namespaces": ["wc/v3", "wc-shipment-tracking/v3"]},
            "wc/v3/orders": [self.order],
            "wc/v3/orders/5107/refunds": self.refunds,
        }
        return fixed[route] if route in fixed else self._order(method, body)

    def _order(self, method: str, body: Any) -> Any:
        if self.gone:
            return {
                "code": "woocommerce_rest_shop_order_invalid_id",
                "message": "Invalid ID.",
                "data": {"status": 404},
            }
        if method == "PUT":
            for entry in body.pop("meta_data", []):
                self.note(entry["key"], entry["value"])
            self.change(**body)
        return self.order

    def _hook(self, method: str, path: str, body: Any) -> Any:
        if method == "POST":
            self.hooks.append({"id": len(self.hooks) + 1, **body})
            return self.hooks[-1]
        if method == "PUT":
            self.hooks[int(path.rpartition("/")[2]) - 1].update(body)
        return self.hooks

    def _track(self, body: dict[str, Any]) -> dict[str, Any]:
        item = {"tracking_id": f"t{len(self.meta(NUMBERS) or [])}", **body}
        self.note(NUMBERS, [*(self.meta(NUMBERS) or []), item])
        return item

    def meta(self, key: str) -> Any:
        return next((one["value"] for one in self.order["meta_data"] if one["key"] == key), None)

    def note(self, key: str, value: Any) -> None:
        rest = [one for one in self.order["meta_data"] if one["key"] != key]
        self.change(meta_data=[*rest, {"id": 1, "key": key, "value": value}])

    def change(self, *, tick: bool = True, **fields: Any) -> None:
        """The order changes, a second later unless said otherwise."""
        minute, second = self.order["date_modified_gmt"][-5:].split(":")
        at = int(minute) * 60 + int(second) + int(tick)
        stamp = f"2026-03-14T09:{at // 60:02}:{at % 60:02}"
        self.order = {**self.order, **fields, "date_modified_gmt": stamp}


@dataclass
class Street:
    """The town with the shop, and a warehouse that reports shipments."""

    town: Town
    shop: Shop
    connection: Connection
    warehouse: Connection
    plain: Message
    delivery: int = 0

    async def push(self, topic: str = "order.updated", *, delivery: str = "", body: Any = None) -> None:
        """The shop sends the order as it is now."""
        self.delivery += 1
        new = {
            "x-wc-webhook-topic": topic,
            "x-wc-webhook-delivery-id": delivery or f"d{self.delivery}",
        }
        pairs = [(name, value) for name, value in self.plain.headers.pairs if name not in new]
        said = json.dumps(self.shop.order if body is None else body).encode()
        self.town.hub.world.move(0.5)
        message = msgspec.structs.replace(self.plain, body=said, headers=Headers([*pairs, *new.items()]))
        answer = await self.town.push(self.connection, message)
        assert answer.status == 202, answer
        await self.settle()

    async def settle(self) -> None:
        """All that follows, what has to be read again among it."""
        await self.town.hub.settle()
        await self.town.hub.sweeper.step()
        await self.town.hub.settle()

    async def ship(self, *lines: tuple[str, str], ref: str = "W1", number: str = DHL) -> None:
        """The warehouse reports what it sent."""
        doc: dict[str, Any] = {
            "ref": ref,
            "status": "shipped",
            "lines": [{"line": line, "quantity": quantity} for line, quantity in lines],
            "packages": [{"tracking_number": number, "carrier_name": "DHL Paket"}],
        }
        fact = Fact(
            subject="shipment",
            ref=ref,
            order="5107",
            account=f"connection:{self.connection.id}",
            doc=doc,
            revision=self.town.hub.world.now(),
            full=frozenset({"*"}),
        )
        await self.town.hub.reporter.tell(
            Call(connection=self.warehouse, topic="shipments", body=b"{}", facts=[fact], actor="warehouse")
        )
        await self.settle()


@pytest.fixture
async def street(config: Config) -> AsyncIterator[Street]:
    async with contextlib.AsyncExitStack() as stack:
        world = World.still(time.time_ns() // 1000)
        hub = await stack.enter_async_context(open_hub(config, world, load_registry()))
        town = Town(hub, stack)
        plain = town.fixture("woocommerce", "order.created.plain")
        shop = Shop(json.loads(plain.body))
        url = await stack.enter_async_context(served(shop))
        settings = {
            "base_url": url,
            "consumer_key": "ck_1",
            "consumer_secret": "cs_1",
            "webhook_secret": "a&amp;b",
        }
        connection = await town.connect("woocommerce", settings=settings)
        yield Street(town, shop, connection, await town.connect("api", settings={}), plain)


async def test_an_order_adds_up_and_is_ready_to_ship(street: Street) -> None:
    await street.push("order.created")

    order = await street.town.order()
    assert (order["state"], order["payment_status"], order["ready"]) == ("confirmed", "paid", True)
    assert order["account"] == "bean.example"
    assert order["computed_totals"]["total"] == order["totals"]["total"]
    assert "anomalies" not in order


async def test_the_ping_is_answered_and_not_kept(street: Street) -> None:
    ping = Message(
        body=b"webhook_id=12", headers=Headers({"content-type": "application/x-www-form-urlencoded"})
    )
    answer = await knock(street.town.hub.intake, ping, f"/in/{street.connection.key}")

    assert answer.status == 200
    assert await street.town.messages() == []


async def test_two_changes_of_one_second_under_one_delivery_id_end_as_the_shop_has_it(street: Street) -> None:
    await street.push("order.created")
    street.shop.change(customer_note="first")
    await street.push(delivery="same")
    street.shop.change(tick=False, customer_note="second")
    await street.push(delivery="same")

    order = await street.town.order()
    assert order["customer_note"] == "second"
    assert "anomalies" not in order
    assert await street.town.statuses() == ["processed"] * 5, "both were kept, and the shop was asked"


async def test_a_refund_is_read_with_its_lines_which_the_next_push_leaves(street: Street) -> None:
    await street.push("order.created")
    refund = {
        "id": 5201,
        "amount": "10.43",
        "reason": "Sold out",
        "date_created_gmt": "2026-03-14T09:31:00",
        "line_items": [
            {"quantity": -1, "total": "-10.43", "meta_data": [{"key": "_refunded_item_id", "value": "902"}]}
        ],
    }
    street.shop.refunds = [refund]
    street.shop.change(refunds=[{"id": 5201, "reason": "Sold out", "total": "-10.43"}])
    await street.push()
    street.shop.shut = True
    street.shop.change(customer_note="after")
    await street.push()

    whole = await street.town.order()
    assert whole["customer_note"] == "after"
    (told,) = whole["refunds"]
    assert told["lines"] == [
        {"line": "902", "quantity": "1", "amount": {"amount": "10.43", "currency": "EUR"}}
    ]
    assert whole["payment_status"] == "partially_refunded"
    assert whole["lines"][1]["quantity"] == {
        "original": "1",
        "ordered": "1",
        "open": "0",
        "cancelled": "1",
        "refunded": "1",
    }
    assert whole["lines"][1]["status"] == "removed"


async def test_a_shipment_is_told_once_completes_the_order_and_its_echo_is_ours(street: Street) -> None:
    await street.push("order.created")
    await street.ship(("901", "2"), ("902", "1"))

    assert street.shop.order["status"] == "completed"
    assert [one["tracking_number"] for one in street.shop.meta(NUMBERS)] == [DHL]
    assert street.shop.meta(NUMBERS)[0]["tracking_provider"] == "Deutsche Post DHL"
    await street.push()

    order = await street.town.order()
    (shipment,) = order["shipments"]
    assert [one["tracking_number"] for one in shipment["packages"]] == [DHL]
    assert (order["fulfillment_status"], order["lines"][0]["quantity"]["shipped"]) == ("fulfilled", "2")
    assert "anomalies" not in order
    assert len(street.shop.meta(NUMBERS)) == 1, "written once"


async def test_two_shipments_leave_the_order_processing_in_between(street: Street) -> None:
    await street.push("order.created")
    await street.ship(("901", "2"))
    await street.push()
    between = street.shop.order["status"], (await street.town.order())["fulfillment_status"]
    await street.ship(("902", "1"), ref="W2", number="VK77")
    await street.push()

    order = await street.town.order()
    assert between == ("processing", "partially_fulfilled")
    assert street.shop.order["status"] == "completed"
    assert (len(order["shipments"]), order["fulfillment_status"]) == (2, "fulfilled")
    assert "anomalies" not in order


async def test_an_order_completed_by_hand_is_not_shipped_again(street: Street) -> None:
    await street.push("order.created")
    street.shop.change(status="completed", date_completed_gmt="2026-03-14T09:40:00")
    await street.push()

    order = await street.town.order()
    assert (order["fulfillment_status"], order["ready"]) == ("fulfilled", False)


async def test_an_order_that_is_trashed_is_cancelled(street: Street) -> None:
    await street.push("order.created")
    street.shop.change(status="trash")
    await street.push("order.deleted", body={"id": 5107})
    trashed = (await street.town.order())["state"]
    street.shop.gone = True
    await street.push("order.deleted", body={"id": 5107})

    assert (trashed, (await street.town.order())["state"]) == ("cancelled", "cancelled")


async def test_a_late_word_of_the_trash_about_an_order_that_came_back_does_not_last(street: Street) -> None:
    await street.push("order.created")
    await street.push("order.deleted", body={"id": 5107})
    again = (await street.town.order())["state"]
    street.shop.change(status="trash")
    await street.push("order.deleted", body={"id": 5107})

    assert (again, (await street.town.order())["state"]) == ("confirmed", "cancelled")


async def test_a_webhook_whose_owner_lost_the_right_to_read_is_an_exception(street: Street) -> None:
    denied = {"code": "woocommerce_rest_cannot_view", "message": "Sorry.", "data": {"status": 401}}
    await street.push(body=denied)

    (open_,) = await street.town.exceptions()
    assert "owner may not read it" in open_["title"]


async def test_a_connection_finds_its_account_and_its_webhooks_and_revives_a_disabled_one(
    street: Street,
) -> None:
    hub, one = street.town.hub, street.connection
    channel = hub.registry.channel("woocommerce")
    assert channel.find_account is not None
    assert channel.subscription is not None

    account = await hub.converser.run(one, channel.find_account(await hub.converser.context(one)))
    made = await hub.converser.run(one, channel.subscription.ensure(await hub.converser.context(one)))
    street.shop.hooks[2]["status"] = "disabled"
    asked = len(street.shop.asked)
    again = await hub.converser.run(one, channel.subscription.ensure(await hub.converser.context(one)))

    assert account == "bean.example"
    assert made == again
    assert len(made) == 4
    assert {hook["status"] for hook in street.shop.hooks} == {"active"}
    assert street.shop.asked[asked:] == ["GET wc/v3/webhooks", "PUT wc/v3/webhooks/3"]
    state = (await hub.converser.context(one)).state
    assert (state["plugins"], state["access"]) == ("wc-shipment-tracking/v3", "read_write")


async def test_a_sweep_brings_what_no_webhook_told(street: Street) -> None:
    assert await street.town.hub.sweeper.sweep(street.connection) == 1
    await street.town.hub.settle()

    assert (await street.town.order())["state"] == "confirmed"


def sayings() -> list[Said]:
    """What the channel's samples say of one order, as it is kept."""
    registry = load_registry()
    channel = registry.channel("woocommerce")
    connection = Connection(id="con_1", name="beans", channel="woocommerce", key="k", account="bean.example")
    told = []
    for at, fixture in enumerate(registry.samples("woocommerce").fixtures):
        message, rank = fixture.message, RECEIVED_AT + at
        if message.transport == "webhook":
            message, rank = msgspec.structs.replace(message, topic=channel.topic.find(message)), 0
        with contextlib.suppress(Rejected):
            reading = registry.read("woocommerce", msgspec.structs.replace(message, zone="Europe/Berlin"))
            facts = [one for one in (reading.facts if reading else ()) if isinstance(one, Fact)]
            told += [
                hear(
                    one, channel, connection, lambda _: None, arrived=RECEIVED_AT + at, rank=rank, mapping="m"
                ).said
                for one in facts
                if (one.order or one.ref) == "5107"
            ]
    return told


def test_an_order_comes_out_the_same_however_its_news_arrive_and_how_often() -> None:
    told, chance, found = sayings(), random.Random(7), set()
    for _ in range(60):
        news = [*told, *chance.sample(told, 7)]
        chance.shuffle(news)
        state = registers.empty()
        for one in news:
            registers.apply(state, one)
        found.add(msgspec.json.encode(compose(state, lambda prefix: prefix), order="deterministic"))

    assert len(told) > 30
    assert len(found) == 1

"""A form of 简道云 at both ends: its rows become orders, orders of a shop become its rows, shipments are written back,
and nothing goes round in a circle."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

import pytest

from hub.contract.fact import Fact
from hub.contract.message import Headers, Message
from hub.directory import Connection, Route
from hub.inbound.report import Call
from tests.path.town import Town, changed, served

APP, FORM = "66a0000000000000000000a1", "66a0000000000000000000e1"
FIELDS = {
    "number": "order_no", "buyer.name": "customer", "customer_note": "remark", "totals.total": "total_amount",
    "lines": "items", "lines[].sku": "sku", "lines[].quantity.ordered": "quantity",
    "shipment.tracking_number": "tracking_no", "shipment.status": "ship_state",
}  # fmt: skip


@dataclass
class Sheet:
    """The far side: a form with rows, its API, and what it would push of every change."""

    rows: dict[str, dict[str, Any]] = field(default_factory=dict)
    told: list[tuple[str, str]] = field(default_factory=list)
    busy: int = 0

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        event = await receive()
        headers = dict(scope["headers"])
        assert headers[b"authorization"] == b"Bearer KEY"
        asked = json.loads(event["body"])
        assert (asked["app_id"], asked["entry_id"]) == (APP, FORM)
        verb = scope["path"].rpartition("/v5/app/entry/")[2]
        if self.busy:
            self.busy -= 1
            status, told = 400, {"code": 8303, "msg": "超出请求频率限制"}
        else:
            status, told = 200, getattr(self, verb.replace("/", "_"))(asked)
        body = json.dumps(told).encode()
        await send(
            {
                "type": "http.response.start",
                "status": status,
                "headers": [(b"content-length", b"%d" % len(body))],
            }
        )
        await send({"type": "http.response.body", "body": body})

    def data_create(self, asked: dict[str, Any]) -> dict[str, Any]:
        id_ = f"66b{len(self.rows):021x}"
        self.rows[id_] = {
            "_id": id_,
            "appId": APP,
            "entryId": FORM,
            "creator": {"username": asked.get("data_creator")},
        }
        self._put(id_, asked["data"])
        self.told.append(("data_create", id_))
        return {"data": self.rows[id_]}

    def data_update(self, asked: dict[str, Any]) -> dict[str, Any]:
        self._put(asked["data_id"], asked["data"])
        self.told.append(("data_update", asked["data_id"]))
        return {"data": self.rows[asked["data_id"]]}

    def data_get(self, asked: dict[str, Any]) -> dict[str, Any]:
        return {"data": self.rows.get(asked["data_id"], {})}

    def data_list(self, asked: dict[str, Any]) -> dict[str, Any]:
        (cond,) = asked["filter"]["cond"]
        if cond["method"] == "eq":
            found = [one for one in self.rows.values() if one.get(cond["field"]) in cond["value"]]
        else:
            found = [one for one in self.rows.values() if one.get("updateTime", "") >= cond["value"][0]]
        later = [
            one for one in sorted(found, key=lambda one: one["_id"]) if one["_id"] > asked.get("data_id", "")
        ]
        return {"data": later[: asked["limit"]]}

    def widget_list(self, _asked: dict[str, Any]) -> dict[str, Any]:
        return {"widgets": [{"name": "order_no", "label": "订单号", "type": "text"}]}

    def _put(self, id_: str, data: dict[str, Any]) -> None:
        for widget, value in data.items():
            held = value["value"]
            if isinstance(held, list) and held and isinstance(held[0], dict):
                held = [
                    {"_id": f"{id_}-{n}"} | {name: one["value"] for name, one in row.items()}
                    for n, row in enumerate(held)
                ]
            self.rows[id_][widget] = held


@pytest.fixture
async def sheet(town: Town) -> tuple[Sheet, str]:
    """It, on an address of this machine."""
    one = Sheet()
    return one, await town.stack.enter_async_context(served(one))


async def connected(town: Town, url: str) -> Connection:
    """A connection that can do all."""
    settings = {"webhook_secret": "s3cret", "api_key": "KEY", "app_id": APP, "entry_id": FORM, "base_url": f"{url}/api",
                "fields": FIELDS, "data_creator": "orderhub"}  # fmt: skip
    return await town.connect("jiandaoyun", settings=settings, account=FORM, time_zone="Asia/Shanghai")


async def pushed(town: Town, connection: Connection, op: str, row: dict[str, Any], key: str = "") -> None:
    """The form says something of a row."""
    town.hub.world.move(1)
    told = {"op": op, "opTime": town.hub.world.now() // 1000, "data": row}
    headers = Headers(
        {"content-type": "application/json", "x-jdy-deliverid": key or f"{op}-{town.hub.world.now()}"}
    )
    await town.say(connection, Message(body=json.dumps(told).encode(), headers=headers))


async def echo(town: Town, connection: Connection, sheet: Sheet) -> None:
    """The form pushes what was written into it."""
    for op, id_ in sheet.told:
        await pushed(town, connection, op, sheet.rows[id_])
    sheet.told.clear()


def entered(**more: Any) -> dict[str, Any]:
    """A row that a person entered."""
    return {
        "_id": "66c000000000000000000001", "appId": APP, "entryId": FORM, "creator": {"username": "zhouyuan"},
        "createTime": "2026-03-14T08:00:00.000Z", "updateTime": "2026-03-14T08:00:00.000Z", "order_no": "SO-1",
        "customer": "远山茶业", "items": [{"_id": "d1", "sku": "T-1", "quantity": 2}], **more,
    }  # fmt: skip


async def routed(town: Town, connection: Connection) -> None:
    """Orders of elsewhere go into the form."""
    for event, write in (("order.created", "order.create"), ("order.updated", "order.update")):
        id_ = town.hub.world.new_id("rte")
        await town.put(Route(id=id_, name=id_, event=event, connection=connection.id, write=write))


async def test_a_row_is_an_order_until_it_is_removed_and_again_when_it_comes_back(
    town: Town, sheet: tuple[Sheet, str]
) -> None:
    connection = await connected(town, sheet[1])
    await pushed(town, connection, "data_create", entered())
    order = await town.order()
    assert (order["number"], order["state"], order["channel"]) == ("SO-1", "confirmed", "form")

    await pushed(town, connection, "data_remove", {"_id": entered()["_id"], "entryId": FORM})
    assert (await town.order())["state"] == "cancelled"
    assert (await town.order())["lines"][0]["sku"] == "T-1"

    await pushed(town, connection, "data_recover", entered())
    order = await town.order()
    assert (order["state"], order.get("deleted"), order.get("cancelled_at")) == ("confirmed", None, None)


async def test_a_row_in_flow_is_a_draft_and_an_order_when_the_flow_ends(
    town: Town, sheet: tuple[Sheet, str]
) -> None:
    connection = await connected(town, sheet[1])
    partner = await town.partner(events=["order.created"])
    await pushed(town, connection, "data_create", entered(flowState=0))
    assert (await town.order())["state"] == "draft"
    assert partner.told() == []

    await pushed(town, connection, "data_update", entered(flowState=1))
    assert (await town.order())["state"] == "confirmed"
    assert partner.told() == ["order.created"]


async def test_an_order_of_a_shop_becomes_a_row_whose_echo_is_no_order(
    town: Town, sheet: tuple[Sheet, str]
) -> None:
    form, url = sheet
    connection = await connected(town, url)
    await routed(town, connection)
    shop = await town.connect("shopify")
    form.busy = 2
    await town.say(shop, "orders-create.plain")

    order = await town.order()
    (row,) = form.rows.values()
    assert (row["orderhub_id"], row["order_no"]) == (order["id"], order["number"])
    assert [one["sku"] for one in row["items"]] == [one.get("sku") or "" for one in order["lines"]]
    await echo(town, connection, form)
    assert len(await town.orders()) == 1
    assert form.told == []
    assert await town.exceptions() == []


async def test_a_change_at_the_shop_is_written_into_the_row_once(
    town: Town, sheet: tuple[Sheet, str]
) -> None:
    form, url = sheet
    connection = await connected(town, url)
    await routed(town, connection)
    shop = await town.connect("shopify")
    create = town.fixture("shopify", "orders-create.plain")
    await town.say(shop, create)
    await echo(town, connection, form)
    later = changed(
        create, topic="orders/updated", key="later", note="ring twice", updated_at="2027-03-14T11:00:00+01:00"
    )
    await town.say(shop, later)

    (row,) = form.rows.values()
    assert row["remark"] == "ring twice"
    assert [op for op, _ in form.told] == ["data_update"]
    await echo(town, connection, form)
    assert form.told == []
    assert len(await town.orders()) == 1


async def test_somebody_s_copy_of_a_row_of_ours_is_an_order_of_its_own(
    town: Town, sheet: tuple[Sheet, str]
) -> None:
    form, url = sheet
    connection = await connected(town, url)
    await routed(town, connection)
    await town.say(await town.connect("shopify"), "orders-create.plain")
    (row,) = form.rows.values()
    await pushed(town, connection, "data_create", row | {"_id": "66d000000000000000000001", "order_no": "SO-copy",
                                                         "creator": {"username": "zhouyuan"}})  # fmt: skip

    assert "SO-copy" in {one["number"] for one in await town.orders()}
    assert len(form.rows) == 1, "the form's own order is not written into it again"


async def test_what_was_shipped_is_written_back_on_the_form_s_own_row(
    town: Town, sheet: tuple[Sheet, str]
) -> None:
    form, url = sheet
    connection = await connected(town, url)
    row = form.rows.setdefault(entered()["_id"], entered())
    await pushed(town, connection, "data_create", row)
    warehouse = await town.connect("api", settings={})
    fact = Fact(subject="shipment", ref="W1", order=row["_id"], account=f"connection:{connection.id}",
                doc={"ref": "W1", "status": "shipped", "tracking_number": "SF77", "lines": [{"line": "d1", "quantity": "2"}]},
                revision=town.hub.world.now(), full=frozenset({"*"}))  # fmt: skip
    await town.hub.reporter.tell(
        Call(connection=warehouse, topic="shipments", body=b"{}", facts=[fact], actor="warehouse")
    )
    await town.hub.settle()

    assert (row["tracking_no"], row["ship_state"]) == ("SF77", "shipped")
    assert [op for op, _ in form.told] == ["data_update"]
    await echo(town, connection, form)
    assert form.told == []
    order = await town.order()
    assert len(order["shipments"]) == 1
    assert order["fulfillment_status"] == "fulfilled"


async def test_what_was_edited_in_a_batch_is_found_by_the_sweep(town: Town, sheet: tuple[Sheet, str]) -> None:
    form, url = sheet
    connection = await connected(town, url)
    await pushed(town, connection, "data_create", entered())
    now = "2999-01-01T00:00:00.000Z"
    form.rows = {
        f"66c{n:021x}": entered(_id=f"66c{n:021x}", order_no=f"SO-{n}", updateTime=now) for n in range(1, 131)
    }
    form.rows["66e000000000000000000001"] = entered(
        _id="66e000000000000000000001", orderhub_id="ord_01JGZ0000000000000000000A9",
        creator={"username": "orderhub"}, updateTime=now,
    )  # fmt: skip
    assert await town.hub.sweeper.sweep(connection) == 1
    await town.hub.settle()

    numbers = {one["number"] for one in await town.orders()}
    assert numbers == {f"SO-{n}" for n in range(1, 131)}


async def test_a_row_of_another_form_is_kept_and_not_read(town: Town, sheet: tuple[Sheet, str]) -> None:
    connection = await connected(town, sheet[1])
    await pushed(town, connection, "data_create", entered(entryId="66a0000000000000000000e9"))

    assert await town.orders() == []
    assert await town.statuses() == ["ignored"]


async def test_the_same_delivery_twice_is_one(town: Town, sheet: tuple[Sheet, str]) -> None:
    connection = await connected(town, sheet[1])
    for _ in range(2):
        await pushed(town, connection, "data_create", entered(), key="5a0a-1")

    assert await town.statuses() == ["processed"]

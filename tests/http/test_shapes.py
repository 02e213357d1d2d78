"""What a partner is shown: payloads, allow-lists, CloudEvents, its own mapping, and the preview of all of it."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from aiohttp import web

from hub.contract.mapping import compile_mapping
from hub.directory import Endpoint
from hub.outbound.render import LeftOut, body_for, render
from tests.http.conftest import House, on_sqlite
from tests.outbound.receivers import served

WMS = """\
map: wms.pick
target: json
vars:
  first: data.lines[0].sku
when: type == 'order.created'
fields:
  orderNo: data.number | required
  first: '@first'
  lines:
    each: data.lines[]
    map: {code: sku, pieces: quantity.ordered | dec}
tests:
  - name: a plain order
    input: {type: order.created, data: {number: N1, lines: [{sku: LAMP, quantity: {ordered: "2"}}]}}
    expect: {orderNo: N1, first: LAMP}
  - name: another event
    input: {type: order.updated, data: {number: N1}}
    documents: 0
"""
LINE = {
    "ref": "l1",
    "sku": "LAMP",
    "name": "Lamp",
    "quantity": {"ordered": "2"},
    "unit_price": {"amount": "9.50", "currency": "EUR"},
}
ORDER = {
    "ref": "1",
    "number": "N1",
    "currency": "EUR",
    "lines": [LINE],
    "buyer": {"name": "Ada", "email": "ada@lamps.example"},
}


async def activate(house: House, text: str) -> dict[str, Any]:
    found: dict[str, Any] = await house.post("/v1/mappings/activate", {"text": text})
    return found


async def test_a_partner_gets_its_own_shape(house: House):
    heard: list[tuple[dict[str, str], bytes]] = []

    async def take(request: web.Request) -> web.Response:
        heard.append((dict(request.headers), await request.read()))
        return web.Response()

    async with served(take) as url:
        text = await activate(house, WMS)
        await house.post(
            "/v1/endpoints", {"url": url, "events": ["order.*"], "mapping": "wms.pick", "name": "wms"}
        )
        await house.post("/v1/orders", ORDER)
        await house.hub.settle()

    [(headers, body)] = heard
    assert msgspec.json.decode(body) == {
        "orderNo": "N1",
        "first": "LAMP",
        "lines": [{"code": "LAMP", "pieces": "2"}],
    }
    assert {name.lower(): value for name, value in headers.items()}["content-type"] == "application/json"
    rows = (await house.get("/v1/endpoints/wms/deliveries"))["data"]
    assert [(row["type"], row["status"]) for row in rows if row["status"] != "skipped"] == [
        ("order.created", "delivered")
    ]
    assert all(row["outcome"] == "left_out" for row in rows if row["status"] == "skipped")
    kept = await house.hub.engine.fetch(
        "renderings_get", [(rows[0]["event"], f"full/orderhub//wms.pick@{text['hash']}")]
    )
    assert bytes(kept[0][2]) == body


async def test_a_mapping_that_fails_fails_its_own_deliveries_with_the_place_and_a_replay_after_a_fix_works(
    house: House,
):
    bodies: dict[str, list[bytes]] = {"/wms": [], "/erp": []}

    async def take(request: web.Request) -> web.Response:
        bodies[request.path].append(await request.read())
        return web.Response()

    broken = WMS.replace("orderNo: data.number | required", "orderNo: data.purchase_order | required").split(
        "tests:"
    )[0]
    async with served(take) as url:
        first = await activate(house, broken)
        asked = {"events": ["order.created"], "schedule": [0]}
        await house.post(
            "/v1/endpoints", {**asked, "url": f"{url}/wms", "mapping": "wms.pick", "name": "wms"}
        )
        await house.post("/v1/endpoints", {**asked, "url": f"{url}/erp", "name": "erp"})
        await house.post("/v1/orders", [ORDER, {**ORDER, "ref": "2", "purchase_order": "PO-2"}])
        await house.hub.settle()
        dead, fine = (await house.get("/v1/endpoints/wms/deliveries"))["data"]
        whole = await house.get(f"/v1/deliveries/{dead['id']}")
        troubles = (await house.get("/v1/exceptions"))["data"]

        assert (dead["status"], dead["outcome"], fine["status"]) == ("dead", "mapping", "delivered")
        assert "wms.pick.yaml (activated):7:" in whole["log"][0]["detail"]["reason"]
        assert whole["log"][0]["detail"]["request"] is None, "nothing went out"
        assert len(bodies["/erp"]) == 2, "others go on"
        assert any(one["place"]["line"] == 7 for one in troubles if one.get("place")), troubles
        assert not any(lane.circuit.is_open for lane in house.hub.deliver.lanes.values())

        second = await activate(house, WMS)
        await house.post(f"/v1/deliveries/{dead['id']}/redeliver")
        await house.post(f"/v1/deliveries/{fine['id']}/redeliver")
        await house.hub.settle()

    assert first["hash"] != second["hash"]
    assert [one["status"] for one in (await house.get("/v1/endpoints/wms/deliveries"))["data"]] == [
        "delivered"
    ] * 2
    first_body, *later = bodies["/wms"]
    assert first_body in later, "what was rendered once is repeated, byte for byte"
    assert sorted(msgspec.json.decode(body)["orderNo"] for body in later) == ["N1", "PO-2"]
    assert {one["state"] for one in (await house.get("/v1/exceptions"))["data"]} == {"closed"}


@on_sqlite
async def test_a_preview_shows_exactly_what_would_be_sent(house: House):
    heard: list[tuple[dict[str, str], bytes]] = []

    async def take(request: web.Request) -> web.Response:
        heard.append((dict(request.headers), await request.read()))
        return web.Response()

    async with served(take) as url:
        await activate(house, WMS)
        auth = {"type": "bearer", "token": "hush"}
        await house.post("/v1/endpoints", {"url": url, "events": ["order.created"], "mapping": "wms.pick", "name": "wms",
                                           "headers": {"x-desk": "7"}, "auth": auth})  # fmt: skip
        await house.post("/v1/orders", ORDER)
        await house.hub.settle()
        shown = await house.post("/v1/endpoints/wms/preview")
        other = await house.post(
            "/v1/endpoints/wms/preview",
            {"mapping": WMS.replace("first: '@first'", "one: '@first'").split("tests:")[0]},
        )

    [(headers, body)] = heard
    assert shown["body"] == msgspec.json.decode(body)
    assert shown["wanted"] is True
    sent = {name.lower(): value for name, value in headers.items()}
    fresh = ("webhook-timestamp", "webhook-signature")
    for name, value in shown["headers"].items():
        assert value == "***" if name == "authorization" else name in fresh or sent[name] == value, name
    assert other["body"]["one"] == "LAMP"
    assert len(heard) == 1, "nothing is sent"


@on_sqlite
async def test_a_preview_tells_why_there_would_be_nothing(house: House):
    await activate(house, WMS)
    await house.post(
        "/v1/endpoints",
        {"url": "https://p.example/", "events": ["order.*"], "mapping": "wms.pick", "name": "wms"},
    )
    none = await house.say("POST", "/v1/endpoints/wms/preview")
    await house.post("/v1/orders", ORDER)
    rows = (await house.get("/v1/events"))["data"]
    other = next(one for one in rows if one["type"] == "order.created")
    wrong = await house.post(
        "/v1/endpoints/wms/preview",
        {"event": other["id"], "mapping": "map: x\ntarget: json\nfields: {a: data.number | dec}\n"},
    )
    faulty = await house.say(
        "POST",
        "/v1/endpoints/wms/preview",
        {"event": other["id"], "mapping": "map: x\ntarget: json\nfields: {a: b |}\n"},
    )
    aimed = await house.say(
        "POST", "/v1/endpoints/wms/preview", {"mapping": "map: x\ntarget: order/1\nfields: {ref: id}\n"}
    )

    assert (none.status_code, none.json()["field"]) == (422, "event")
    assert wrong["body"] is None
    assert wrong["place"]["line"] == 3
    assert "not a decimal" in wrong["error"]
    assert (faulty.status_code, faulty.json()["field"]) == (422, "mapping")
    assert (aimed.status_code, aimed.json()["field"]) == (422, "mapping")
    await house.say("PATCH", "/v1/endpoints/wms", {"filter": "data.currency == 'CHF'"})
    left = await house.post("/v1/endpoints/wms/preview", {"event": other["id"]})
    assert left["wanted"] is False
    assert left["body"]["orderNo"] == "N1"


EVENT = {
    "id": "evt_1", "type": "order.updated", "tenant": "t", "order": "ord_1", "sequence": 3, "subject": {"type": "order", "id": "ord_1"},
    "occurred_at": "2026-01-01T00:00:00.000Z", "data": {"number": "N", "lines": [{"sku": "A", "unit_price": 1}, {"sku": "B"}], "totals": {"tax": 1}},
    "changes": [
        {"path": "number", "from": "M", "to": "N"}, {"path": "lines[0].unit_price", "from": 1, "to": 2},
        {"path": "lines[1]", "from": None, "to": {"sku": "B", "unit_price": 7}}, {"path": "totals", "from": {"tax": 1, "total": 2}, "to": None},
        {"path": "lines", "from": [], "to": [{"sku": "A", "unit_price": 1}]},
    ],
}  # fmt: skip


@pytest.mark.parametrize("payload", ["full", "changes", "thin"])
def test_no_payload_shows_what_the_fields_do_not_allow(payload: str):
    one = Endpoint(id="e", name="e", url="", payload=payload, fields=["number", "lines.sku", "totals.tax"])
    told = msgspec.json.decode(body_for(one, msgspec.json.encode(EVENT)))

    assert "unit_price" not in str(told)
    assert told["id"] == "evt_1"
    assert ("data" in told, "changes" in told) == {
        "full": (True, True),
        "changes": (False, True),
        "thin": (False, False),
    }[payload]
    if payload == "full":
        assert told["data"] == {"number": "N", "lines": [{"sku": "A"}, {"sku": "B"}], "totals": {"tax": 1}}
    if payload != "thin":
        assert told["changes"] == [
            {"path": "number", "from": "M", "to": "N"}, {"path": "lines[1]", "from": None, "to": {"sku": "B"}},
            {"path": "totals", "from": {"tax": 1}, "to": None}, {"path": "lines", "from": [], "to": [{"sku": "A"}]},
        ]  # fmt: skip


def test_a_mapping_sees_no_more_than_the_fields_allow():
    text = "map: x\ntarget: json\nfields: {n: data.number, price: 'data.lines[0].unit_price', all: data}\n"
    one = Endpoint(id="e", name="e", url="", fields=["number"], mapping="x")

    body = body_for(one, msgspec.json.encode(EVENT), None, compile_mapping(text, file="x.yaml"))

    assert msgspec.json.decode(body) == {"n": "N", "all": {"number": "N"}}


def test_a_mapping_makes_one_document_several_or_none():
    def made(text: str) -> Any:
        return msgspec.json.decode(
            render(msgspec.json.encode(EVENT), "full/orderhub//x@1", compile_mapping(text, file="x.yaml"))
        )

    assert made("map: x\ntarget: json\neach: data.lines[]\nfields: {s: sku}\n") == [{"s": "A"}, {"s": "B"}]
    assert made("map: x\ntarget: json\nfields: data.number\n") == "N"
    with pytest.raises(LeftOut):
        made("map: x\ntarget: json\nwhen: type == 'nothing'\nfields: {a: id}\n")


def test_a_cloud_event_has_every_attribute_that_is_required_and_none_that_is_empty():
    one = Endpoint(id="e", name="e", url="", format="cloudevents")
    told = msgspec.json.decode(body_for(one, msgspec.json.encode(EVENT)))
    plain = {**EVENT, "order": None, "sequence": None, "subject": {"type": "endpoint", "id": "end_1"}}
    other = msgspec.json.decode(body_for(one, msgspec.json.encode(plain)))

    assert {name: told[name] for name in ("specversion", "id", "source", "type", "subject", "sequence")} == {
        "specversion": "1.0", "id": "evt_1", "source": "/orderhub/t", "type": "order.updated", "subject": "ord_1", "sequence": "3",
    }  # fmt: skip
    assert told["time"] == EVENT["occurred_at"]
    assert told["datacontenttype"] == "application/json"
    assert told["data"] == EVENT
    assert "sequence" not in other
    assert all(value not in ("", None) for name, value in other.items())
    text = "map: x\ntarget: json\nfields: {n: data.number}\n"
    mapped = Endpoint(id="e", name="e", url="", format="cloudevents", mapping="x")
    assert msgspec.json.decode(
        body_for(mapped, msgspec.json.encode(EVENT), None, compile_mapping(text, file="x"))
    )["data"] == {"n": "N"}


async def test_an_endpoint_made_with_an_old_position_gets_what_happened_since(
    house: House, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("hub.repair.redelivery._LATE", 0.0)  # no other process has to hear of it
    heard: list[str] = []

    async def take(request: web.Request) -> web.Response:
        heard.append(msgspec.json.decode(await request.read())["id"])
        return web.Response()

    async with served(take) as url:
        for number in range(5):
            await house.post("/v1/orders", {"ref": str(number)})
        events = [
            one["id"] for one in (await house.get("/v1/events"))["data"] if one["type"] == "order.created"
        ]
        asked = {"url": url, "events": ["order.created"]}
        await house.post("/v1/endpoints", asked)
        await house.hub.settle()
        assert heard == []

        await house.post("/v1/endpoints", {**asked, "from": 0})
        await house.post("/v1/orders", {"ref": "6"})
        await house.hub.settle()
        events.append(
            next(
                one["id"]
                for one in reversed((await house.get("/v1/events"))["data"])
                if one["type"] == "order.created"
            )
        )
        assert sorted(heard) == sorted([*events, events[-1]]), "all of the history once, and what came since"

        heard.clear()
        await house.post("/v1/endpoints", {**asked, "from": events[2]})
        await house.hub.settle()
        assert heard == events[3:]
    jobs = (await house.get("/v1/jobs"))["data"]
    assert [job["state"] for job in jobs] == ["done", "done"]


@pytest.mark.parametrize("given", ["yesterday", "evt_nothing", -1, "-5", 2**63 - 1, "٣"])
@on_sqlite
async def test_a_position_that_is_none_is_refused(house: House, given: Any):
    answer = await house.say("POST", "/v1/endpoints", {"url": "https://p.example/", "from": given})

    assert (answer.status_code, answer.json()["field"]) == (422, "from")
    assert (await house.get("/v1/endpoints"))["data"] == []


@on_sqlite
async def test_locations_and_connections_choose_whose_orders_are_told(house: House):
    for name, wish in (("leipzig", {"locations": ["LEJ"]}), ("all", {})):
        await house.post(
            "/v1/endpoints", {"url": "https://p.example/", "events": ["order.created"], "name": name, **wish}
        )
    for name in ("leipzig", "all"):
        await house.post(f"/v1/endpoints/{name}/pause")
    await house.post("/v1/orders", [{**ORDER, "lines": [{**LINE, "location": "LEJ"}]}, {**ORDER, "ref": "2", "lines": [{**LINE, "location": "MUC"}]},
                                    {**ORDER, "ref": "3"}])  # fmt: skip

    count = {
        name: len((await house.get(f"/v1/endpoints/{name}/deliveries"))["data"])
        for name in ("leipzig", "all")
    }
    assert count == {"leipzig": 1, "all": 3}

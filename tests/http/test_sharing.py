"""What a partner's token sees of orders, and what it may tell of them."""

from __future__ import annotations

import dataclasses

import pytest

from tests.http.conftest import House

SECRET_PRICE = "129.00"


@dataclasses.dataclass
class Warehouse:
    """A house with an order of which one partner was told, and one of which it was not."""

    house: House
    token: str
    order: str
    other: str


@pytest.fixture
async def warehouse(house: House) -> Warehouse:
    await house.post("/v1/partners", {"name": "depot", "roles": ["warehouse"]})
    await house.post("/v1/endpoints", {
        "url": "https://depot.example/in", "name": "depot-in", "partner": "depot", "events": ["order.*"],
        "fields": ["number", "lines.sku", "lines.quantity", "ship_to"], "filter": "data.number == '100'",
    })  # fmt: skip
    token = (await house.post("/v1/tokens", {"name": "d", "scopes": ["partner"], "partner": "depot"}))[
        "token"
    ]
    line = {
        "ref": "1",
        "sku": "W-001",
        "quantity": 2,
        "unit_price": {"amount": SECRET_PRICE, "currency": "EUR"},
    }
    rows = [
        (await house.post("/v1/orders", {"ref": number, "number": number, "currency": "EUR", "lines": [line]}))["data"][0]
        for number in ("100", "200")
    ]  # fmt: skip
    return Warehouse(house, token, rows[0]["order"], rows[1]["order"])


async def test_a_partner_sees_orders_it_was_told_of_and_only_what_its_endpoints_may_have(
    warehouse: Warehouse,
):
    seen = await warehouse.house.say("GET", f"/v1/orders/{warehouse.order}", token=warehouse.token)
    hidden = await warehouse.house.say("GET", f"/v1/orders/{warehouse.other}", token=warehouse.token)

    assert seen.status_code == 200, seen.text
    assert seen.json() == {"id": warehouse.order, "version": 1, "number": "100",
                           "lines": [{"sku": "W-001", "quantity": seen.json()["lines"][0]["quantity"]}]}  # fmt: skip
    assert SECRET_PRICE not in seen.text
    assert hidden.status_code == 404
    assert seen.headers["etag"] == '"1"'


async def test_a_warehouse_reports_shipments_and_scans_of_its_orders_as_a_source_of_its_own(
    warehouse: Warehouse,
):
    house, token, order = warehouse.house, warehouse.token, warehouse.order
    path = f"/v1/orders/{order}/shipments"
    told = await house.post(path, {"ref": "S1", "tracking_number": "T100", "carrier": "dhl"}, token=token)
    whole = await house.get(f"/v1/orders/{order}")
    [shipment] = whole["shipments"]
    scan = {"status": "in_transit", "at": "2027-01-10T10:00:00Z"}
    scanned = await house.say("POST", f"/v1/shipments/{shipment['id']}/scans", scan, token=token)

    assert told["data"][0]["status"] == "accepted"
    assert scanned.status_code == 202, scanned.text
    assert (
        await house.say("POST", f"/v1/orders/{warehouse.other}/shipments", {"ref": "S2"}, token=token)
    ).status_code == 404
    assert (await house.say("POST", "/v1/shipments/T100/scans", scan, token=token)).status_code == 404
    assert (await house.say("POST", "/v1/orders", {"ref": "9"}, token=token)).status_code == 403
    sources = {fact["source"] for fact in (await house.get(f"/v1/orders/{order}/facts"))["data"]}
    assert len(sources) == 2
    audit = [row["action"] for row in (await house.get("/v1/audit"))["data"]]
    assert audit.count("partner.reported") == 2


async def test_a_receiver_only_receives(house: House):
    await house.post("/v1/partners", {"name": "erp", "roles": ["receiver"]})
    await house.post("/v1/endpoints", {"url": "https://erp.example/in", "name": "erp-in", "partner": "erp"})
    token = (await house.post("/v1/tokens", {"name": "e", "scopes": ["partner"], "partner": "erp"}))["token"]
    order = (await house.post("/v1/orders", {"ref": "1", "number": "1"}))["data"][0]["order"]

    refused = await house.say("POST", f"/v1/orders/{order}/shipments", {"ref": "S1"}, token=token)
    whole = (await house.say("GET", f"/v1/orders/{order}", token=token)).json()
    me = await house.get("/v1/me", token=token)

    assert (refused.status_code, "warehouse" in refused.json()["detail"]) == (403, True)
    assert whole["number"] == "1", "no field is kept from an endpoint without an allow-list"
    assert me == {"name": "e", "tenant": "main", "scopes": ["partner"], "partner": "erp", "roles": ["receiver"],
                  "endpoints": ["erp-in"]}  # fmt: skip


async def test_what_a_warehouse_tells_is_of_the_order_and_the_parcel_that_its_path_names(
    warehouse: Warehouse,
):
    house, token, order = warehouse.house, warehouse.token, warehouse.order
    path = f"/v1/orders/{order}/shipments"
    await house.post(f"/v1/orders/{warehouse.other}/shipments", {"ref": "OURS", "tracking_number": "T200"})
    await house.post(path, {"ref": "S1", "tracking_number": "T100", "carrier": "dhl"}, token=token)
    before = await house.get(f"/v1/orders/{warehouse.other}")
    crossing = [
        {"ref": "X1", "order": warehouse.other},
        {"ref": "X2", "order": "200", "connection": "api"},
        [{"ref": "X3", "order": warehouse.other}],
        {"ref": "X4", "connection": "api"},
    ]
    [shipment] = (await house.get(f"/v1/orders/{order}"))["shipments"]
    scan = {"status": "delivered", "at": "2027-01-10T10:00:00Z"}
    scans = [{"number": "T200", "scans": [scan]}, [{"number": "T200", "scans": [scan]}]]

    told = [await house.say("POST", path, row, token=token) for row in crossing]
    scanned = [
        await house.say("POST", f"/v1/shipments/{shipment['id']}/scans", row, token=token) for row in scans
    ]

    assert await house.get(f"/v1/orders/{warehouse.other}") == before
    assert len((await house.get(f"/v1/orders/{order}"))["shipments"]) == 1
    assert [answer.status_code for answer in (*told, *scanned)] == [422, 422, 202, 422, 422, 202]
    assert [answer.json()["data"][0]["status"] for answer in (told[2], scanned[1])] == ["rejected"] * 2
    assert told[2].json()["data"][0]["field"] == "order"


async def test_two_partners_may_use_the_same_idempotency_key(warehouse: Warehouse):
    house = warehouse.house
    await house.post("/v1/partners", {"name": "other", "roles": ["warehouse"]})
    await house.post(
        "/v1/endpoints", {"url": "https://other.example/in", "name": "other-in", "partner": "other"}
    )
    token = (await house.post("/v1/tokens", {"name": "o", "scopes": ["partner"], "partner": "other"}))[
        "token"
    ]
    path = "/v1/endpoints/depot-in/rotate"

    own = await house.say("POST", path, {}, warehouse.token, idempotency_key="1")
    theirs = await house.say("POST", path, {}, token, idempotency_key="1")
    another = await house.say("POST", "/v1/endpoints/other-in/rotate", {}, token, idempotency_key="1")

    assert own.status_code == 200, own.text
    assert theirs.status_code == 404, "what was answered to one partner is not shown to another"
    assert another.status_code == 200, another.text


async def test_a_mapping_of_its_own_opens_no_more_of_an_order_than_its_name(house: House):
    await house.post(
        "/v1/mappings/activate", {"text": "map: depot.body\ntarget: json\nfields:\n  number: data.number\n"}
    )
    await house.post("/v1/partners", {"name": "depot", "roles": ["receiver"]})
    await house.post("/v1/endpoints", {
        "url": "https://depot.example/in", "name": "depot-in", "partner": "depot", "mapping": "depot.body",
    })  # fmt: skip
    token = (await house.post("/v1/tokens", {"name": "d", "scopes": ["partner"], "partner": "depot"}))[
        "token"
    ]
    order = (await house.post("/v1/orders", {"ref": "1", "number": "1"}))["data"][0]["order"]

    assert await house.get(f"/v1/orders/{order}", token=token) == {"id": order, "version": 1}

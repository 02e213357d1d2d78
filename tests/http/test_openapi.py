"""The description and what runs are the same, both ways; answers have the shapes that it declares."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate
from starlette.routing import Route

from hub.http.app import build
from hub.http.openapi import document
from hub.http.problems import TITLES
from hub.http.routes import operations, routes
from hub.http.wishes import SECRETS
from hub.store.engine import Unit
from tests.http.conftest import House, on_sqlite

PHONE = {
    "ref": "tel-1", "number": "T-1", "channel": "phone", "currency": "EUR", "placed_at": "2027-01-10T16:00:00+01:00",
    "buyer": {"name": "Ada Beispiel", "email": "ada@example.org", "phone": "+49 30 1234567"},
    "ship_to": {"name": "Ada Beispiel", "lines": ["Lindenweg 7"], "city": "Bonn", "country": "DE"},
    "lines": [{"sku": "TEA", "qty": 2, "unit_price": "9.95", "total": "19.90"}], "shipping": [{"ref": "s", "price": "4.90"}],
    "payments": [{"ref": "p1", "method": "invoice", "amount": "24.80", "status": "captured"}],
    "refunds": [{"ref": "f1", "amount": "30.00", "status": "succeeded"}],
    "returns": [{"ref": "t1", "status": "requested", "lines": [{"sku": "TEA", "qty": 1}]}],
    "totals": {"subtotal": "19.90", "shipping": "4.90", "total": "24.80"}, "attributes": {"desk": 7},
}  # fmt: skip


def described() -> dict[str, Any]:
    return document(operations())


def test_the_description_is_openapi():
    validate(described())


def test_every_route_is_described_and_every_description_has_a_route():
    told = {(path, method.upper()) for path, found in described()["paths"].items() for method in found}
    runs = {(route.path, method) for route in routes() for method in route.methods - {"HEAD"}}

    assert told == runs


@on_sqlite
async def test_what_runs_is_what_starlette_was_given(house: House):
    served = await house.http.get("/openapi.json")
    app = build(house.hub)

    assert served.json() == described()
    admin = next(cell.cell_contents for cell in app.__closure__ if hasattr(cell.cell_contents, "routes"))
    assert {(route.path, *route.methods) for route in admin.routes if isinstance(route, Route)} == {
        (route.path, *route.methods) for route in routes()
    }


def test_no_two_operations_share_a_name():
    names = [op.name for op in operations()]

    assert len(names) == len(set(names))


PUBLIC = {"/v1/endpoints/{id}/keys"}
"""What anyone may ask without a token: public keys."""


def test_every_operation_says_what_it_does_and_what_it_gives():
    for op in operations():
        assert op.summary, op.path
        assert op.handle.__doc__, op.path
        assert op.gives is not None or op.status == 204 or op.media != "application/json", op.path
        assert op.scope is not None or not op.path.startswith("/v1/") or op.path in PUBLIC, op.path
        assert op.method != "GET" or op.takes is None, op.path
        assert set(re.findall(r"{(\w+)}", op.path)) <= {"id"}, op.path


def test_problems_have_a_vocabulary():
    assert all(re.fullmatch("[a-z_]+", code) and title for code, title in TITLES.items())


@pytest.fixture
async def furnished(house: House) -> House:
    """A hub with one of everything."""
    await house.post(
        "/v1/connections", {"name": "shop", "channel": "shopify", "settings": {"webhook_secret": "s"}}
    )
    await house.post("/v1/partners", {"name": "acme"})
    await house.post(
        "/v1/endpoints", {"url": "http://127.0.0.1:9/in", "name": "erp", "partner": "acme", "schedule": [0]}
    )
    await house.post("/v1/tokens", {"name": "desk", "scopes": ["read"]})
    mail = {"host": "mail.example", "sender": "hub@shop.example"}
    await house.post("/v1/notifiers", {"name": "mail", "kind": "smtp", "settings": mail})
    await house.post("/v1/notices", {
        "name": "shipped", "event": "shipment.shipped", "notifier": "mail", "template": "shipped",
    })  # fmt: skip
    await house.post("/v1/alerts", {"name": "ops", "notifier": "mail", "to": ["ops@shop.example"]})
    await house.post("/v1/optouts", {"email": "no@more.example"})
    await house.post(
        "/v1/routes",
        {"event": "order.cancelled", "connection": "shop", "write": "order.cancel", "name": "way"},
    )
    row = (await house.post("/v1/orders", PHONE))["data"][0]
    await house.post("/v1/shipments/LOST/scans", {"text": "left the depot", "at": "2027-01-11T10:00:00Z"})
    await house.post(f"/v1/orders/{row['order']}/shipments", {
        "tracking_number": "T1", "carrier": "dhl", "lines": [{"sku": "TEA", "qty": 1}], "shipped_at": "2027-01-11T09:00:00Z",
    })  # fmt: skip
    await house.post("/v1/shipments/T1/scans", [
        {"status": "in_transit", "at": "2027-01-11T10:00:00Z", "place": {"city": "Köln", "country": "DE"}},
        {"status": "delivered", "at": "2027-01-12T10:00:00Z", "text": "Delivered"},
    ])  # fmt: skip
    for verb, body in (
        ("hold", {"note": "call"}),
        ("notes", {"text": "called"}),
        ("release", {}),
        ("confirm", {}),
    ):
        await house.say("POST", f"/v1/orders/{row['order']}/{verb}", body)
    await house.post("/v1/mappings/activate", {"text": "map: own.order\nextends: shopify.order\n"})
    pushed = await house.http.post(
        (await house.get("/v1/connections/api"))["intake_url"] + "/orders", content=b"{}"
    )
    assert pushed.status_code == 401
    await house.say("PATCH", "/v1/connections/api", {"settings": {"webhook_secret": "w"}})
    url = (await house.get("/v1/connections/api"))["intake_url"]
    await house.http.post(
        url + "/orders", content=b'{"ref": "x", "lines": 7}', headers={"authorization": "Bearer w"}
    )
    await house.hub.settle()
    await house.post("/v1/endpoints/erp/replay", {"since": "2026-01-01T00:00:00Z"})
    await house.hub.engine.transact(reconciled)
    return house


async def reconciled(unit: Unit) -> None:
    """A reconciliation that found one drift."""
    place = await unit.positions(2)
    run = {"id": "rec_1", "kind": "reconcile", "connection": "con_1", "found": {"stale": 1}}
    unit.add("reconciliations_add", position=place, id="rec_1", tenant="main", kind="reconcile", connection="con_1",
             job="job_1", begun_at=1, now=2, doc=json.dumps(run).encode())  # fmt: skip
    doc = {"fields": [{"path": "note", "to": "ring"}], "events": ["order.updated"], "message": "msg_1"}
    row = (place + 1, "main", "rec_1", "con_1", "ord_1", "O1", "stale", 1, 2, json.dumps(doc).encode())
    unit.add("drifts_add", [row])


def test_the_secrets_of_an_auth_are_marked_as_such():
    schemas = described()["components"]["schemas"]

    marked = {
        part
        for kind in schemas["NewEndpoint"]["properties"]["auth"]["anyOf"]
        for part, about in schemas[kind["$ref"].rpartition("/")[2]]["properties"].items()
        if (about.get("format"), about.get("writeOnly")) == ("password", True)
    }

    assert marked == set(SECRETS)


@on_sqlite
async def test_every_get_answers_in_the_shape_that_is_declared(furnished: House):
    spec = described()
    ids = await known(furnished)
    for op in operations():
        if op.method != "GET" or op.gives is None:
            continue
        path = op.path.replace("{id}", ids.get(op.path, ""))
        query = f"?order={ids['/v1/orders/{id}']}" if op.path == "/v1/facts" else ""
        answer = await furnished.say("GET", path + query)
        assert answer.status_code == 200, (path, answer.text)
        body = answer.json()
        if isinstance(body, dict) and "data" in body and "cursor" in body:
            assert body["data"], f"{path} shows nothing to judge"
        schema = spec["paths"][op.path]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
        check(body, schema, spec, path)


async def known(house: House) -> dict[str, str]:
    """An id for every path that has one."""

    async def first(path: str) -> str:
        return str((await house.get(path))["data"][0]["id"])

    order = await house.get(f"/v1/orders/{await first('/v1/orders?number=T-1')}")
    of_order = [op.path for op in operations() if op.path.startswith("/v1/orders/{id}")]
    return dict.fromkeys(of_order, order["id"]) | {
        "/v1/channels/{id}": "shopify", "/v1/connections/{id}": "shop", "/v1/partners/{id}": "acme",
        "/v1/endpoints/{id}": "erp", "/v1/endpoints/{id}/deliveries": "erp", "/v1/endpoints/{id}/events": "erp", "/v1/endpoints/{id}/queue": "erp",
        "/v1/endpoints/{id}/attempts": "erp", "/v1/endpoints/{id}/keys": await first("/v1/endpoints"), "/v1/tokens/{id}": "desk",
        "/v1/notifiers/{id}": "mail", "/v1/notices/{id}": "shipped", "/v1/alerts/{id}": "ops",
        "/v1/routes/{id}": "way", "/v1/shipments/{id}": order["shipments"][0]["id"],
        "/v1/messages/{id}": await first("/v1/messages?status=failed"), "/v1/events/{id}": await first("/v1/events"),
        "/v1/deliveries/{id}": await first("/v1/deliveries?status=dead"), "/v1/exceptions/{id}": await first("/v1/exceptions"),
        "/v1/mappings/{id}": "own.order", "/v1/jobs/{id}": await first("/v1/jobs"),
        "/v1/reconciliations/{id}": "rec_1", "/v1/reconciliations/{id}/drifts": "rec_1",
    }  # fmt: skip


def check(body: Any, schema: dict[str, Any], spec: dict[str, Any], what: str) -> None:
    faults = [
        f"{what} {'/'.join(map(str, error.path))}: {error.message[:200]}"
        for error in Draft202012Validator({**schema, "components": spec["components"]}).iter_errors(body)
    ]
    assert faults == []


@pytest.mark.parametrize(("method", "path", "body", "status"), [
    ("GET", "/v1/orders/nothing", None, 404), ("GET", "/v1/nowhere", None, 404), ("PUT", "/v1/orders", None, 405),
    ("POST", "/v1/orders", {"ref": "1", "colour": "red"}, 422), ("POST", "/v1/connections", {"name": "x", "channel": "y"}, 422),
    ("POST", "/v1/endpoints", {"url": "nothing"}, 422), ("GET", "/v1/events?limit=900", None, 422),
])  # fmt: skip
@on_sqlite
async def test_every_refusal_is_a_problem_as_declared(
    house: House, method: str, path: str, body: Any, status: int
):
    answer = await house.say(method, path, body)

    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem["status"] == status
    assert problem["type"] == f"urn:orderhub:problem:{problem['code']}"
    assert problem["title"] == TITLES[problem["code"]]
    check(problem, {"$ref": "#/components/schemas/Problem"}, described(), path)


@on_sqlite
async def test_the_schema_of_the_canon_holds_for_an_order_as_it_is_held(furnished: House):
    schema = await furnished.get("/v1/schema")
    order = (await furnished.get("/v1/orders?number=T-1"))["data"][0]

    Draft202012Validator.check_schema(schema)
    errors = list(Draft202012Validator(schema).iter_errors({"order": order}))
    assert [error.message[:200] for error in errors] == []
    assert list(Draft202012Validator(schema).iter_errors({"order": {**order, "colour": "red"}}))

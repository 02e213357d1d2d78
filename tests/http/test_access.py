"""Who may do what: scopes, partners, tenants that never see each other."""

from __future__ import annotations

import pytest

from hub.http.routes import operations
from tests.http.conftest import House, on_sqlite

PLACEHOLDER = "ord_01JHZX0000000000000000000A"


@pytest.mark.parametrize("scope", ["read", "write", "operate", "admin", "partner"])
@on_sqlite
async def test_every_operation_is_refused_to_tokens_without_its_scope(house: House, scope: str):
    token = await house.token(scope)
    includes = {"read": {"read"}, "write": {"read", "write"}, "operate": {"read", "operate"}, "partner": set(),
                "admin": {"read", "write", "operate", "admin"}}  # fmt: skip
    for op in operations():
        if op.scope is None or op.path == "/v1/tokens/{id}":
            continue
        answer = await house.say(op.method, op.path.replace("{id}", PLACEHOLDER), {}, token=token)
        allowed = op.scope in includes[scope] or (scope == "partner" and op.partner)

        assert (answer.status_code != 403) == allowed, (op.method, op.path, answer.text)
        assert answer.status_code != 500, answer.text


async def test_a_token_is_shown_once_and_kept_as_a_hash(house: House):
    made = await house.post("/v1/tokens", {"name": "desk", "scopes": ["read", "write"]})

    assert made["token"].startswith("oh_")
    assert (await house.say("GET", "/v1/orders", token=made["token"])).status_code == 200
    assert (await house.say("GET", "/v1/audit", token=made["token"])).status_code == 403
    assert made["token"] not in (await house.say("GET", "/v1/tokens")).text
    assert made["token"] not in str(await house.hub.engine.fetch("things_all", kind="token"))


async def test_a_revoked_token_opens_nothing_and_the_last_admin_stays(house: House):
    made = await house.post("/v1/tokens", {"name": "desk", "scopes": ["read"]})
    gone = await house.say("DELETE", "/v1/tokens/desk")
    after = await house.say("GET", "/v1/orders", token=made["token"])
    [admin] = (await house.get("/v1/tokens"))["data"]
    last = await house.say("DELETE", f"/v1/tokens/{admin['id']}")

    assert (gone.status_code, after.status_code, last.status_code) == (204, 401, 409)


@on_sqlite
async def test_a_name_is_given_once(house: House):
    await house.post("/v1/tokens", {"name": "desk", "scopes": ["read"]})
    again = await house.say("POST", "/v1/tokens", {"name": "desk", "scopes": ["read"]})

    assert (again.status_code, again.json()["field"]) == (409, "name")


async def test_a_partner_sees_its_own_endpoints_and_deliveries_and_nothing_else(house: House):
    ours = await house.post("/v1/partners", {"name": "acme", "roles": ["receiver"]})
    await house.post("/v1/partners", {"name": "other"})
    mine = await house.post(
        "/v1/endpoints", {"url": "https://acme.example/in", "name": "mine", "partner": "acme"}
    )
    await house.post(
        "/v1/endpoints", {"url": "https://other.example/in", "name": "theirs", "partner": "other"}
    )
    await house.post("/v1/endpoints", {"url": "https://none.example/in", "name": "nobody-s"})
    token = (await house.post("/v1/tokens", {"name": "p", "scopes": ["partner"], "partner": "acme"}))["token"]
    await house.post("/v1/orders", {"ref": "1"})

    endpoints = (await house.get("/v1/endpoints", token=token))["data"]
    deliveries = (await house.get("/v1/deliveries", token=token))["data"]
    everything = (await house.get("/v1/deliveries"))["data"]

    assert [one["name"] for one in endpoints] == ["mine"]
    assert endpoints[0]["partner"] == ours["id"]
    assert {one["target"] for one in deliveries} == {mine["id"]}
    assert len(everything) > len(deliveries)
    theirs = next(one for one in everything if one["target"] != mine["id"])
    for path in ("/v1/endpoints/theirs", f"/v1/deliveries/{theirs['id']}", "/v1/deliveries?endpoint=theirs"):
        assert (await house.say("GET", path, token=token)).status_code == 404
    assert (
        await house.say("POST", f"/v1/deliveries/{theirs['id']}/redeliver", token=token)
    ).status_code == 404
    assert (await house.say("GET", "/v1/orders", token=token)).status_code == 403
    rotated = await house.say("POST", "/v1/endpoints/mine/rotate", {}, token=token)
    assert rotated.status_code == 200
    wrong = await house.say(
        "POST", "/v1/tokens", {"name": "q", "scopes": ["partner", "read"], "partner": "acme"}
    )
    assert wrong.status_code == 422
    assert (await house.say("DELETE", "/v1/partners/acme")).status_code == 409


async def test_two_tenants_with_the_same_numbers_never_see_each_other(house: House):
    east, west = await house.token("admin", tenant="east"), await house.token("admin", tenant="west")
    made = {}
    for tenant, token in (("east", east), ("west", west)):
        await house.post("/v1/endpoints", {"url": f"https://{tenant}.example/in", "name": "erp"}, token=token)
        row = (
            await house.post("/v1/orders", {"ref": "1", "number": "100"}, token=token, idempotency_key="same")
        )["data"][0]
        await house.post("/v1/shipments", {"order": row["order"], "tracking_number": "T1"}, token=token)
        await house.post(
            "/v1/shipments/T1/scans", {"status": "delivered", "at": "2027-01-10T10:00:00Z"}, token=token
        )
        made[tenant] = row
    order, message = made["west"]["order"], made["west"]["message"]

    assert made["east"]["order"] != order
    for tenant, token in (("east", east), ("west", west)):
        [one] = (await house.get("/v1/orders?number=100", token=token))["data"]
        assert (one["id"], one["tenant"], len(one["shipments"])) == (made[tenant]["order"], tenant, 1)
        [found] = (await house.get("/v1/orders?ref=1", token=token))["data"]
        assert found["id"] == one["id"]
        assert {event["tenant"] for event in (await house.get("/v1/events", token=token))["data"]} == {tenant}
        assert {row["order"] for row in (await house.get("/v1/deliveries", token=token))["data"]} == {
            one["id"]
        }
        assert len((await house.get("/v1/messages", token=token))["data"]) == 3
        assert len((await house.get("/v1/connections", token=token))["data"]) == 1
        assert len((await house.get("/v1/tokens", token=token))["data"]) == 1
    delivery = (await house.get("/v1/deliveries", token=west))["data"][0]["id"]
    event = (await house.get("/v1/events", token=west))["data"][0]["id"]
    shipment = (await house.get(f"/v1/orders/{order}", token=west))["shipments"][0]["id"]
    foreign = [f"/v1/orders/{order}", f"/v1/orders/{order}/timeline", f"/v1/orders/{order}/facts", f"/v1/messages/{message}",
               f"/v1/orders/{order}/provenance", f"/v1/messages/{message}/raw", f"/v1/deliveries/{delivery}",
               f"/v1/events/{event}", f"/v1/shipments/{shipment}"]  # fmt: skip
    for path in foreign:
        assert (await house.say("GET", path, token=west)).status_code == 200, path
        assert (await house.say("GET", path, token=east)).status_code == 404, path
    assert (await house.get(f"/v1/facts?message={message}", token=east))["data"] == []
    nobodys = "ord_01ARZ3NDEKTSV4RRFFQ69G5FAV"
    for path in ("/v1/facts?order=", "/v1/events?order="):
        another = await house.say("GET", path + order, token=east)
        none = await house.say("GET", path + nobodys, token=east)
        assert (another.status_code, another.json()["field"]) == (422, "order"), path
        assert another.text.replace(order, nobodys) == none.text, "as if there were none"


async def test_no_tenant_can_speak_of_another_s_order(house: House):
    east, west = await house.token("admin", tenant="east"), await house.token("admin", tenant="west")
    row = (await house.post("/v1/orders", {"ref": "1", "channel": "phone"}, token=west))["data"][0]
    before = await house.get(f"/v1/orders/{row['order']}", token=west)

    by_row = await house.say(
        "POST", "/v1/shipments", {"order": row["order"], "tracking_number": "T"}, token=east
    )
    by_rows = await house.post("/v1/shipments", [{"order": row["order"], "tracking_number": "T"}], token=east)
    by_path = await house.say(
        "POST", f"/v1/orders/{row['order']}/shipments", {"tracking_number": "T"}, token=east
    )
    decided = await house.say("POST", f"/v1/orders/{row['order']}/confirm", token=east)

    assert (by_row.status_code, by_path.status_code, decided.status_code) == (422, 404, 404)
    assert by_rows["data"][0]["status"] == "rejected"
    assert await house.get(f"/v1/orders/{row['order']}", token=west) == before
    assert (await house.get("/v1/orders", token=east))["data"] == []


@on_sqlite
async def test_mappings_are_the_whole_hub_s_and_only_main_changes_them(house: House):
    east = await house.token("admin", tenant="east")
    answer = await house.say("POST", "/v1/mappings/activate", {"text": "map: x.y"}, token=east)

    assert answer.status_code == 403

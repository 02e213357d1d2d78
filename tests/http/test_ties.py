"""What others name is not taken away under them."""

from __future__ import annotations

from typing import Any

import pytest

from hub.directory import Endpoint
from hub.http.keep import seen
from tests.http.conftest import House, on_sqlite

pytestmark = on_sqlite
URL = "https://wms.example/hook"


async def refused(house: House, path: str) -> str:
    """What is said to whoever removes it too early."""
    answer = await house.say("DELETE", path)
    assert answer.status_code == 409, answer.text
    return str(answer.json()["detail"])


async def test_a_partner_stays_while_tokens_and_endpoints_are_its_own(house: House):
    partner = await house.post("/v1/partners", {"name": "nord"})
    await house.post("/v1/endpoints", {"url": URL, "name": "wms", "partner": "nord"})
    token = await house.post("/v1/tokens", {"name": "nords", "scopes": ["partner"], "partner": "nord"})

    said = await refused(house, f"/v1/partners/{partner['id']}")
    assert said == "partner nord is named by token nords, endpoint wms: remove or change them first"

    await house.say("DELETE", f"/v1/tokens/{token['id']}")
    assert await refused(house, "/v1/partners/nord") == (
        "partner nord is named by endpoint wms: remove or change it first"
    )
    assert (await house.say("PATCH", "/v1/endpoints/wms", {"partner": ""})).status_code == 200
    assert (await house.say("DELETE", "/v1/partners/nord")).status_code == 204


async def test_a_connection_stays_while_endpoints_routes_and_alerts_name_it(house: House):
    await house.post("/v1/connections", {"name": "shop", "channel": "shopify"})
    await house.post("/v1/endpoints", {"url": URL, "name": "wms", "connections": ["shop"]})
    await house.post(
        "/v1/notifiers", {"name": "ops", "kind": "webhook", "settings": {"url": "https://a.example/o"}}
    )
    await house.post("/v1/alerts", {"name": "night", "notifier": "ops", "connections": ["shop"]})
    writes = house.hub.registry.channel("shopify").writes
    route = {"name": "back", "event": "shipment.shipped", "connection": "shop", "write": next(iter(writes))}
    await house.post("/v1/routes", route)

    said = await refused(house, "/v1/connections/shop")
    assert said == (
        "connection shop is named by endpoint wms, route back, alert night: remove or change them first"
    )

    await house.say("DELETE", "/v1/routes/back")
    await house.say("DELETE", "/v1/alerts/night")
    assert (await house.say("PATCH", "/v1/endpoints/wms", {"connections": []})).status_code == 200
    assert (await house.say("DELETE", "/v1/connections/shop")).status_code == 204


async def test_an_alert_stays_while_another_escalates_to_it(house: House):
    await house.post(
        "/v1/notifiers", {"name": "ops", "kind": "webhook", "settings": {"url": "https://a.example/o"}}
    )
    await house.post("/v1/alerts", {"name": "boss", "notifier": "ops"})
    await house.post("/v1/alerts", {"name": "night", "notifier": "ops", "escalate_to": "boss"})

    assert "alert night" in await refused(house, "/v1/alerts/boss")
    assert "alert boss, alert night" in await refused(house, "/v1/notifiers/ops")
    assert (await house.say("DELETE", "/v1/alerts/night")).status_code == 204
    assert (await house.say("DELETE", "/v1/alerts/boss")).status_code == 204


async def test_another_tenant_s_things_hold_nothing(house: House):
    other = await house.token("admin", tenant="other")
    await house.post("/v1/partners", {"name": "nord"})
    await house.post("/v1/partners", {"name": "nord"}, token=other)
    await house.post("/v1/endpoints", {"url": URL, "name": "wms", "partner": "nord"}, token=other)

    assert (await house.say("DELETE", "/v1/partners/nord")).status_code == 204


@pytest.mark.parametrize("wish", [{"rate": 5}, {"name": "renamed"}, {"events": ["order.created"]}])
async def test_an_endpoint_whose_partner_and_connection_went_long_ago_is_changed_in_what_is_asked(
    house: House, wish: dict[str, Any]
):
    await house.post("/v1/endpoints", {"url": URL, "name": "wms"})
    one = house.hub.directory.get(Endpoint, "wms")
    assert one is not None
    one.partner, one.connections = "par_gone", ["con_gone"]
    await house.hub.engine.transact(lambda unit: house.hub.directory.put(unit, one, house.hub.world.now()))
    await seen(house.hub)

    answer = await house.say("PATCH", f"/v1/endpoints/{one.id}", wish)

    assert answer.status_code == 200, answer.text
    assert (answer.json()["partner"], answer.json()["connections"]) == ("par_gone", ["con_gone"])
    again = await house.say("PATCH", f"/v1/endpoints/{one.id}", {"connections": ["con_gone"]})
    assert (again.status_code, again.json()["field"]) == (422, "connections[0]")

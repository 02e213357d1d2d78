"""Connections: changed without showing or losing a secret, tried at their far side, one live to an account."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from hub.directory import Connection
from tests.http.conftest import House, on_sqlite

pytestmark = on_sqlite


@dataclass
class Admin:
    """A shop's GraphQL, as far as connecting to it needs: its domain, its scopes, its webhooks."""

    url: str = ""
    token: str = "shpat_right"
    asked: list[str] = field(default_factory=list)
    webhooks: list[str] = field(default_factory=list)

    async def answer(self, request: Request) -> Response:
        if request.headers.get("x-shopify-access-token") != self.token:
            return JSONResponse({"errors": "[API] Invalid API key or access token"}, 401)
        asked = await request.json()
        self.asked.append(asked["query"])
        if "webhookSubscriptionCreate" in asked["query"]:
            self.webhooks.append(asked["variables"]["topic"])
            made = {"id": f"gid://shopify/WebhookSubscription/{len(self.webhooks)}"}
            return JSONResponse(
                {"data": {"webhookSubscriptionCreate": {"webhookSubscription": made, "userErrors": []}}}
            )
        if "webhookSubscriptions" in asked["query"]:
            return JSONResponse(
                {"data": {"webhookSubscriptions": {"nodes": [], "pageInfo": {"hasNextPage": False}}}}
            )
        return JSONResponse({"data": {
            "shop": {"myshopifyDomain": "kites.myshopify.com", "ianaTimezone": "Europe/Lisbon"},
            "currentAppInstallation": {"accessScopes": [{"handle": "read_orders"}]},
        }})  # fmt: skip


@pytest.fixture
async def admin() -> AsyncIterator[Admin]:
    found = Admin()
    app = Starlette(routes=[Route("/admin/api/{version}/graphql.json", found.answer, methods=["POST"])])
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="error", lifespan="off"))
    task = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    found.url = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    yield found
    server.should_exit = True
    await task


def wanted(admin: Admin, **changes: Any) -> dict[str, Any]:
    settings = {"webhook_secret": "hush", "base_url": admin.url, "access_token": admin.token, **changes}
    return {"name": "shop", "channel": "shopify", "settings": settings}


async def test_a_trial_reads_the_account_and_registers_the_pushes(house: House, admin: Admin):
    await house.post("/v1/connections", wanted(admin))
    told = await house.post("/v1/connections/shop/test")

    assert told["ok"], told
    assert [step["step"] for step in told["steps"]] == ["settings", "credentials", "account", "subscriptions"]
    assert told["connection"]["account"] == "kites.myshopify.com"
    assert "ORDERS_CREATE" in admin.webhooks


async def test_a_trial_says_which_step_failed(house: House, admin: Admin):
    await house.post("/v1/connections", wanted(admin, access_token="shpat_wrong"))
    told = await house.post("/v1/connections/shop/test")

    assert not told["ok"]
    assert [(step["step"], step["ok"]) for step in told["steps"]][-1] == ("account", False)
    assert "shpat_wrong" not in str(told)


async def test_an_account_found_late_does_not_part_a_connection_from_its_orders(house: House, admin: Admin):
    await house.post("/v1/connections", wanted(admin))
    await house.post("/v1/shipments", {"connection": "shop", "order": "1001", "tracking_number": "T"})

    told = await house.post("/v1/connections/shop/test")

    found = (await house.get("/v1/orders?ref=1001&connection=shop"))["data"]
    assert len(found) == 1
    assert told["connection"]["account"] == ""
    assert "kites.myshopify.com" in told["steps"][2]["detail"]


async def test_a_second_live_connection_to_one_account_is_refused(house: House, admin: Admin):
    await house.post("/v1/connections", wanted(admin))
    second = wanted(admin) | {"name": "again"}
    refused = await house.say("POST", "/v1/connections", second)
    observing = await house.say("POST", "/v1/connections", second | {"mode": "observe"})
    turned = await house.say("PATCH", "/v1/connections/again", {"mode": "live"})
    told = await house.say("POST", "/v1/connections", {"name": "a", "channel": "aftership", "account": "org"})
    same = await house.say("POST", "/v1/connections", {"name": "b", "channel": "aftership", "account": "org"})

    assert [one.status_code for one in (refused, observing, turned, told, same)] == [409, 201, 409, 201, 409]
    assert refused.json()["code"] == "conflict"


async def test_a_masked_secret_that_comes_back_stays_what_it_was(house: House):
    made = await house.post("/v1/connections", {
        "name": "shop", "channel": "shopify", "settings": {"webhook_secret": ["new", "old"], "client_secret": "c"},
    })  # fmt: skip
    shown = (await house.get("/v1/connections/shop"))["settings"]
    changed = await house.say(
        "PATCH", "/v1/connections/shop", {"settings": shown | {"base_url": "kites", "client_secret": None}}
    )

    assert changed.status_code == 200, changed.text
    one = house.hub.directory.get(Connection, made["id"])
    assert one is not None
    settings: Any = house.hub.directory.settings(one)
    assert (settings.webhook_secret, settings.client_secret, settings.base_url) == (
        ["new", "old"],
        None,
        "kites",
    )
    [_, row] = (await house.get(f"/v1/audit?subject={made['id']}"))["data"]
    assert "base_url" in row["detail"]["settings_changed"]
    assert "old" not in str(row["detail"].get("after", ""))


async def test_a_connection_goes_by_its_name_and_knows_its_cut_over(house: House):
    made = await house.post("/v1/connections", {
        "name": "shop", "channel": "shopify", "settings": {"webhook_secret": "s"}, "cutover_at": "2027-01-01T00:00:00+01:00",
    })  # fmt: skip

    assert made["cutover_at"] == "2026-12-31T23:00:00.000Z"
    assert await house.get(f"/v1/connections/{made['id']}") == await house.get("/v1/connections/shop")
    wrong = await house.say("PATCH", "/v1/connections/shop", {"cutover_at": "soon"})
    cleared = await house.say("PATCH", "/v1/connections/shop", {"cutover_at": None})
    assert (wrong.status_code, wrong.json()["field"]) == (422, "cutover_at")
    assert cleared.json()["cutover_at"] is None
    assert (await house.say("POST", "/v1/connections", {"name": "shop", "channel": "api"})).status_code == 409


async def test_an_unknown_channel_and_an_unfit_name_are_told(house: House):
    lost = await house.say("POST", "/v1/connections", {"name": "x", "channel": "shopfy"})
    unfit = await house.say("POST", "/v1/connections", {"name": "a/b", "channel": "shopify"})

    assert (lost.status_code, lost.json()["field"]) == (422, "channel")
    assert "shopify" in lost.json()["detail"]
    assert (unfit.status_code, unfit.json()["field"]) == (422, "name")


async def test_a_source_that_only_pushes_is_not_swept(house: House):
    await house.post("/v1/orders", {"ref": "1"})
    await house.post(
        "/v1/connections", {"name": "shop", "channel": "shopify", "settings": {"webhook_secret": "s"}}
    )

    pushes = await house.say("POST", "/v1/connections/api/sweep")
    lacks = await house.say("POST", "/v1/connections/shop/sweep")

    assert (pushes.status_code, lacks.status_code) == (409, 409)
    assert "base_url" in lacks.json()["detail"]


async def test_channels_are_listed_with_the_schema_of_their_settings(house: House):
    found = {one["name"]: one for one in (await house.get("/v1/channels"))["data"]}
    whole = await house.get("/v1/channels/shopify")

    assert {"api", "aftership", "shopify"} <= found.keys()
    assert found["shopify"]["authenticity"] == "body_signed"
    assert found["shopify"]["polls"]
    assert "fulfillment.create" in found["shopify"]["writes"]
    assert "webhook_secret" in str(found["shopify"]["settings"])
    assert whole["manual"].startswith("# Shopify")
    assert (await house.say("GET", "/v1/channels/nowhere")).status_code == 404


async def test_a_route_is_checked_when_it_is_made(house: House):
    await house.post(
        "/v1/connections", {"name": "shop", "channel": "shopify", "settings": {"webhook_secret": "s"}}
    )
    good = {
        "event": "order.cancelled",
        "connection": "shop",
        "write": "order.cancel",
        "predicate": "data.channel == 'phone'",
    }
    for name, value in (
        ("event", "order.canceled"),
        ("connection", "no"),
        ("write", "order.make"),
        ("predicate", "data.("),
    ):
        answer = await house.say("POST", "/v1/routes", good | {name: value})
        assert (answer.status_code, answer.json()["field"]) == (422, name)

    made = await house.post("/v1/routes", good)

    assert (await house.get(f"/v1/routes/{made['id']}"))["predicate"] == good["predicate"]
    assert (await house.say("DELETE", f"/v1/routes/{made['id']}")).status_code == 204
    assert (await house.get("/v1/routes"))["data"] == []


async def test_a_route_is_changed_where_it_stands_and_a_slip_leaves_it_as_it_was(house: House):
    for name in ("shop", "desk"):
        settings = {"webhook_secret": "s", "base_url": f"{name}.example"}
        await house.post("/v1/connections", {"name": name, "channel": "shopify", "settings": settings})
    first = {"event": "order.cancelled", "connection": "shop", "write": "order.cancel", "name": "way"}
    made = await house.post("/v1/routes", first)

    for name, value in (("event", "order.canceled"), ("connection", "no"), ("write", "order.make"), ("predicate", "data.("),
                        ("name", ""), ("id", "rou_1")):  # fmt: skip
        answer = await house.say("PATCH", "/v1/routes/way", {name: value})
        assert (answer.status_code, answer.json()["field"]) == (422, name)
    assert await house.get("/v1/routes/way") == made
    for scope in ("read", "write", "operate"):
        token = await house.token(scope)
        assert (await house.say("PATCH", "/v1/routes/way", {}, token)).status_code == 403
    assert (await house.say("PATCH", "/v1/routes/none", {})).status_code == 404

    wish = {"predicate": "data.channel == 'phone'", "connection": "desk"}
    changed = (await house.say("PATCH", "/v1/routes/way", wish)).json()
    desk = (await house.get("/v1/connections/desk"))["id"]
    assert changed | {"updated_at": ""} == made | wish | {"connection": desk, "updated_at": ""}
    told = (await house.get("/v1/audit"))["data"][-1]
    assert (told["action"], told["subject"]) == ("route.changed", made["id"])
    assert told["detail"]["after"] == wish | {"connection": desk}
    await house.post("/v1/routes", first | {"name": "other"})
    assert (await house.say("PATCH", "/v1/routes/other", {"name": "way"})).status_code == 409


async def test_a_key_that_no_push_could_ever_fit_is_refused_when_it_is_given(house: House):
    def settings(**more: object) -> dict[str, object]:
        return {"name": "kites", "channel": "generic", "settings": more}

    for told, setting in (
        ({"webhook_secret": "s3cret"}, "webhook_secret"),
        ({"proof": "hmac", "header": "x-sign", "key_form": "hex", "webhook_secret": "zz"}, "webhook_secret"),
        ({"proof": "public_key", "header": "x-sign", "public_key": "nonsense"}, "public_key"),
        ({"proof": "jwt", "public_key": "nonsense"}, "public_key"),
    ):
        refused = await house.say("POST", "/v1/connections", settings(**told))
        assert (refused.status_code, refused.json()["field"]) == (422, f"settings.{setting}"), told
        assert "s3cret" not in refused.text
    await house.post("/v1/connections", settings(webhook_secret="whsec_c2VjcmV0"))
    again = await house.say("PATCH", "/v1/connections/kites", {"settings": {"webhook_secret": "s3cret"}})
    assert (again.status_code, again.json()["field"]) == (422, "settings.webhook_secret")


async def test_a_key_that_was_never_fit_refuses_pushes_with_the_reason_and_is_seen_in_its_connection(
    house: House,
):
    made = await house.post(
        "/v1/connections",
        {"name": "kites", "channel": "generic", "settings": {"webhook_secret": "whsec_c2VjcmV0"}},
    )
    one = house.hub.directory.get(Connection, "kites")
    assert one is not None
    one.settings = {**one.settings, "webhook_secret": {"sealed": house.hub.vault.seal("a", one.id)}}
    await house.hub.engine.transact(lambda unit: house.hub.directory.put(unit, one, house.hub.world.now()))
    await house.hub.directory.refresh()

    headers = {"webhook-id": "1", "webhook-timestamp": "1", "webhook-signature": "v1,AAAA"}
    pushed = await house.http.post(made["intake_url"], content=b"{}", headers=headers)
    assert pushed.status_code == 401
    assert "secret is not whsec" in pushed.text
    shown = await house.get("/v1/connections/kites")
    assert shown["cannot"] == ["cannot take its pushes without a webhook_secret that can be read"]
    assert (
        await house.say("PATCH", "/v1/connections/kites", {"time_zone": "Europe/Berlin"})
    ).status_code == 200

"""Messages and what follows from them: kept, shown, replayed; exceptions that open, are retried and close."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import Any

import pytest

from hub.fixtures import samples
from tests.http.conftest import House

SECRET = "the-shop-s-own-secret"


def signed(body: bytes, topic: str = "orders/create", delivery: str = "d-1") -> dict[str, str]:
    mac = base64.b64encode(hmac.digest(SECRET.encode(), body, hashlib.sha256)).decode()
    return {"x-shopify-hmac-sha256": mac, "x-shopify-topic": topic, "x-shopify-webhook-id": delivery,
            "x-shopify-shop-domain": "kites.myshopify.com", "content-type": "application/json"}  # fmt: skip


def order(**changes: Any) -> bytes:
    found = samples("shopify", "adapters.shopify")
    body = next(one for one in found.fixtures if one.topic == "orders-create").message.json()
    return json.dumps({**body, **changes}, default=str).encode()


@pytest.fixture
async def shop(house: House) -> dict[str, Any]:
    return await house.post(
        "/v1/connections", {"name": "shop", "channel": "shopify", "settings": {"webhook_secret": SECRET}}
    )


async def push(house: House, shop: dict[str, Any], body: bytes, **known: str) -> str:
    answer = await house.http.post(shop["intake_url"], content=body, headers=signed(body, **known))
    assert answer.status_code == 202, answer.text
    await house.hub.settle()
    return answer.json()["message"]


async def test_a_message_is_shown_with_its_body_byte_for_byte(house: House, shop: dict[str, Any]):
    body = order()
    id_ = await push(house, shop, body)

    found = await house.get(f"/v1/messages/{id_}")
    raw = await house.say("GET", f"/v1/messages/{id_}/raw")

    assert (found["status"], found["topic"], found["connection"]) == (
        "processed",
        "orders/create",
        shop["id"],
    )
    assert found["body"] == body.decode()
    assert raw.content == body
    assert raw.headers["content-type"] == "application/octet-stream"
    assert raw.headers["x-content-type-options"] == "nosniff"
    [fact] = (await house.get(f"/v1/facts?message={id_}"))["data"]
    assert fact["subject"] == "order"
    assert fact["mapping"]


async def test_what_cannot_be_read_stands_in_the_exceptions_until_a_replay_succeeds(
    house: House, shop: dict[str, Any]
):
    id_ = await push(house, shop, order(total_price="12,50", current_total_price="12,50"))

    [trouble] = (await house.get("/v1/exceptions?state=open"))["data"]
    whole = await house.get(f"/v1/exceptions/{trouble['id']}")
    message = await house.get(f"/v1/messages/{id_}")

    assert message["status"] == "failed"
    assert trouble["place"]["value"] == "12,50"
    assert trouble["place"]["line"] > 0
    assert message["error"]["place"] == trouble["place"]
    assert whole["subjects"] == [id_]
    assert (await house.get("/v1/messages?status=failed&connection=shop"))["data"][0]["id"] == id_

    text = (await house.get("/v1/mappings/shopify.order"))["text"]
    assert "map: shopify.order" in text
    mended = await house.post(
        "/v1/mappings/activate", {"text": "map: kites.order\nextends: shopify.order\n" + mend(trouble)}
    )
    assert mended["name"] == "kites.order"
    changed = await house.say("PATCH", "/v1/connections/shop", {"mappings": {"*": "kites.order"}})
    assert changed.status_code == 200
    retried = await house.post(f"/v1/exceptions/{trouble['id']}/retry")
    assert retried["messages"] == [id_]
    await house.hub.settle()

    assert (await house.get(f"/v1/messages/{id_}"))["status"] == "processed"
    assert (await house.get(f"/v1/exceptions/{trouble['id']}"))["state"] == "closed"
    assert len((await house.get("/v1/orders"))["data"]) == 1


def mend(trouble: dict[str, Any]) -> str:
    """A line that reads a price with a comma, for the field in trouble and its like."""
    return "fields:\n  totals.total: (current_total_price ?? total_price) | replace(',', '.') | money(currency)\n"


async def test_an_exception_is_acknowledged_snoozed_and_closed_once(house: House, shop: dict[str, Any]):
    await push(house, shop, b"[1, 2")
    [trouble] = (await house.get("/v1/exceptions"))["data"]
    path = f"/v1/exceptions/{trouble['id']}"

    assert (await house.post(f"{path}/ack"))["state"] == "acked"
    assert (await house.post(f"{path}/snooze"))["state"] == "snoozed"
    assert (await house.post(f"{path}/close"))["state"] == "closed"
    again = await house.say("POST", f"{path}/ack")
    assert (again.status_code, again.json()["code"]) == (409, "conflict")
    actions = [row["action"] for row in (await house.get(f"/v1/audit?subject={trouble['id']}"))["data"]]
    assert actions == ["exception.acked", "exception.snoozed", "exception.closed"]


async def test_a_call_of_the_api_is_not_replayed(house: House):
    row = (await house.post("/v1/orders", {"ref": "1"}))["data"][0]

    answer = await house.say("POST", f"/v1/messages/{row['message']}/replay")

    assert answer.status_code == 409


async def test_a_paused_connection_answers_503_and_a_deleted_one_404(house: House, shop: dict[str, Any]):
    body = order()
    await house.post("/v1/connections/shop/pause")
    paused = await house.http.post(shop["intake_url"], content=body, headers=signed(body))
    await house.post("/v1/connections/shop/resume")
    await push(house, shop, body)
    assert (await house.say("DELETE", "/v1/connections/shop")).status_code == 204
    gone = await house.http.post(shop["intake_url"], content=body, headers=signed(body))

    assert (paused.status_code, gone.status_code) == (503, 404)
    assert len((await house.get("/v1/orders"))["data"]) == 1


async def test_a_provenance_a_rebuild_and_a_remap_say_that_nothing_differs(
    house: House, shop: dict[str, Any]
):
    await push(house, shop, order())
    [one] = (await house.get("/v1/orders"))["data"]

    why = await house.get(f"/v1/orders/{one['id']}/provenance?field=number")
    rebuilt = await house.post("/v1/orders/rebuild", {})
    remapped = await house.post("/v1/messages/remap", {})

    assert why["leaves"][0]["value"] == one["number"]
    assert [row["same"] for row in rebuilt["data"]] == [True]
    assert (remapped["checked"], remapped["orders"]) == (1, [])


async def test_people_are_forgotten_only_when_it_is_said_twice(house: House, shop: dict[str, Any]):
    await push(house, shop, order())
    [one] = (await house.get("/v1/orders"))["data"]
    mail = one["buyer"]["email"]

    dry = await house.post("/v1/redactions", {"email": mail})
    kept = await house.get(f"/v1/orders/{one['id']}")
    done = await house.post("/v1/redactions", {"email": mail, "apply": True})
    gone = await house.say("GET", f"/v1/orders/{one['id']}")

    assert (dry["applied"], dry["orders"]) == (False, [one["id"]])
    assert kept["buyer"]["email"] == mail
    assert (done["applied"], done["orders"]) == (True, [one["id"]])
    assert mail not in gone.text


async def test_a_connection_that_the_far_side_parted_from_is_resumed_and_its_exception_closes(
    house: House, shop: dict[str, Any]
):
    await push(
        house, shop, b'{"myshopify_domain": "kites.myshopify.com"}', topic="app/uninstalled", delivery="u-1"
    )
    await house.hub.settle()
    parted = (await house.get("/v1/connections/shop"))["status"]
    [trouble] = (await house.get("/v1/exceptions?state=open"))["data"]

    resumed = await house.post("/v1/connections/shop/resume")

    assert (parted, resumed["status"]) == ("reauth_required", "active")
    assert "connections resume" in trouble["hint"]
    assert (await house.get(f"/v1/exceptions/{trouble['id']}"))["state"] == "closed"

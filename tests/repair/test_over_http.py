"""Repairs over the admin API: what the CLI calls, and who may."""

from __future__ import annotations

import httpx
import pytest

from hub.directory import Connection
from hub.http.app import build
from tests.engines import ADMIN
from tests.repair.shop import order
from tests.repair.test_remap import SHOUTED


@pytest.fixture
async def http(shop):
    transport = httpx.ASGITransport(build(shop.hub))
    headers = {"authorization": f"Bearer {ADMIN}"}
    async with httpx.AsyncClient(transport=transport, base_url="http://hub.test", headers=headers) as client:
        yield client


async def test_a_remap_is_tried_and_then_applied(shop, http):
    await shop.tell("orders", order())

    tried = await http.post("/v1/messages/remap", json={"mappings": SHOUTED})
    assert tried.json()["orders"][0]["changes"][0]["to"] == "tea-1"
    assert (await shop.order())["lines"][0]["sku"] == "TEA-1"
    await http.post("/v1/messages/remap", json={"mappings": SHOUTED, "apply": True})

    assert (await shop.order())["lines"][0]["sku"] == "tea-1"


async def test_a_redaction_by_mail_reaches_the_order_and_names_who_did_it(shop, http):
    await shop.tell("orders", order())

    done = await http.post("/v1/redactions", json={"email": "ilka@brandt.example", "apply": True})

    assert done.json()["orders"] == [(await shop.order())["id"]]
    rows = await shop.hub.engine.fetch("audit_list", tenant="main", after=0, subject="", most=100)
    assert [row[3] for row in rows][-1] == "person.redacted"
    assert rows[-1][2].startswith("admin")


async def test_a_redaction_that_names_nobody_is_told_which_field_is_missing(http):
    answer = await http.post("/v1/redactions", json={})

    assert answer.status_code in (400, 422)
    assert "orders" in answer.text


async def test_provenance_answers_by_field(shop, http):
    await shop.tell("orders", order())
    id_ = (await shop.order())["id"]

    answer = await http.get(f"/v1/orders/{id_}/provenance", params={"field": "number"})

    (leaf,) = answer.json()["leaves"]
    assert leaf["given"]["source"]["file"] == "corner.order.yaml"


async def test_a_connection_that_is_resumed_has_recovered(shop, http):
    await shop.tell("news", {"kind": "uninstalled"})

    answer = await http.post("/v1/connections/corner/resume")

    assert answer.status_code == 200, answer.text
    assert shop.hub.directory.get(Connection, shop.corner.id).status == "active"
    assert await shop.exceptions() == []

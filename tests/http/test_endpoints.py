"""Endpoints and what goes out to them: made, refused with a field, tested, rotated, delivered, redelivered, skipped."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import pytest
import uvicorn
from standardwebhooks import Webhook
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tests.http.conftest import House, on_sqlite


@dataclass
class Receiver:
    """A partner's server: remembers what came, answers what it is told to."""

    url: str = ""
    status: int = 204
    heard: list[tuple[dict[str, str], bytes]] = field(default_factory=list)

    async def take(self, request: Request) -> Response:
        self.heard.append((dict(request.headers), await request.body()))
        return Response("taken", self.status)


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    found = Receiver()
    app = Starlette(routes=[Route("/hooks", found.take, methods=["POST"])])
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="error", lifespan="off"))
    task = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    found.url = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}/hooks"
    yield found
    server.should_exit = True
    await task


@pytest.mark.parametrize(("body", "field"), [
    ({"url": "ftp://x"}, "url"), ({"url": "https://user:pw@x.example"}, "url"), ({"url": "http://10.0.0.1/"}, "url"),
    ({"url": "http://[::1]/"}, "url"), ({"url": "https://x.example", "events": ["ordr.*"]}, "events[0]"),
    ({"url": "https://x.example", "events": []}, "events"), ({"url": "https://x.example", "filter": "data.("}, "filter"),
    ({"url": "https://x.example", "timeout": 31}, "timeout"), ({"url": "https://x.example", "schedule": [-1]}, "schedule[0]"),
    ({"url": "https://x.example", "headers": {"x": "a\nb"}}, "headers.x"), ({"url": "https://x.example", "partner": "no"}, "partner"),
    ({"url": "https://x.example", "connections": ["no"]}, "connections[0]"), ({"url": "https://x.example", "colour": 1}, "colour"),
    ({}, "url"),
])  # fmt: skip
@on_sqlite
async def test_what_an_endpoint_cannot_be_is_told_with_its_field(
    house: House, body: dict[str, Any], field: str
):
    answer = await house.say("POST", "/v1/endpoints", body)

    assert answer.status_code == 422, answer.text
    assert answer.json().get("field", "") == field
    assert answer.json()["detail"]
    assert (await house.get("/v1/endpoints"))["data"] == []


async def test_an_event_is_delivered_signed_and_shown_with_its_attempt(house: House, receiver: Receiver):
    made = await house.post(
        "/v1/endpoints", {"url": receiver.url, "events": ["order.created"], "name": "erp"}
    )
    row = (await house.post("/v1/orders", {"ref": "1", "number": "N1"}))["data"][0]
    await house.hub.settle()

    [(headers, body)] = receiver.heard
    event = Webhook(made["secret"]).verify(body, headers)
    [one] = (await house.get("/v1/deliveries?endpoint=erp"))["data"]
    whole = await house.get(f"/v1/deliveries/{one['id']}")

    assert event["data"]["number"] == "N1"
    assert (one["status"], one["event"], one["order"], one["endpoint"]) == (
        "delivered",
        event["id"],
        row["order"],
        "erp",
    )
    assert whole["log"][0]["detail"]["status"] == 204
    assert (await house.get(f"/v1/endpoints/erp/deliveries?order={row['order']}"))["data"] == [one]
    assert await house.get(f"/v1/events/{event['id']}") == event


@on_sqlite
async def test_a_test_shows_the_whole_exchange(house: House, receiver: Receiver):
    made = await house.post(
        "/v1/endpoints", {"url": receiver.url, "format": "cloudevents", "headers": {"x-desk": "7"}}
    )
    good = await house.post(f"/v1/endpoints/{made['id']}/test")
    receiver.status = 500
    bad = await house.post(f"/v1/endpoints/{made['id']}/test")

    assert good["ok"]
    assert good["response"]["status"] == 204
    assert good["request"]["headers"]["x-desk"] == "7"
    headers, body = receiver.heard[0]
    assert Webhook(made["secret"]).verify(body, headers)["type"] == "webhook.test"
    assert not bad["ok"]
    assert bad["response"]["body"] == "taken"
    assert (await house.get("/v1/events"))["data"] == []


@on_sqlite
async def test_while_a_secret_rotates_both_sign(house: House, receiver: Receiver):
    made = await house.post("/v1/endpoints", {"url": receiver.url})
    new = await house.post(f"/v1/endpoints/{made['id']}/rotate", {"overlap_hours": 1})
    await house.post(f"/v1/endpoints/{made['id']}/test")
    last = await house.post(f"/v1/endpoints/{made['id']}/rotate", {"overlap_hours": 0})
    await house.post(f"/v1/endpoints/{made['id']}/test")

    (both, first), (only, second) = receiver.heard
    for secret in (made["secret"], new["secret"]):
        Webhook(secret).verify(first, both)
    Webhook(last["secret"]).verify(second, only)
    assert len(only["webhook-signature"].split()) == 1
    assert (
        await house.say("POST", f"/v1/endpoints/{made['id']}/rotate", {"overlap_hours": 169})
    ).status_code == 422
    assert (
        await house.say("POST", f"/v1/endpoints/{made['id']}/rotate", {"secret": "whsec_x"})
    ).status_code == 422


async def test_a_dead_letter_is_listed_and_redelivered(house: House, receiver: Receiver):
    receiver.status = 400
    await house.post(
        "/v1/endpoints", {"url": receiver.url, "events": ["order.created"], "schedule": [0], "name": "erp"}
    )
    await house.post("/v1/orders", {"ref": "1"})
    await house.hub.settle()
    [dead] = (await house.get("/v1/deliveries?status=dead"))["data"]
    [trouble] = (await house.get("/v1/exceptions"))["data"]
    receiver.status = 200

    answer = await house.say("POST", f"/v1/deliveries/{dead['id']}/redeliver")
    await house.hub.settle()

    assert answer.status_code == 202
    found = await house.get(f"/v1/deliveries/{dead['id']}")
    assert found["status"] == "delivered"
    assert receiver.heard[-1][0]["orderhub-replay"] == "manual"
    assert receiver.heard[-1][0]["webhook-id"] == receiver.heard[0][0]["webhook-id"]
    assert (await house.get(f"/v1/exceptions/{trouble['id']}"))["state"] == "closed"


async def test_all_dead_letters_of_a_cause_are_retried_at_once(house: House, receiver: Receiver):
    receiver.status = 400
    await house.post("/v1/endpoints", {"url": receiver.url, "events": ["order.created"], "schedule": [0]})
    await house.post("/v1/orders", [{"ref": str(n)} for n in range(3)])
    await house.hub.settle()
    [trouble] = (await house.get("/v1/exceptions"))["data"]
    receiver.status = 200

    retried = await house.post(f"/v1/exceptions/{trouble['id']}/retry")
    await house.hub.settle()

    assert len(retried["deliveries"]) == 3
    assert [one["status"] for one in (await house.get("/v1/deliveries"))["data"]] == ["delivered"] * 3


async def test_skipping_lets_the_next_event_of_the_order_go(house: House, receiver: Receiver):
    receiver.status = 400
    await house.post(
        "/v1/endpoints", {"url": receiver.url, "events": ["order.*"], "schedule": [0, 3600], "name": "erp"}
    )
    row = (await house.post("/v1/orders", {"ref": "1", "channel": "phone"}))["data"][0]
    await house.post(f"/v1/orders/{row['order']}/confirm")
    await house.hub.settle()
    first, second = (await house.get("/v1/deliveries"))["data"]
    assert (first["status"], second["status"]) == ("due", "waiting")
    receiver.status = 200

    skipped = await house.post(f"/v1/deliveries/{first['id']}/skip")
    await house.hub.settle()

    assert skipped["status"] == "skipped"
    assert (await house.get(f"/v1/deliveries/{second['id']}"))["status"] == "delivered"
    again = await house.say("POST", f"/v1/deliveries/{first['id']}/skip")
    assert again.status_code == 409


async def test_an_event_goes_again_to_who_had_it_or_to_one_who_had_not(house: House, receiver: Receiver):
    await house.post("/v1/endpoints", {"url": receiver.url, "events": ["order.created"], "name": "a"})
    await house.post("/v1/orders", {"ref": "1"})
    await house.hub.settle()
    [event] = [one for one in (await house.get("/v1/events"))["data"] if one["type"] == "order.created"]
    await house.post("/v1/endpoints", {"url": receiver.url, "events": ["order.cancelled"], "name": "b"})

    again = await house.post(f"/v1/events/{event['id']}/redeliver")
    fresh = await house.post(f"/v1/events/{event['id']}/redeliver", {"endpoint": "b"})
    await house.hub.settle()

    assert len(receiver.heard) == 3
    assert {headers["webhook-id"] for headers, _ in receiver.heard} == {event["id"]}
    assert {body for _, body in receiver.heard} == {receiver.heard[0][1]}
    assert again["deliveries"] != fresh["deliveries"]


async def test_what_a_disabled_endpoint_is_owed_waits_and_flows(house: House, receiver: Receiver):
    await house.post("/v1/endpoints", {"url": receiver.url, "events": ["order.created"], "name": "erp"})
    await house.post("/v1/endpoints/erp/disable")
    await house.post("/v1/orders", {"ref": "1"})
    await house.hub.settle()
    held = (await house.get("/v1/deliveries"))["data"][0]["status"]
    enabled = await house.post("/v1/endpoints/erp/enable")
    await house.hub.deliver.unblock()
    await house.hub.settle()

    assert (held, enabled["status"], len(receiver.heard)) == ("held", "active", 1)


async def test_an_endpoint_that_goes_says_how_much_is_dropped(house: House, receiver: Receiver):
    await house.post("/v1/endpoints", {"url": receiver.url, "events": ["order.created"], "name": "erp"})
    await house.post("/v1/endpoints/erp/pause")
    await house.post("/v1/orders", [{"ref": "1"}, {"ref": "2"}])
    await house.hub.settle()

    answer = await house.say("DELETE", "/v1/endpoints/erp")

    assert (answer.status_code, answer.json()) == (200, {"dropped": 2})
    await house.hub.settle()
    assert receiver.heard == []
    assert {one["status"] for one in (await house.get("/v1/deliveries"))["data"]} == {"dropped"}


@on_sqlite
async def test_a_change_is_checked_as_a_whole_and_audited_without_secrets(house: House):
    made = await house.post(
        "/v1/endpoints", {"url": "https://x.example/a", "events": ["order.*"], "name": "erp"}
    )
    wrong = await house.say("PATCH", "/v1/endpoints/erp", {"rate": 5, "url": "http://10.1.1.1/"})
    right = await house.say("PATCH", "/v1/endpoints/erp", {"url": "https://y.example/b", "rate": 5})

    assert wrong.status_code == 422
    assert (right.json()["url"], right.json()["rate"]) == ("https://y.example/b", 5)
    rows = (await house.get(f"/v1/audit?subject={made['id']}"))["data"]
    assert [row["action"] for row in rows] == ["endpoint.created", "endpoint.changed"]
    assert rows[1]["detail"] == {
        "before": {"rate": 0.0, "url": "https://x.example/a"}, "after": {"rate": 5.0, "url": "https://y.example/b"},
    }  # fmt: skip
    assert rows[1]["actor"].startswith("admin-")
    assert made["secret"] not in str(rows)

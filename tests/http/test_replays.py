"""Replays over the API: what they may be asked for, how far they have come, who may ask."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.http.conftest import House, on_sqlite


async def endpoint(house: House, **fields: object) -> str:
    body = {"url": "https://partner.example/in", "name": "wms", "events": ["order.created"], **fields}
    return (await house.post("/v1/endpoints", body))["id"]


async def entered(house: House, count: int) -> list[str]:
    rows = await house.post("/v1/orders", [{"ref": f"r{n}", "number": f"N{n}"} for n in range(count)])
    return [row["order"] for row in rows["data"]]


async def test_a_replay_is_a_job_whose_progress_is_seen(house: House):
    await entered(house, 3)
    id_ = await endpoint(house)
    made = await house.say(
        "POST", f"/v1/endpoints/{id_}/replay", {"since": "2020-01-01T00:00:00Z", "missing": True}
    )
    assert made.status_code == 202
    assert made.headers["location"] == f"/v1/jobs/{made.json()['id']}"
    assert (made.json()["state"], made.json()["total"]) == ("running", None)
    while await house.hub.jobs.step():
        continue
    job = await house.get(made.headers["location"])

    assert (job["state"], job["progress"], job["endpoint"]) == ("done", 1.0, "wms")
    assert job["done"] == job["total"] > 0
    assert (job["params"]["only"], job["note"]) == ("missing", "3 to be sent")
    due = (await house.get(f"/v1/endpoints/{id_}/deliveries"))["data"]
    assert [(one["trigger"], one["status"]) for one in due] == [("replay", "due")] * 3
    assert [one["id"] for one in (await house.get("/v1/jobs?kind=replay&state=done"))["data"]] == [job["id"]]
    assert (await house.get("/v1/audit"))["data"][-1]["action"] == "endpoint.replayed"


async def test_one_delivery_and_an_orders_history_are_replays_too(house: House):
    id_ = await endpoint(house)
    [order, _] = await entered(house, 2)
    [first, _] = (await house.get(f"/v1/endpoints/{id_}/deliveries"))["data"]
    early = await house.say("POST", f"/v1/endpoints/{id_}/replay", {"delivery": first["id"]})
    assert (early.status_code, early.json()["code"]) == (409, "conflict")

    async def work(unit):
        unit.add("deliveries_skip", tenant="main", position=int(first["id"][4:]))

    await house.hub.engine.transact(work)
    await house.post(f"/v1/endpoints/{id_}/replay", {"delivery": first["id"]})
    await house.post(f"/v1/endpoints/{id_}/replay", {"order": order})
    while await house.hub.jobs.step():
        continue

    assert (await house.get(f"/v1/deliveries/{first['id']}"))["status"] == "due"
    assert len((await house.get(f"/v1/endpoints/{id_}/deliveries"))["data"]) == 2


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "since"),
        ({"since": "yesterday"}, "since"),
        ({"since": "2026-01-02T00:00:00Z", "until": "2026-01-01T00:00:00Z"}, "until"),
        ({"since": "2026-01-02T00:00:00Z", "missing": True, "failed": True}, "failed"),
        ({"delivery": "dlv_1"}, "delivery"),
        ({"delivery": "dlv_1", "missing": True}, "missing"),
        ({"delivery": "dlv_1", "failed": True, "missing": False}, "failed"),
        ({"delivery": "dlv_1", "since": "x"}, "since"),
        ({"delivery": "dlv_1", "until": "2026-01-01T00:00:00Z"}, "until"),
        ({"delivery": "dlv_1", "events": ["order.created"]}, "events"),
        ({"delivery": "dlv_1", "order": "nope"}, "order"),
        ({"since": "2026-01-02T00:00:00Z", "what": 1}, "what"),
    ],
)
@on_sqlite
async def test_a_replay_that_cannot_be_is_told_with_its_field(house: House, body, field):
    id_ = await endpoint(house)
    answer = await house.say("POST", f"/v1/endpoints/{id_}/replay", body)

    assert (answer.status_code, answer.json()["field"]) == (422, field)


async def test_the_same_key_begins_one_job(house: House):
    id_ = await endpoint(house)
    body = {"since": "2026-01-02T00:00:00Z"}
    first = await house.post(f"/v1/endpoints/{id_}/replay", body, idempotency_key="k")
    again = await house.post(f"/v1/endpoints/{id_}/replay", body, idempotency_key="k")

    assert first["id"] == again["id"]
    assert len((await house.get("/v1/jobs"))["data"]) == 1


async def test_a_job_is_cancelled_once(house: House):
    id_ = await endpoint(house)
    await house.post(f"/v1/endpoints/{id_}/pause")
    job = await house.post(f"/v1/endpoints/{id_}/replay", {"since": "2026-01-02T00:00:00Z"})
    assert (await house.get(f"/v1/jobs/{job['id']}"))["note"] == "the endpoint is paused"
    assert (await house.post(f"/v1/jobs/{job['id']}/cancel"))["state"] == "cancelled"
    assert (await house.say("POST", f"/v1/jobs/{job['id']}/cancel")).status_code == 409
    assert (await house.say("GET", "/v1/jobs/job_none")).status_code == 404


@on_sqlite
async def test_a_disabled_endpoint_is_enabled_before_it_is_sent_anything_again(house: House):
    id_ = await endpoint(house)
    await entered(house, 2)
    await house.post(f"/v1/endpoints/{id_}/disable")
    [first, _] = (await house.get(f"/v1/endpoints/{id_}/deliveries?status=held"))["data"]
    wish = {"since": "2020-01-01T00:00:00Z", "missing": True}

    refused = await house.say("POST", f"/v1/endpoints/{id_}/replay", wish)
    assert (refused.status_code, refused.json()["detail"]) == (409, "wms is disabled: enable it first")
    assert (await house.get("/v1/jobs"))["data"] == []

    await house.post(f"/v1/endpoints/{id_}/enable")
    await house.post(f"/v1/endpoints/{id_}/replay", wish)
    while await house.hub.jobs.step():
        continue
    owed = (await house.get(f"/v1/endpoints/{id_}/deliveries"))["data"]
    assert [(one["trigger"], one["status"]) for one in owed] == [("first", "due")] * 2  # none twice
    assert owed[0]["id"] == first["id"]


@on_sqlite
async def test_a_replay_under_way_waits_while_its_endpoint_is_disabled_and_goes_on_at_once_when_it_is_enabled(
    house: House,
):
    await entered(house, 2)
    id_ = await endpoint(house)
    job = await house.post(f"/v1/endpoints/{id_}/replay", {"since": "2020-01-01T00:00:00Z"})
    await house.post(f"/v1/endpoints/{id_}/disable")
    while await house.hub.jobs.step():
        continue
    waits = await house.get(f"/v1/jobs/{job['id']}")
    assert (waits["state"], waits["note"]) == ("running", "the endpoint is disabled")
    await house.hub.jobs.wait(0)

    await house.post(f"/v1/endpoints/{id_}/enable")
    await asyncio.wait_for(house.hub.jobs.wait(600), 30)
    while await house.hub.jobs.step():
        continue

    assert (await house.get(f"/v1/jobs/{job['id']}"))["state"] == "done"
    assert len((await house.get(f"/v1/endpoints/{id_}/deliveries?status=due"))["data"]) == 2


async def test_a_partners_token_replays_its_own_endpoint_and_sees_its_own_job(house: House):
    partner = (await house.post("/v1/partners", {"name": "acme", "roles": ["receiver"]}))["id"]
    own, other = await endpoint(house, partner=partner), await endpoint(house, name="else")
    token = await house.token("partner", partner=partner)
    body = {"since": "2026-01-02T00:00:00Z"}
    job = await house.post(f"/v1/endpoints/{own}/replay", body, token=token)
    foreign = await house.post(f"/v1/endpoints/{other}/replay", body)

    assert (await house.get(f"/v1/jobs/{job['id']}", token=token))["endpoint"] == "wms"
    assert (await house.say("POST", f"/v1/endpoints/{other}/replay", body, token)).status_code == 404
    assert (await house.say("GET", f"/v1/jobs/{foreign['id']}", token=token)).status_code == 404
    assert (await house.say("POST", f"/v1/jobs/{foreign['id']}/cancel", token=token)).status_code == 404


@pytest.mark.parametrize(
    ("method", "path", "body", "field"),
    [
        (
            "POST",
            "/v1/endpoints/x/replay",
            {"since": "2020-01-01T00:00:00Z", "events": ["shipmnt.*"]},
            "events[0]",
        ),
        ("POST", "/v1/endpoints", {"url": "https://y.example/", "from": 99_999_999}, "from"),
        ("GET", "/v1/events?type=shipmnt.*", None, "type"),
        ("GET", "/v1/endpoints/x/events?type=order.*,shipmnt.*", None, "type"),
        ("GET", "/v1/jobs?state=asleep", None, "state"),
    ],
)
@on_sqlite
async def test_what_could_never_match_is_told_and_not_waited_for(
    house: House, method: str, path: str, body: Any, field: str
) -> None:
    await house.post("/v1/endpoints", {"url": "https://x.example/", "name": "x"})
    answer = await house.say(method, path, body)

    assert (answer.status_code, answer.json().get("field")) == (422, field)

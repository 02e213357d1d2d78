"""Surveys over the API: what they may be asked for, how far they have come, what they report."""

from __future__ import annotations

import time

import pytest

from hub.config import Config
from hub.http.app import build
from hub.world import World
from tests.engines import ADMIN
from tests.http.conftest import House, on_sqlite
from tests.repair.source import Source, readable

import httpx  # isort: skip

SECOND = 1_000_000


@pytest.fixture
async def street(config: Config):
    """A house whose hub knows a shop that can be read."""
    clock, shop = World.still(time.time_ns() // 1000), Source()
    async with readable(config, clock, shop, name="lamps") as corner:
        transport = httpx.ASGITransport(build(corner.town.hub))
        async with httpx.AsyncClient(transport=transport, base_url="http://hub.test") as client:
            yield House(corner.town.hub, client, ADMIN), shop


async def test_a_backfill_is_a_job_whose_progress_is_seen(street):
    house, shop = street
    now = house.hub.world.now()
    for number in range(60):
        shop.put(f"O{number}", now - (100 - number) * 3600 * SECOND)
    made = await house.say("POST", "/v1/connections/lamps/backfill", {"since": "2020-01-01T00:00:00Z"})
    assert made.status_code == 202, made.text
    assert (made.json()["kind"], made.json()["connection"], made.json()["total"]) == (
        "backfill",
        "lamps",
        None,
    )
    again = await house.say("POST", "/v1/connections/lamps/backfill", {"since": "2020-01-01T00:00:00Z"})
    assert (again.status_code, made.json()["id"] in again.json()["detail"]) == (409, True)
    await house.hub.jobs.step()
    half = await house.get(made.headers["location"])
    assert (half["done"], half["state"], 0 < half["progress"] < 1) == (50, "running", True)
    await house.hub.settle()

    job = await house.get(made.headers["location"])
    assert (job["done"], job["state"], job["progress"]) == (60, "done", 1.0)
    assert (await house.get("/v1/audit"))["data"][-1]["action"] == "connection.backfill"


async def test_a_comparison_reports_each_order_that_differs(street):
    house, shop = street
    shop.put("O1", house.hub.world.now() - 3600 * SECOND)
    made = await house.post("/v1/connections/lamps/compare", {"since": "2020-01-01T00:00:00Z"})
    await house.hub.settle()
    (run,) = (await house.get("/v1/reconciliations?connection=lamps&kind=compare"))["data"]

    assert (run["job"], run["checked"], run["found"]) == (made["id"], 1, {"missing_here": 1})
    assert await house.get(f"/v1/reconciliations/{run['id']}") == run
    (drift,) = (await house.get(f"/v1/reconciliations/{run['id']}/drifts"))["data"]
    assert (drift["ref"], drift["class"], drift["order"]) == ("O1", "missing_here", None)
    assert "order.created" in drift["events"]
    assert (await house.get("/v1/orders"))["data"] == []


async def test_a_reconciliation_without_a_time_looks_back_a_week(street):
    house, shop = street
    shop.put("O1", house.hub.world.now() - 3600 * SECOND)
    shop.put("O0", house.hub.world.now() - 8 * 86_400 * SECOND)
    await house.post("/v1/connections/lamps/reconcile", {})
    await house.hub.settle()

    assert [one["number"] for one in (await house.get("/v1/orders"))["data"]] == ["C-O1"]
    (run,) = (await house.get("/v1/reconciliations"))["data"]
    assert (run["kind"], run["repaired"]) == ("reconcile", {"missing_here": 1})


@on_sqlite
async def test_what_cannot_be_surveyed_says_why(street):
    house, _ = street
    for body, field in (
        ({}, "since"),
        ({"since": "soon"}, "since"),
        ({"since": "2026-01-02T00:00:00Z", "until": "2026-01-01T00:00:00Z"}, "until"),
        ({"since": "2026-01-02T00:00:00Z", "emit": "all"}, "emit"),
        ({"since": "2026-01-02T00:00:00Z", "rate": -1}, "rate"),
    ):
        answer = await house.say("POST", "/v1/connections/lamps/backfill", body)
        assert (answer.status_code, answer.json()["field"]) == (422, field), answer.text
    pushes = await house.say("POST", "/v1/connections/api/reconcile", {})
    assert (pushes.status_code, "cannot be read" in pushes.json()["detail"]) == (409, True)
    assert (await house.say("POST", "/v1/connections/none/compare", {})).status_code == 404
    assert (await house.say("GET", "/v1/reconciliations/rec_none")).status_code == 404
    reader = await house.token("read")
    assert (await house.say("POST", "/v1/connections/lamps/compare", {}, token=reader)).status_code == 403

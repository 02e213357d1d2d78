"""Who may, what is refused and how: the same for every operation."""

from __future__ import annotations

from tests.http.conftest import House, on_sqlite

pytestmark = on_sqlite


async def test_liveness_and_readiness_need_no_token(house: House):
    assert (await house.http.get("/healthz")).json()["status"] == "ok"
    assert (await house.http.get("/readyz")).json()["store"] == house.hub.engine.dialect
    assert "orderhub_inbox" in (await house.http.get("/metrics")).text


async def test_without_a_token_there_is_nothing(house: House):
    for headers in (
        {},
        {"authorization": "Bearer nonsense"},
        {"authorization": "Basic x"},
        {"authorization": "Bearer "},
    ):
        answer = await house.http.get("/v1/orders", headers=headers)

        assert answer.status_code == 401
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.headers["www-authenticate"] == "Bearer"
        assert answer.json()["code"] == "unauthorized"


async def test_an_unknown_path_and_a_wrong_method_are_problems(house: House):
    lost = await house.say("GET", "/v1/nowhere")
    wrong = await house.say("DELETE", "/v1/orders")

    assert (lost.status_code, lost.json()["code"]) == (404, "not_found")
    assert (wrong.status_code, wrong.json()["code"]) == (405, "method_not_allowed")
    assert "GET" in wrong.headers["allow"]


async def test_a_connection_is_made_with_its_secrets_masked(house: House):
    made = await house.say("POST", "/v1/connections", {
        "name": "shop", "channel": "shopify", "settings": {"webhook_secret": "hush-hush"}, "time_zone": "Europe/Berlin",
    })  # fmt: skip

    assert made.status_code == 201, made.text
    one = made.json()
    assert one["intake_url"].startswith("http://hub.test/in/")
    assert one["settings"]["webhook_secret"] == "***"
    assert "cannot be polled without base_url" in one["cannot"]
    assert "hush-hush" not in (await house.say("GET", "/v1/connections/shop")).text
    for rows in (await house.hub.engine.fetch("things_all", kind="connection"), await house.hub.engine.fetch(
        "audit_list", tenant="main", after=0, subject="", most=9)):  # fmt: skip
        assert rows
        assert "hush-hush" not in str(rows)


async def test_every_fault_of_a_connection_is_told_at_once(house: House):
    answer = await house.say("POST", "/v1/connections", {
        "name": "shop", "channel": "shopify", "settings": {"webhok_secret": "x", "api_version": "7"}, "time_zone": "Mars/Base",
    })  # fmt: skip

    assert answer.status_code == 422
    faults = answer.json()["faults"]
    assert [fault.partition(":")[0] for fault in faults] == [
        "settings.webhok_secret",
        "settings.api_version",
        "time_zone",
    ]
    assert await house.get("/v1/connections") == {"data": [], "next": None, "cursor": ""}


async def test_an_endpoint_s_secret_is_shown_once(house: House):
    made = await house.post("/v1/endpoints", {"url": "https://partner.example/hooks", "events": ["order.*"]})

    assert made["secret"].startswith("whsec_")
    assert "secret" not in await house.get(f"/v1/endpoints/{made['id']}")
    assert made["secret"] not in (await house.say("GET", "/v1/endpoints")).text

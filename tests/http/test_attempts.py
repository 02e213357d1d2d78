"""The log of attempts and the lists of deliveries: what is kept, and how it is asked for."""

from __future__ import annotations

import gzip
from typing import Any

import pytest
from aiohttp import web

from hub.store.engine import Unit
from tests.http.conftest import House, on_sqlite
from tests.outbound.receivers import served


async def three(house: House, url: str, **more: Any) -> list[str]:
    """An endpoint, three orders for it, and their events."""
    await house.post(
        "/v1/endpoints", {"url": url, "events": ["order.created"], "name": "erp", "schedule": [0], **more}
    )
    await house.post("/v1/orders", [{"ref": str(n)} for n in range(3)])
    await house.hub.settle()
    return [one["id"] for one in (await house.get("/v1/events"))["data"] if one["type"] == "order.created"]


async def test_the_log_tells_the_whole_of_every_attempt(house: House):
    async def take(request: web.Request) -> web.Response:
        return web.Response(status=418, text="t" * 20_000, headers={"x-why": "a teapot"})

    async with served(take) as url:
        events = await three(
            house, url, headers={"x-api-key": "hush"}, auth={"type": "bearer", "token": "quiet"}
        )
        page = await house.get("/v1/endpoints/erp/attempts")

    assert sorted(one["event"] for one in page["data"]) == sorted(events)
    assert (page["next"], len(page["data"])) == (None, 3)
    for one in page["data"]:
        detail = one["detail"]
        assert (one["outcome"], one["type"]) == ("418", "order.created")
        assert one["delivery"].startswith("dlv_")
        assert (detail["number"], detail["trigger"], detail["status"], detail["error"]) == (
            1,
            "first",
            418,
            None,
        )
        assert detail["address"] == "127.0.0.1"
        assert detail["phases"]["first_byte"] <= detail["phases"]["total"]
        assert ["x-why", "a teapot"] in detail["headers"]
        assert (len(detail["body"]), detail["truncated"]) == (16_384, True)
        sent = detail["request"]
        assert sent["url"] == url
        assert sent["bytes"] > 100
        assert (sent["headers"]["x-api-key"], sent["headers"]["authorization"]) == ("***", "***")
        assert sent["headers"]["webhook-id"] == one["event"]
    assert any("connect" in one["detail"]["phases"] for one in page["data"]), "where a connection was made"
    assert "hush" not in str(page)
    assert "quiet" not in str(page)


async def test_attempts_are_paged_and_filtered(house: House):
    status = {"now": 500}

    async def take(request: web.Request) -> web.Response:
        return web.Response(status=status["now"])

    async with served(take) as url:
        events = await three(house, url)
        status["now"] = 204
        [dead, *_] = (await house.get("/v1/endpoints/erp/deliveries?status=dead"))["data"]
        await house.post(f"/v1/deliveries/{dead['id']}/redeliver")
        await house.hub.settle()

    whole = (await house.get("/v1/endpoints/erp/attempts"))["data"]
    paged, after = [], ""
    while True:
        page = await house.get(f"/v1/endpoints/erp/attempts?limit=1&after={after}")
        paged += page["data"]
        if page["next"] is None:
            break
        after = page["next"]
    assert paged == whole
    assert len(whole) == 4
    turned, after = [], ""
    while after is not None:
        page = await house.get(f"/v1/endpoints/erp/attempts?limit=1&newest=1&after={after}")
        turned += page["data"]
        after = page["next"]
    assert turned == whole[::-1]
    count = {
        query: len((await house.get(f"/v1/endpoints/erp/attempts?{query}"))["data"])
        for query in ("outcome=500", "outcome=204", "outcome=timeout", f"event={events[0]}", f"order={dead['order']}",
                      f"since={whole[-1]['at']}", "until=2020-01-01T00:00:00Z", f"event={dead['event']}&outcome=204")
    }  # fmt: skip
    assert list(count.values()) == [3, 1, 0, 2 if dead["event"] == events[0] else 1, 2, 1, 0, 1]
    again = next(one for one in whole if one["outcome"] == "204")
    assert again["detail"]["trigger"] == "manual"


@pytest.mark.parametrize(("query", "field"), [
    ("status=teleported", "status"), ("type=ordr.*", "type"), ("type=order.nothing", "type"), ("event=evt_nothing", "event"),
    ("order=ord_nothing", "order"), ("since=yesterday", "since"), ("until=soon", "until"), ("limit=900", "limit"),
    ("since=2026-01-02T00:00:00Z&until=2026-01-01T00:00:00Z", "until"), ("after=x", "after"),
])  # fmt: skip
@pytest.mark.parametrize("path", ["/v1/deliveries", "/v1/endpoints/erp/deliveries"])
@on_sqlite
async def test_a_filter_that_knows_no_such_value_says_so(house: House, path: str, query: str, field: str):
    await house.post("/v1/endpoints", {"url": "https://p.example/", "name": "erp"})

    answer = await house.say("GET", f"{path}?{query}")

    assert (answer.status_code, answer.json()["field"]) == (422, field), answer.text


@pytest.mark.parametrize(("query", "field"), [
    ("outcome=teapot", "outcome"), ("outcome=999", "outcome"), ("event=evt_nothing", "event"), ("since=x", "since"),
    ("after=12", "after"), ("after=a.b", "after"), ("after=1.2.3", "after"),
])  # fmt: skip
@on_sqlite
async def test_a_filter_of_attempts_that_knows_no_such_value_says_so(house: House, query: str, field: str):
    await house.post("/v1/endpoints", {"url": "https://p.example/", "name": "erp"})

    answer = await house.say("GET", f"/v1/endpoints/erp/attempts?{query}")

    assert (answer.status_code, answer.json()["field"]) == (422, field), answer.text


async def test_deliveries_are_found_by_status_type_time_and_order(house: House):
    async def take(request: web.Request) -> web.Response:
        return web.Response()

    async with served(take) as url:
        await three(house, url, events=["order.*"])
        order = (await house.get("/v1/orders"))["data"][0]["id"]
        await house.post(f"/v1/orders/{order}/notes", {"text": "hello"})
        await house.hub.settle()
    rows = (await house.get("/v1/deliveries"))["data"]
    created = [row for row in rows if row["type"] == "order.created"]

    async def found(query: str) -> int:
        return len((await house.get(f"/v1/deliveries?{query}"))["data"])

    assert await found("type=order.created") == len(created) == 3
    assert await found("type=order.*") == len(rows)
    assert await found("type=*_added") == len([row for row in rows if row["type"] == "order.note_added"])
    assert await found("type=order.created&status=delivered") == 3
    assert await found("type=order.created&status=dead") == 0
    assert await found(f"order={created[0]['order']}&type=order.created") == 1
    assert await found("until=2020-01-01T00:00:00Z") == 0
    assert await found("since=2020-01-01T00:00:00Z") == len(rows)


async def test_a_partner_sees_the_attempts_of_its_own_endpoints_only(house: House):
    async def take(request: web.Request) -> web.Response:
        return web.Response()

    async with served(take) as url:
        acme = await house.post("/v1/partners", {"name": "acme"})
        await three(house, url, partner="acme")
        await house.post("/v1/endpoints", {"url": "https://other.example/", "name": "other"})
    token = await house.token("partner", partner=acme["id"])

    mine = await house.get("/v1/endpoints/erp/attempts", token)
    assert len(mine["data"]) == 3
    assert len((await house.get("/v1/deliveries?type=order.*", token))["data"]) == 3
    assert (await house.say("GET", "/v1/endpoints/other/attempts", token=token)).status_code == 404
    assert (await house.say("POST", "/v1/endpoints/erp/preview", token=token)).status_code == 403
    assert (await house.say("POST", "/v1/endpoints/erp/drop", token=token)).status_code == 403


@on_sqlite
async def test_a_test_shows_both_sides_and_hides_what_is_secret(house: House):
    heard: list[dict[str, str]] = []

    async def take(request: web.Request) -> web.Response:
        heard.append({name.lower(): value for name, value in request.headers.items()})
        return web.json_response({"code": 500}, headers={"x-seen": "1"})

    async with served(take) as url:
        await house.post("/v1/endpoints", {"url": url, "name": "erp", "accept": "body.code == 0",
                                           "auth": {"type": "basic", "username": "a", "password": "hush"}})  # fmt: skip
        done = await house.post("/v1/endpoints/erp/test")
        await house.say("PATCH", "/v1/endpoints/erp", {"accept": ""})
        fine = await house.post("/v1/endpoints/erp/test")

    assert heard[0]["authorization"].startswith("Basic ")
    assert done["request"]["headers"]["authorization"] == "***"
    assert done["request"]["headers"]["webhook-id"] == heard[0]["webhook-id"]
    assert (done["ok"], done["response"]["status"], done["response"]["body"]) == (False, 200, '{"code": 500}')
    assert "accept" in done["response"]["reason"]
    assert done["response"]["headers"]["x-seen"] == "1"
    assert fine["ok"] is True


@on_sqlite
async def test_an_answer_that_is_compressed_unasked_is_kept_as_it_came_and_not_inflated(house: House):
    async def take(request: web.Request) -> web.Response:
        assert request.headers["accept-encoding"] == "identity"
        return web.Response(body=gzip.compress(b"0" * 10_000_000), headers={"content-encoding": "gzip"})

    async with served(take) as url:
        await three(house, url)
        [one, *_] = (await house.get("/v1/endpoints/erp/attempts"))["data"]

    assert len(one["detail"]["body"]) <= 16_384
    assert one["outcome"] == "200"


async def test_what_is_held_is_dropped_by_a_command_that_says_how_much(house: House):
    await house.post(
        "/v1/endpoints", {"url": "https://p.example/", "events": ["order.created"], "name": "erp"}
    )
    wrong = await house.say("POST", "/v1/endpoints/erp/drop")
    await house.post("/v1/endpoints/erp/disable")
    await house.post("/v1/orders", [{"ref": str(n)} for n in range(5)])

    assert (wrong.status_code, wrong.json()["code"]) == (409, "conflict")
    assert await house.post("/v1/endpoints/erp/drop") == {"dropped": 5}
    assert await house.post("/v1/endpoints/erp/drop") == {"dropped": 0}
    assert {one["status"] for one in (await house.get("/v1/deliveries"))["data"]} == {"dropped"}
    assert (await house.get("/v1/audit"))["data"][-1]["detail"] == {"dropped": 0}
    assert len((await house.get("/v1/events"))["data"]) >= 5, "the events stay"


@on_sqlite
async def test_secrets_in_a_url_are_hidden_wherever_it_is_shown(house: House):
    heard: list[str] = []

    async def take(request: web.Request) -> web.Response:
        heard.append(request.path_qs)
        return web.Response(status=302, headers={"location": str(request.url), "set-cookie": "session=hush"})

    async with served(take) as url:
        query = "a=1&token=hush&x%2Dapi%2Dkey=hush&sig=hush&code=hush&country_code=DE&empty="
        await three(house, f"{url}?{query}")
        page = await house.get("/v1/endpoints/erp/attempts")
        one = await house.get(f"/v1/deliveries/{page['data'][0]['delivery']}")
        done = await house.post("/v1/endpoints/erp/test")
        shown = await house.post("/v1/endpoints/erp/preview", {})
        rows = await house.hub.engine.fetch("attempts_next", after=0, most=10)
        kept = await house.hub.engine.fetch("attempts_of", delivery=rows[0][0])

    assert all(query in path for path in heard)
    hidden = f"{url}?a=1&token=***&x%2Dapi%2Dkey=***&sig=***&code=***&country_code=DE&empty="
    logs = [one["detail"]["request"]["url"] for one in (*page["data"], *one["log"])]
    assert {*logs, done["request"]["url"], shown["url"]} == {hidden}
    assert done["response"]["headers"]["Location"] == hidden.replace(url, f"{url.rstrip('/')}/")
    assert "hush" not in str([page, one, done, shown])
    assert b"hush" not in bytes(kept[0][3])


@on_sqlite
async def test_what_was_kept_with_its_secrets_is_shown_without_them(house: House):
    async def take(_: web.Request) -> web.Response:
        return web.Response()

    async with served(take) as url:
        await three(house, url)
    [(delivery, number, _), *_] = await house.hub.engine.fetch("attempts_next", after=0, most=1)
    old = b'{"request":{"url":"https://x.example/in?token=hush"},"status":200}'

    async def work(unit: Unit) -> None:
        unit.add("attempts_put", [(delivery, number, old)])

    await house.hub.engine.transact(work)
    one = await house.get(f"/v1/deliveries/dlv_{delivery}")
    page = await house.get("/v1/endpoints/erp/attempts")
    assert one["log"][0]["detail"]["request"]["url"] == "https://x.example/in?token=***"
    assert "hush" not in str(page)

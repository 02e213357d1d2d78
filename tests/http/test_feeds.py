"""Pages and feeds: every row once, cursors that go on, waiting for news, and what is no longer kept."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import msgspec
import pytest

from hub.contract.clock import text
from hub.directory import Endpoint
from hub.outbound.sender import Answer
from hub.repair.retention import Days
from tests.http.conftest import House, on_sqlite


async def entered(house: House, count: int) -> list[str]:
    rows = (await house.post("/v1/orders", [{"ref": f"r{n:03}", "number": f"N{n}"} for n in range(count)]))[
        "data"
    ]
    return [row["order"] for row in rows]


@pytest.mark.parametrize(
    "path", ["/v1/orders", "/v1/messages", "/v1/events", "/v1/connections", "/v1/mappings", "/v1/channels"]
)
@on_sqlite
async def test_pages_give_every_row_once(house: House, path: str):
    await entered(house, 7)
    whole = (await house.get(path))["data"]

    rows, after = [], ""
    while True:
        page = await house.get(f"{path}?limit=3&after={after}")
        assert len(page["data"]) <= 3
        rows += page["data"]
        assert not page["data"] or page["cursor"] != after
        after = page["next"]
        if after is None:
            break

    assert rows == whole
    assert rows


async def test_a_short_page_is_the_last_and_its_cursor_finds_what_comes_later(house: House):
    await entered(house, 2)
    page = await house.get("/v1/orders?limit=2")
    [late] = await entered_more(house)

    assert page["next"] is None
    assert [one["id"] for one in (await house.get(f"/v1/orders?after={page['cursor']}"))["data"]] == [late]


async def entered_more(house: House) -> list[str]:
    return [(await house.post("/v1/orders", {"ref": "late"}))["data"][0]["order"]]


@pytest.mark.parametrize(
    "query", ["limit=501", "limit=-1", "limit=many", "after=x", "updated_after=yesterday"]
)
@on_sqlite
async def test_a_page_that_cannot_be_is_told_with_its_field(house: House, query: str):
    answer = await house.say("GET", f"/v1/orders?{query}")

    assert (answer.status_code, answer.json()["field"]) == (422, query.partition("=")[0])


async def test_orders_are_found_by_ref_number_state_connection_and_time(house: House):
    first, second = await entered(house, 2)
    phone = (await house.post("/v1/orders", {"ref": "p", "number": "N1", "channel": "phone"}))["data"][0][
        "order"
    ]
    between = house.hub.world.now()
    await asyncio.sleep(0.002)
    await house.post("/v1/orders", {"ref": "r000", "number": "N0", "tags": ["late"]})

    async def found(query: str) -> list[str]:
        return [one["id"] for one in (await house.get(f"/v1/orders?{query}"))["data"]]

    assert await found("ref=r000") == [first]
    assert await found("number=N1") == [second, phone]
    assert await found("number=N1&state=open") == [phone]
    assert await found("ref=p&number=N0") == []
    assert await found("state=confirmed") == [second, first]
    assert await found("connection=api") == [second, phone, first]
    assert await found(f"updated_after={text(between + 999)}") == [first]
    assert (await house.say("GET", "/v1/orders?connection=nobody")).status_code == 404


async def test_events_of_one_order_are_counted_without_a_gap(house: House):
    [order] = await entered(house, 1)
    await house.post(f"/v1/orders/{order}/hold")
    await house.post(f"/v1/orders/{order}/release")

    events = (await house.get(f"/v1/events?order={order}"))["data"]

    assert [event["sequence"] for event in events] == list(range(1, len(events) + 1))
    assert [event["previous"] for event in events] == [None, *(event["id"] for event in events[:-1])]


async def test_whoever_waits_is_told_when_it_happens(house: House):
    await entered(house, 1)
    cursor = (await house.get("/v1/events"))["next"]
    assert (await house.get(f"/v1/events?after={cursor}"))["next"] is None

    waiting = asyncio.create_task(house.get(f"/v1/events?after={cursor}&wait=30"))
    await asyncio.sleep(0)
    await entered_more(house)
    page = await waiting

    assert page["data"][0]["type"] == "order.created"
    assert page["next"] == page["cursor"]
    assert (await house.say("GET", "/v1/events?wait=31")).status_code == 422


async def test_only_what_is_wished_for_is_told_and_the_cursor_passes_over_the_rest(house: House):
    [order, _] = await entered(house, 2)
    await house.post(f"/v1/orders/{order}/hold")
    held = await house.get("/v1/events?type=order.merged,order.on_h*")
    created = await house.get("/v1/events?type=order.created&connection=api&limit=1")
    rest = await house.get(f"/v1/events?type=order.created&after={created['next']}")
    nothing = await house.get(f"/v1/events?type=order.merged&after={rest['next']}")

    assert {event["order"] for event in held["data"]} == {order}
    assert [len(created["data"]), len(rest["data"])] == [1, 1]
    assert (nothing["data"], nothing["next"]) == ([], None)
    assert int(rest["cursor"]) > int(created["cursor"])
    assert (await house.say("GET", "/v1/events?connection=nobody")).status_code == 404


@pytest.mark.parametrize("path", ["/v1/events", "/v1/endpoints/wms/events"])
async def test_a_cursor_beyond_the_newest_event_is_refused_and_not_waited_at(house: House, path: str):
    """As after a restore from a backup: the events that come next would be passed over in silence."""
    await house.post("/v1/endpoints", {"url": "https://wms.example/", "name": "wms"})
    await entered(house, 2)
    newest = (await house.get(f"{path}?after=latest"))["cursor"]

    assert (await house.get(f"{path}?after={newest}"))["data"] == []
    answer = await house.say("GET", f"{path}?after={int(newest) + 1}&wait=30")
    assert (answer.status_code, answer.json()["field"]) == (422, "after")
    assert newest in answer.json()["detail"]


async def test_from_the_latest_on_only_what_comes_is_told(house: House):
    await entered(house, 2)
    waiting = asyncio.create_task(house.get("/v1/events?after=latest&wait=30&type=order.created"))
    while not house.hub.engine.bell._waiting["events"]:
        await asyncio.sleep(0)
    [late] = await entered_more(house)

    assert [event["order"] for event in (await waiting)["data"]] == [late]
    assert (await house.get("/v1/events?after=latest"))["data"] == []


async def test_an_endpoints_feed_is_what_its_webhooks_carry(house: House):
    sent = []

    async def send(post):
        sent.append(post)
        return Answer(status=200)

    house.hub.deliver.sender = Sent(send)
    partner = (await house.post("/v1/partners", {"name": "acme", "roles": ["receiver"]}))["id"]
    await house.post("/v1/endpoints", {
        "url": "https://x.example/in", "name": "wms", "events": ["order.created"], "fields": ["number"],
        "filter": "data.number == 'N1'", "format": "cloudevents", "partner": partner,
    })  # fmt: skip
    await house.post("/v1/endpoints", {"url": "https://x.example/in", "name": "else", "events": ["refund.*"]})
    token = await house.token("partner", partner=partner)
    await entered(house, 3)
    await house.hub.deliver.step()
    page = await house.get("/v1/endpoints/wms/events", token=token)

    assert [post.headers["webhook-id"] for post in sent] == page["ids"]
    assert [msgspec.json.decode(post.body) for post in sent] == page["data"]
    assert page["data"][0]["data"]["data"] == {"number": "N1"}
    assert (await house.get("/v1/endpoints/else/events"))["data"] == []
    assert (await house.say("GET", "/v1/endpoints/else/events", token=token)).status_code == 404
    assert (await house.say("GET", "/v1/events", token=token)).status_code == 403


async def test_a_feed_goes_on_past_an_event_that_the_endpoints_mapping_cannot_make(house: House):
    await house.post(
        "/v1/endpoints", {"url": "https://x.example/in", "name": "wms", "events": ["order.created"]}
    )
    await entered(house, 2)
    house.hub.directory.get(Endpoint, "wms").mapping = "there.is_none"
    page = await house.get("/v1/endpoints/wms/events")

    assert [one["id"] for one in page["data"]] == page["ids"]
    assert "there.is_none" in page["data"][0]["error"]
    assert len(page["data"]) == 2


@dataclass
class Sent:
    """A sender that is one function."""

    send: object


async def test_a_cursor_into_what_is_no_longer_kept_is_410_naming_the_oldest(house: House):
    await entered(house, 2)
    [first] = (await house.get("/v1/events?limit=1"))["data"]
    cursor = int((await house.get("/v1/events?limit=1"))["next"])

    house.hub.retention.days = Days(events=0)
    while await house.hub.retention.step():
        continue
    [late] = await entered_more(house)
    gone = await house.say("GET", f"/v1/events?after={cursor - 1}")
    kept = await house.get("/v1/events")

    assert (gone.status_code, gone.json()["code"]) == (410, "gone")
    assert int(gone.json()["oldest"]) > cursor
    assert {event["order"] for event in kept["data"]} == {late}
    assert first["id"] not in [event["id"] for event in kept["data"]]
    assert (await house.get(f"/v1/events?after={int(gone.json()['oldest']) - 1}"))["data"] == kept["data"]


async def test_a_cursor_that_stood_at_another_tenants_event_stays_good_when_all_is_gone(house: House):
    await entered(house, 2)
    token = await house.token("read", tenant="elsewhere")
    cursor = (await house.get("/v1/events?after=latest", token))["cursor"]
    house.hub.retention.days = Days(events=0)
    while await house.hub.retention.step():
        continue

    assert int(cursor) > 0
    assert (await house.get(f"/v1/events?after={cursor}", token))["data"] == []
    assert (await house.say("GET", f"/v1/events?after={int(cursor) + 1}", token=token)).status_code == 422


async def test_the_same_key_makes_one_thing_and_another_body_is_refused(house: House):
    body = {"url": "https://x.example/in", "name": "erp"}
    first = await house.say("POST", "/v1/endpoints", body, idempotency_key="e1")
    again = await house.say("POST", "/v1/endpoints", body, idempotency_key="e1")
    other = await house.say("POST", "/v1/endpoints", body | {"name": "two"}, idempotency_key="e1")

    assert (first.status_code, again.status_code) == (201, 201)
    assert again.json() == first.json()
    assert again.headers["location"] == first.headers["location"]
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_mismatch")
    rows = await house.hub.engine.fetch("calls_get", tenant="main", key="e1", since=0)
    assert first.json()["secret"].encode() not in bytes(rows[0][2])


async def test_a_refused_request_lets_its_key_go(house: House):
    wrong = await house.say("POST", "/v1/partners", {"name": ""}, idempotency_key="p1")
    right = await house.say("POST", "/v1/partners", {"name": "acme"}, idempotency_key="p1")

    assert (wrong.status_code, right.status_code) == (422, 201)


async def test_of_two_at_once_under_one_key_one_works_and_the_other_waits_its_turn(house: House):
    body = {"name": "acme"}
    answers = await asyncio.gather(
        *(house.say("POST", "/v1/partners", body, idempotency_key="p2") for _ in range(4))
    )

    statuses = {answer.status_code for answer in answers}
    assert statuses <= {201, 409}
    assert len((await house.get("/v1/partners"))["data"]) == 1


async def test_a_key_of_another_tenant_is_another_key(house: House):
    east = await house.token("admin", tenant="east")
    await house.post("/v1/partners", {"name": "acme"}, idempotency_key="k")
    answer = await house.say("POST", "/v1/partners", {"name": "else"}, token=east, idempotency_key="k")

    assert answer.status_code == 201

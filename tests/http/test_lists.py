"""Lists from either end, page by page; and lists of what went out, by whatever finds the fewest."""

from __future__ import annotations

from typing import Any

import pytest

from hub.http import deliveries
from hub.troubles import Trouble, cause
from tests.http.conftest import House, on_sqlite

LINES = [{"sku": "A", "qty": 1}]


@pytest.fixture
async def busy(house: House) -> House:
    """Five orders, told to two endpoints that hold what they get, and one message that cannot be read."""
    for name in ("one", "two"):
        made = await house.post("/v1/endpoints", {"name": name, "url": f"https://{name}.example/in"})
        await house.post(f"/v1/endpoints/{made['id']}/disable")
    for n in range(5):
        await house.post("/v1/orders", {"ref": f"r{n}", "number": f"N{n}", "lines": LINES})
    return house


async def all_of(house: House, path: str, limit: int = 2) -> list[dict[str, Any]]:
    """Every row of a list, page by page."""
    found, after, pages = [], "", 0
    while after is not None and pages < 50:
        page = await house.get(f"{path}{'&' if '?' in path else '?'}limit={limit}&after={after}")
        assert len(page["data"]) <= limit
        found += page["data"]
        after, pages = page["next"], pages + 1
    return found


@pytest.mark.parametrize(
    "path", ["/v1/orders", "/v1/orders?state=confirmed", "/v1/messages", "/v1/deliveries", "/v1/deliveries?status=held",
             "/v1/deliveries?endpoint=two", "/v1/deliveries?type=order.*"],
)  # fmt: skip
async def test_a_list_is_the_same_from_either_end(busy: House, path: str):
    oldest = await all_of(busy, path)
    newest = await all_of(busy, f"{path}{'&' if '?' in path else '?'}newest=1")

    assert len({one["id"] for one in oldest}) == len(oldest) >= 5
    assert newest == oldest[::-1]


async def test_jobs_are_listed_from_either_end(busy: House):
    for name in ("one", "two"):
        await busy.post(f"/v1/endpoints/{name}/pause")
    for name in ("one", "two", "one"):
        await busy.post(f"/v1/endpoints/{name}/replay", {"since": "2026-01-01T00:00:00Z"})
    oldest = await all_of(busy, "/v1/jobs?kind=replay")

    assert [one["endpoint"] for one in oldest] == ["one", "two", "one"]
    assert await all_of(busy, "/v1/jobs?kind=replay&newest=1") == oldest[::-1]
    assert [one["id"] for one in await all_of(busy, "/v1/jobs?newest=1&endpoint=one")] == [
        oldest[2]["id"],
        oldest[0]["id"],
    ]


@pytest.mark.parametrize(
    ("path", "field", "told"),
    [
        ("/v1/deliveries?staus=dead", "staus", "no such parameter, is status meant?"),
        (
            "/v1/events?since=2026-01-01T00:00:00Z",
            "since",
            "there are after, connection, limit, order, type, wait",
        ),
        ("/v1/endpoints/one?verbose=1", "verbose", "it takes none"),
        ("/v1/orders?Ref=r1", "Ref", "is ref meant?"),
    ],
)
@on_sqlite
async def test_what_no_list_asks_by_is_told_and_not_passed_over(
    busy: House, path: str, field: str, told: str
):
    answer = await busy.say("GET", path)

    assert (answer.status_code, answer.json()["field"]) == (422, field)
    assert told in answer.json()["detail"]


@on_sqlite
async def test_a_deed_with_a_parameter_that_there_is_not_is_not_done(busy: House):
    answer = await busy.say("POST", "/v1/endpoints/one/enable?dry_run=1")

    assert answer.status_code == 422
    assert (await busy.get("/v1/endpoints/one"))["status"] == "disabled"


async def test_the_newest_page_begins_with_what_came_last_and_goes_back(busy: House):
    first = await busy.get("/v1/orders?newest=1&limit=2")
    second = await busy.get(f"/v1/orders?newest=1&limit=2&after={first['next']}")

    assert [one["number"] for one in (*first["data"], *second["data"])] == ["N4", "N3", "N2", "N1"]
    found = await busy.get("/v1/orders?newest=1&ref=r3")
    assert [one["number"] for one in found["data"]] == ["N3"]
    assert [one["number"] for one in (await busy.get("/v1/orders?newest=1&number=N1"))["data"]] == ["N1"]


@on_sqlite
async def test_what_is_neither_way_is_refused_by_name(busy: House):
    answer = await busy.say("GET", "/v1/orders?newest=yes")

    assert (answer.status_code, answer.json()["field"]) == (422, "newest")


async def test_exceptions_are_listed_with_what_happened_last_first_and_without_the_closed(busy: House):
    for name in ("a", "b", "c"):
        trouble = Trouble(tenant="main", cause=cause("test", name), subject=name, title=name)
        await busy.hub.engine.transact(lambda unit, one=trouble: busy.hub.troubles.open(unit, [one]))
    listed = await busy.get("/v1/exceptions?newest=1&limit=2")
    await busy.post(f"/v1/exceptions/{listed['data'][0]['id']}/close")

    assert [one["title"] for one in listed["data"]] == ["c", "b"]
    unclosed = await busy.get("/v1/exceptions?newest=1&state=unclosed")
    assert [one["title"] for one in unclosed["data"]] == ["b", "a"]


@pytest.mark.parametrize("newest", ["", "&newest=1"])
async def test_a_page_looks_through_no_more_than_its_stretch_and_the_next_goes_on(
    busy: House, monkeypatch: pytest.MonkeyPatch, newest: str
):
    monkeypatch.setattr(deliveries, "_SPAN", 3)
    every = await all_of(busy, f"/v1/deliveries?{newest}", limit=100)
    none = await all_of(busy, f"/v1/deliveries?type=shipment.*{newest}", limit=100)
    some = await all_of(busy, f"/v1/deliveries?endpoint=one{newest}", limit=100)

    assert (len(every), none, len(some)) == (10, [], 5)
    assert some == [one for one in every if one["endpoint"] == "one"]


async def test_filters_meet(busy: House):
    every = await all_of(busy, "/v1/deliveries", limit=100)
    one = every[3]

    async def ids(query: str) -> list[str]:
        return [found["id"] for found in (await busy.get(f"/v1/deliveries?{query}"))["data"]]

    assert await ids(f"event={one['event']}") == [
        each["id"] for each in every if each["event"] == one["event"]
    ]
    assert await ids(f"order={one['order']}&newest=1") == [
        each["id"] for each in every[::-1] if each["order"] == one["order"]
    ]
    assert await ids(f"event={one['event']}&order={one['order']}&endpoint={one['endpoint']}&status=held") == [
        one["id"]
    ]
    assert await ids("status=due") == await ids("status=waiting") == await ids("status=dead") == []
    assert await ids("status=held&endpoint=two") == [
        each["id"] for each in every if each["endpoint"] == "two"
    ]
    assert await ids("since=2100-01-01T00:00:00Z") == []


async def test_more_targets_than_are_asked_for_at_once_are_one_list_in_its_order(house: House):
    """SQLite asks for few rows of a table at once; what it finds is put in order again."""
    for n in range(7):
        made = await house.post("/v1/endpoints", {"name": f"e{n}", "url": f"https://e{n}.example/in"})
        await house.post(f"/v1/endpoints/{made['id']}/disable")
    for n in range(3):
        await house.post("/v1/orders", {"ref": f"r{n}", "lines": LINES})

    found = await all_of(house, "/v1/deliveries?status=held", limit=4)

    places = [int(one["id"].removeprefix("dlv_")) for one in found]
    assert places == sorted(places)
    assert len(places) == 21

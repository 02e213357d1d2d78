"""What a query may ask for: each parameter once, in words that there are; and whatever else stands there is told."""

from __future__ import annotations

import re
from urllib.parse import quote

import pytest

from hub.http.routes import operations
from hub.http.table import Op
from tests.http.conftest import House, on_sqlite

pytestmark = on_sqlite

NASTY = [
    "9" * 4400, "0" * 4400 + "7", "9" * 4400 + ".1", "1." + "9" * 4400, "99999999999999999999.1", "-1", "1.5", "1e9",
    "٣", "３", "²", "NaN", "%00", "a%00b", "%ED%A0%80", "%FF%FE", "%F0%9F%93%A6", "x" * 10_000, "", "%20", "*", "%25",
    "_", "'", "\\", "[", "lines[" + "9" * 4400 + "]", "0001-01-01", "9999-12-31", "0001-01-01T00:00:00%2B14:00",
    "9999-12-31T23:59:59-14:00", "latest", "null",
]  # fmt: skip


async def test_nothing_that_stands_in_a_query_makes_the_hub_stumble(house: House):
    await house.post("/v1/connections", {"name": "shop", "channel": "shopify"})
    await house.post("/v1/endpoints", {"url": "https://wms.example/hook", "name": "wms"})
    [row] = (await house.post("/v1/orders", [{"ref": "1", "number": "N1"}]))["data"]
    stumbled = []
    for op in operations():
        path = _filled(op, row["order"])
        for param in op.query if op.method == "GET" else ():
            for text in NASTY:
                value = quote(text, safe="%")
                if param.name == "wait" and text == "0" * 4400 + "7":
                    continue  # it waits, as it was asked to
                answer = await house.say("GET", f"{path}?{param.name}={value}")
                if answer.status_code not in (200, 404, 410, 422):
                    stumbled.append((path, param.name, text[:40], answer.status_code))

    assert stumbled == []


def _filled(op: Op, order: str) -> str:
    known = {"/v1/endpoints/": "wms", "/v1/connections/": "shop", "/v1/orders/": order}
    name = next((name for begin, name in known.items() if op.path.startswith(begin)), "none")
    return re.sub(r"{\w+}", name, op.path)


async def test_a_number_is_read_however_many_noughts_stand_before_it(house: House):
    assert (await house.say("GET", f"/v1/orders?limit={'0' * 4400}7")).status_code == 200
    long = await house.say("GET", f"/v1/orders?limit={'9' * 4400}")
    assert (long.status_code, long.json()["field"]) == (422, "limit")
    assert len(long.json()["detail"]) < 200


@pytest.mark.parametrize(
    ("query", "field", "reason"),
    [
        ("events?type=order.created&type=order.cancelled", "type", "stands there twice; several by comma"),
        ("orders?number=1&number=2", "number", "stands there twice"),
        ("orders?limit=1&limit=1", "limit", "stands there twice"),
        ("orders?state=bogus", "state", "'bogus' is none of stub, draft, open"),
        ("messages?status=bogus", "status", "none of received, processed"),
        ("exceptions?state=bogus", "state", "none of open, acked, snoozed, closed, unclosed"),
        ("jobs?kind=bogus", "kind", "none of replay, backfill, compare, reconcile"),
        ("jobs?state=bogus", "state", "none of running, done, cancelled"),
        ("reconciliations?kind=bogus", "kind", "none of sweep, reconcile, compare"),
        ("deliveries?status=bogus", "status", "none of waiting, due"),
        ("deliveries?target=bogus", "target", "there is no target 'bogus'"),
        ("deliveries?target=con_none/write", "target", "there is no target"),
        ("connections?channel=bogus", "channel", "bogus"),
        ("orders?newest=yes", "newest", "'yes' is neither 0 nor 1"),
    ],
)
async def test_what_no_list_knows_is_told(house: House, query: str, field: str, reason: str):
    answer = await house.say("GET", f"/v1/{query}")

    assert (answer.status_code, answer.json().get("field")) == (422, field)
    assert reason in answer.json()["detail"]


async def test_what_lists_know_is_taken(house: House):
    one = await house.post("/v1/endpoints", {"url": "https://wms.example/hook", "name": "wms"})
    await house.post("/v1/connections", {"name": "shop", "channel": "shopify"})
    for query in (
        "events?type=order.created,order.cancelled", "orders?state=", "connections?channel=shopify",
        f"deliveries?target={one['id']}",
    ):  # fmt: skip
        assert (await house.say("GET", f"/v1/{query}")).status_code == 200, query
    for op in operations():
        for param in op.query:
            for word in param.words if op.method == "GET" else ():
                assert (await house.say("GET", f"{op.path}?{param.name}={word}")).status_code in (200, 404)


async def test_deliveries_to_an_endpoint_that_was_removed_are_still_found(house: House):
    one = await house.post("/v1/endpoints", {"url": "https://wms.example/hook", "name": "wms"})
    await house.post("/v1/orders", {"ref": "1"})
    owed = len((await house.get(f"/v1/deliveries?target={one['id']}"))["data"])
    await house.say("DELETE", "/v1/endpoints/wms")

    assert len((await house.get(f"/v1/deliveries?target={one['id']}"))["data"]) == owed > 0


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/v1/orders?emit=some"), ("POST", "/v1/orders?partial=yes"),
        ("POST", "/v1/connections/shop/files?emit=some"), ("POST", "/v1/connections/shop/files?again=yes"),
    ],
)  # fmt: skip
async def test_what_a_report_is_asked_for_is_looked_at_too(house: House, method: str, path: str):
    answer = await house.say(method, path, {"ref": "1"})

    assert (answer.status_code, answer.json()["field"]) == (422, re.findall(r"\?(\w+)", path)[0])

"""How Shopify is asked, played by hand: sweeps, reads, answers that are none."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from adapters.shopify import poll
from adapters.shopify.graphql import Shop, judge, throttle
from adapters.shopify.settings import ShopifySettings
from hub.contract import Context, Headers, Keep, Misconfigured, Page, Postponed, Refused, Request, Response

ORDER = "gid://shopify/Order/6120110011001"
NOW = 1_773_500_000_000_000


def shop(**settings: Any) -> Shop:
    given = {"base_url": "lantern-and-loom", "client_id": "id", "client_secret": "hush", **settings}
    return Context(
        settings=ShopifySettings(**given),
        account="lantern-and-loom.myshopify.com",
        now=NOW,
        intake_url="https://hub.example/in/k1",
    )


class Played:
    """A conversation played against prepared answers: data by the question's name, in turn."""

    def __init__(self, conversation: Any, **answers: Any) -> None:
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.pages: list[Page] = []
        self.kept: dict[str, str | None] = {}
        self.result: Any = None
        turns = {name: iter(data if isinstance(data, list) else [data]) for name, data in answers.items()}
        answer: Response | None = None
        try:
            while True:
                answer = self._answer(conversation.send(answer), turns)
        except StopIteration as end:
            self.result = end.value

    def _answer(self, step: Any, turns: dict[str, Iterator[Any]]) -> Response | None:
        if isinstance(step, Page):
            self.pages.append(step)
        elif isinstance(step, Keep):
            self.kept.update(step.state)
        else:
            assert isinstance(step, Request)
            return self._data(step, turns)
        return None

    def _data(self, request: Request, turns: dict[str, Iterator[Any]]) -> Response:
        asked = json.loads(request.body)
        name = asked["query"].split()[1].partition("(")[0]
        self.asked.append((name, asked["variables"]))
        return graphql(next(turns[name]))

    @property
    def questions(self) -> list[str]:
        return [name for name, _ in self.asked]


def graphql(data: Any, **rest: Any) -> Response:
    return Response(body=json.dumps({"data": data, **rest}).encode())


def connection(*nodes: Any, more: str = "") -> dict[str, Any]:
    return {"nodes": list(nodes), "pageInfo": {"hasNextPage": bool(more), "endCursor": more or None}}


def order_node(**fields: Any) -> dict[str, Any]:
    return {
        "id": ORDER,
        "legacyResourceId": "6120110011001",
        "updatedAt": "2026-03-14T09:30:02Z",
        "lineItems": connection({"id": "gid://shopify/LineItem/1"}),
        "fulfillments": [],
        "refunds": [],
        **fields,
    }


# ── sweeps ───────────────────────────────────────────────────────────────────────────────────────────


def test_a_sweep_reads_every_changed_order_whole_and_moves_its_cursor():
    listed = [
        {"id": ORDER, "updatedAt": "2026-03-14T09:30:02Z"},
        {"id": "gid://shopify/Order/2", "updatedAt": "2026-03-14T11:00:00Z"},
    ]
    played = Played(
        poll.sweep(shop(), "2026-03-14T10:00:00Z"),
        Changed=[{"orders": connection(listed[0], more="c1")}, {"orders": connection(listed[1])}],
        Order=[
            {"order": order_node()},
            {"order": order_node(id="gid://shopify/Order/2", legacyResourceId="2")},
        ],
    )

    assert played.asked[0][1]["query"] == "updated_at:>='2026-03-14T09:30:00Z'"
    assert [page.topic for page in played.pages] == ["poll/orders"] * 2
    assert [page.cursor for page in played.pages] == ["2026-03-14T10:00:00Z", "2026-03-14T11:00:00Z"]
    assert played.questions == ["Changed", "Order", "Changed", "Order"]


def test_a_first_sweep_goes_back_a_day_and_a_date_alone_is_a_cursor():
    assert poll.since_text(shop(), "") == "2026-03-13T14:53:20Z"
    assert poll.since_text(shop(), "2026-01-01") == "2025-12-31T23:30:00Z"


def test_two_reads_of_an_unchanged_order_are_the_same_bytes():
    first, second = (Played(poll.reread(shop(), "order", "1"), Order={"order": order_node()}) for _ in "ab")

    assert first.pages == second.pages
    assert b"extensions" not in first.pages[0].body


def test_a_long_order_is_completed_before_it_is_kept():
    lines = [connection({"id": f"gid://shopify/LineItem/{n}"}, more=f"c{n}") for n in (1, 2)]
    played = Played(
        poll.reread(shop(), "order", "6120110011001"),
        Order={"order": order_node(lineItems=lines[0])},
        Lines=[
            {"order": {"lineItems": lines[1]}},
            {"order": {"lineItems": connection({"id": "gid://shopify/LineItem/3"})}},
        ],
    )
    body = json.loads(played.pages[0].body)

    assert [line["id"][-1] for line in body["lineItems"]["nodes"]] == ["1", "2", "3"]
    assert [variables["after"] for name, variables in played.asked if name == "Lines"] == ["c1", "c2"]


def test_fulfilments_beyond_the_first_three_are_read_one_by_one():
    def fulfilment(number: int, more: str = "") -> dict[str, Any]:
        return {
            "id": f"gid://shopify/Fulfillment/{number}",
            "fulfillmentLineItems": connection({"quantity": number}, more=more),
        }

    played = Played(
        poll.reread(shop(), "order", "6120110011001"),
        Order={"order": order_node(fulfillments=[fulfilment(1, "c1"), fulfilment(2), fulfilment(10)])},
        MemberIds={
            "order": {"fulfillments": [{"id": fulfilment(n)["id"]} for n in (1, 2, 10, 9)], "refunds": []}
        },
        Fulfillment=[{"fulfillment": fulfilment(9)}, {"fulfillment": fulfilment(11)}],
    )
    body = json.loads(played.pages[0].body)

    assert [one["id"].rpartition("/")[2] for one in body["fulfillments"]] == ["1", "2", "9", "10"]
    assert [node["quantity"] for node in body["fulfillments"][0]["fulfillmentLineItems"]["nodes"]] == [1, 11]


def test_a_part_is_read_again_by_its_order():
    played = Played(
        poll.reread(shop(), "payment", "77"),
        OrderOf={"node": {"paidOrder": {"legacyResourceId": "6120110011001"}}},
        Order={"order": order_node()},
    )

    assert played.asked[0][1]["id"] == "gid://shopify/OrderTransaction/77"
    assert [page.topic for page in played.pages] == ["poll/orders"]


@pytest.mark.parametrize(
    ("subject", "question", "field", "topic"),
    [
        ("return", "Return", "return", "poll/returns"),
        ("fulfillment", "FulfillmentOrder", "fulfillmentOrder", "poll/fulfillment_orders"),
    ],
)
def test_returns_and_fulfillment_orders_are_read_by_themselves(
    subject: str, question: str, field: str, topic: str
):
    played = Played(poll.reread(shop(), subject, "5"), **{question: {field: {"id": "gid://shopify/X/5"}}})

    assert [page.topic for page in played.pages] == [topic]


def test_what_shopify_no_longer_shows_is_refused_not_retried():
    with pytest.raises(Refused, match="shows no order 6120110011001") as caught:
        Played(poll.reread(shop(), "order", "6120110011001"), Order={"order": None})
    assert caught.value.code == "not_found"
    with pytest.raises(Refused, match="no refund 8"):
        Played(poll.reread(shop(), "refund", "8"), OrderOf={"node": None})
    with pytest.raises(Refused, match="no tracking to be read again"):
        Played(poll.reread(shop(), "tracking", "8"))


def installed(*scopes: str) -> dict[str, Any]:
    return {
        "shop": {"myshopifyDomain": "lantern-and-loom.myshopify.com", "ianaTimezone": "Europe/Berlin"},
        "currentAppInstallation": {"accessScopes": [{"handle": scope} for scope in scopes]},
    }


def test_the_account_is_the_shop_s_permanent_domain():
    played = Played(poll.find_account(shop()), Shop=installed("read_orders", "read_returns"))

    assert played.result == "lantern-and-loom.myshopify.com"
    assert played.kept == {"scopes": "read_orders read_returns", "time_zone": "Europe/Berlin"}


def test_an_app_that_may_not_read_orders_is_told_at_connect():
    with pytest.raises(Misconfigured, match="lacks the scope read_orders; it has read_products"):
        Played(poll.find_account(shop()), Shop=installed("read_products"))


# ── answers that are none ────────────────────────────────────────────────────────────────────────────


def cost(available: float, requested: float = 800, restore: float = 100) -> dict[str, Any]:
    status = {"maximumAvailable": 2000.0, "currentlyAvailable": available, "restoreRate": restore}
    return {"cost": {"requestedQueryCost": requested, "actualQueryCost": 40, "throttleStatus": status}}


def test_the_bucket_says_how_long_to_wait():
    assert throttle(graphql({}, extensions=cost(2000))) == 0
    assert throttle(graphql({}, extensions=cost(400))) == 5.0
    assert throttle(graphql({}, extensions=cost(1900, requested=5000))) == 1.0
    assert throttle(Response(body=b"<html>")) == 0


def failed(code: str, data: Any = None, **rest: Any) -> Response:
    return graphql(data, errors=[{"message": f"{code} it is", "extensions": {"code": code}}], **rest)


def test_a_200_that_says_throttled_is_tried_again_when_the_bucket_has_room():
    with pytest.raises(Postponed) as caught:
        judge(failed("THROTTLED", extensions=cost(100)))

    assert caught.value.after == 8.0


def test_a_200_that_denies_access_is_refused_with_its_code():
    for data in (None, {"orders": None}):
        with pytest.raises(Refused, match="ACCESS_DENIED it is") as caught:
            judge(failed("ACCESS_DENIED", data))
        assert caught.value.code == "ACCESS_DENIED"
    with pytest.raises(Refused, match="Invalid API key"):
        judge(Response(body=b'{"errors":"[API] Invalid API key or access token"}'))


def test_fields_withheld_within_an_answer_are_no_error():
    judge(failed("ACCESS_DENIED", {"order": {"id": ORDER, "customer": None}}))
    with pytest.raises(Postponed):
        judge(failed("INTERNAL_SERVER_ERROR", {"order": {"id": ORDER}}))


@pytest.mark.parametrize(
    ("status", "error"), [(429, Postponed), (503, Postponed), (401, Refused), (404, Refused)]
)
def test_a_status_decides_what_becomes_of_a_question(status: int, error: type[Exception]):
    asking = poll.find_account(shop())
    next(asking)

    with pytest.raises(error, match=str(status)):
        asking.send(Response(status=status, headers=Headers({"Retry-After": "2.0"}), body=b"no"))

"""How WooCommerce is asked, played by hand: sweeps, reads, answers that are none, keys and webhooks."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl, quote, urlsplit

import msgspec
import pytest

from adapters.woocommerce import auth, channel, poll, subscription, topics
from adapters.woocommerce.api import Shop, judge
from adapters.woocommerce.settings import WooCommerceSettings
from hub.contract import Context, Headers, Keep, Misconfigured, Page, Postponed, Refused, Request, Response

NOW = 1_773_500_000_000_000
BASE = "https://bean.example"
HTML = b"<!DOCTYPE html><html><head><title>Just a moment...</title></head><body></body></html>"


def shop(state: dict[str, str] | None = None, **settings: Any) -> Shop:
    given = {
        "base_url": BASE,
        "consumer_key": "ck_1",
        "consumer_secret": "cs_1",
        "webhook_secret": ["new&hush", "old"],
        **settings,
    }
    return Context(
        settings=msgspec.convert(given, WooCommerceSettings),
        account="bean.example",
        now=NOW,
        nonce="n_1",
        intake_url="https://hub.example/in/k1",
        state=state or {},
    )


Answer = Response | dict[str, Any] | list[Any] | Callable[[dict[str, str], Any], Any]


class Played:
    """A conversation played against a shop: `METHOD route` → answer, a list of answers in turn, or a function of
    query and body. What is not prepared is a 404. `fails` is how it is expected to end."""

    def __init__(
        self, conversation: Any, answers: dict[str, Any] | None = None, fails: type[Exception] | None = None
    ) -> None:
        self.asked: list[tuple[str, Any]] = []
        self.requests: list[Request] = []
        self.pages: list[Page] = []
        self.kept: dict[str, str | None] = {}
        self.result: Any = None
        self.error: Exception | None = None
        self._answers = dict(answers or {})
        answer: Response | None = None
        try:
            while True:
                answer = self._turn(conversation.send(answer))
        except StopIteration as end:
            self.result = end.value
        except Exception as error:
            if fails is None or not isinstance(error, fails):
                raise
            self.error = error

    def _turn(self, step: Any) -> Response | None:
        if isinstance(step, Page):
            self.pages.append(step)
        elif isinstance(step, Keep):
            self.kept.update(step.state)
        else:
            assert isinstance(step, Request)
            self.requests.append(step)
            return self._answer(step)
        return None

    def _answer(self, request: Request) -> Response:
        parts = urlsplit(request.url)
        name = f"{request.method} {parts.path.removeprefix('/wp-json/')}"
        body = json.loads(request.body) if request.body else None
        self.asked.append((name, body if body is not None else dict(parse_qsl(parts.query))))
        found = self._answers.get(name)
        if isinstance(found, Turns):
            found = found.pop(0)
        if callable(found):
            found = found(dict(parse_qsl(parts.query)), body)
        if isinstance(found, Response):
            return found
        return missing() if found is None else said(found)

    @property
    def names(self) -> list[str]:
        return [name for name, _ in self.asked]


class Turns(list[Any]):
    """Answers in turn."""


def said(body: Any, status: int = 200, **headers: str) -> Response:
    return Response(
        status=status,
        headers=Headers({name.replace("_", "-"): value for name, value in headers.items()}),
        body=json.dumps(body).encode(),
    )


def error(status: int, code: str, message: str, *, http: int = 0) -> Response:
    return said({"code": code, "message": message, "data": {"status": status}}, status=http or status)


def missing() -> Response:
    return error(404, "woocommerce_rest_shop_order_invalid_id", "Invalid ID.")


def order(number: int, second: int, **fields: Any) -> dict[str, Any]:
    return {"id": number, "date_modified_gmt": f"2026-03-14T09:30:{second:02}", "refunds": [], **fields}


# ── sweeps ───────────────────────────────────────────────────────────────────────────────────────────


def changed(trash: Any = (), *any_: Any) -> Callable[[dict[str, str], Any], Any]:
    turns = iter(any_)
    return lambda query, _: list(trash) if query["status"] == "trash" else next(turns)


def test_a_sweep_reads_what_changed_oldest_first_and_moves_its_cursor():
    played = Played(
        poll.sweep(shop(), "2026-03-14T10:00:00"),
        {"GET wc/v3/orders": changed([], [order(1, 1), order(2, 4)])},
    )

    asked = dict(played.asked)["GET wc/v3/orders"]
    assert asked == {
        "modified_after": "2026-03-14T09:30:00",
        "dates_are_gmt": "true",
        "orderby": "modified",
        "order": "asc",
        "per_page": "100",
        "page": "1",
        "status": "any",
    }
    assert [page.topic for page in played.pages] == ["poll/order"] * 2
    assert [page.cursor for page in played.pages] == ["2026-03-14T10:00:00", "2026-03-14T10:00:00"]


def test_a_cursor_never_goes_back_and_moves_with_what_is_seen():
    played = Played(poll.sweep(shop(), ""), {"GET wc/v3/orders": changed([], [order(1, 1), order(2, 4)])})

    assert played.asked[0][1]["modified_after"] == "2026-03-13T14:53:20"
    assert [page.cursor for page in played.pages] == ["2026-03-14T09:30:01", "2026-03-14T09:30:04"]


def test_the_trash_is_asked_for_first_and_moves_no_cursor():
    played = Played(
        poll.sweep(shop(), ""), {"GET wc/v3/orders": changed([order(9, 9, status="trash")], [order(1, 1)])}
    )

    assert [(json.loads(page.body)["id"], page.cursor) for page in played.pages] == [
        (9, ""),
        (1, "2026-03-14T09:30:01"),
    ]


class Live:
    """A shop whose orders change while it is swept: page by number would skip one."""

    def __init__(self, orders: dict[int, str], then: Callable[[dict[int, str]], None], size: int) -> None:
        self.orders, self.then, self.size = orders, then, size

    def __call__(self, query: dict[str, str], _: Any) -> Response:
        if query["status"] == "trash":
            return said([])
        after, page = query["modified_after"], int(query["page"])
        found = sorted((at, number) for number, at in self.orders.items() if at > after)
        part = found[(page - 1) * self.size : page * self.size]
        told = said(
            [{"id": number, "date_modified_gmt": at} for at, number in part],
            x_wp_totalpages=str(-(-len(found) // self.size)),
        )
        self.then(self.orders)
        return told


def test_an_order_that_changes_while_pages_are_turned_makes_none_slip_through():
    orders = {number: f"2026-03-14T09:30:{number:02}" for number in range(1, 8)}

    def touched(held: dict[int, str]) -> None:
        if held[1] < "2026-03-14T10":
            held[1] = "2026-03-14T10:00:00"

    played = Played(poll.sweep(shop(), ""), {"GET wc/v3/orders": Live(orders, touched, 3)})

    seen = [json.loads(page.body)["id"] for page in played.pages]
    assert set(seen) == set(range(1, 8))
    assert seen.count(1) == 2  # as it was, and as it became
    assert played.pages[-1].cursor == "2026-03-14T10:00:00"


def test_more_orders_of_one_second_than_a_page_holds_are_gone_through_by_number():
    orders = dict.fromkeys(range(1, 11), "2026-03-14T09:30:05") | {11: "2026-03-14T09:30:06"}

    played = Played(poll.sweep(shop(), ""), {"GET wc/v3/orders": Live(orders, lambda _: None, 3)})

    assert sorted(json.loads(page.body)["id"] for page in played.pages) == list(range(1, 12))


@pytest.mark.parametrize(
    ("headers", "goes_on"),
    [
        ({"x_wp_totalpages": "2"}, True),
        ({"x_wp_totalpages": "1"}, False),
        ({"link": '<https://bean.example/wp-json/wc/v3/orders?page=2>; rel="next"'}, True),
        ({"link": '<https://bean.example/wp-json/wc/v3/orders?page=1>; rel="prev"'}, False),
        ({}, False),
    ],
    ids=["pages", "last page", "link", "link back", "a short page"],
)
def test_a_list_goes_on_as_the_shop_says(headers: dict[str, str], goes_on: bool):
    answers = changed([], said([order(1, 1)], **headers), said([order(2, 2)], x_wp_totalpages="1"))
    played = Played(poll.sweep(shop(), ""), {"GET wc/v3/orders": answers})

    assert len(played.pages) == (2 if goes_on else 1)


def test_an_order_is_kept_byte_for_byte():
    body = b'\xef\xbb\xbf\n[{"id": 9007199254740993, "total":"1.10","price":19.990000000000002,"refunds":[],"date_modified_gmt":null}]'

    played = Played(poll.sweep(shop(), ""), {"GET wc/v3/orders": changed([], Response(body=body))})

    assert played.pages[0].body == body[body.index(b"{") : -1]


def test_an_order_with_refunds_gets_them_whole_over_all_pages():
    one = order(5, 1, refunds=[{"id": 8, "reason": "", "total": "-5.00"}])
    pages = Turns(
        [said([{"id": 8, "amount": "5.00"}], x_wp_totalpages="2"), said([{"id": 9}], x_wp_totalpages="2")]
    )

    played = Played(
        poll.reread(shop(), "order", "5"),
        {"GET wc/v3/orders/5": one, "GET wc/v3/orders/5/refunds": pages},
    )

    assert json.loads(played.pages[-1].body)["refunds"] == [{"id": 8, "amount": "5.00"}, {"id": 9}]


def test_an_order_read_twice_is_the_same_bytes_however_it_was_read():
    one = order(5, 1, price=13.5)
    listed = Played(poll.sweep(shop(), ""), {"GET wc/v3/orders": changed([], [one])})
    again = Played(poll.reread(shop(), "order", "5"), {"GET wc/v3/orders/5": one})

    assert [page.topic for page in again.pages] == ["poll/here", "poll/order"]
    assert listed.pages[0].body == again.pages[1].body


def test_an_order_in_the_trash_is_not_told_as_there():
    played = Played(poll.reread(shop(), "order", "5"), {"GET wc/v3/orders/5": order(5, 1, status="trash")})

    assert [page.topic for page in played.pages] == ["poll/order"]


def test_an_order_that_is_gone_is_told_as_gone():
    played = Played(poll.reread(shop(), "order", "5"))

    assert [(page.topic, json.loads(page.body)) for page in played.pages] == [("poll/gone", {"id": "5"})]


def test_what_comes_only_with_its_order_is_refused():
    with pytest.raises(Refused, match="with its order only"):
        Played(poll.reread(shop(), "refund", "8"))


# ── answers that are none ────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("status", [200, 202, 403])
def test_a_firewall_s_page_is_known_whatever_its_status_and_waited_out(status: int):
    with pytest.raises(Postponed, match=r"Just a moment\.\.\.") as caught:
        judge(Response(status=status, body=HTML))

    assert caught.value.after == 120.0
    assert channel.limits.judge is judge


@pytest.mark.parametrize(
    "body",
    [
        b"<br />\n<b>Warning</b>: Undefined variable in /srv/x.php on line 3<br />\n[]",
        b"\xef\xbb\xbf\n<html lang=en><body>Briefly unavailable for scheduled maintenance.</body></html>",
        b"<?xml version='1.0'?><error/>",
    ],
    ids=["php warning", "maintenance", "xml"],
)
def test_what_is_no_json_is_not_taken_for_an_empty_shop(body: bytes):
    with pytest.raises(Postponed, match="instead of JSON"):
        Played(poll.sweep(shop(), ""), {"GET wc/v3/orders": Response(body=body)})


def test_json_is_no_page():
    judge(Response(body=b'[{"note": "<html>"}]'))
    judge(Response(status=404, body=b'{"code":"rest_no_route"}'))


def test_a_page_at_404_means_plain_permalinks_and_at_401_a_password_of_the_server():
    with pytest.raises(Refused, match="permalinks"):
        judge(Response(status=404, body=HTML))
    with pytest.raises(Refused, match="password of its own"):
        judge(Response(status=401, body=HTML))


@pytest.mark.parametrize(
    ("answer", "kind", "told"),
    [
        (
            error(401, "woocommerce_rest_cannot_view", "Sorry, you cannot list resources."),
            Refused,
            "REST key",
        ),
        (error(401, "woocommerce_rest_cannot_view", "Sorry.", http=200), Refused, "REST key: Sorry"),
        (
            error(400, "rest_invalid_param", "Invalid parameter(s): orderby"),
            Refused,
            "400: Invalid parameter",
        ),
        (error(503, "x", "busy", http=200), Postponed, "503"),
        (
            Response(status=301, headers=Headers({"location": "https://www.bean.example/"})),
            Refused,
            "www.bean",
        ),
        (missing(), Refused, "no WooCommerce REST API"),
    ],
    ids=["401", "401 as 200", "400", "503 as 200", "moved", "404"],
)
def test_an_answer_that_is_none_says_why(answer: Response, kind: type[Exception], told: str):
    with pytest.raises(kind, match=told):
        Played(poll.sweep(shop(), ""), {"GET wc/v3/orders": answer})


# ── the account ──────────────────────────────────────────────────────────────────────────────────────

INDEX = {
    "name": "Bean",
    "home": "https://Bean.example/",
    "namespaces": ["wp/v2", "wc/v3", "wc-shipment-tracking/v3"],
}


def test_the_account_is_the_shop_s_own_address_and_plugins_and_rights_are_remembered():
    played = Played(
        poll.find_account(shop()), {"GET ": INDEX, "GET wc/v3/orders": [], "POST wc/v3/orders/batch": {}}
    )

    assert played.result == "bean.example"
    assert played.kept == {"plugins": "wc-shipment-tracking/v3", "access": "read_write"}
    assert played.asked[-1] == ("POST wc/v3/orders/batch", {})


def test_a_key_that_may_only_read_is_remembered_as_such():
    denied = error(
        401, "woocommerce_rest_authentication_error", "The API key provided does not have write permissions."
    )
    played = Played(
        poll.find_account(shop()), {"GET ": INDEX, "GET wc/v3/orders": [], "POST wc/v3/orders/batch": denied}
    )

    assert played.kept["access"] == "read"


def test_a_host_that_strips_the_header_is_found_out():
    denied = error(401, "woocommerce_rest_cannot_view", "Sorry, you cannot list resources.")
    played = Played(
        poll.find_account(shop()),
        {"GET ": INDEX, "GET wc/v3/orders": Turns([denied, []]), "POST wc/v3/orders/batch": {}},
    )

    assert played.kept["auth"] == "query"


def test_a_key_that_is_wrong_either_way_says_so_and_nothing_is_remembered():
    denied = error(401, "woocommerce_rest_cannot_view", "Sorry, you cannot list resources.")
    played = Played(
        poll.find_account(shop()), {"GET ": INDEX, "GET wc/v3/orders": denied}, fails=Misconfigured
    )

    assert "does not accept the REST key" in str(played.error)
    assert played.kept == {"auth": None}


def test_wordpress_without_woocommerce_is_told_apart():
    with pytest.raises(Misconfigured, match="without WooCommerce"):
        Played(poll.find_account(shop()), {"GET ": {**INDEX, "namespaces": ["wp/v2"]}})


# ── the key ──────────────────────────────────────────────────────────────────────────────────────────


def signed(url: str = f"{BASE}/wp-json/wc/v3/orders?page=1", state: Any = None, **settings: Any) -> Request:
    return auth.sign(Request(url=url), shop(state, **settings), None)


def test_the_key_is_basic_over_https():
    request = signed()

    assert request.headers["authorization"] == "Basic " + base64.b64encode(b"ck_1:cs_1").decode()
    assert request.url == f"{BASE}/wp-json/wc/v3/orders?page=1"


@pytest.mark.parametrize("how", ["set", "remembered"])
def test_the_key_is_in_the_address_where_that_is_what_works(how: str):
    request = signed(auth="query") if how == "set" else signed(state={"auth": "query"})

    assert request.url.endswith("?page=1&consumer_key=ck_1&consumer_secret=cs_1")
    assert "authorization" not in request.headers


def test_the_key_goes_to_the_shop_s_own_routes_only():
    for url in (
        f"{BASE}/wp-json/?_fields=name",
        "https://elsewhere.example/wp-json/wc/v3/orders",
        f"{BASE}/",
    ):
        assert signed(url) == Request(url=url)
    assert (
        "authorization"
        in signed(f"{BASE}/wp-json/wc-shipment-tracking/v3/orders/1/shipment-trackings").headers
    )


def test_without_https_the_key_is_never_sent_but_signs():
    request = signed(
        "http://bean.example/wp-json/wc/v3/orders?modified_after=2026-03-14T09:30:00&status=any",
        base_url="http://bean.example",
    )
    pairs = parse_qsl(urlsplit(request.url).query)
    given = dict(pairs)["oauth_signature"]

    def quoted(text: str) -> str:
        return quote(text, safe="~")

    rest = sorted((quoted(name), quoted(value)) for name, value in pairs if name != "oauth_signature")
    query = quoted("&".join(f"{name}={value}" for name, value in rest))
    text = f"GET&{quoted('http://bean.example/wp-json/wc/v3/orders')}&{query}"
    expected = base64.b64encode(hmac.new(b"cs_1&", text.encode(), hashlib.sha256).digest()).decode()
    assert given == expected
    assert dict(pairs)["oauth_nonce"] == "n_1"
    assert "cs_1" not in request.url


@pytest.mark.parametrize("manner", ["basic", "query"])
def test_a_key_in_the_clear_is_refused(manner: str):
    with pytest.raises(Misconfigured, match="in the clear"):
        signed("http://bean.example/wp-json/wc/v3/orders", base_url="http://bean.example", auth=manner)


def test_without_a_key_nothing_is_asked():
    with pytest.raises(Misconfigured, match="consumer_key"):
        signed(consumer_key=None)


# ── webhooks ─────────────────────────────────────────────────────────────────────────────────────────


def webhook(
    number: int, topic: str, status: str = "active", url: str = "https://hub.example/in/k1"
) -> dict[str, Any]:
    return {"id": number, "topic": topic, "status": status, "delivery_url": url}


MARK = hashlib.sha256(b"new&hush").hexdigest()[:16]
KNOWN = {"secret_mark": MARK}


def test_missing_webhooks_are_made_with_our_address_and_the_newest_secret():
    made = iter(range(50, 60))
    played = Played(
        subscription.ensure(shop(KNOWN)),
        {
            "GET wc/v3/webhooks": [
                webhook(1, "order.updated"),
                webhook(2, "order.created", url="https://other.example"),
            ],
            "POST wc/v3/webhooks": lambda _, body: said({"id": next(made)}, status=201),
        },
    )

    assert played.result == {
        "order.updated": "1",
        "order.created": "50",
        "order.restored": "51",
        "order.deleted": "52",
    }
    assert played.asked[1][1] == {
        "name": "orderhub order.created",
        "topic": "order.created",
        "delivery_url": "https://hub.example/in/k1",
        "secret": "new&hush",
        "status": "active",
    }
    assert set(topics.SUBSCRIBED) == set(played.result)


def test_a_disabled_webhook_is_made_active_again_and_told():
    listed = [webhook(n, topic) for n, topic in enumerate(topics.SUBSCRIBED, 1)]
    listed[1]["status"] = "disabled"
    played = Played(
        subscription.ensure(shop(KNOWN)), {"GET wc/v3/webhooks": listed, "PUT wc/v3/webhooks/2": {"id": 2}}
    )

    assert played.asked[1] == ("PUT wc/v3/webhooks/2", {"status": "active", "secret": "new&hush"})
    assert played.kept == {"revived": topics.SUBSCRIBED[1], "secret_mark": MARK}
    assert len(played.result) == 4


def test_the_second_webhook_of_a_topic_is_ended_the_active_one_stays():
    listed = [webhook(n, topic) for n, topic in enumerate(topics.SUBSCRIBED, 1)]
    listed.insert(0, webhook(77, topics.SUBSCRIBED[0], "disabled"))
    played = Played(
        subscription.ensure(shop(KNOWN)),
        {"GET wc/v3/webhooks": listed, "DELETE wc/v3/webhooks/77": {"id": 77}},
    )

    assert played.names[1:] == ["DELETE wc/v3/webhooks/77"]
    assert played.result[topics.SUBSCRIBED[0]] == "1"


def test_a_second_look_asks_once_and_changes_nothing():
    listed = [webhook(n, topic) for n, topic in enumerate(topics.SUBSCRIBED, 1)]
    played = Played(subscription.ensure(shop(KNOWN)), {"GET wc/v3/webhooks": listed})

    assert played.names == ["GET wc/v3/webhooks"]


def test_a_new_secret_is_given_to_all():
    listed = [webhook(n, topic) for n, topic in enumerate(topics.SUBSCRIBED, 1)]
    puts = {f"PUT wc/v3/webhooks/{n}": {"id": n} for n in range(1, 5)}
    played = Played(
        subscription.ensure(shop({"secret_mark": "older"})), {"GET wc/v3/webhooks": listed, **puts}
    )

    assert [name for name, _ in played.asked[1:]] == list(puts)
    assert played.asked[1][1]["secret"] == "new&hush"
    assert played.kept == {"revived": None, "secret_mark": MARK}


def test_removing_ends_ours_alone():
    listed = [webhook(1, "order.updated"), webhook(2, "order.created", url="https://other.example")]
    played = Played(
        subscription.remove(shop()), {"GET wc/v3/webhooks": listed, "DELETE wc/v3/webhooks/1": {"id": 1}}
    )

    assert played.names == ["GET wc/v3/webhooks", "DELETE wc/v3/webhooks/1"]


def test_a_webhook_without_a_secret_is_not_registered():
    with pytest.raises(Misconfigured, match="webhook_secret"):
        Played(subscription.ensure(shop(webhook_secret=None)))

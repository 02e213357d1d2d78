"""How WooCommerce is asked, played by hand: sweeps, reads, answers that are none."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import msgspec
import pytest

from adapters.woocommerce import channel, poll
from adapters.woocommerce.api import Shop, judge
from adapters.woocommerce.settings import WooCommerceSettings
from hub.contract import Context, Headers, Keep, Page, Postponed, Refused, Request, Response

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

"""Samples and settings: a raw request is read to the byte, and a fault in either is told with its place."""

from __future__ import annotations

from typing import Annotated

import msgspec
import pytest

from hub.contract import Fact, Misconfigured, Secret, Settings
from hub.contract.given import read_settings
from hub.fixtures import parse_request, plain_reads, slug


class ShopSettings(Settings, kw_only=True):
    base_url: Annotated[str, msgspec.Meta(pattern="^https://")]
    webhook_secret: Secret | list[Secret] | None = None
    pages: int = 50


def test_a_request_is_read_to_the_byte():
    message = parse_request(
        b'POST /in/acme/orders?shop=17&t=a%20b HTTP/1.1\nX-Topic: orders/create\nX-Topic: again\n\n{"a":\r\n\r\n1}\n',
        "first.http",
    )

    assert message.body == b'{"a":\r\n\r\n1}\n'
    assert (message.method, message.path, message.query) == ("POST", "/orders", "shop=17&t=a%20b")
    assert message.url == "https://hub.example/in/acme/orders?shop=17&t=a%20b"
    assert message.headers["x-topic"] == "orders/create"
    assert message.headers.pairs == (("x-topic", "orders/create"), ("x-topic", "again"))
    assert message.transport == "webhook"


def test_a_request_may_come_as_it_was_on_the_wire():
    message = parse_request(b"PUT /in/acme HTTP/1.1\r\nX-A: b:c\r\n\r\n\n\nbody\r\n", "first.http")

    assert message.method == "PUT"
    assert message.headers["x-a"] == "b:c"
    assert message.body == b"\n\nbody\r\n"


def test_a_polled_page_names_its_topic():
    page = parse_request(b"PAGE orders/page\n\n[]", "page.http")

    assert (page.transport, page.topic, page.body) == ("poll", "orders/page", b"[]")


@pytest.mark.parametrize(
    ("raw", "told"),
    [
        (b"", "bad.http:1: not a request line"),
        (b"POST /hook HTTP/1.1\n\n", "bad.http:1: not a request line like `POST /in/acme HTTP/1.1`"),
        (b"POST /in/acme HTTP/1.1\nX-A: 1\nno colon\n\n", "bad.http:3: not a header field: 'no colon'"),
    ],
)
def test_a_request_that_is_none_is_told_with_its_line(raw: bytes, told: str):
    with pytest.raises(Misconfigured) as caught:
        parse_request(raw, "bad.http", "acme")

    assert str(caught.value).startswith(told)


def test_a_topic_in_a_file_s_name_is_plain():
    assert slug("orders/create") == "orders-create"
    assert slug("order.status_changed") == "order.status_changed"
    assert slug("订单:新") == "----"


def test_golden_facts_leave_out_what_is_empty_and_sort_their_facets():
    fact = Fact(subject="order", ref="1", doc={"ref": "1", "note": None}, full=frozenset({"order", "lines"}))

    assert plain_reads([fact]) == [
        {"subject": "order", "ref": "1", "doc": {"ref": "1", "note": None}, "full": ["lines", "order"]}
    ]
    assert plain_reads(None) is None


def test_settings_are_read_with_one_secret_or_several():
    one = read_settings(ShopSettings, {"base_url": "https://shop.example", "webhook_secret": "a"})
    two = read_settings(ShopSettings, {"base_url": "https://shop.example", "webhook_secret": ["a", "b"]})

    assert (one.webhook_secret, one.pages) == ("a", 50)
    assert two.webhook_secret == ["a", "b"]
    assert "a" not in repr(one).partition("webhook_secret")[2].partition(",")[0]


def test_every_fault_of_the_settings_is_told_at_once():
    with pytest.raises(Misconfigured) as caught:
        read_settings(ShopSettings, {"webhook_secrt": "a", "pages": "many", "webhook_secret": 5})

    assert caught.value.faults == [
        "webhook_secrt: no such setting, is webhook_secret meant?",
        "base_url: required",
        "webhook_secret: Expected `str | array | null`, got `int`",
        "pages: Expected `int`, got `str`",
    ]


def test_a_setting_of_the_wrong_form_is_named():
    with pytest.raises(Misconfigured, match="base_url: Expected `str` matching regex"):
        read_settings(ShopSettings, {"base_url": "shop.example"})

"""How WooCommerce lets us in, played by hand: the account, and the key in its three manners."""

from __future__ import annotations

import base64
import hashlib
import hmac
from typing import Any
from urllib.parse import parse_qsl, quote, urlsplit

import pytest

from adapters.woocommerce import auth, poll
from adapters.woocommerce.test_polls import BASE, Played, Turns, error, shop
from hub.contract import Misconfigured, Request

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

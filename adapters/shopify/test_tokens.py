"""How Shopify lets us in, played by hand: tokens of a day, and to whom they go."""

from __future__ import annotations

from urllib.parse import parse_qs

import pytest

from adapters.shopify import auth
from adapters.shopify.test_polls import shop
from hub.contract import Misconfigured, Postponed, Refused, Request, Response, Token

# ── tokens ───────────────────────────────────────────────────────────────────────────────────────────


def test_a_token_of_a_day_is_bought_with_client_id_and_secret():
    buying = auth.access(shop(), None)
    request = next(buying)
    with pytest.raises(StopIteration) as end:
        buying.send(Response(body=b'{"access_token":"shpat_1","scope":"read_orders","expires_in":86399}'))

    assert request.url == "https://lantern-and-loom.myshopify.com/admin/oauth/access_token"
    assert parse_qs(request.body.decode()) == {
        "grant_type": ["client_credentials"],
        "client_id": ["id"],
        "client_secret": ["hush"],
    }
    assert end.value.value == Token(access="shpat_1", expires_in=86399.0)


def test_a_fixed_token_is_never_asked_for():
    with pytest.raises(StopIteration) as end:
        next(auth.access(shop(access_token="shpat_old"), None))

    assert end.value.value == Token(access="shpat_old")


def test_without_credentials_the_operator_is_told():
    with pytest.raises(Misconfigured, match="neither access_token nor client_id and client_secret"):
        next(auth.access(shop(client_secret=None), None))


def test_a_token_that_is_not_given_is_refused_or_tried_again():
    buying = auth.access(shop(), None)
    next(buying)
    with pytest.raises(Refused, match="app is not installed") as caught:
        buying.send(
            Response(
                status=400, body=b'{"error":"app_not_installed","error_description":"app is not installed"}'
            )
        )
    assert caught.value.code == "app_not_installed"
    buying = auth.access(shop(), None)
    next(buying)
    with pytest.raises(Postponed):
        buying.send(Response(status=502, body=b"<html>"))


def test_the_token_goes_to_the_shop_and_to_nobody_else():
    token = Token(access="shpat_1")
    ours = Request(url="https://lantern-and-loom.myshopify.com/admin/api/2026-07/graphql.json")
    theirs = Request(url="https://lantern-and-loom.myshopify.com.evil.example/admin/api/")

    assert auth.sign(ours, shop(), token).headers == {"x-shopify-access-token": "shpat_1"}
    assert auth.sign(theirs, shop(), token) == theirs

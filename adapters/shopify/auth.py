"""How our requests are made credible: tokens of 24 hours for an app's client id and secret, or a fixed one."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import msgspec

from adapters.shopify.graphql import Shop
from adapters.shopify.settings import shop_url
from hub.contract import Conversation, Misconfigured, Postponed, Refused, Request, Response, Token

DAY = 86_399.0
"""Shopify docs: a token by client credentials lives 86399 seconds."""


def access(ctx: Shop, _old: Token | None) -> Conversation[Token]:
    """The fixed token, or one bought with the client credentials grant.

    Shopify docs: `POST /admin/oauth/access_token`; the grant has no refresh token, a new one is bought.
    """
    settings = ctx.settings
    if settings.access_token:
        return Token(access=settings.access_token)
    if not (settings.client_id and settings.client_secret):
        raise Misconfigured("neither access_token nor client_id and client_secret are set")
    form = {
        "grant_type": "client_credentials",
        "client_id": settings.client_id,
        "client_secret": settings.client_secret,
    }
    answer = yield Request(
        method="POST",
        url=f"{shop_url(settings)}/admin/oauth/access_token",
        headers={"content-type": "application/x-www-form-urlencoded", "accept": "application/json"},
        body=urlencode(form).encode(),
    )
    return _token(answer)


def sign(request: Request, ctx: Shop, token: Token | None) -> Request:
    """The token in its header, on requests to the shop and to nobody else."""
    if token is None or not request.url.startswith(f"{shop_url(ctx.settings)}/admin/api/"):
        return request
    return msgspec.structs.replace(
        request, headers={**request.headers, "x-shopify-access-token": token.access}
    )


def _token(answer: Response | None) -> Token:
    if answer is None or answer.status == 429 or answer.status >= 500:
        raise Postponed(f"Shopify gave no token ({answer.status if answer else 'no answer'})")
    said: Any = answer.json() if answer.body.lstrip()[:1] == b"{" else {}
    if answer.status != 200 or not said.get("access_token"):
        reason = said.get("error_description") or said.get("error") or f"answered {answer.status}"
        raise Refused(f"Shopify gives no token: {reason}", code=str(said.get("error") or answer.status))
    return Token(access=str(said["access_token"]), expires_in=float(said.get("expires_in") or DAY))

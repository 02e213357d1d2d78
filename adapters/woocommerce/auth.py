"""How our requests are made credible: the REST key in a header, in the address, or as an OAuth 1.0a signature.

WooCommerce docs, "Authentication": Basic over HTTPS, query parameters where a host strips the Authorization
header, one-legged OAuth 1.0a over plain HTTP; source of class-wc-rest-authentication.php.
"""

from __future__ import annotations

import base64
import hmac
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

import msgspec

from adapters.woocommerce.api import Shop
from adapters.woocommerce.settings import shop_url
from hub.contract import Misconfigured, Request, Token

AUTH = "auth"
"""The state that remembers which way worked."""


def sign(request: Request, ctx: Shop, _token: Token | None) -> Request:
    """The key on requests to the shop's own REST routes of WooCommerce, and on no others."""
    if not request.url.startswith(f"{shop_url(ctx.settings)}/wp-json/wc"):
        return request
    key, secret = ctx.settings.consumer_key, ctx.settings.consumer_secret
    if not (key and secret):
        raise Misconfigured("consumer_key and consumer_secret are not set: polls and writes need them")
    manner = _manner(ctx, request.url)
    if manner == "oauth":
        return msgspec.structs.replace(request, url=_signed(request, key, secret, ctx))
    if manner == "query":
        joint = "&" if "?" in request.url else "?"
        shown = urlencode({"consumer_key": key, "consumer_secret": secret})
        return msgspec.structs.replace(request, url=f"{request.url}{joint}{shown}")
    shown = base64.b64encode(f"{key}:{secret}".encode()).decode()
    return msgspec.structs.replace(request, headers={**request.headers, "authorization": f"Basic {shown}"})


def _manner(ctx: Shop, url: str) -> str:
    """As set; else signed over plain HTTP, where WooCommerce takes nothing else, and as it worked before."""
    chosen = ctx.settings.auth
    plain = url.startswith("http:")
    if plain and chosen in ("basic", "query"):
        raise Misconfigured(
            f"auth is {chosen!r}, which would send the key in the clear: base_url is not https"
        )
    if chosen != "auto":
        return chosen
    return "oauth" if plain else ctx.state.get(AUTH, "basic")


def _signed(request: Request, key: str, secret: str, ctx: Shop) -> str:
    """The address with an OAuth 1.0a signature (HMAC-SHA256) over method, address and query, RFC 5849 §3.4."""
    address, _, query = request.url.partition("?")
    pairs = [
        *parse_qsl(query, keep_blank_values=True),
        ("oauth_consumer_key", key),
        ("oauth_nonce", ctx.nonce),
        ("oauth_signature_method", "HMAC-SHA256"),
        ("oauth_timestamp", str(ctx.now // 1_000_000)),
    ]
    sorted_pairs = "&".join(
        f"{name}={value}" for name, value in sorted((_quoted(n), _quoted(v)) for n, v in pairs)
    )
    parts = urlsplit(address)
    base = f"{parts.scheme}://{parts.netloc.lower()}{parts.path}"
    text = "&".join((request.method.upper(), _quoted(base), _quoted(sorted_pairs)))
    mac = hmac.digest(f"{secret}&".encode(), text.encode(), "sha256")
    return f"{address}?{urlencode([*pairs, ('oauth_signature', base64.b64encode(mac).decode())], quote_via=quote)}"


def _quoted(text: str) -> str:
    return quote(text, safe="~")

"""Who proves a push: the app's client secret, or the shop's own for webhooks made by hand."""

from __future__ import annotations

from adapters.shopify.settings import ShopifySettings
from hub.contract.proof import AnyOf, Hmac, Proof

HEADERS = ("X-Shopify-Hmac-SHA256", "shopify-hmac-sha256")
"""Shopify docs: base64 of HMAC-SHA256 over the raw body; the newer Events product drops the prefix `X-`."""

SECRETS = ("webhook_secret", "client_secret")


def pushes(settings: ShopifySettings) -> Proof:
    """Either spelling of the header, under each secret that is set; with none set every push is refused."""
    chosen = [name for name in SECRETS if getattr(settings, name)] or list(SECRETS[:1])
    return AnyOf(tuple(Hmac(header, secret=name) for name in chosen for header in HEADERS))

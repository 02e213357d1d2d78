"""What an operator tells this channel, and the addresses that follow from it."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlsplit

from msgspec import Meta

from hub.contract import Misconfigured, Secret, Settings

REQUIRED_SCOPE = "read_orders"
"""Without it no order can be read; what writes need besides is told by the write itself."""


class ShopifySettings(Settings, frozen=True, kw_only=True):
    """A shop, the secret that proves its webhooks, and an app's credentials for reads and writes."""

    webhook_secret: Annotated[
        Secret | list[Secret] | None,
        Meta(
            description="Proves pushes. For webhooks that the hub registers it is the app's client secret (leave "
            "it empty where client_secret is set); for webhooks made by hand in Settings > Notifications it is "
            "the secret shown below their list. Give a list, the new one first, while rotating."
        ),
    ] = None
    base_url: Annotated[
        str,
        Meta(
            description="The shop's own address, https://NAME.myshopify.com (NAME alone will do). Needed for "
            "polls, writes and registering webhooks; pushes do without."
        ),
    ] = ""
    client_id: Annotated[
        str,
        Meta(
            description="The app's client ID (Dev Dashboard > your app > Settings); goes with client_secret."
        ),
    ] = ""
    client_secret: Annotated[
        Secret | None,
        Meta(
            description="The app's client secret: buys access tokens of 24 hours, which the hub renews, and "
            "proves pushes."
        ),
    ] = None
    access_token: Annotated[
        Secret | None,
        Meta(
            description="A fixed Admin API access token (shpat_…) of an app made before 2026, instead of the two."
        ),
    ] = None
    api_version: Annotated[
        str,
        Meta(
            pattern=r"^(\d{4}-\d\d|unstable)$(?!\n)",
            description="The Admin API's version, a quarter such as 2026-07.",
        ),
    ] = "2026-07"
    notify_customer: Annotated[
        bool,
        Meta(
            description="Whether Shopify mails the buyer when the hub writes a fulfilment or a cancellation."
        ),
    ] = False
    restock_on_cancel: Annotated[
        bool, Meta(description="Whether a cancellation that the hub writes puts the goods back into stock.")
    ] = True
    refund_on_cancel: Annotated[
        bool,
        Meta(
            description="Whether a cancellation that the hub writes pays back to the original payment method."
        ),
    ] = False


def shop_url(settings: ShopifySettings) -> str:
    """The shop's address without a trailing slash: `name`, `name.myshopify.com` and a full URL are the same."""
    given = settings.base_url.strip().rstrip("/")
    if not given:
        raise Misconfigured(
            "base_url is not set: polls, writes and webhook registration need the shop's address"
        )
    if "://" not in given:
        given = f"https://{given}" if "." in given else f"https://{given}.myshopify.com"
    parts = urlsplit(given)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.username:
        raise Misconfigured(f"base_url {settings.base_url!r} is not the address of a shop")
    return f"{parts.scheme}://{parts.netloc}"


def api_url(settings: ShopifySettings) -> str:
    """Where GraphQL questions go."""
    return f"{shop_url(settings)}/admin/api/{settings.api_version}/graphql.json"

"""What an operator tells this channel, and the addresses that follow from it."""

from __future__ import annotations

from typing import Annotated, Literal
from urllib.parse import quote, urlencode, urlsplit

from msgspec import Meta

from hub.contract import Misconfigured, Secret, Settings


class WooCommerceSettings(Settings, frozen=True, kw_only=True):
    """A shop, the secret that proves its webhooks, and a REST key for reads and writes."""

    webhook_secret: Annotated[
        Secret | list[Secret] | None,
        Meta(
            description="Proves pushes: the secret of the webhooks, of your choice; webhooks that the hub registers "
            "get it. As shown in WooCommerce or with its HTML entities, either spelling will do. Give a list, "
            "the new one first, while rotating."
        ),
    ] = None
    base_url: Annotated[
        str,
        Meta(
            description="The shop's address as WordPress has it, https://shop.example or https://example.org/shop. "
            "Needed for polls, writes and registering webhooks; pushes do without."
        ),
    ] = ""
    consumer_key: Annotated[
        Secret | None,
        Meta(description="The REST key (ck_…) of WooCommerce > Settings > Advanced > REST API."),
    ] = None
    consumer_secret: Annotated[
        Secret | None,
        Meta(description="The REST key's secret (cs_…); the key needs the permission Read/Write."),
    ] = None
    auth: Annotated[
        Literal["auto", "basic", "query", "oauth"],
        Meta(
            description="How the key is shown: `basic` in the Authorization header, `query` in the address, for hosts "
            "that strip that header, `oauth` signed, for shops without HTTPS. `auto` is `oauth` for http://, "
            "else whichever of the others worked when the connection was tested."
        ),
    ] = "auto"
    page_size: Annotated[
        int,
        Meta(
            ge=1,
            le=100,
            description="How many orders are asked for at once; fewer for hosts that take too long over 100.",
        ),
    ] = 100
    tracking: Annotated[
        Literal["auto", "shipment_tracking", "ast", "note"],
        Meta(
            description="Where tracking numbers are written: the Shipment Tracking plugin, Advanced Shipment Tracking "
            "(AST) under its old address, or a note on the order. `auto` takes what the shop has."
        ),
    ] = "auto"
    notify_customer: Annotated[
        bool,
        Meta(
            description="Whether a note with tracking numbers is one to the buyer, whom WooCommerce then mails."
        ),
    ] = True
    note_text: Annotated[
        str,
        Meta(
            description="The words of a note with a tracking number: {carrier}, {number} and {url} are filled in."
        ),
    ] = "Your parcel is on its way: {carrier} {number} {url}"
    complete_orders: Annotated[
        bool,
        Meta(
            description="Whether an order of which everything is shipped becomes `completed` in WooCommerce."
        ),
    ] = True
    write_notes: Annotated[
        bool, Meta(description="Whether notes taken in the hub become private notes of the order.")
    ] = True


def shop_url(settings: WooCommerceSettings) -> str:
    """The shop's address without a trailing slash; a bare host is taken for https."""
    given = settings.base_url.strip().rstrip("/").removesuffix("/wp-json").rstrip("/")
    if not given:
        raise Misconfigured(
            "base_url is not set: polls, writes and webhook registration need the shop's address"
        )
    if "://" not in given:
        given = f"https://{given}"
    parts = urlsplit(given)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.username:
        raise Misconfigured(f"base_url {settings.base_url!r} is not the address of a shop")
    return f"{parts.scheme}://{parts.netloc}{parts.path}"


def api_url(settings: WooCommerceSettings, route: str, **query: str | int) -> str:
    """The address of a REST route (`wc/v3/orders/7`), its words quoted."""
    asked = f"?{urlencode(query)}" if query else ""
    return f"{shop_url(settings)}/wp-json/{quote(route)}{asked}"


def account_of(address: str) -> str:
    """The account that a shop's address names: host and path, so that http and https are one shop."""
    parts = urlsplit(address.strip())
    return f"{parts.netloc}{parts.path}".rstrip("/").lower() if parts.netloc else ""

"""How the shop is read: a sweep over what changed, one object again, and the shop itself at connect."""

from __future__ import annotations

from typing import Any

from adapters.shopify import documents
from adapters.shopify.graphql import Shop, ask, gid, number
from adapters.shopify.settings import REQUIRED_SCOPE
from adapters.shopify.whole import order_of, read_order
from hub.contract import Conversation, Keep, Misconfigured, Page, Refused, json_body
from hub.contract.sweep import beginning

ORDERS = "poll/orders"
RETURNS = "poll/returns"
FULFILLMENT_ORDERS = "poll/fulfillment_orders"


def sweep(ctx: Shop, cursor: str) -> Conversation[None]:
    """Every order that changed since the cursor (an `updatedAt`), oldest change first, each read whole."""
    since = since_text(ctx, cursor)
    after: str | None = None
    while True:
        found = (yield from ask(ctx, documents.CHANGED, query=f"updated_at:>='{since}'", after=after))[
            "orders"
        ]
        for node in found["nodes"]:
            yield from order_page(ctx, number(node["id"]), cursor=max(cursor, node["updatedAt"]))
        if not found["pageInfo"]["hasNextPage"]:
            return
        after = found["pageInfo"]["endCursor"]


def since_text(ctx: Shop, cursor: str) -> str:
    """Where a sweep starts, as RFC 3339: the cursor less the overlap, or a day ago."""
    return beginning(cursor, ctx.now).strftime("%Y-%m-%dT%H:%M:%SZ")


def order_page(ctx: Shop, ref: str, cursor: str = "") -> Conversation[bool]:
    """One order as a page; False where Shopify no longer shows it.

    The body is the order alone, without the envelope: the cost in there differs each time, and two reads
    of an unchanged order have to be the same bytes.
    """
    order = yield from read_order(ctx, ref)
    if order is not None:
        yield Page(topic=ORDERS, body=json_body(order), cursor=cursor, ref=f"order:{ref}")
    return order is not None


def reread(ctx: Shop, subject: str, ref: str) -> Conversation[None]:
    """One object again: parts of an order by their order, returns and fulfillment orders by themselves."""
    if subject == "order":
        found = yield from order_page(ctx, ref)
    elif subject == "return":
        found = yield from _page(ctx, RETURNS, documents.RETURN, "return", gid("Return", ref))
    elif subject == "fulfillment":
        wanted = gid("FulfillmentOrder", ref)
        found = yield from _page(
            ctx, FULFILLMENT_ORDERS, documents.FULFILLMENT_ORDER, "fulfillmentOrder", wanted
        )
    elif subject in ("shipment", "refund", "payment"):
        order = yield from order_of(ctx, subject, ref)
        found = bool(order) and (yield from order_page(ctx, order))
    else:
        raise Refused(f"Shopify has no {subject} to be read again", code="unsupported")
    if not found:
        raise Refused(f"Shopify shows no {subject} {ref}", code="not_found")


def find_account(ctx: Shop) -> Conversation[str]:
    """The shop's permanent domain, after a look at what the app may do there."""
    data = yield from ask(ctx, documents.SHOP)
    scopes = {scope["handle"] for scope in (data["currentAppInstallation"] or {}).get("accessScopes") or ()}
    if not scopes & {REQUIRED_SCOPE, "write_orders", "read_all_orders"}:
        raise Misconfigured(
            f"the app lacks the scope {REQUIRED_SCOPE}; it has {', '.join(sorted(scopes)) or 'none'}"
        )
    shop: dict[str, Any] = data["shop"]
    yield Keep({"scopes": " ".join(sorted(scopes)), "time_zone": str(shop.get("ianaTimezone") or "")})
    return str(shop["myshopifyDomain"])


def _page(ctx: Shop, topic: str, question: str, field: str, wanted: str) -> Conversation[bool]:
    node = (yield from ask(ctx, question, id=wanted))[field]
    if node is not None:
        yield Page(topic=topic, body=json_body(node))
    return node is not None

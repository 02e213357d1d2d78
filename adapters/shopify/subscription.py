"""Webhooks registered by API: those of our topics that are missing are made, ours are ended on request."""

from __future__ import annotations

from typing import Any

from adapters.shopify import documents
from adapters.shopify.graphql import Shop, ask, complaints
from adapters.shopify.topics import SUBSCRIBED
from hub.contract import Conversation, Keep, Refused


def enum(topic: str) -> str:
    """A topic as GraphQL spells it: `orders/create` is ORDERS_CREATE."""
    return topic.replace("/", "_").upper()


def ensure(ctx: Shop) -> Conversation[dict[str, str]]:
    """Makes what is missing at our address; returns what stands, topic → id.

    A topic that the app's scopes do not allow is left out and named in the state `refused_topics`.
    """
    ours = yield from _ours(ctx)
    refused: dict[str, str] = {}
    standing: dict[str, str] = {}
    for topic in SUBSCRIBED:
        found = ours.get(enum(topic)) or (yield from _subscribe(ctx, topic, refused))
        if found:
            standing[topic] = found
    if refused and not standing:
        raise Refused(
            f"Shopify registers no webhook: {next(iter(refused.values()))}", code="webhooks_refused"
        )
    yield Keep({"refused_topics": " ".join(refused) or None})
    return standing


def remove(ctx: Shop) -> Conversation[None]:
    """Ends every registration at our address."""
    for found in (yield from _ours(ctx)).values():
        payload = (yield from ask(ctx, documents.UNSUBSCRIBE, id=found))["webhookSubscriptionDelete"]
        reason = complaints(payload)
        if reason and "not exist" not in reason.lower():
            raise Refused(f"Shopify keeps the webhook {found}: {reason}")


def _subscribe(ctx: Shop, topic: str, refused: dict[str, str]) -> Conversation[str]:
    webhook = {"uri": ctx.intake_url, "format": "JSON"}
    data = yield from ask(ctx, documents.SUBSCRIBE, topic=enum(topic), webhook=webhook)
    payload: dict[str, Any] = data["webhookSubscriptionCreate"] or {}
    made = payload.get("webhookSubscription")
    if made is None:
        refused[topic] = complaints(payload) or "no reason given"
        return ""
    return str(made["id"])


def _ours(ctx: Shop) -> Conversation[dict[str, str]]:
    """The registrations of this app that point to our address, by topic as GraphQL spells it."""
    found: dict[str, str] = {}
    after: str | None = None
    while True:
        page = (yield from ask(ctx, documents.SUBSCRIPTIONS, after=after))["webhookSubscriptions"]
        found.update({node["topic"]: node["id"] for node in page["nodes"] if node["uri"] == ctx.intake_url})
        if not page["pageInfo"]["hasNextPage"]:
            return found
        after = page["pageInfo"]["endCursor"]

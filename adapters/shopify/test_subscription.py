"""The webhooks that Shopify is asked for, played by hand: made, found again, removed."""

from __future__ import annotations

from typing import Any

import pytest

from adapters.shopify import channel, subscription, topics
from adapters.shopify.test_polls import Played, connection, shop
from hub.contract import Refused

# ── webhooks ─────────────────────────────────────────────────────────────────────────────────────────


def webhook(topic: str, number: int, uri: str = "https://hub.example/in/k1") -> dict[str, Any]:
    return {"id": f"gid://shopify/WebhookSubscription/{number}", "topic": topic, "uri": uri}


def made(topic: str, number: int) -> dict[str, Any]:
    return {"webhookSubscriptionCreate": {"webhookSubscription": webhook(topic, number), "userErrors": []}}


def test_only_missing_webhooks_are_registered_and_all_that_stand_are_told():
    wanted = topics.SUBSCRIBED
    there = [webhook(subscription.enum(topic), n) for n, topic in enumerate(wanted[:-2])]
    elsewhere = webhook(subscription.enum(wanted[-1]), 900, "https://other.example/hook")
    played = Played(
        subscription.ensure(shop()),
        Subscriptions=[
            {"webhookSubscriptions": connection(*there[:5], elsewhere, more="c1")},
            {"webhookSubscriptions": connection(*there[5:])},
        ],
        Subscribe=[made("X", 901), made("Y", 902)],
    )

    assert list(played.result) == list(wanted)
    assert played.result[wanted[-1]] == "gid://shopify/WebhookSubscription/902"
    assert [variables["topic"] for name, variables in played.asked if name == "Subscribe"] == [
        subscription.enum(topic) for topic in wanted[-2:]
    ]
    assert played.asked[-1][1]["webhook"] == {"uri": "https://hub.example/in/k1", "format": "JSON"}
    assert played.kept == {"refused_topics": None}


def denied(reason: str) -> dict[str, Any]:
    return {
        "webhookSubscriptionCreate": {
            "webhookSubscription": None,
            "userErrors": [{"field": None, "message": reason}],
        }
    }


def test_a_topic_that_the_scopes_forbid_is_left_out_and_named():
    answers = [
        denied("You do not have permission") if topic.startswith("returns/") else made(topic, 1)
        for topic in topics.SUBSCRIBED
    ]
    played = Played(
        subscription.ensure(shop()), Subscriptions={"webhookSubscriptions": connection()}, Subscribe=answers
    )

    assert not any(topic.startswith("returns/") for topic in played.result)
    assert "orders/create" in played.result
    assert played.kept["refused_topics"].split()[0] == "returns/approve"


def test_an_address_that_shopify_will_not_call_is_refused():
    answers = [denied("Address is not allowed")] * len(topics.SUBSCRIBED)
    with pytest.raises(Refused, match="Address is not allowed"):
        Played(
            subscription.ensure(shop()),
            Subscriptions={"webhookSubscriptions": connection()},
            Subscribe=answers,
        )


def test_removing_ends_our_webhooks_and_no_others():
    played = Played(
        subscription.remove(shop()),
        Subscriptions={
            "webhookSubscriptions": connection(webhook("A", 1), webhook("B", 2, "https://other.example"))
        },
        Unsubscribe={"webhookSubscriptionDelete": {"userErrors": []}},
    )

    assert [variables["id"] for name, variables in played.asked if name == "Unsubscribe"] == [
        webhook("A", 1)["id"]
    ]


def test_every_topic_that_is_registered_has_a_reader():
    assert [topic for topic in topics.SUBSCRIBED if channel.reader(topic) is None] == []

"""The webhooks that WooCommerce is asked for, played by hand: made, mended, removed."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest

from adapters.woocommerce import subscription, topics
from adapters.woocommerce.test_polls import Played, said, shop
from hub.contract import Misconfigured

# ── webhooks ─────────────────────────────────────────────────────────────────────────────────────────


def webhook(
    number: int, topic: str, status: str = "active", url: str = "https://hub.example/in/k1"
) -> dict[str, Any]:
    return {"id": number, "topic": topic, "status": status, "delivery_url": url}


MARK = hashlib.sha256(b"new&hush").hexdigest()[:16]
KNOWN = {"secret_mark": MARK}


def test_missing_webhooks_are_made_with_our_address_and_the_newest_secret():
    made = iter(range(50, 60))
    played = Played(
        subscription.ensure(shop(KNOWN)),
        {
            "GET wc/v3/webhooks": [
                webhook(1, "order.updated"),
                webhook(2, "order.created", url="https://other.example"),
            ],
            "POST wc/v3/webhooks": lambda _, body: said({"id": next(made)}, status=201),
        },
    )

    assert played.result == {
        "order.updated": "1",
        "order.created": "50",
        "order.restored": "51",
        "order.deleted": "52",
    }
    assert played.asked[1][1] == {
        "name": "orderhub order.created",
        "topic": "order.created",
        "delivery_url": "https://hub.example/in/k1",
        "secret": "new&hush",
        "status": "active",
    }
    assert set(topics.SUBSCRIBED) == set(played.result)


def test_a_disabled_webhook_is_made_active_again_and_told():
    listed = [webhook(n, topic) for n, topic in enumerate(topics.SUBSCRIBED, 1)]
    listed[1]["status"] = "disabled"
    played = Played(
        subscription.ensure(shop(KNOWN)), {"GET wc/v3/webhooks": listed, "PUT wc/v3/webhooks/2": {"id": 2}}
    )

    assert played.asked[1] == ("PUT wc/v3/webhooks/2", {"status": "active", "secret": "new&hush"})
    assert played.kept == {"revived": topics.SUBSCRIBED[1], "secret_mark": MARK}
    assert len(played.result) == 4


def test_the_second_webhook_of_a_topic_is_ended_the_active_one_stays():
    listed = [webhook(n, topic) for n, topic in enumerate(topics.SUBSCRIBED, 1)]
    listed.insert(0, webhook(77, topics.SUBSCRIBED[0], "disabled"))
    played = Played(
        subscription.ensure(shop(KNOWN)),
        {"GET wc/v3/webhooks": listed, "DELETE wc/v3/webhooks/77": {"id": 77}},
    )

    assert played.names[1:] == ["DELETE wc/v3/webhooks/77"]
    assert played.result[topics.SUBSCRIBED[0]] == "1"


def test_a_second_look_asks_once_and_changes_nothing():
    listed = [webhook(n, topic) for n, topic in enumerate(topics.SUBSCRIBED, 1)]
    played = Played(subscription.ensure(shop(KNOWN)), {"GET wc/v3/webhooks": listed})

    assert played.names == ["GET wc/v3/webhooks"]


def test_a_new_secret_is_given_to_all():
    listed = [webhook(n, topic) for n, topic in enumerate(topics.SUBSCRIBED, 1)]
    puts = {f"PUT wc/v3/webhooks/{n}": {"id": n} for n in range(1, 5)}
    played = Played(
        subscription.ensure(shop({"secret_mark": "older"})), {"GET wc/v3/webhooks": listed, **puts}
    )

    assert [name for name, _ in played.asked[1:]] == list(puts)
    assert played.asked[1][1]["secret"] == "new&hush"
    assert played.kept == {"revived": None, "secret_mark": MARK}


def test_removing_ends_ours_alone():
    listed = [webhook(1, "order.updated"), webhook(2, "order.created", url="https://other.example")]
    played = Played(
        subscription.remove(shop()), {"GET wc/v3/webhooks": listed, "DELETE wc/v3/webhooks/1": {"id": 1}}
    )

    assert played.names == ["GET wc/v3/webhooks", "DELETE wc/v3/webhooks/1"]


def test_a_webhook_without_a_secret_is_not_registered():
    with pytest.raises(Misconfigured, match="webhook_secret"):
        Played(subscription.ensure(shop(webhook_secret=None)))

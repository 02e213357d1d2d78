"""Webhooks registered by API: those of our topics that are missing are made, disabled ones made active again."""

from __future__ import annotations

import hashlib
from typing import Any

from adapters.woocommerce.api import Shop, ask, more, tree
from adapters.woocommerce.topics import SUBSCRIBED
from hub.contract import Conversation, Keep, Misconfigured, Refused, secrets

REVIVED = "revived"
"""The state that names the topics whose webhooks were found disabled, and made active again, at the last look."""

SECRET = "secret_mark"
"""The state that tells which secret the webhooks have: a new one is given to all of them."""

_SIZE = 100


def ensure(ctx: Shop) -> Conversation[dict[str, str]]:
    """Makes what is missing at our address; returns what stands, topic → id.

    WooCommerce disables a webhook after more than five deliveries in a row that were not answered 2xx (source of
    class-wc-webhook.php): such a one is made active again, with our secret; what it missed, the sweep brings. WooCommerce shows no secrets:
    where ours is another than at the last look, all webhooks get it.
    """
    secret = _secret(ctx)
    mark = hashlib.sha256(secret.encode()).hexdigest()[:16]
    standing: dict[str, str] = {}
    revived: list[str] = []
    for one in (yield from _ours(ctx)):
        topic, ref = str(one.get("topic")), str(one.get("id"))
        if topic in standing:
            yield from _end(ctx, ref)
        elif topic in SUBSCRIBED:
            standing[topic] = ref
            if one.get("status") != "active":
                revived.append(topic)
            if topic in revived or ctx.state.get(SECRET) != mark:
                yield from ask(
                    ctx, f"wc/v3/webhooks/{ref}", method="PUT", body={"status": "active", "secret": secret}
                )
    for topic in SUBSCRIBED:
        if topic not in standing:
            standing[topic] = yield from _made(ctx, topic, secret)
    yield Keep({REVIVED: " ".join(revived) or None, SECRET: mark})
    return standing


def remove(ctx: Shop) -> Conversation[None]:
    """Ends every registration at our address."""
    for one in (yield from _ours(ctx)):
        yield from _end(ctx, str(one.get("id")))


def _secret(ctx: Shop) -> str:
    found = next(secrets(ctx.settings, "webhook_secret"), b"").decode()
    if not found:
        raise Misconfigured("webhook_secret is not set: webhooks that are registered get it")
    return found


def _made(ctx: Shop, topic: str, secret: str) -> Conversation[str]:
    answer = yield from ask(
        ctx,
        "wc/v3/webhooks",
        method="POST",
        body={
            "name": f"orderhub {topic}",
            "topic": topic,
            "delivery_url": ctx.intake_url,
            "secret": secret,
            "status": "active",
        },
    )
    made: Any = tree(answer)
    if not isinstance(made, dict) or not made.get("id"):
        raise Refused(f"WooCommerce registers no webhook for {topic}", code="webhooks_refused")
    return str(made["id"])


def _end(ctx: Shop, ref: str) -> Conversation[None]:
    """Webhooks have no trash: without `force` WooCommerce answers 501."""
    yield from ask(ctx, f"wc/v3/webhooks/{ref}", method="DELETE", force="true")


def _ours(ctx: Shop) -> Conversation[list[dict[str, Any]]]:
    """The webhooks that point to our address, active ones first, then the oldest."""
    found: list[dict[str, Any]] = []
    page = 1
    while True:
        answer = yield from ask(ctx, "wc/v3/webhooks", per_page=_SIZE, page=page, status="all")
        part = tree(answer)
        if not isinstance(part, list):
            raise Refused("WooCommerce shows no webhooks", code="webhooks_refused")
        found += (one for one in part if isinstance(one, dict) and one.get("delivery_url") == ctx.intake_url)
        if not part or not more(answer, page, len(part), _SIZE):
            return sorted(found, key=lambda one: (one.get("status") != "active", one.get("id") or 0))
        page += 1

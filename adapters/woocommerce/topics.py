"""WooCommerce's webhook topics, and where things stand in a delivery; source of wc-webhook-functions.php."""

from __future__ import annotations

import hashlib
import re

from adapters.woocommerce.proof import SIGNATURE
from adapters.woocommerce.settings import account_of
from hub.contract import Greeting, Message, Pick, Response, Settings

ORDERS = ("order.created", "order.updated", "order.restored")
"""The whole order as it is when the delivery is built, not as it was at the event."""

DELETED = "order.deleted"
"""Trashed: the body is `{"id": …}` and no more."""

SUBSCRIBED = (*ORDERS, DELETED)
"""What is registered by API. Refunds, made and deleted, come as `order.updated`."""

BESIDE = tuple(
    f"{resource}.{event}"
    for resource in ("coupon", "customer", "product")
    for event in ("created", "updated", "deleted", "restored")
    if (resource, event) != ("customer", "restored")
)
"""Understood, and nothing about an order."""

ORDER_READ = "poll/order"
"""An order that the hub read itself, its refunds whole."""

ORDER_GONE = "poll/gone"
"""The id of an order that the hub asked for and the shop no longer has."""

ORDER_HERE = "poll/here"
"""The id of an order that is there and not in the trash, at the time of asking: what `order.deleted` said before
is over."""

_PING = re.compile(rb"webhook_id=\d+")


def _delivery(message: Message) -> str:
    given = message.headers.get("X-WC-Webhook-Delivery-ID", "")
    return f"{given}:{hashlib.sha256(message.body).hexdigest()[:32]}" if given else ""


DELIVERY = Pick("header X-WC-Webhook-Delivery-ID and the body", _delivery)
"""The delivery id is a hash of webhook and second, so two deliveries may share it; the body tells them apart. And
the body alone would not do: an order that is trashed twice says the same twice."""

ACCOUNT = Pick(
    "header X-WC-Webhook-Source",
    lambda message: account_of(message.headers.get("X-WC-Webhook-Source", "")),
)


def greet(message: Message, settings: Settings) -> Greeting | None:
    """The ping that WooCommerce sends, unsigned, when a webhook is made: it wants 200 and says nothing."""
    if SIGNATURE in message.headers or not _PING.fullmatch(message.body.strip()):
        return None
    return Greeting(reply=Response(status=200, body=b"ok"), proven=False)

"""Shopify: orders, refunds, fulfilments and returns come in by webhook and sweep; tracking and cancels go back."""

from adapters.shopify import auth, poll, reads, subscription, topics, writes
from adapters.shopify.graphql import judge, throttle
from adapters.shopify.proof import pushes
from adapters.shopify.settings import ShopifySettings
from hub.contract import Auth, Channel, Limits, Since, Subscription, Write, header, mapping, rfc3339

channel = Channel(
    name="shopify",
    title="Shopify",
    kind="storefront",
    settings=ShopifySettings,
    proof=pushes,
    topic=header("X-Shopify-Topic", "shopify-topic"),
    dedupe=header("X-Shopify-Webhook-Id", "shopify-webhook-id"),
    account=header("X-Shopify-Shop-Domain", "shopify-shop-domain"),
    freshness="updated_at",
    reads={
        **dict.fromkeys(topics.ORDERS, mapping("shopify.order")),
        "orders/edited": reads.edited,
        "orders/delete": reads.deleted,
        "order_transactions/create": mapping("shopify.transaction"),
        "refunds/create": mapping("shopify.refund"),
        **dict.fromkeys(topics.FULFILLMENTS, mapping("shopify.fulfillment")),
        "fulfillment_events/create": mapping("shopify.fulfillment_event"),
        "fulfillment_events/delete": reads.scan_deleted,
        **dict.fromkeys(topics.FULFILLMENT_ORDERS, reads.fulfillment_orders),
        **dict.fromkeys(topics.RETURNS, mapping("shopify.return")),
        **dict.fromkeys(topics.RETURN_CHANGES, reads.returned),
        "customers/redact": reads.redact_customer,
        "shop/redact": reads.redact_shop,
        "app/uninstalled": reads.uninstalled,
        "app/scopes_update": reads.scopes_changed,
        **dict.fromkeys(topics.BESIDE, reads.nothing),
        poll.ORDERS: mapping("shopify.graph_order"),
        poll.RETURNS: mapping("shopify.graph_return"),
        poll.FULFILLMENT_ORDERS: mapping("shopify.graph_fulfillment_order"),
    },
    poll=poll.sweep,
    fetch=poll.reread,
    since=Since(cursor=rfc3339),
    find_account=poll.find_account,
    subscription=Subscription(ensure=subscription.ensure, remove=subscription.remove, needs=("base_url",)),
    auth=Auth(token=auth.access, sign=auth.sign),
    limits=Limits(per_second=4.0, burst=8, throttle=throttle, judge=judge),
    writes={
        "fulfillment.create": Write(do=writes.fulfil, on=("shipment.shipped",), needs=("base_url",)),
        "fulfillment.update": Write(
            do=writes.track, on=("shipment.updated",), applies=writes.has_numbers, needs=("base_url",)
        ),
        "fulfillment.cancel": Write(do=writes.unfulfil, on=("shipment.cancelled",), needs=("base_url",)),
        "order.cancel": Write(do=writes.cancel, on=("order.cancelled",), needs=("base_url",)),
    },
    needs=("base_url",),
    cap=4 << 20,
    quality={"fixtures": "done", "proof": "done", "limits": "done"},
)

"""WooCommerce: orders and refunds come in by webhook and sweep; tracking, cancels and notes go back."""

from adapters.woocommerce import auth, poll, reads, subscription, topics, writes
from adapters.woocommerce.api import judge
from adapters.woocommerce.proof import HookshotHmac
from adapters.woocommerce.settings import WooCommerceSettings
from hub.contract import Auth, Channel, Limits, Since, Subscription, Write, header, rfc3339

NEEDS = ("base_url", "consumer_key", "consumer_secret")

channel = Channel(
    name="woocommerce",
    title="WooCommerce",
    kind="storefront",
    settings=WooCommerceSettings,
    proof=HookshotHmac(),
    topic=header("X-WC-Webhook-Topic"),
    dedupe=topics.DELIVERY,
    account=topics.ACCOUNT,
    freshness="updated_at",
    reads={
        **dict.fromkeys(topics.ORDERS, reads.order),
        topics.DELETED: reads.deleted,
        **dict.fromkeys(topics.BESIDE, reads.nothing),
        topics.ORDER_READ: reads.order,
        topics.ORDER_HERE: reads.here,
        topics.ORDER_GONE: reads.missing,
    },
    greet=topics.greet,
    poll=poll.sweep,
    fetch=poll.reread,
    since=Since(cursor=rfc3339),
    find_account=poll.find_account,
    subscription=Subscription(
        ensure=subscription.ensure, remove=subscription.remove, needs=(*NEEDS, "webhook_secret")
    ),
    auth=Auth(sign=auth.sign),
    limits=Limits(per_second=4.0, burst=8, judge=judge),
    writes={
        "fulfillment.create": Write(do=writes.fulfil, on=("shipment.shipped",), needs=NEEDS),
        "fulfillment.update": Write(
            do=writes.track, on=("shipment.updated",), applies=writes.has_numbers, needs=NEEDS
        ),
        "fulfillment.cancel": Write(do=writes.unfulfil, on=("shipment.cancelled",), needs=NEEDS),
        "order.cancel": Write(do=writes.cancel, on=("order.cancelled",), needs=NEEDS),
        "note.create": Write(do=writes.annotate, on=("order.note_added",), needs=NEEDS),
    },
    needs=NEEDS,
    cap=4 << 20,
    quality={"fixtures": "done", "proof": "done", "limits": "done"},
)

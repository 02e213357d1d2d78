"""AfterShip: one tracker for a thousand couriers; parcels are pushed, swept, and registered when they ship."""

from adapters.aftership import api, poll, writes
from adapters.aftership.settings import AfterShipSettings
from hub.contract import Auth, Channel, Limits, Since, Write, body, mapping, rfc3339
from hub.contract.proof import Hmac

channel = Channel(
    name="aftership",
    title="AfterShip Tracking",
    kind="tracker",
    settings=AfterShipSettings,
    proof=Hmac("aftership-hmac-sha256", encoding="base64"),
    topic=body("event"),
    dedupe=body("event_id"),
    freshness="updated_at",
    reads={
        "tracking_update": mapping("aftership.tracking"),
        "edd_revise": mapping("aftership.tracking"),
        "tracking_pending_time": mapping("aftership.tracking"),
        poll.TRACKING: mapping("aftership.tracking"),
    },
    poll=poll.sweep,
    fetch=poll.reread,
    since=Since(cursor=rfc3339, ascending=False),
    auth=Auth(sign=api.sign),
    limits=Limits(per_second=5.0, burst=5, throttle=api.throttle),
    writes={
        "tracking.subscribe": Write(
            do=writes.subscribe,
            on=("shipment.shipped", "shipment.created"),
            applies=writes.has_numbers,
            needs=("api_key",),
        )
    },
    needs=("api_key",),
    quality={
        "fixtures": "exempt: made after AfterShip's documentation and SDK samples, no live delivery was captured",
        "proof": "exempt: AfterShip documents the recipe and publishes no vector",
        "limits": "done",
    },
)

"""The hub's own API as a channel: orders from phone desks, sales representatives and own websites, shipments and scans."""

from adapters.api import reads
from adapters.api.settings import ApiSettings
from hub.contract import Channel, header, sub_path
from hub.contract.proof import StaticToken

channel = Channel(
    name="api",
    title="API",
    kind="api",
    settings=ApiSettings,
    proof=StaticToken(),
    topic=sub_path() | header("X-Topic"),
    dedupe=header("Idempotency-Key"),
    freshness={"order": "updated_at", "shipment": "updated_at", "tracking": "append_only", "*": "arrival"},
    reads={"orders": reads.orders, "shipments": reads.shipments, "scans": reads.scans},
    quality={
        "fixtures": "done",
        "proof": "exempt: a bearer token has no signature to check against a vector",
        "limits": "done",
    },
)

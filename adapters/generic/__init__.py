"""Any sender of JSON, XML or forms: who vouches, topic, delivery id and freshness are settings, the words a mapping file."""

from adapters.generic.proof import proof_of
from adapters.generic.settings import GenericSettings
from adapters.generic.shape import shaped
from hub.contract import Channel, const, header, own_mapping

channel = Channel(
    name="generic",
    title="Any sender",
    kind="other",
    settings=GenericSettings,
    proof=proof_of,
    topic=const("orders"),
    dedupe=header("webhook-id", "svix-id"),
    reads={
        "orders": own_mapping("generic.order"),
        "shipments": own_mapping("generic.shipment"),
        "scans": own_mapping("generic.tracking"),
        "*": own_mapping(),
    },
    shaped=shaped,
    quality={
        "fixtures": "exempt: there is no platform behind it, the samples show each way of sending",
        "proof": "done",
        "limits": "done",
    },
)

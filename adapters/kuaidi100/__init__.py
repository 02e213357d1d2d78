"""快递100 (Kuaidi100): the tracker of Chinese carriers; parcels are pushed, asked for, and subscribed to when they ship."""

from adapters.kuaidi100 import poll, push, reads, writes
from adapters.kuaidi100.settings import Kuaidi100Settings
from hub.contract import Channel, Limits, Write, const

channel = Channel(
    name="kuaidi100",
    title="快递100 Kuaidi100",
    kind="tracker",
    settings=Kuaidi100Settings,
    proof=push.proof,
    open=push.unwrapped,
    answer=push.answer,
    topic=const(push.PUSH),
    freshness="updated_at",
    reads={push.PUSH: reads.read, poll.QUERY: reads.read},
    poll=poll.sweep,
    poll_every=1800.0,
    fetch=poll.reread,
    limits=Limits(per_second=5.0, burst=5),
    writes={
        "tracking.subscribe": Write(
            do=writes.subscribe,
            on=("shipment.shipped", "shipment.created"),
            applies=writes.has_numbers,
            needs=("api_key",),
        )
    },
    needs=("api_key", "customer"),
    quality={
        "fixtures": "exempt: made after 快递100's field lists, no live push was captured",
        "proof": "exempt: 快递100 documents the recipe and publishes no vector",
        "limits": "done",
    },
)

"""E-mail: letters as orders, by our own SMTP server, from a mailbox, or through a provider's webhook."""

from adapters.email import opening, proof
from adapters.email.settings import EmailSettings
from hub.contract import Channel, const, header
from hub.contract.letter import ID, TOPIC

channel = Channel(
    name="email",
    title="E-mail",
    kind="mail",
    settings=EmailSettings,
    proof=proof.of,
    topic=const(TOPIC),
    dedupe=header(ID),
    freshness={"tracking": "append_only", "*": "arrival"},
    reads={TOPIC: opening.nothing},
    open=opening.opened,
    greet=opening.greet,
    confirm="manual",
    cap=40 << 20,
    quality={
        "fixtures": "exempt: made after the providers' documentation, no live delivery was captured",
        "proof": "exempt: the recipes are the providers' own, their documentation publishes no vector",
        "limits": "done",
    },
)

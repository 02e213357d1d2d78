"""Twilio: what became of the short messages that notices sent."""

from adapters.twilio_sms.reads import read
from adapters.twilio_sms.settings import TwilioSmsSettings
from hub.contract import Channel, const
from hub.contract.proof import Hmac, Parts

STATUS = "status"
"""Its one topic."""

channel = Channel(
    name="twilio_sms",
    title="Twilio Messaging",
    kind="other",
    settings=TwilioSmsSettings,
    proof=Hmac("x-twilio-signature", hash="sha1", parts=Parts("{url}{sorted:form}")),
    topic=const(STATUS),
    freshness="append_only",
    reads={STATUS: read},
    quality={
        "fixtures": "exempt: made after Twilio's documentation, no live callback was captured",
        "proof": "done",
        "limits": "exempt: nothing is asked of it here; notices are sent by a notifier",
    },
)

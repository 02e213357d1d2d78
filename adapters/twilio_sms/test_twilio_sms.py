"""What only Twilio can show: the signature of its own documentation."""

from __future__ import annotations

from adapters.twilio_sms import channel
from adapters.twilio_sms.settings import TwilioSmsSettings
from hub.contract import Headers, Message
from hub.contract.proof import Check


def test_the_example_of_twilios_documentation_is_verified():
    form = (
        b"CallSid=CA1234567890ABCDE&Caller=%2B14158675310&Digits=1234&From=%2B14158675310&To=%2B18005551212"
    )
    message = Message(
        body=form, method="POST", url="https://example.com/myapp.php?foo=1&bar=2", query="foo=1&bar=2",
        headers=Headers({"x-twilio-signature": "L/OH5YylLD5NRKLltdqwSvS0BnU="}),
    )  # fmt: skip
    settings = TwilioSmsSettings(webhook_secret="12345")

    channel.proof_for(settings).check(Check(message=message, settings=settings, now=0, keys={}))

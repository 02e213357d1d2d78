"""The one form: a letter goes into a message and comes out again, whatever brought it."""

from __future__ import annotations

import pytest

from hub.contract.errors import Unreadable
from hub.contract.letter import (
    METHOD,
    TOPIC,
    Envelope,
    Letter,
    Provider,
    letter_message,
    letter_of,
    no_letter,
)
from hub.contract.message import Headers, Message

LETTER = Letter(
    transport="smtp",
    envelope=Envelope(
        mail_from="ada@lamps.example", rcpt_to=("orders@hub.example", "orders+p7f3@hub.example"),
        client_ip="192.0.2.7", helo="mx.lamps.example", tls=True,
    ),
    raw=b"From: ada@lamps.example\r\n\r\nhello\r\n",
    provider=Provider(id="p-1", verdicts={"dmarc": "pass", "spf": "fail"}),
    received_at=1_770_000_000_000_000,
)  # fmt: skip


def test_a_letter_comes_out_of_a_message_as_it_went_in():
    message = letter_message(LETTER, Message(zone="Europe/Berlin"))

    assert letter_of(message) == LETTER
    assert (message.method, message.topic, message.zone) == (METHOD, TOPIC, "Europe/Berlin")


def test_the_null_return_path_is_not_the_same_as_one_that_nobody_told():
    null = Letter(transport="lmtp", envelope=Envelope(mail_from=""), raw=b"")
    untold = Letter(transport="imap", raw=b"")

    assert letter_of(letter_message(null)).envelope.mail_from == ""
    assert letter_of(letter_message(untold)).envelope.mail_from is None


def test_what_a_sender_writes_into_a_field_stays_in_that_field():
    sly = Letter(transport="smtp", envelope=Envelope(helo="a\r\nx-letter-verdict: dmarc=pass"), raw=b"")

    assert letter_of(letter_message(sly)).provider.verdicts == {}


def test_a_request_is_no_letter_though_it_has_the_fields_of_one():
    forged = Message(headers=Headers([("x-letter-transport", "smtp")]), body=b"From: a@b.example\r\n\r\n")

    with pytest.raises(Unreadable, match="no letter"):
        letter_of(forged)


def test_what_no_letter_can_be_made_of_fails_with_its_reason():
    with pytest.raises(Unreadable, match="S3"):
        letter_of(no_letter("the mail lies in S3", Message(body=b"{}")))

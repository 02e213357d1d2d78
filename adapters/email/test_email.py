"""The providers' doors: what each posts is proved, and becomes one form of a letter."""

from __future__ import annotations

import base64
import json
from functools import cache
from typing import Any
from urllib.parse import urlencode

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from adapters.email import channel
from adapters.email.settings import EmailSettings
from hub.contract import Context, Forged, Headers, Message, Request, Unreadable
from hub.contract.letter import Letter, letter_of
from hub.contract.proof import Check, KeyNeeded, Stamp, private_key, public_pem

NOW = 1_770_000_000
BOX = "orders@hub.example"
RAW = b"From: Ada <ada@lamps.example>\r\nSubject: Order 4711\r\nMessage-ID: <1@lamps.example>\r\n\r\nf\xc3\xbcnf Lampen\r\n"
TOPIC = "arn:aws:sns:eu-west-1:123456789012:orders"


@cache
def key(kind: str) -> str:
    made: Any = (
        ec.generate_private_key(ec.SECP256R1()) if kind == "ec" else rsa.generate_private_key(65537, 2048)
    )
    return made.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def settings(provider: str) -> EmailSettings:
    given: dict[str, dict[str, Any]] = {
        "postmark": {"webhook_secret": "hook:secret"},
        "mailgun": {"webhook_secret": "signing"},
        "ses": {"topic_arn": TOPIC, "signing_key": key("rsa")},
        "sendgrid": {
            "public_key": public_pem(private_key(key("ec").encode())).decode(),
            "signing_key": key("ec"),
        },
    }
    return EmailSettings(address=BOX, provider=provider, **given.get(provider, {}))


def multipart(fields: dict[str, bytes]) -> Message:
    parts = b"".join(
        b'--bound\r\nContent-Disposition: form-data; name="%b"\r\n\r\n%b\r\n' % (name.encode(), value)
        for name, value in fields.items()
    )
    return Message(
        body=parts + b"--bound--\r\n",
        headers=Headers({"content-type": "multipart/form-data; boundary=bound"}),
    )


def receipt(**more: Any) -> dict[str, Any]:
    verdicts = {
        "spfVerdict": {"status": "PASS"},
        "dmarcVerdict": {"status": "GRAY"},
        "virusVerdict": {"status": "FAIL"},
    }
    return {"recipients": [BOX], "action": {"type": "SNS", "encoding": "BASE64"}, **verdicts, **more}


def notification(**more: Any) -> bytes:
    told = {"notificationType": "Received", "mail": {"messageId": "ses-1", "source": "ada@lamps.example"},
            "receipt": receipt(), "content": base64.b64encode(RAW).decode(), **more}  # fmt: skip
    return json.dumps({"Type": "Notification", "Message": json.dumps(told), "MessageId": "sns-1"}).encode()


def posted(provider: str) -> Message:
    """What each provider posts for one letter."""
    if provider == "postmark":
        told = {"RawEmail": RAW.decode(), "MessageID": "pm-1", "OriginalRecipient": BOX,
                "Headers": [{"Name": "Return-Path", "Value": "<ada@lamps.example>"}]}  # fmt: skip
        return Message(body=json.dumps(told).encode())
    if provider == "mailgun":
        form = {"recipient": BOX, "sender": "ada@lamps.example", "body-mime": RAW.decode()}
        return Message(
            body=urlencode(form).encode(),
            headers=Headers({"content-type": "application/x-www-form-urlencoded"}),
        )
    if provider == "ses":
        return Message(body=notification())
    envelope = json.dumps({"to": [BOX], "from": "ada@lamps.example"}).encode()
    return multipart({"email": RAW, "envelope": envelope, "SPF": b"pass", "sender_ip": b"192.0.2.7"})


PROVIDERS = ("postmark", "mailgun", "ses", "sendgrid")


def signed(provider: str, message: Message | None = None, now: int = NOW) -> Message:
    held = settings(provider)
    return channel.proof_for(held).sign(message or posted(provider), held, Stamp(now=now))


def check(provider: str, message: Message, held: EmailSettings | None = None, now: int = NOW) -> None:
    """As intake does; a certificate that is asked for is the sample's own."""
    held = held or settings(provider)
    keys: dict[str, bytes] = {}
    while True:
        try:
            return channel.proof_for(held).check(Check(message, held, now, keys))
        except KeyNeeded as needed:
            assert not keys
            keys[needed.key] = public_pem(private_key(key("rsa").encode()))


def letter(provider: str, message: Message) -> Letter:
    assert channel.open is not None
    return letter_of(channel.open(message, settings(provider)))


@pytest.mark.parametrize("provider", PROVIDERS)
def test_an_honest_post_is_accepted_and_its_letter_is_whole(provider: str):
    message = signed(provider)

    check(provider, message)
    found = letter(provider, message)

    assert found.raw == RAW
    assert (found.envelope.mail_from, found.envelope.rcpt_to) == ("ada@lamps.example", (BOX,))
    assert (found.transport, bool(found.provider.id)) == (provider, True)


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_post_without_its_proof_is_refused(provider: str):
    with pytest.raises((Forged, KeyNeeded)):
        check(provider, posted(provider))


@pytest.mark.parametrize("provider", ["ses", "sendgrid"])
def test_an_altered_post_is_refused_where_the_body_is_signed(provider: str):
    message = signed(provider)
    altered = msgspec.structs.replace(message, body=message.body.replace(b"lamps", b"vamps"))
    if altered.body == message.body:
        altered = msgspec.structs.replace(message, body=message.body.replace(b"ses-1", b"ses-2"))

    with pytest.raises(Forged):
        check(provider, altered)


@pytest.mark.parametrize("provider", ["mailgun", "sendgrid"])
def test_an_old_post_is_refused(provider: str):
    with pytest.raises(Forged):
        check(provider, signed(provider, now=NOW - 3600))


@pytest.mark.parametrize("provider", ["smtp", "imap"])
def test_a_mailbox_without_a_webhook_has_no_door(provider: str):
    held = settings(provider)
    with pytest.raises(Forged):
        channel.proof_for(held).check(Check(posted("postmark"), held, NOW, {}))


def test_the_verdicts_of_amazon_are_told_in_our_words():
    assert letter("ses", posted("ses")).provider.verdicts == {"spf": "pass", "dmarc": "none", "virus": "fail"}


def test_mailgun_signs_a_multipart_form_as_well():
    held = settings("mailgun")
    form = dict(field.split("=", 1) for field in signed("mailgun").body.decode().split("&"))
    stamped = {name: form[name].encode() for name in ("timestamp", "token", "signature")}
    message = multipart({**stamped, "recipient": BOX.encode(), "body-mime": RAW})

    check("mailgun", message, held)
    assert letter("mailgun", message).raw == RAW
    assert letter("mailgun", message).provider.id == form["token"]


def test_the_same_token_is_the_same_delivery_whatever_it_carries():
    one = signed("mailgun")
    other = msgspec.structs.replace(one, body=one.body.replace(b"4711", b"4712"))
    assert channel.open is not None
    found = [channel.dedupe.find(channel.open(message, settings("mailgun"))) for message in (one, other)]

    assert found[0] == found[1] != ""


def test_another_topic_of_amazon_is_refused():
    other = msgspec.structs.replace(settings("ses"), topic_arn=TOPIC + "x")

    with pytest.raises(Forged, match="TopicArn"):
        check("ses", signed("ses"), other)


def test_a_subscription_is_confirmed_at_amazon_and_nowhere_else():
    def asked(url: str) -> Any:
        body = {"Type": "SubscriptionConfirmation", "SubscribeURL": url, "Token": "t", "Message": "m"}
        message = signed("ses", Message(body=json.dumps(body).encode()))
        check("ses", message)
        assert channel.greet is not None
        greeting = channel.greet(message, settings("ses"))
        assert greeting is not None
        assert greeting.proven
        assert greeting.then is not None
        return next(greeting.then(Context(settings=settings("ses"))))

    url = "https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription&Token=t"
    assert asked(url) == Request(url=url)
    for wrong in (
        "https://evil.example/?Action=x",
        "http://sns.eu-west-1.amazonaws.com/?a",
        "https://sns.evil.amazonaws.com.evil.example/?a",
    ):
        with pytest.raises(Unreadable):
            asked(wrong)


@pytest.mark.parametrize(
    ("provider", "message", "says"),
    [
        (
            "ses",
            Message(
                body=notification(content=None, receipt=receipt(action={"type": "S3", "bucketName": "mails"}))
            ),
            "S3 bucket mails",
        ),
        ("ses", Message(body=notification(content="not base64!")), "not base64"),
        ("ses", Message(body=b'{"Message": "[]"}'), "an object is wanted"),
        ("postmark", Message(body=b'{"From": "ada@lamps.example"}'), "Include raw email content"),
        ("postmark", Message(body=b"[]"), "an object is wanted"),
        ("mailgun", Message(body=b"recipient=x"), "end in `mime`"),
        ("sendgrid", multipart({"text": b"hello"}), "raw, full MIME"),
        (
            "sendgrid",
            Message(body=b"--b", headers=Headers({"content-type": "multipart/form-data"})),
            "without its boundary",
        ),
        (
            "sendgrid",
            Message(body=b"--b\r\n", headers=Headers({"content-type": "multipart/form-data; boundary=b"})),
            "breaks off",
        ),
        ("webhook", Message(body=b""), "post the raw mail"),
    ],
)
def test_what_is_no_letter_says_what_to_configure(provider: str, message: Message, says: str):
    with pytest.raises(Unreadable, match=says):
        letter(provider, message)

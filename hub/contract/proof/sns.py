"""Amazon SNS: a signature inside the JSON body, by a certificate whose address the body names."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import msgspec

from hub.contract.errors import Forged, Unreadable
from hub.contract.flow import Context, Conversation
from hub.contract.message import Message
from hub.contract.proof.base import Authenticity, Check, Stamp, all_secrets, first_secret
from hub.contract.proof.keys import (
    Scheme,
    certificate,
    decoded,
    fits,
    key_id,
    make,
    public_key,
    signing_key,
)
from hub.contract.proof.ring import KeyRing
from hub.contract.settings import Settings

CERTIFICATES = r"https://sns\.[a-z0-9-]+\.amazonaws\.com(\.cn)?/SimpleNotificationService-[A-Za-z0-9]+\.pem"
_SIGNED: Mapping[str, tuple[str, ...]] = {
    "Notification": tuple("Message MessageId Subject Timestamp TopicArn Type".split()),
    "SubscriptionConfirmation": tuple("Message MessageId SubscribeURL Timestamp Token TopicArn Type".split()),
}
_SCHEMES: Mapping[str, Scheme] = {"1": "rsa-sha1", "2": "rsa-sha256"}


@dataclass(frozen=True, slots=True)
class SnsSignature:
    """SignatureVersion 1 (SHA-1) or 2 (SHA-256) over the canonical string, from a topic that is ours.

    Amazon SNS docs: name and value of the signed fields, a line each, in byte order of the names, Subject
    only where there is one. SigningCertURL has to match `certificates`, TopicArn to be one of the setting
    named by `topic`. UnsubscribeURL and MessageAttributes are not signed. The key's id is the certificate's
    address. SNS repeats a message for days with its first Timestamp, so none is asked to be near.
    """

    topic: str = "topic_arn"
    certificates: str = CERTIFICATES
    signing: str = "signing_key"
    secret: str = ""
    authenticity: Authenticity = "body_signed"

    def check(self, check: Check) -> None:
        """The topic is ours, the certificate is Amazon's and of now, the signature fits."""
        fields = _texts(check.message)
        if fields.get("TopicArn", "").encode() not in all_secrets(check.settings, self.topic):
            raise Forged("TopicArn is not the connection's")
        scheme = _SCHEMES.get(fields.get("SignatureVersion", ""))
        if scheme is None:
            raise Forged("SignatureVersion is neither 1 nor 2")
        signed = _canonical(fields)
        signature = decoded(fields.get("Signature", ""), "base64")
        key = self._ring().find(check, fields.get("SigningCertURL", ""))
        _expect_current(key, check.now)
        if not fits(public_key(key), scheme, signature, signed):
            raise Forged("Signature does not fit the message")

    def sign(self, message: Message, settings: Settings, stamp: Stamp) -> Message:
        """The body, an SNS message or what one is to carry, signed by version 2."""
        private = signing_key(settings, self.signing)
        fields = {
            "Type": "Notification",
            "MessageId": stamp.id,
            "Timestamp": datetime.fromtimestamp(stamp.now, UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z"),
            **_carried(message.body),
            "TopicArn": first_secret(settings, self.topic).decode(),
            "SignatureVersion": "2",
            "SigningCertURL": f"https://sns.us-east-1.amazonaws.com/SimpleNotificationService-{key_id(private)}.pem",
        }
        signature = make(private, "rsa-sha256", _canonical(fields))
        fields["Signature"] = base64.b64encode(signature).decode()
        return msgspec.structs.replace(message, body=json.dumps(fields, ensure_ascii=False).encode())

    def fetch_key(self, ctx: Context[Settings], key: str) -> Conversation[bytes]:
        """The certificate from Amazon's own address."""
        return (yield from self._ring().fetch_key(ctx, key))

    def _ring(self) -> KeyRing:
        return KeyRing("{kid}", holds="key", ids=self.certificates)


def _texts(message: Message) -> dict[str, str]:
    try:
        body = message.json()
    except Unreadable as error:
        raise Forged("the body is no SNS message") from error
    if not isinstance(body, dict):
        raise Forged("the body is no SNS message")
    return {name: value for name, value in body.items() if isinstance(value, str)}


def _canonical(fields: Mapping[str, str]) -> bytes:
    kind = fields.get("Type", "")
    names = _SIGNED.get("SubscriptionConfirmation" if kind == "UnsubscribeConfirmation" else kind)
    if names is None:
        raise Forged("Type is none of SNS")
    missing = [name for name in names if name not in fields and name != "Subject"]
    if missing:
        raise Forged(f"{missing[0]} is missing")
    text = "".join(f"{name}\n{fields[name]}\n" for name in names if name in fields)
    return text.encode("utf-8", "surrogatepass")


def _expect_current(key: bytes, now: int) -> None:
    held = certificate(key)
    if held is None:
        return
    if not held.not_valid_before_utc.timestamp() <= now <= held.not_valid_after_utc.timestamp():
        raise Forged("the signing certificate is not valid now")


def _carried(body: bytes) -> dict[str, Any]:
    try:
        value = json.loads(body)
    except ValueError:
        value = None
    if isinstance(value, dict) and "Type" in value and "Message" in value:
        return value
    return {"Message": body.decode()}

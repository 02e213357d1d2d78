"""Who says so, by provider; and Mailgun's form, which no stock proof reads since it may be multipart."""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlencode

import msgspec

from adapters.email.form import fields
from adapters.email.settings import EmailSettings
from hub.contract import Forged, Message, Settings, Unreadable
from hub.contract.proof import Basic, Parts, Proof, Signature, SnsSignature, StandardWebhooks
from hub.contract.proof.base import Authenticity, Check, Stamp, all_secrets, first_secret
from hub.contract.proof.moment import near

_TWILIO = "x-twilio-email-event-webhook-"


@dataclass(frozen=True, slots=True)
class Closed:
    """No door at all: letters come by SMTP or IMAP, whatever is posted is refused."""

    authenticity: Authenticity = "none"
    secret: str = ""

    def check(self, check: Check) -> None:
        """Refused."""
        raise Forged("this mailbox takes no webhooks")

    def sign(self, message: Message, settings: Settings, stamp: Stamp) -> Message:
        """Nothing helps."""
        return message


@dataclass(frozen=True, slots=True)
class MailgunForm:
    """`signature` = hex HMAC-SHA256(timestamp + token) in the form (Mailgun docs). It does not cover the mail, so the
    time has to be near and the token is the delivery's id: seen once, it is a duplicate."""

    secret: str = "webhook_secret"
    tolerance: int = 300
    authenticity: Authenticity = "bearer_only"

    def check(self, check: Check) -> None:
        """The signature fits the time and the token, and the time is near."""
        try:
            form = fields(check.message)
        except Unreadable as error:
            raise Forged(f"the form cannot be read: {error.reason}") from error
        signed = form.get("timestamp", b"") + form.get("token", b"")
        given = form.get("signature", b"")
        keys = all_secrets(check.settings, self.secret)
        if not form.get("token") or not any([hmac.compare_digest(_mac(key, signed), given) for key in keys]):
            raise Forged("signature does not fit the timestamp and token")
        near(form["timestamp"].decode("utf-8", "replace"), check.now, self.tolerance)

    def sign(self, message: Message, settings: Settings, stamp: Stamp) -> Message:
        """As Mailgun signs, in an urlencoded form."""
        told = {"timestamp": str(stamp.now), "token": f"{stamp.id}{stamp.nonce}"}
        signed = (told["timestamp"] + told["token"]).encode()
        told["signature"] = _mac(first_secret(settings, self.secret), signed).decode()
        kept = [
            pair for pair in parse_qsl(message.body.decode(), keep_blank_values=True) if pair[0] not in told
        ]
        return msgspec.structs.replace(message, body=urlencode([*kept, *told.items()]).encode())


def of(settings: EmailSettings) -> Proof:
    """The proof of a mailbox's provider."""
    return PROOFS.get(settings.provider, Closed())


def _mac(key: bytes, signed: bytes) -> bytes:
    return hmac.digest(key, signed, "sha256").hex().encode()


PROOFS: dict[str, Proof] = {
    "webhook": StandardWebhooks(),
    "postmark": Basic(),
    "ses": SnsSignature(),
    "mailgun": MailgunForm(),
    "sendgrid": Signature(
        f"{_TWILIO}signature", over=Parts("{t}{body}"), scheme="ecdsa-sha256", time=f"{_TWILIO}timestamp"
    ),
}

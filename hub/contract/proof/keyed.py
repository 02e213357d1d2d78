r"""Proofs by public key: RSA, ECDSA and ed25519 over a template, and eBay's signature in an envelope.

    SendGrid    Signature("x-twilio-email-event-webhook-signature", Parts("{t}{body}"), "ecdsa-sha256",
                          time="x-twilio-email-event-webhook-timestamp")
    ShipEngine  Signature("x-shipengine-rsa-sha256-signature", Parts("{t}.{body}"), "rsa-sha256",
                          time="x-shipengine-timestamp", kid="x-shipengine-rsa-sha256-key-id",
                          keys=KeyRing("https://api.shipengine.com/jwks"))
    Adobe I/O   Signature("x-adobe-digital-signature-1", kid="x-adobe-public-key1-path", keys=KeyRing(
                          "https://static.adobeioevents.com{kid}", holds="key", ids=r"/[\w/-]+\.pem"))
    eBay        EnvelopeSignature("x-ebay-signature", keys=KeyRing(
                          "https://api.ebay.com/commerce/notification/v1/public_key/{kid}", holds="field:key"))

Whoever signs in a test or a simulator holds a private key in the setting named by `signing`.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from hub.contract.errors import Forged
from hub.contract.flow import Context, Conversation
from hub.contract.message import Message
from hub.contract.proof.base import Authenticity, Check, Stamp, all_secrets
from hub.contract.proof.keys import Scheme, decoded, encoded, fits, key_id, make, public_key, signing_key
from hub.contract.proof.moment import near
from hub.contract.proof.ring import KeyRing
from hub.contract.proof.spots import Parts, spot
from hub.contract.settings import Settings


@dataclass(frozen=True, slots=True)
class Signature:
    """`at` = a signature of `over` by a private key that only the far side has.

    The public key stands in the setting named by `secret` (one or several), or on the far side's `keys`,
    by the id at `kid`. `signing` names the setting in which simulators and tests hold a private key.
    """

    at: str
    over: Parts = Parts("{body}")
    scheme: Scheme = "rsa-sha256"
    encoding: Literal["base64", "base64url", "hex"] = "base64"
    time: str = ""
    tolerance: int | None = 300
    kid: str = ""
    keys: KeyRing | None = None
    secret: str = "public_key"
    signing: str = "signing_key"

    def __post_init__(self) -> None:
        for text in (self.at, self.time or self.at, self.kid or self.at):
            spot(text)
        if (self.keys is None) != (not self.kid):
            raise ValueError("a key ring and the place of the key's id go together")
        if self.keys is not None:
            object.__setattr__(self, "secret", "")  # the far side publishes it, no setting is needed

    @property
    def authenticity(self) -> Authenticity:
        """The body, and the time where there is one."""
        return "body_signed_with_time" if self.time and self.tolerance is not None else "body_signed"

    def check(self, check: Check) -> None:
        """The time is near and the signature is of one of the keys."""
        place = spot(self.at)
        given = place.read(check.message).strip()
        if not given:
            raise Forged(f"{place} is missing")
        signature = decoded(given, self.encoding)
        t = spot(self.time).read(check.message) if self.time else ""
        if self.time:
            near(t, check.now, self.tolerance)
        signed = self.over(check.message, check.settings, t)
        if not any([fits(public_key(key), self.scheme, signature, signed) for key in self._keys(check)]):
            raise Forged(f"{place} does not fit the message")

    def sign(self, message: Message, settings: Settings, stamp: Stamp) -> Message:
        """As the far side signs, with the private key of a simulator."""
        private = signing_key(settings, self.signing)
        if self.kid and not spot(self.kid).read(message):
            message = spot(self.kid).write(message, key_id(private))
        t = str(stamp.now) if self.time else ""
        if self.time:
            message = spot(self.time).write(message, t)
        signature = make(private, self.scheme, self.over(message, settings, t))
        return spot(self.at).write(message, encoded(signature, self.encoding))

    def fetch_key(self, ctx: Context[Settings], key: str) -> Conversation[bytes]:
        """From the far side's own place."""
        if self.keys is None:
            raise Forged(f"nobody knows a public key {key}")
        return (yield from self.keys.fetch_key(ctx, key))

    def _keys(self, check: Check) -> list[bytes]:
        if self.keys is None:
            return all_secrets(check.settings, self.secret)
        return [self.keys.find(check, spot(self.kid).read(check.message))]


@dataclass(frozen=True, slots=True)
class EnvelopeSignature:
    """`at` = base64 of JSON {kid, signature, digest}: ECDSA in DER over the body.

    eBay docs: the digest is named in the envelope (SHA1). eBay's Node SDK verifies JSON.stringify of the
    message, so the raw bytes are tried first, then the same JSON written compactly.
    """

    at: str
    keys: KeyRing
    signing: str = "signing_key"
    secret: str = ""
    authenticity: Authenticity = "body_signed"

    def __post_init__(self) -> None:
        spot(self.at)

    def check(self, check: Check) -> None:
        """The signature fits the raw body, or its compact spelling."""
        place = spot(self.at)
        envelope = _opened(place.read(check.message))
        schemes: dict[str, Scheme] = {"SHA1": "ecdsa-sha1", "SHA256": "ecdsa-sha256"}
        scheme = schemes.get(envelope["digest"].upper())
        if scheme is None:
            raise Forged(f"{place} names an unknown digest")
        signature = decoded(envelope["signature"], "base64")
        key = public_key(self.keys.find(check, envelope["kid"]))
        if not any(fits(key, scheme, signature, signed) for signed in _spellings(check.message.body)):
            raise Forged(f"{place} does not fit the message")

    def sign(self, message: Message, settings: Settings, stamp: Stamp) -> Message:
        """As the far side signs, with the private key of a simulator."""
        private = signing_key(settings, self.signing)
        signature = encoded(make(private, "ecdsa-sha1", message.body), "base64")
        envelope = {"alg": "ecdsa", "kid": key_id(private), "signature": signature, "digest": "SHA1"}
        return spot(self.at).write(message, base64.b64encode(json.dumps(envelope).encode()).decode())

    def fetch_key(self, ctx: Context[Settings], key: str) -> Conversation[bytes]:
        """From the far side's own place."""
        return (yield from self.keys.fetch_key(ctx, key))


def _opened(given: str) -> dict[str, str]:
    try:
        envelope: Any = json.loads(base64.b64decode(given.strip(), validate=True))
        return {name: _str(envelope[name]) for name in ("kid", "signature", "digest")}
    except (ValueError, binascii.Error, RecursionError, KeyError, TypeError) as error:
        raise Forged("the signature is not base64 of JSON with kid, signature and digest") from error


def _str(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError("not a text")
    return value


def _spellings(body: bytes) -> Iterator[bytes]:
    yield body
    try:
        compact = json.dumps(json.loads(body), ensure_ascii=False, separators=(",", ":")).encode()
    except (ValueError, RecursionError):
        return
    if compact != body:
        yield compact

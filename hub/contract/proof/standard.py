"""Standard Webhooks (standardwebhooks.com), as Svix, BigCommerce, Etsy, Resend and many more send them."""

from __future__ import annotations

import base64
import binascii
import hmac
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from hub.contract.errors import Forged
from hub.contract.message import Message
from hub.contract.proof.base import Authenticity, Check, Stamp, add_headers, first_secret
from hub.contract.proof.mac import KeyForm, key_bytes
from hub.contract.proof.moment import near
from hub.contract.settings import Settings, secrets


@dataclass(frozen=True, slots=True)
class StandardWebhooks:
    """`webhook-id`, `webhook-timestamp`, `webhook-signature`: `v1,` HMAC-SHA256 or `v1a,` ed25519 over
    `id.timestamp.body`; several signatures, several keys; the header names of `aliases` are as good.

    The secret is `whsec_` and base64 (the prefix may be missing), or with `key="utf8"` its own bytes
    (BigCommerce docs: the app's client secret). A public key `whpk_…` may stand in the same setting or in
    that named by `public`; `signing` names the one that holds the private `whsk_…` where tests sign.
    """

    secret: str = "webhook_secret"
    public: str = "public_key"
    signing: str = "signing_key"
    key: KeyForm = "whsec"
    aliases: tuple[str, ...] = ("webhook", "svix")
    tolerance: int | None = 300
    authenticity: Authenticity = "body_signed_with_time"

    def check(self, check: Check) -> None:
        """One of the signatures fits one of the keys, and the time is near."""
        id, stamp, given = self._read(check.message)
        signed = f"{id}.{stamp}.".encode("utf-8", "surrogatepass") + check.message.body
        keys = [*secrets(check.settings, self.secret), *secrets(check.settings, self.public)]
        if not keys:
            raise Forged(f"the connection has no {self.secret}")
        wanted = [self._mac(key, signed) for key in keys if not key.startswith(b"whpk_")]
        publics = [key for key in keys if key.startswith(b"whpk_")]
        if not any([self._fits(one, wanted, publics, signed) for one in given.split()[:20]]):
            raise Forged(f"no signature of the {self.aliases[0]}-signature header fits the message")
        near(stamp, check.now, self.tolerance)

    def sign(self, message: Message, settings: Settings, stamp: Stamp) -> Message:
        """As the far side signs: with the private key where there is one, else with the first secret."""
        signed = f"{stamp.id}.{stamp.now}.".encode() + message.body
        private = next(secrets(settings, self.signing), b"")
        if private.startswith(b"whsk_"):
            seed = _decoded(private, b"whsk_")[:32]
            raw = Ed25519PrivateKey.from_private_bytes(seed).sign(signed)
            signature = "v1a," + base64.b64encode(raw).decode()
        else:
            signature = "v1," + self._mac(first_secret(settings, self.secret), signed)
        name = self.aliases[0]
        return add_headers(
            message,
            {f"{name}-id": stamp.id, f"{name}-timestamp": str(stamp.now), f"{name}-signature": signature},
        )

    def _read(self, message: Message) -> tuple[str, str, str]:
        get = message.headers.get
        for name in self.aliases:
            id, stamp, given = (
                get(f"{name}-{part}", "").strip() for part in ("id", "timestamp", "signature")
            )
            if id and stamp and given:
                return id, stamp, given
        names = ", ".join(f"{self.aliases[0]}-{part}" for part in ("id", "timestamp", "signature"))
        raise Forged(f"not all of {names} are there")

    def _mac(self, secret: bytes, signed: bytes) -> str:
        return base64.b64encode(hmac.digest(key_bytes(secret, self.key), signed, "sha256")).decode()

    @staticmethod
    def _fits(given: str, wanted: list[str], publics: list[bytes], signed: bytes) -> bool:
        version, _, signature = given.partition(",")
        theirs = signature.encode("utf-8", "replace")
        if version == "v1":
            return any([hmac.compare_digest(mac.encode(), theirs) for mac in wanted])
        return version == "v1a" and any([_verifies(key, theirs, signed) for key in publics])


def _verifies(public: bytes, signature: bytes, signed: bytes) -> bool:
    try:
        key = Ed25519PublicKey.from_public_bytes(_decoded(public, b"whpk_"))
    except ValueError as error:
        raise Forged("the connection's whpk_ key is not an ed25519 key") from error
    try:
        key.verify(base64.b64decode(signature, validate=True), signed)
    except (InvalidSignature, ValueError):
        return False
    return True


def _decoded(key: bytes, prefix: bytes) -> bytes:
    try:
        return base64.b64decode(key.removeprefix(prefix))
    except binascii.Error as error:
        raise Forged(f"the connection's {prefix.decode()} key is not base64") from error

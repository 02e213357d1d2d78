"""Our signature on what we deliver: Standard Webhooks, with shared secrets (`v1`) and ed25519 (`v1a`).

Signed is `id.timestamp.body`. Secrets: `whsec_` and base64 of 24 to 64 bytes; private keys `whsk_`, public
keys `whpk_`, each with base64 of the raw bytes. While a secret rotates both sign, the newest first.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import os
from collections.abc import Callable, Sequence
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from hub.contract import Misconfigured

Entropy = Callable[[int], bytes]


def new_secret(entropy: Entropy = os.urandom) -> str:
    """A shared secret of 32 bytes."""
    return "whsec_" + base64.b64encode(entropy(32)).decode()


def new_private_key(entropy: Entropy = os.urandom) -> str:
    """A private ed25519 key; `public_key` gives its other half."""
    seed = entropy(32)
    public = Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()
    return "whsk_" + base64.b64encode(seed + public).decode()


def public_key(private: str) -> str:
    """The public half of a `whsk_…` key, as receivers are given it: `whpk_…`."""
    return "whpk_" + base64.b64encode(_private(private).public_key().public_bytes_raw()).decode()


def jwk(public: str) -> dict[str, Any]:
    """A `whpk_…` key for a JWKS; its `kid` is the thumbprint (RFC 7638)."""
    x = _url(_bytes(public, "whpk_", range(32, 33)))
    named = {"crv": "Ed25519", "kty": "OKP", "x": x}
    kid = hashlib.sha256(json.dumps(named, separators=(",", ":"), sort_keys=True).encode()).digest()
    return {**named, "kid": _url(kid), "use": "sig", "alg": "EdDSA"}


class Signer:
    """The secrets of an endpoint, `whsec_…` and `whsk_…`, read once; `header` signs one attempt.

    Misconfigured when a text is neither, or when there is none.
    """

    __slots__ = ("_keys", "_macs")

    def __init__(self, secrets: Sequence[str]) -> None:
        if not secrets:
            raise Misconfigured("an endpoint needs a secret to sign with")
        private = [text for text in secrets if text.startswith("whsk_")]
        self._macs = [_bytes(text, "whsec_", range(24, 65)) for text in secrets if text not in private]
        self._keys = [_private(text) for text in private]

    def __repr__(self) -> str:
        return f"Signer(v1={len(self._macs)}, v1a={len(self._keys)})"

    def header(self, id: str, timestamp: int, body: bytes) -> str:
        """The value of `webhook-signature`."""
        signed = b"%b.%d.%b" % (id.encode(), timestamp, body)
        parts = ["v1," + _base64(hmac.digest(key, signed, "sha256")) for key in self._macs]
        parts += ["v1a," + _base64(key.sign(signed)) for key in self._keys]
        return " ".join(parts)

    def headers(self, id: str, timestamp: int, body: bytes) -> dict[str, str]:
        """The three headers of Standard Webhooks."""
        return {
            "webhook-id": id,
            "webhook-timestamp": str(timestamp),
            "webhook-signature": self.header(id, timestamp, body),
        }


def sign(id: str, timestamp: int, body: bytes, secrets: Sequence[str]) -> str:
    """The value of `webhook-signature`, for one message; `Signer` reads its keys only once."""
    return Signer(secrets).header(id, timestamp, body)


def _private(text: str) -> Ed25519PrivateKey:
    raw = _bytes(text, "whsk_", (32, 64))
    key = Ed25519PrivateKey.from_private_bytes(raw[:32])
    if len(raw) == 64 and key.public_key().public_bytes_raw() != raw[32:]:
        raise Misconfigured("the two halves of a whsk_ key do not belong together")
    return key


def _bytes(text: str, prefix: str, sizes: range | tuple[int, ...]) -> bytes:
    if not text.startswith(prefix):
        raise Misconfigured(f"a signing secret begins with {prefix}")
    try:
        raw = base64.b64decode(text[len(prefix) :], validate=True)
    except (ValueError, binascii.Error) as error:
        raise Misconfigured(f"a {prefix} secret is not base64") from error
    if len(raw) not in sizes:
        raise Misconfigured(f"a {prefix} secret has {len(raw)} bytes, {sizes[0]} to {sizes[-1]} are allowed")
    return raw


def _base64(raw: bytes) -> str:
    return binascii.b2a_base64(raw, newline=False).decode()


def _url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()

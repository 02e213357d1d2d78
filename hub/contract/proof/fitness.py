"""Fitness: whether the keys that an operator gives can be used at all; told when they are given, and not by refusing
every push."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable

from hub.contract.errors import Forged
from hub.contract.proof.base import AnyOf, Proof
from hub.contract.proof.jose import Jwt
from hub.contract.proof.keyed import Signature
from hub.contract.proof.keys import public_key
from hub.contract.proof.mac import Hmac, KeyForm, TimedHmac, key_bytes
from hub.contract.proof.standard import StandardWebhooks
from hub.contract.settings import Settings, secrets

_PUBLIC = b"whpk_"
_ED25519 = 32


def unfit(proof: Proof, settings: Settings) -> list[str]:
    """The settings with a key that this proof can never use, as `setting: reason`; of several proofs only what none of
    those that look at it can use."""
    return [f"{name}: {reason}" for name, reason in _judged(proof, settings).items() if reason]


def _judged(proof: Proof, settings: Settings) -> dict[str, str]:
    """The settings that a proof looks at, each with why it cannot be used, "" where it can."""
    if isinstance(proof, AnyOf):
        found: dict[str, str] = {}
        for one in proof.proofs:
            for name, reason in _judged(one, settings).items():
                found[name] = found.get(name, reason) and reason
        return found
    if isinstance(proof, StandardWebhooks):
        return {
            proof.secret: _first(settings, proof.secret, lambda key: _webhook(key, proof.key)),
            proof.public: _first(settings, proof.public, _whpk),
        }
    if isinstance(proof, Hmac | TimedHmac):
        return {proof.secret: _first(settings, proof.secret, lambda key: _shared(key, proof.key))}
    if isinstance(proof, Signature | Jwt) and proof.secret:
        return {proof.secret: _first(settings, proof.secret, _public)}
    return {proof.secret: ""} if proof.secret else {}


def _first(settings: Settings, name: str, reason: Callable[[bytes], str]) -> str:
    """Why the first of a setting's keys that cannot be used cannot be."""
    return next((told for key in secrets(settings, name) if (told := reason(key))), "")


def _webhook(key: bytes, form: KeyForm) -> str:
    return _whpk(key) if key.startswith(_PUBLIC) else _shared(key, form)


def _shared(key: bytes, form: KeyForm) -> str:
    """Stricter than a push is read: characters that base64 does not have are passed over there, and the key is never
    the one that was meant."""
    try:
        if form in ("whsec", "base64"):
            text = key.removeprefix(b"whsec_") if form == "whsec" else key
            return "" if base64.b64decode(b"".join(text.split()), validate=True) else _WRONG[form]
        return "" if key_bytes(key, form) else "is empty"
    except (Forged, binascii.Error):
        return _WRONG.get(form, f"is not {form}")


def _whpk(key: bytes) -> str:
    try:
        found = base64.b64decode(key.removeprefix(_PUBLIC).strip(), validate=True)
    except binascii.Error:
        found = b""
    fine = key.startswith(_PUBLIC) and len(found) == _ED25519
    return "" if fine else "is no public key of Standard Webhooks: whpk_ and 32 bytes in base64"


def _public(key: bytes) -> str:
    try:
        public_key(key)
    except Forged as error:
        return f"{error}: PEM, a certificate, DER in base64, a JWK or whpk_…"
    return ""


_WRONG: dict[str, str] = {
    "whsec": "is no secret of Standard Webhooks: whsec_ and base64",
    "base64": "is not base64, which its key is said to be given in",
    "hex": "is not hex, which its key is said to be given in",
}

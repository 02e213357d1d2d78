"""Proofs that a message comes from whom it says: values that can both check and sign.

Because each can sign, the forged, altered, stale, missing and rotated-secret tests are written once for
all channels, fixtures need no stored signature, and `orderhub simulate` works for every channel.

    Hmac, TimedHmac                     over the body or a template, with a time in it
    StandardWebhooks                    standardwebhooks.com: shared secrets and ed25519
    Digest, SortedDigest, SortedTexts   plain digests, as Chinese platforms sign
    Signature, EnvelopeSignature        RSA, ECDSA, ed25519 over a template; eBay's envelope
    Jwt, DetachedJws                    the whole body a token; a JWS beside the raw body
    SnsSignature                        Amazon SNS
    StaticToken, Basic, NOBODY          vouch for the sender at most
    AnyOf                               several recipes at once
"""

from hub.contract.proof.base import (
    NOBODY,
    AnyOf,
    Authenticity,
    Check,
    KeyedProof,
    KeyNeeded,
    Nobody,
    Proof,
    Stamp,
    add_headers,
)
from hub.contract.proof.digest import Digest, SortedDigest, SortedTexts
from hub.contract.proof.fitness import unfit
from hub.contract.proof.jose import DetachedJws, Jwt
from hub.contract.proof.keyed import EnvelopeSignature, Signature
from hub.contract.proof.keys import private_key, public_pem
from hub.contract.proof.mac import Hmac, TimedHmac
from hub.contract.proof.ring import KeyRing
from hub.contract.proof.sns import SnsSignature
from hub.contract.proof.spots import Parts, signed_parts
from hub.contract.proof.standard import StandardWebhooks
from hub.contract.proof.token import Basic, StaticToken

__all__ = [
    "NOBODY",
    "AnyOf",
    "Authenticity",
    "Basic",
    "Check",
    "DetachedJws",
    "Digest",
    "EnvelopeSignature",
    "Hmac",
    "Jwt",
    "KeyNeeded",
    "KeyRing",
    "KeyedProof",
    "Nobody",
    "Parts",
    "Proof",
    "Signature",
    "SnsSignature",
    "SortedDigest",
    "SortedTexts",
    "Stamp",
    "StandardWebhooks",
    "StaticToken",
    "TimedHmac",
    "add_headers",
    "private_key",
    "public_pem",
    "signed_parts",
    "unfit",
]

"""Proofs that a message comes from whom it says: values that can both check and sign.

Because each can sign, the forged, altered, stale, missing and rotated-secret tests are written once for
all channels, fixtures need no stored signature, and `orderhub simulate` works for every channel.
"""

from hub.contract.proof.base import (
    NOBODY,
    AnyOf,
    Authenticity,
    Check,
    KeyNeeded,
    Nobody,
    Proof,
    Stamp,
)
from hub.contract.proof.mac import Hmac, TimedHmac, signed_parts
from hub.contract.proof.token import Basic, StaticToken

__all__ = [
    "NOBODY",
    "AnyOf",
    "Authenticity",
    "Basic",
    "Check",
    "Hmac",
    "KeyNeeded",
    "Nobody",
    "Proof",
    "Stamp",
    "StaticToken",
    "TimedHmac",
    "signed_parts",
]

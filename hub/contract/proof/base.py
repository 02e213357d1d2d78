"""What every proof promises, and the two that carry no cryptography: none, and any of several."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol, cast

import msgspec

from hub.contract.errors import Forged, HubError, Misconfigured, Rejected
from hub.contract.message import Message
from hub.contract.settings import Settings, secrets

if TYPE_CHECKING:
    from hub.contract.flow import Context, Conversation

Authenticity = Literal["body_signed_with_time", "body_signed", "bearer_only", "none"]
"""What a proof vouches for. Below `body_signed` a push is a hint: the source is read again before a
terminal state."""


class Stamp(msgspec.Struct, frozen=True, kw_only=True):
    """The moment and the chance that a signature of ours uses: `now` unix seconds, `nonce` and `id` texts."""

    now: int
    nonce: str = "0f5ade"
    id: str = "msg_0"


@dataclass(frozen=True, slots=True)
class Check:
    """A message to be proved: `now` is unix seconds, `keys` are public keys known by id (PEM or JWK bytes)."""

    message: Message
    settings: Settings
    now: int
    keys: Mapping[str, bytes]


class KeyNeeded(HubError):
    """The proof names a public key that is not known yet; the hub fetches it (rate-bounded) and asks again."""

    def __init__(self, key: str) -> None:
        super().__init__(f"public key {key} is not known")
        self.key = key


class Proof(Protocol):
    """Checks a message, and signs one the way the far side would.

    `check` returns None or raises Forged (or KeyNeeded); it compares in constant time and reads raw
    bytes only. `sign` returns the message with the proof in its place. `authenticity` says what is
    vouched for; `secret` names the setting it needs ("" for none).
    """

    @property
    def authenticity(self) -> Authenticity: ...

    @property
    def secret(self) -> str: ...

    def check(self, check: Check) -> None: ...

    def sign(self, message: Message, settings: Settings, stamp: Stamp) -> Message: ...


class KeyedProof(Proof, Protocol):
    """A proof by public key: `fetch_key` is the conversation that gets one by id, as PEM or JWK bytes."""

    def fetch_key(self, ctx: Context[Settings], key: str) -> Conversation[bytes]: ...


def add_headers(message: Message, headers: Mapping[str, str]) -> Message:
    """The message with these header fields set, replacing any of the same name."""
    names = {name.lower() for name in headers}
    kept = [pair for pair in message.headers.pairs if pair[0] not in names]
    return msgspec.structs.replace(message, headers=type(message.headers)([*kept, *headers.items()]))


def first_secret(settings: Settings, field: str) -> bytes:
    """The secret that signs: the first of those in this setting; without one nothing can be signed."""
    for key in secrets(settings, field):
        return key
    raise Misconfigured(f"the settings have no {field} to sign with")


def all_secrets(settings: Settings, field: str) -> list[bytes]:
    """Every secret that may have signed; Forged when the connection has none."""
    keys = list(secrets(settings, field))
    if not keys:
        raise Forged(f"the connection has no {field}")
    return keys


@dataclass(frozen=True, slots=True)
class Nobody:
    """No proof at all: only the unguessable address protects; every push is a hint."""

    authenticity: Authenticity = "none"
    secret: str = ""

    def check(self, check: Check) -> None:
        """Nothing to check."""

    def sign(self, message: Message, settings: Settings, stamp: Stamp) -> Message:
        """Nothing to sign."""
        return message


NOBODY = Nobody()


@dataclass(frozen=True, slots=True)
class AnyOf:
    """The first of several proofs that holds: far sides that changed their recipe. Signs with the first."""

    proofs: tuple[Proof, ...]

    @property
    def authenticity(self) -> Authenticity:
        """The weakest of them: what can be relied on whichever was used."""
        order: tuple[Authenticity, ...] = ("none", "bearer_only", "body_signed", "body_signed_with_time")
        return min((proof.authenticity for proof in self.proofs), key=order.index)

    @property
    def secret(self) -> str:
        """The first secret any of them names."""
        return next((proof.secret for proof in self.proofs if proof.secret), "")

    def check(self, check: Check) -> None:
        """Holds when one holds; else a key that is still to be fetched is asked for, or the first refusal told."""
        refusals: list[Forged] = []
        needed: list[KeyNeeded] = []
        for proof in self.proofs:
            try:
                return proof.check(check)
            except Forged as error:
                refusals.append(error)
            except KeyNeeded as error:
                needed.append(error)
        raise [*needed, *refusals, Forged("no proof is declared")][0]

    def sign(self, message: Message, settings: Settings, stamp: Stamp) -> Message:
        """As the first proof signs."""
        return self.proofs[0].sign(message, settings, stamp)

    def fetch_key(self, ctx: Context[Settings], key: str) -> Conversation[bytes]:
        """From the first of them that knows such a key."""
        for proof in [cast("KeyedProof", one) for one in self.proofs if hasattr(one, "fetch_key")]:
            try:
                return (yield from proof.fetch_key(ctx, key))
            except Rejected:
                continue
        raise Forged(f"nobody knows a public key {key}")


__all__ = [
    "NOBODY",
    "AnyOf",
    "Authenticity",
    "Check",
    "KeyNeeded",
    "KeyedProof",
    "Nobody",
    "Proof",
    "Stamp",
    "add_headers",
    "all_secrets",
    "first_secret",
]

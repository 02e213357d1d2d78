"""Keys: what signs an endpoint's webhooks, made, shown once, rotated; the public ones for everyone."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from hub.contract.clock import text
from hub.contract.errors import Misconfigured
from hub.directory import Endpoint
from hub.http.ask import Ask
from hub.http.problems import Problem, invalid
from hub.http.words import FITS
from hub.outbound.signing import Signer, jwk, new_private_key, new_secret, public_key

HOUR = 3600 * 1_000_000
MOST = 5
"""How many secrets of a kind may sign at once."""
Doc = dict[str, Any]


class Rotation(msgspec.Struct, forbid_unknown_fields=True):
    """How many hours the old secret goes on signing beside the new one; the new one where it is brought; which
    of the endpoint's signatures, all of them if none is named."""

    overlap_hours: Annotated[float, Meta(ge=0, le=168)] = 24.0
    secret: (
        Annotated[
            str, Meta(pattern="^(whsec_|whsk_)", extra={FITS: "a secret that begins with whsec_ or whsk_"})
        ]
        | None
    ) = None
    signing: Literal["v1", "v1a"] | None = None


class Keys(msgspec.Struct):
    """The public keys of an endpoint as a JWKS (RFC 7517): whoever receives its webhooks verifies `v1a` with them."""

    keys: list[dict[str, Any]]


def kind(ask: Ask, one: Endpoint, held: Doc) -> str:
    """Which signature a kept secret makes."""
    found: str = held.get("kind", "")
    return found or _kind(ask.hub.vault.open(held["sealed"], one.id))


def _kind(secret: str) -> str:
    return "v1a" if secret.startswith("whsk_") else "v1"


def made(ask: Ask, one: Endpoint, secret: str) -> Doc:
    """A secret as it is kept; Misconfigured where it is none."""
    Signer((secret,))
    doc: Doc = {"sealed": ask.hub.vault.seal(secret, one.id), "kind": _kind(secret)}
    return doc | ({"public": public_key(secret)} if doc["kind"] == "v1a" else {})


def supply(ask: Ask, one: Endpoint) -> str | None:
    """Give an endpoint what its signatures want and take away what they do not; a new shared secret, to be shown."""
    there = [held for held in one.secrets if kind(ask, one, held) in one.signing]
    have = {kind(ask, one, held) for held in there if not held.get("until")}
    shown = None
    for wanted in one.signing:
        if wanted not in have:
            secret = new_private_key() if wanted == "v1a" else new_secret()
            there.insert(0, made(ask, one, secret))
            shown = secret if wanted == "v1" else shown
    one.secrets = there
    return shown


def turn(ask: Ask, one: Endpoint, given: Rotation) -> str | None:
    """New secrets for old ones, which go on signing for the overlap; a new shared secret, to be shown."""
    now = ask.hub.world.now()
    brought = _kind(given.secret) if given.secret else None
    kinds = [brought or given.signing] if brought or given.signing else list(one.signing)
    for wanted in kinds:
        if wanted not in one.signing:
            raise invalid(f"this endpoint does not sign with {wanted}", "secret" if brought else "signing")
    if brought and given.signing not in (None, brought):
        raise invalid(f"this secret is one of {brought}", "secret")
    until = now + int(given.overlap_hours * HOUR)
    fresh = (
        [given.secret]
        if given.secret
        else [new_private_key() if one_ == "v1a" else new_secret() for one_ in kinds]
    )
    try:
        new = [made(ask, one, secret) for secret in fresh]
    except Misconfigured as error:
        raise invalid(str(error), "secret") from error
    old = [
        {**held, "until": min(held.get("until") or until, until)} if kind(ask, one, held) in kinds else held
        for held in one.secrets
    ]
    one.secrets = new + [held for held in old if not held.get("until") or held["until"] > now]
    for wanted in kinds:
        _few(str(wanted), [held for held in one.secrets if kind(ask, one, held) == wanted])
    return next((secret for secret in fresh if _kind(secret) == "v1"), None)


def _few(wanted: str, held: list[Doc]) -> None:
    """Problem 409 where more would sign at once than receivers should have to look through: each makes the header
    of every webhook longer."""
    if len(held) > MOST:
        ends = text(min(one["until"] for one in held if one.get("until")))
        raise Problem(
            409, "conflict", f"{MOST} secrets of {wanted} sign already: wait until {ends}, when the first of them ends, or "
            "rotate with overlap_hours 0, which ends all the old ones now", field="overlap_hours",
        )  # fmt: skip


def public_keys(ask: Ask, one: Endpoint) -> list[str]:
    """The public keys that verify now, the newest first."""
    now = ask.hub.world.now()
    held = [one_ for one_ in one.secrets if not one_.get("until") or one_["until"] > now]
    return [
        one_.get("public") or public_key(ask.hub.vault.open(one_["sealed"], one.id))
        for one_ in held
        if kind(ask, one, one_) == "v1a"
    ]


async def endpoint_keys(ask: Ask) -> Keys:
    """The public keys of an endpoint, by its id, for anyone: none where it signs with a shared secret only."""
    one = ask.hub.directory.get(Endpoint, ask.path())
    if one is None or one.id != ask.path():
        raise Problem(
            404,
            "not_found",
            f"there is no endpoint with the id {ask.path()!r}: its keys stand under its end_…",
        )
    return Keys([jwk(key) for key in public_keys(ask, one)])

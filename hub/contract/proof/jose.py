"""Proofs of the JOSE family: a whole body that is a JWT (Wix), a detached JWS over the raw body (Saleor)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import msgspec
from cryptography.hazmat.primitives.asymmetric import utils

from hub.contract.errors import Forged
from hub.contract.flow import Context, Conversation
from hub.contract.message import Message
from hub.contract.proof.base import Authenticity, Check, Stamp, all_secrets
from hub.contract.proof.keys import (
    Scheme,
    b64url,
    decoded,
    fits,
    key_id,
    make,
    public_key,
    signing_key,
    to_b64url,
)
from hub.contract.proof.ring import KeyRing
from hub.contract.proof.spots import Parts, spot
from hub.contract.settings import Settings

Algorithm = Literal["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA"]

_SCHEMES: Mapping[str, Scheme] = {
    "RS256": "rsa-sha256", "RS384": "rsa-sha384", "RS512": "rsa-sha512",
    "PS256": "pss-sha256", "PS384": "pss-sha384", "PS512": "pss-sha512",
    "ES256": "ecdsa-sha256", "ES384": "ecdsa-sha384", "EdDSA": "ed25519",
}  # fmt: skip
_CURVE_BYTES = {"ES256": 32, "ES384": 48}


@dataclass(frozen=True, slots=True)
class Jwt:
    """A JWT, the whole body (Wix docs) or at a spot after `prefix`, by one pinned algorithm.

    `exp` is required and `nbf` obeyed, with `leeway` seconds; `claims` are those that must be equal to a
    template (`("aud", "{setting:audience}")`). A token outside the body says nothing of the body. `open`
    is for `Channel.open`: the message whose body is the claims.
    """

    at: str = ""
    prefix: str = ""
    algorithm: Algorithm = "RS256"
    keys: KeyRing | None = None
    claims: tuple[tuple[str, str], ...] = ()
    leeway: int = 60
    secret: str = "public_key"
    signing: str = "signing_key"

    def __post_init__(self) -> None:
        if self.at:
            spot(self.at)
        elif self.prefix:
            raise ValueError("a body that is a token has no prefix")
        if self.keys is not None:
            object.__setattr__(self, "secret", "")  # the far side publishes it, no setting is needed

    @property
    def authenticity(self) -> Authenticity:
        """The body with its time when the body is the token."""
        return "bearer_only" if self.at else "body_signed_with_time"

    def check(self, check: Check) -> None:
        """The signature fits, the token is of now, and the claims are ours."""
        token = self._token(check.message)
        head, signed, signature = _parts(token)
        _expect_plain(head, self.algorithm)
        keys = all_secrets(check.settings, self.secret) if self.keys is None else [self._named(check, head)]
        raw = decoded(signature, "base64url")
        if not any([_jws_fits(key, self.algorithm, raw, signed.encode()) for key in keys]):
            raise Forged("the token's signature does not fit")
        self._current(_claims(token), check)

    def sign(self, message: Message, settings: Settings, stamp: Stamp) -> Message:
        """The body, JSON claims or a token to be renewed, as a token of the stamp's time."""
        private = signing_key(settings, self.signing)
        told = {name: Parts(text)(message, settings).decode() for name, text in self.claims}
        claims = {**_said(message, self.at), **told, "iat": stamp.now, "exp": stamp.now + 300}
        head = {"alg": self.algorithm, "typ": "JWT", **({"kid": key_id(private)} if self.keys else {})}
        signed = f"{_packed(head)}.{_packed(claims)}"
        token = f"{signed}.{to_b64url(_jws_make(private, self.algorithm, signed.encode()))}"
        if self.at:
            return spot(self.at).write(message, self.prefix + token)
        return msgspec.structs.replace(message, body=token.encode())

    def fetch_key(self, ctx: Context[Settings], key: str) -> Conversation[bytes]:
        """From the far side's own place."""
        if self.keys is None:
            raise Forged(f"nobody knows a public key {key}")
        return (yield from self.keys.fetch_key(ctx, key))

    def open(self, message: Message, settings: Settings) -> Message:
        """The message with the token's claims as its body."""
        return msgspec.structs.replace(message, body=b64url(_parts(self._token(message))[1].split(".")[1]))

    def _token(self, message: Message) -> str:
        given = spot(self.at).read(message) if self.at else message.body.decode("ascii", "replace")
        given = given.strip()
        if not given.startswith(self.prefix):
            raise Forged(f"{spot(self.at)} does not start with {self.prefix!r}")
        return given[len(self.prefix) :]

    def _named(self, check: Check, head: dict[str, Any]) -> bytes:
        if self.keys is None or not isinstance(head.get("kid"), str):
            raise Forged("the token does not name its key")
        return self.keys.find(check, head["kid"])

    def _current(self, claims: dict[str, Any], check: Check) -> None:
        exp, nbf = _time(claims.get("exp")), _time(claims.get("nbf", 0))
        if check.now > exp + self.leeway:
            raise Forged(f"the token expired {int(check.now - exp)} s ago")
        if check.now < nbf - self.leeway:
            raise Forged("the token is not valid yet")
        for name, text in self.claims:
            if claims.get(name) != Parts(text)(check.message, check.settings).decode("utf-8", "replace"):
                raise Forged(f"the token's {name} is not ours")


@dataclass(frozen=True, slots=True)
class DetachedJws:
    """`at` = a JWS without its payload, which is the raw body (RFC 7797, `b64: false`).

    Saleor docs: keys at `{origin}/.well-known/jwks.json`, the origin that of the stored registration.
    """

    at: str
    keys: KeyRing
    algorithm: Algorithm = "RS256"
    signing: str = "signing_key"
    secret: str = ""
    authenticity: Authenticity = "body_signed"

    def __post_init__(self) -> None:
        spot(self.at)

    def check(self, check: Check) -> None:
        """The signature fits the raw body."""
        head, signed, signature = _parts(spot(self.at).read(check.message).strip())
        first, _, payload = signed.partition(".")
        if payload:
            raise Forged("the signature is not detached")
        if head.get("alg") != self.algorithm or head.get("b64") is not False or head.get("crit") != ["b64"]:
            raise Forged(f"the signature is not a detached {self.algorithm} over the raw body")
        if not isinstance(head.get("kid"), str):
            raise Forged("the signature does not name its key")
        key = self.keys.find(check, head["kid"])
        raw = decoded(signature, "base64url")
        if not _jws_fits(key, self.algorithm, raw, first.encode() + b"." + check.message.body):
            raise Forged(f"{spot(self.at)} does not fit the message")

    def sign(self, message: Message, settings: Settings, stamp: Stamp) -> Message:
        """As the far side signs, with the private key of a simulator."""
        private = signing_key(settings, self.signing)
        head = _packed({"alg": self.algorithm, "b64": False, "crit": ["b64"], "kid": key_id(private)})
        raw = _jws_make(private, self.algorithm, head.encode() + b"." + message.body)
        return spot(self.at).write(message, f"{head}..{to_b64url(raw)}")

    def fetch_key(self, ctx: Context[Settings], key: str) -> Conversation[bytes]:
        """From the far side's own place."""
        return (yield from self.keys.fetch_key(ctx, key))


def _parts(token: str) -> tuple[dict[str, Any], str, str]:
    """Header, `header.payload`, signature."""
    signed, dot, signature = token.rpartition(".")
    first, inner, _ = signed.partition(".")
    if not dot or not inner or token.count(".") != 2:
        raise Forged("no token of three parts")
    return _object(first), signed, signature


def _claims(token: str) -> dict[str, Any]:
    return _object(token.split(".")[1])


def _object(text: str) -> dict[str, Any]:
    try:
        value = json.loads(b64url(text))
    except (ValueError, RecursionError) as error:
        raise Forged("a part of the token is not base64url of JSON") from error
    if not isinstance(value, dict):
        raise Forged("a part of the token is not a JSON object")
    return value


def _expect_plain(head: dict[str, Any], algorithm: str) -> None:
    if head.get("alg") != algorithm:
        raise Forged(f"the token is not {algorithm}")
    if "crit" in head:
        raise Forged("the token asks for an extension that is not known here")


def _time(value: Any) -> float:
    if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e12:
        return value
    raise Forged("the token has no time of expiry")


def _said(message: Message, at: str) -> dict[str, Any]:
    """The claims to sign: those of the body, be it JSON or a token already."""
    if at:
        return {}
    text = message.body.decode().strip()
    if text.count(".") == 2 and not text.startswith("{"):
        return _claims(text)
    claims = json.loads(text) if text.startswith("{") else {"data": text}
    return dict(claims)


def _packed(value: dict[str, Any]) -> str:
    return to_b64url(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode())


def _jws_fits(key: bytes, algorithm: Algorithm, raw: bytes, signed: bytes) -> bool:
    size = _CURVE_BYTES.get(algorithm)
    if size is not None:
        if len(raw) != 2 * size:
            return False
        raw = utils.encode_dss_signature(int.from_bytes(raw[:size], "big"), int.from_bytes(raw[size:], "big"))
    return fits(public_key(key), _SCHEMES[algorithm], raw, signed)


def _jws_make(private: Any, algorithm: Algorithm, signed: bytes) -> bytes:
    raw = make(private, _SCHEMES[algorithm], signed)
    size = _CURVE_BYTES.get(algorithm)
    if size is None:
        return raw
    r, s = utils.decode_dss_signature(raw)
    return r.to_bytes(size, "big") + s.to_bytes(size, "big")

"""The stock proof that the settings choose."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal

from adapters.generic.settings import GenericSettings
from hub.contract.proof import (
    NOBODY,
    Basic,
    Digest,
    Hmac,
    Jwt,
    Parts,
    Proof,
    Signature,
    SortedDigest,
    StandardWebhooks,
    StaticToken,
    TimedHmac,
)
from hub.contract.proof.base import Authenticity
from hub.contract.proof.spots import spot


def proof_of(given: GenericSettings) -> Proof:
    """Who vouches for a push of this connection."""
    return _MAKE[given.proof](given)


def _standard(given: GenericSettings) -> Proof:
    return StandardWebhooks(tolerance=given.tolerance or None)


def _hmac(given: GenericSettings) -> Proof:
    return Hmac(
        given.header, encoding=given.encoding or "hex", hash=given.hash or "sha256", prefix=given.prefix or "",
        parts=Parts(given.parts) if given.parts else None, key=given.key_form, authenticity=_vouched(given),
    )  # fmt: skip


def _timed(given: GenericSettings) -> Proof:
    return TimedHmac(
        given.header, given.time_header, encoding=given.encoding or "hex", hash=given.hash or "sha256",
        prefix=given.prefix or "", parts=Parts(given.parts or "{t}.{body}"), key=given.key_form,
        tolerance=given.tolerance or None,
        authenticity="body_signed_with_time" if given.tolerance else _vouched(given),
    )  # fmt: skip


def _digest(given: GenericSettings) -> Proof:
    return Digest(
        given.header, Parts(given.parts or "{body}{secret}"), hash=given.hash or "md5",
        encoding=given.encoding or "hex", prefix=given.prefix or "", authenticity=_vouched(given),
    )  # fmt: skip


def _sorted(given: GenericSettings) -> Proof:
    kind = spot(given.header).kind
    sources: Mapping[str, Literal["form", "query", "json"]] = {
        "form": "form",
        "query": "query",
        "json": "json",
    }
    return SortedDigest(
        given.header, source=sources.get(kind, "form"), hash=given.hash or "md5", encoding=given.encoding or "hex",
        authenticity="bearer_only" if kind == "query" else "body_signed",
    )  # fmt: skip


def _token(given: GenericSettings) -> Proof:
    place = spot(given.header or "authorization")
    if place.kind == "query":
        return StaticToken(query=place.name)
    default = "Bearer " if place.name == "authorization" else ""
    return StaticToken(place.name, prefix=default if given.prefix is None else given.prefix)


def _public_key(given: GenericSettings) -> Proof:
    written: Literal["base64", "hex"] = "base64" if given.encoding in (None, "base64") else "hex"
    return Signature(
        given.header, Parts(given.parts or "{body}"), given.scheme, encoding=written, time=given.time_header,
        tolerance=given.tolerance or None,
    )  # fmt: skip


def _jwt(given: GenericSettings) -> Proof:
    return Jwt(given.header, prefix=(given.prefix or "") if given.header else "", algorithm=given.algorithm)


def _vouched(given: GenericSettings) -> Authenticity:
    """A signature that leaves the body out vouches for its sender alone."""
    inside = ("{body", "{form:", "{json:", "{xml:", "{sorted:form", "{sorted:json")
    return "body_signed" if not given.parts or any(mark in given.parts for mark in inside) else "bearer_only"


_MAKE: Mapping[str, Callable[[GenericSettings], Proof]] = {
    "standard_webhooks": _standard,
    "hmac": _hmac,
    "timed_hmac": _timed,
    "digest": _digest,
    "sorted_digest": _sorted,
    "token": _token,
    "basic": lambda _: Basic(),
    "public_key": _public_key,
    "jwt": _jwt,
    "none": lambda _: NOBODY,
}

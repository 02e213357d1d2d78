"""What an operator tells of a sender that nobody else knows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Literal

from msgspec import Meta

from adapters.generic.places import pick
from hub.contract import Secret, Settings
from hub.contract.proof import Parts
from hub.contract.proof.jose import Algorithm
from hub.contract.proof.keys import Scheme
from hub.contract.proof.mac import Encoding, Hash, KeyForm
from hub.contract.proof.spots import spot

Kind = Literal[
    "standard_webhooks", "hmac", "timed_hmac", "digest", "sorted_digest", "token", "basic", "public_key", "jwt",
    "none",
]  # fmt: skip
SIGNED = ("hmac", "timed_hmac", "digest", "sorted_digest")
PLACED = (*SIGNED, "public_key")
"""The kinds whose signature stands in a place that has to be named."""


def _field(description: str, *kinds: str, asked: bool = True) -> Meta:
    """A setting's description, and with which proofs `orderhub connect` asks for it."""
    when: Any = {"proof": list(kinds)} if kinds else asked
    return Meta(description=description, extra_json_schema={"x-asked": when})


class GenericSettings(Settings, frozen=True, kw_only=True):
    """Who vouches for a push, and where its topic and its delivery id stand. A place is `header:X-Topic`, `query:t`,
    `body:a.b` (JSON), `form:name` or `xml:Element`."""

    proof: Annotated[
        Kind,
        _field(
            "How pushes are proved: standard_webhooks, hmac, timed_hmac (a time is signed with it), digest (a plain "
            "hash with the secret in it), sorted_digest, token, basic, public_key, jwt, or none."
        ),
    ] = "standard_webhooks"
    webhook_secret: Annotated[
        Secret | list[Secret] | None,
        _field(
            "The secret shared with the sender: `whsec_…` of Standard Webhooks, the key of an HMAC or a digest, the "
            "token, or `user:password` for basic. A list, the new one first, while it rotates.",
            "standard_webhooks", *SIGNED, "token", "basic",
        ),
    ] = None  # fmt: skip
    public_key: Annotated[
        str,
        _field(
            "The sender's public key in PEM (public_key, jwt), or `whpk_…` of Standard Webhooks.",
            "public_key",
            "jwt",
        ),
    ] = ""
    header: Annotated[
        str,
        _field(
            "Where the signature or token stands: a header's name, or `query:sign`, `form:sign`, `json:data.sign`. "
            "Empty: `Authorization` for a token, the whole body for a jwt.",
            *PLACED, "token",
        ),
    ] = ""  # fmt: skip
    prefix: Annotated[
        str | None,
        _field(
            "What stands before it, such as `sha256=`; `Bearer ` for a token in Authorization.", asked=False
        ),
    ] = None
    encoding: Annotated[
        Encoding | None,
        _field("How the signature is written: hex unless said, base64 for a public key.", *PLACED),
    ] = None
    hash: Annotated[
        Hash | None,
        _field("The hash: sha256 unless said, md5 for digest and sorted_digest.", *SIGNED),
    ] = None
    parts: Annotated[
        str,
        _field(
            "What is signed, where it is not the body: a template such as `{url}{body}`, `{header:x-time}.{body}`, "
            "`{t}.{body}` (timed_hmac), `{body}{secret}` (digest).",
            *SIGNED, "public_key",
        ),
    ] = ""  # fmt: skip
    key_form: Annotated[
        KeyForm,
        _field("How the secret is given, where it is not plain text: hex, base64, whsec.", asked=False),
    ] = "utf8"
    time_header: Annotated[
        str,
        _field(
            "Where the signed time stands; empty for `t=…,v1=…` in the signature's own header.", "timed_hmac"
        ),
    ] = ""
    tolerance: Annotated[
        int,
        Meta(ge=0),
        _field("By how many seconds a signed time may be off; 0 checks none (retries keep it).", asked=False),
    ] = 300
    scheme: Annotated[
        Scheme, _field("How a public key signs: rsa-sha256, ecdsa-sha256, ed25519 …", "public_key")
    ] = "rsa-sha256"
    algorithm: Annotated[Algorithm, _field("The one algorithm that a jwt may have.", "jwt")] = "RS256"
    topic: Annotated[
        str,
        _field(
            "Where a push says what it is: a place, `path` (what follows the intake URL) or `fixed:orders`; several "
            "with ` | ` between, the first that is there counts. Topics without a mapping are kept and ignored."
        ),
    ] = "fixed:orders"
    dedupe: Annotated[
        str,
        _field(
            "Where a push has its delivery id: a place, or `hash` (the same body is the same push). Empty: "
            "`webhook-id` of Standard Webhooks, else every push is read, which does no harm."
        ),
    ] = ""
    freshness: Annotated[
        Literal["updated_at", "sequence", "append_only", "arrival"],
        _field(
            "How old and new are told apart: by the mapping's `source_revision`, its `sequence:`, not at all, or by "
            "arrival.",
            asked=False,
        ),
    ] = "updated_at"
    reply: Annotated[
        str,
        _field(
            'What the sender wants to be answered with 200, such as `success` or `{"code": 0}`.', asked=False
        ),
    ] = ""

    def __post_init__(self) -> None:
        if faults := list(_faults(self)):
            raise ValueError("\n".join(faults))


def _faults(given: GenericSettings) -> Iterator[str]:
    if given.proof in PLACED and not given.header:
        yield f"header: required for the proof {given.proof}: where its signature stands"
    for name in ("header", "time_header"):
        yield from _fault(name, lambda name=name: getattr(given, name) and spot(getattr(given, name)))
    if given.proof == "token" and given.header.partition(":")[0] in ("form", "json", "xml"):
        yield "header: a token stands in a header or in `query:…`"
    yield from _fault("parts", lambda: Parts(given.parts))
    yield from _fault("topic", lambda: pick(given.topic))
    yield from _fault("dedupe", lambda: given.dedupe and pick(given.dedupe, hashed=True))


def _fault(name: str, check: Any) -> Iterator[str]:
    try:
        check()
    except ValueError as error:
        yield f"{name}: {error}"

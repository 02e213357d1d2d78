"""Who says so: each channel's proof accepts what its far side signs and nothing else."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from hub.contract import Forged, Message, Misconfigured
from hub.contract.given import read_settings
from hub.contract.proof import KeyNeeded, add_headers, private_key, public_pem
from hub.contract.settings import secret_fields
from tests.channels.case import DAY, NOW, Case

REFUSED = (Forged, KeyNeeded)
"""A spoiled key id asks for a key that nobody has: no less refused."""


def test_an_honest_message_is_accepted(push: Case):
    push.check(push.signed())


def test_a_message_without_its_proof_is_refused(push: Case):
    with pytest.raises(REFUSED):
        push.check(push.fixture.message)


def test_a_spoiled_body_is_refused(signed_push: Case):
    signed = signed_push.signed()

    for spoiled in spoiled_bodies(signed):
        with pytest.raises(REFUSED):
            signed_push.check(spoiled)


def test_a_spoiled_or_missing_proof_field_is_refused(push: Case):
    bare, signed = push.fixture.message, push.signed()

    for name in fields_of_proof(bare, signed):
        with pytest.raises(REFUSED):
            push.check(add_headers(signed, {name: spoiled_text(signed.headers[name])}))
        with pytest.raises(REFUSED):
            push.check(without_header(signed, name))


def test_a_spoiled_token_in_the_address_is_refused(push: Case):
    bare, signed = push.fixture.message, push.signed()

    if signed.query != bare.query:
        with pytest.raises(REFUSED):
            push.check(
                msgspec.structs.replace(signed, query=signed.query[:-1] + spoiled_text(signed.query[-1]))
            )


def test_another_secret_is_refused(push: Case):
    if changes := renewed(push):
        other = push.settings_with(changes)
        with pytest.raises(REFUSED):
            push.check(push.signed(other))
        if push.proof.secret:
            with pytest.raises(REFUSED):
                push.check(push.signed(), other)


def test_no_secret_accepts_nothing(push: Case):
    name = push.proof.secret
    if name and name not in required_fields(push):
        bare = read_settings(push.channel.settings, {k: v for k, v in push.given.items() if k != name})
        if push.channel.proof_for(bare).authenticity != "none":
            with pytest.raises(REFUSED):
                push.check(push.signed(), bare)


def test_while_a_secret_rotates_both_are_accepted_and_then_only_the_new(push: Case):
    name = push.proof.secret
    if name == "webhook_secret":
        assert rotates(push), f"`{name}` has to take a list while it rotates"
    if name and rotates(push):
        old, changes = {name: first_secret(push)}, renewed(push)
        rotating = push.settings_with({name: [changes[name], old[name]]})

        push.check(push.signed(push.settings_with(old)), rotating)
        push.check(push.signed(push.settings_with(changes)), rotating)
        with pytest.raises(REFUSED):
            push.check(push.signed(push.settings_with(old)), push.settings_with({name: [changes[name]]}))


def test_a_timed_proof_refuses_yesterday_and_tomorrow(push: Case):
    if push.proof.authenticity == "body_signed_with_time":
        for away in (-DAY, DAY):
            with pytest.raises(REFUSED):
                push.check(push.signed(now=NOW + away))


# ── spoiling ─────────────────────────────────────────────────────────────────────────────────────────


def spoiled_bodies(message: Message) -> list[Message]:
    """The body with one bit turned at some places, with a byte more, and cut."""
    body = message.body
    bodies = [body + b"x", body[: len(body) // 2]] if body else [b"x"]
    for place in range(0, max(len(body) - 8, 0), max(len(body) // 8, 1)):
        bodies.append(body[:place] + bytes([body[place] ^ 1]) + body[place + 1 :])
    return [msgspec.structs.replace(message, body=spoiled) for spoiled in bodies if spoiled != body]


def spoiled_text(text: str) -> str:
    """The text with one letter or digit in its middle turned into another of its kind."""
    places = [place for place, char in enumerate(text) if char.isascii() and char.isalnum()]
    place = places[len(places) // 2]
    char = text[place]
    other = str((int(char) + 1) % 10) if char.isdigit() else ("b" if char.lower() == "a" else "a")
    return text[:place] + (other.upper() if char.isupper() else other) + text[place + 1 :]


def fields_of_proof(bare: Message, signed: Message) -> list[str]:
    return [name for name, value in signed.headers.items() if bare.headers.get(name) != value]


def without_header(message: Message, name: str) -> Message:
    pairs = [pair for pair in message.headers.pairs if pair[0] != name]
    return msgspec.structs.replace(message, headers=type(message.headers)(pairs))


def renewed(case: Case) -> dict[str, str]:
    """The settings that change with a new secret, or with a new pair of keys of the same kind."""
    if not case.signing:
        return {case.proof.secret: spoiled_text(first_secret(case))} if case.proof.secret else {}
    fresh = another_key(private_key(case.private.encode()))
    pem = fresh.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    public = {case.proof.secret: public_pem(fresh).decode()} if case.proof.secret else {}
    return {case.signing: pem, **public}


def another_key(key: Any) -> Any:
    if isinstance(key, rsa.RSAPrivateKey):
        return rsa.generate_private_key(public_exponent=65537, key_size=key.key_size)
    if isinstance(key, ec.EllipticCurvePrivateKey):
        return ec.generate_private_key(key.curve)
    return Ed25519PrivateKey.generate()


def first_secret(case: Case) -> str:
    value = getattr(case.settings, case.proof.secret)
    secret = value[0] if isinstance(value, list) else value
    assert secret, f"settings.json has no `{case.proof.secret}`"
    assert case.proof.secret in secret_fields(case.channel.settings), f"`{case.proof.secret}` is no Secret"
    return str(secret)


def rotates(case: Case) -> bool:
    """Whether the secret may be several at once."""
    try:
        case.settings_with({case.proof.secret: [first_secret(case)]})
    except Misconfigured:
        return False
    return True


def required_fields(case: Case) -> set[str]:
    return {field.name for field in msgspec.structs.fields(case.channel.settings) if field.required}

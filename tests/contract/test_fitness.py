"""Keys that a proof can never use are told of when they are given."""

from __future__ import annotations

import base64

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from hub.contract.proof import (
    NOBODY,
    AnyOf,
    Basic,
    Hmac,
    Jwt,
    KeyRing,
    Parts,
    Proof,
    Signature,
    StandardWebhooks,
    StaticToken,
    TimedHmac,
    public_pem,
    unfit,
)
from hub.contract.settings import Secret, Settings

GOOD = "whsec_" + base64.b64encode(b"k" * 24).decode()
WHPK = "whpk_" + base64.b64encode(b"p" * 32).decode()
PEM = public_pem(Ed25519PrivateKey.from_private_bytes(b"s" * 32))
PEM = PEM.decode() if isinstance(PEM, bytes) else PEM


class Told(Settings, frozen=True, kw_only=True):
    """What an operator gave."""

    webhook_secret: Secret | list[Secret] | None = None
    public_key: str | None = None


@pytest.mark.parametrize(
    ("proof", "secret"),
    [
        (StandardWebhooks(), "s3cret"), (StandardWebhooks(), "whsec_"), (StandardWebhooks(), "whsec_a-b_"),
        (StandardWebhooks(), [GOOD, "s3cret"]), (StandardWebhooks(), "whpk_AAAA"),
        (Hmac("x", key="hex"), "zz"), (Hmac("x", key="base64"), "a"), (Hmac("x", key="whsec"), "whsec_!"),
        (TimedHmac("x", key="hex"), "abc"), (AnyOf((Hmac("x", key="hex"), StandardWebhooks())), "!"),
    ],
)  # fmt: skip
def test_a_secret_of_another_form_is_unfit(proof: Proof, secret: str | list[str]):
    [told] = unfit(proof, Told(webhook_secret=secret))

    assert told.startswith("webhook_secret: is no")
    assert "s3cret" not in told


@pytest.mark.parametrize("proof", [Signature("x", Parts("{body}")), Jwt(), StandardWebhooks()])
def test_a_public_key_that_cannot_be_read_is_unfit(proof: Proof):
    [told] = unfit(proof, Told(public_key="-----BEGIN PUBLIC KEY-----AAAA-----END PUBLIC KEY-----"))

    assert told.startswith("public_key: ")


@pytest.mark.parametrize(
    ("proof", "told"),
    [
        (StandardWebhooks(), Told(webhook_secret=[GOOD, GOOD.removeprefix("whsec_"), WHPK])),
        (StandardWebhooks(), Told(webhook_secret=f"{GOOD}\n", public_key=WHPK)),
        (StandardWebhooks(key="utf8"), Told(webhook_secret="any thing")),
        (Hmac("x"), Told(webhook_secret="any thing")), (Hmac("x", key="hex"), Told(webhook_secret="00ff")),
        (Hmac("x", key="hex"), Told()), (Hmac("x", key="nfkd"), Told(webhook_secret="é")),
        (AnyOf((Hmac("x"), StandardWebhooks())), Told(webhook_secret="any thing")),
        (AnyOf((StandardWebhooks(), StaticToken("x"))), Told(webhook_secret="any thing")),
        (Signature("x", Parts("{body}")), Told(public_key=PEM)), (Jwt(), Told(public_key=PEM)),
        (Jwt(keys=KeyRing("https://keys.example/{kid}")), Told(public_key="not looked at")),
        (Basic(), Told(webhook_secret="a:b")), (NOBODY, Told()),
    ],
)  # fmt: skip
def test_what_can_be_used_is_fit(proof: Proof, told: Told):
    assert unfit(proof, told) == []

"""Our signature: golden vectors, and other people's verifiers."""

from __future__ import annotations

import base64
from datetime import UTC, datetime

import pytest
import standardwebhooks
import svix.webhooks
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from hub.contract import Headers, Message, Misconfigured, Settings
from hub.contract.proof import Check, StandardWebhooks
from hub.outbound.signing import Signer, jwk, new_private_key, new_secret, public_key, sign

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
PRIVATE = "whsk_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbfVKIDij2HKpMKkioLlX0dRqSKJp4AJ6p9lMicMFs6Kvg=="
ID, STAMP, BODY = "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}'
V1 = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
V1A = "v1a,hnO3f9T8Ytu9HwrXslvumlUpqtNVqkhqw/enGzPCXe5BdqzCInXqYXFymVJaA7AZdpXwVLPo3mNl8EM+m7TBAg=="


both = pytest.mark.parametrize(
    "verifier", [standardwebhooks.Webhook, svix.webhooks.Webhook], ids=["standardwebhooks", "svix"]
)


class Receiver(Settings):
    webhook_secret: str | list[str] | None = None


def now() -> int:
    return int(datetime.now(UTC).timestamp())


def test_the_golden_vectors():
    assert sign(ID, STAMP, BODY, [SECRET]) == V1
    assert sign(ID, STAMP, BODY, [PRIVATE]) == V1A
    assert sign(ID, STAMP, BODY, [SECRET, PRIVATE]) == f"{V1} {V1A}"


@both
@pytest.mark.parametrize("body", [BODY, '{"name":"Lü ✓","n":1e2}'.encode(), b"{}"])
def test_other_peoples_verifiers_believe_us(verifier, body: bytes):
    secret = new_secret()
    headers = Signer([secret]).headers("evt_1", now(), body)

    verifier(secret).verify(body, headers)
    with pytest.raises(Exception, match="signature"):
        verifier(secret).verify(body + b" ", headers)


@both
def test_while_a_secret_rotates_both_are_believed(verifier):
    old, new, other = new_secret(), new_secret(), new_secret()
    headers = Signer([new, old]).headers("evt_1", now(), BODY)

    verifier(new).verify(BODY, headers)
    verifier(old).verify(BODY, headers)
    with pytest.raises(Exception, match="signature"):
        verifier(other).verify(BODY, headers)


def test_our_own_proof_believes_what_we_send_by_secret_and_by_public_key():
    secret, private = new_secret(), new_private_key()
    message = Message(body=BODY, headers=Headers(Signer([secret, private]).headers("evt_1", STAMP, BODY)))

    for key in (secret, public_key(private)):
        StandardWebhooks().check(Check(message, Receiver(webhook_secret=key), STAMP, {}))


def test_the_public_key_verifies_and_stands_in_the_jwks():
    raw = base64.b64decode(public_key(PRIVATE).removeprefix("whpk_"))
    listed = jwk(public_key(PRIVATE))

    Ed25519PublicKey.from_public_bytes(raw).verify(
        base64.b64decode(V1A[4:]), b"%b.%d.%b" % (ID.encode(), STAMP, BODY)
    )
    assert base64.urlsafe_b64decode(listed["x"] + "=") == raw
    assert (listed["kty"], listed["crv"], listed["alg"], listed["use"]) == ("OKP", "Ed25519", "EdDSA", "sig")
    assert listed["kid"] == jwk(public_key(PRIVATE))["kid"] != jwk(public_key(new_private_key()))["kid"]


def test_new_secrets_are_long_and_never_the_same():
    made = {new_secret() for _ in range(50)} | {new_private_key() for _ in range(50)}

    assert len(made) == 100
    assert all(len(base64.b64decode(text.split("_", 1)[1])) in {32, 64} for text in made)
    assert new_secret(bytes) == "whsec_" + base64.b64encode(bytes(32)).decode()


def test_a_seed_alone_is_a_private_key_too():
    seed = base64.b64encode(base64.b64decode(PRIVATE[5:])[:32]).decode()

    assert sign(ID, STAMP, BODY, [f"whsk_{seed}"]) == V1A


@pytest.mark.parametrize(
    ("secrets", "reason"),
    [
        ([], "needs a secret"),
        (["hello"], "begins with whsec_"),
        (["whsec_*"], "not base64"),
        (["whsec_AAAA"], "3 bytes, 24 to 64"),
        (["whsec_" + base64.b64encode(bytes(65)).decode()], "65 bytes, 24 to 64"),
        (["whsk_AAAA"], "3 bytes, 32 to 64"),
        (["whsk_" + base64.b64encode(bytes(64)).decode()], "do not belong together"),
        ([SECRET, "whpk_AAAA"], "begins with whsec_"),
    ],
)
def test_a_secret_that_cannot_sign_is_the_operators_fault(secrets: list[str], reason: str):
    with pytest.raises(Misconfigured, match=reason):
        Signer(secrets)


def test_a_signer_shows_no_secret():
    assert repr(Signer([SECRET, PRIVATE])) == "Signer(v1=1, v1a=1)"

"""Public keys: every dress they come in, the far sides that publish them, and tokens that cheat."""

from __future__ import annotations

import base64
import hmac
import itertools
import json
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from hub.contract import (
    Context,
    Forged,
    Headers,
    Message,
    Misconfigured,
    Postponed,
    Request,
    Response,
    Secret,
)
from hub.contract.proof import (
    AnyOf,
    Check,
    DetachedJws,
    Hmac,
    Jwt,
    KeyNeeded,
    KeyRing,
    Signature,
    SnsSignature,
    private_key,
    public_pem,
)
from hub.contract.proof.keys import public_key, to_b64url
from tests.contract.proof_cases import NOW, ORDER, STAMP, Given, private_pem, public_of

RSA = private_pem("rsa", 0)
EC = private_pem("ec", 0)
ED = private_pem("ed", 0)


def der(private: str) -> bytes:
    return (
        private_key(private.encode())
        .public_key()
        .public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    )


def number(value: int) -> str:
    return to_b64url(value.to_bytes((value.bit_length() + 7) // 8, "big"))


def jwk(private: str, kid: str) -> dict[str, str]:
    numbers = public_key(public_of(private).encode()).public_numbers()
    if hasattr(numbers, "n"):
        return {"kty": "RSA", "kid": kid, "n": number(numbers.n), "e": number(numbers.e)}
    return {"kty": "EC", "kid": kid, "crv": "P-256", "x": number(numbers.x), "y": number(numbers.y)}


def certificate(begins: datetime, ends: datetime) -> bytes:
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "sns.amazonaws.com")])
    key = private_key(RSA.encode())
    made = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    made = made.serial_number(1).not_valid_before(begins).not_valid_after(ends)
    return made.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM)


def asked(
    ring: KeyRing, kid: str, answer: Response | None, settings: Given = Given()
) -> tuple[Request, bytes]:
    """Plays the far side of `fetch_key`: the request it made, and the key it found."""
    conversation = ring.fetch_key(Context(settings=settings), kid)
    request = next(conversation)
    try:
        conversation.send(answer)
    except StopIteration as done:
        return request, done.value
    raise AssertionError("it asked again")


PEM = public_of(RSA)


@pytest.mark.parametrize(
    "dress",
    [
        PEM,
        PEM.replace("\n", "\\n"),
        PEM.replace("\n", ""),
        PEM.replace("\n", "\r\n"),
        base64.b64encode(PEM.encode()).decode(),
        base64.b64encode(der(RSA)).decode(),
        json.dumps(jwk(RSA, "k")),
        private_key(RSA.encode()).public_key().public_bytes(Encoding.PEM, PublicFormat.PKCS1).decode(),
        certificate(datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)).decode(),
    ],
    ids=["pem", "spelt-out", "one-line", "crlf", "base64-pem", "base64-der", "jwk", "pkcs1", "certificate"],
)
def test_a_public_key_is_read_in_every_dress(dress: str):
    key = public_key(dress.encode())

    assert key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo) == der(RSA)


@pytest.mark.parametrize("private", [EC, ED], ids=["ec", "ed25519"])
def test_keys_of_other_kinds_are_read_too(private: str):
    assert public_key(der(private)).public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo) == der(
        private
    )


@pytest.mark.parametrize("last", [0x09, 0x0A, 0x0D, 0x20])
def test_a_key_in_der_whose_last_byte_looks_like_a_space_is_read_whole(last: int):
    keys = (ec.derive_private_key(number, ec.SECP256R1()).public_key() for number in itertools.count(1))
    data = next(
        one
        for key in keys
        if (one := key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))[-1] == last
    )

    assert public_key(data).public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo) == data


def test_an_ed25519_jwk_and_a_whpk_are_one_key():
    raw = private_key(ED.encode()).public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    from_jwk = public_key(json.dumps({"kty": "OKP", "crv": "Ed25519", "x": to_b64url(raw)}).encode())
    from_whpk = public_key(b"whpk_" + base64.b64encode(raw))

    assert from_jwk.public_bytes_raw() == from_whpk.public_bytes_raw() == raw


@pytest.mark.parametrize(
    "bad",
    ["", "hello", "{}", '{"kty":"RSA"}', '{"kty":"oct","k":"AA"}', "whpk_AA==", "0", PEM[:90], "{" * 5000, "AAAA",
     PEM.replace("MII", "MIJ"), '{"kty":"EC","crv":"P-256","x":"AQ","y":"AQ"}', '{"kty":"OKP","crv":"X25519","x":"AQ"}'],
    ids=range(13),
)  # fmt: skip
def test_what_is_no_public_key_is_said_to_be_none(bad: str):
    with pytest.raises(Forged, match="public key"):
        public_key(bad.encode())


def test_what_is_no_private_key_is_the_operators_fault():
    with pytest.raises(Misconfigured, match="PEM"):
        private_key(b"hello")


def test_a_key_is_found_in_a_jwks_by_its_id():
    listed = Response(body=json.dumps({"keys": [jwk(EC, "other"), jwk(RSA, "mine")]}).encode())

    request, found = asked(KeyRing("https://keys.example/jwks"), "mine", listed)

    assert request.url == "https://keys.example/jwks"
    assert public_key(found).public_numbers() == public_key(PEM.encode()).public_numbers()


def test_the_origin_of_a_registration_gives_the_address_of_its_keys():
    ring = KeyRing("{origin:base_url}/.well-known/jwks.json")
    listed = Response(body=json.dumps({"keys": [jwk(RSA, "k")]}).encode())

    request, _ = asked(ring, "k", listed, Given(base_url="https://shop.example:8443/graphql/"))

    assert request.url == "https://shop.example:8443/.well-known/jwks.json"


def test_a_key_that_stands_in_a_field_is_taken_from_it():
    ring = KeyRing("https://api.ebay.example/public_key/{kid}", holds="field:key")
    told = Response(body=json.dumps({"key": PEM.replace("\n", ""), "algorithm": "ECDSA"}).encode())

    request, found = asked(ring, "9936261a-7d7b-4621", told)

    assert request.url == "https://api.ebay.example/public_key/9936261a-7d7b-4621"
    assert found == PEM.replace("\n", "").encode()


@pytest.mark.parametrize("status", [500, 503, 429])
def test_a_far_side_that_cannot_tell_its_keys_now_is_asked_later(status: int):
    with pytest.raises(Postponed):
        asked(KeyRing("https://keys.example/jwks"), "k", Response(status=status))


@pytest.mark.parametrize(
    "answer",
    [
        Response(status=404),
        Response(status=302),
        Response(body=b'{"keys":[]}'),
        Response(body=b"[]"),
        Response(body=b'{"keys":[1]}'),
    ],
)
def test_a_key_the_far_side_does_not_know_is_forged(answer: Response):
    with pytest.raises(Forged, match="knows no public key"):
        asked(KeyRing("https://keys.example/jwks"), "k", answer)


@pytest.mark.parametrize("kid", ["", "../../x", "a/b", "a?b", "a b", "a\n", "k" * 300, ".", "é"])
def test_an_id_that_no_far_side_gives_is_never_asked_for(kid: str):
    proof = Signature("x-signature", kid="x-key", keys=KeyRing("https://keys.example/{kid}"))
    message = Message(headers=Headers({"x-signature": "AAAA", "x-key": kid}))

    with pytest.raises(Forged, match=r"id|missing"):
        proof.check(Check(message, Given(), NOW, {}))


def test_adobes_key_path_may_not_leave_its_host():
    ring = KeyRing("https://static.adobeioevents.example{kid}", holds="key", ids=r"/[\w/-]+\.pem")
    proof = Signature("x-adobe-digital-signature-1", kid="x-adobe-public-key1-path", keys=ring)

    def needed(path: str) -> str:
        headers = Headers({"x-adobe-digital-signature-1": "AAAA", "x-adobe-public-key1-path": path})
        with pytest.raises((KeyNeeded, Forged)) as caught:
            proof.check(Check(Message(headers=headers), Given(), NOW, {}))
        return caught.value.key if isinstance(caught.value, KeyNeeded) else ""

    assert needed("/prod/keys/pub-key-1.pem") == "/prod/keys/pub-key-1.pem"
    assert needed("@evil.example/k.pem") == needed("//evil/../k.pem") == needed(".evil.example/k.pem") == ""
    assert asked(ring, "/prod/keys/pub-key-1.pem", Response(body=PEM.encode()))[0].url == (
        "https://static.adobeioevents.example/prod/keys/pub-key-1.pem"
    )


def test_an_adapters_own_conversation_fetches_the_key():
    def fetch(ctx, kid):
        token = yield Request(method="POST", url="https://api.example/token")
        answer = yield Request(
            url=f"https://api.example/keys/{kid}", headers={"authorization": token.body.decode()}
        )
        return answer.body

    conversation = KeyRing(fetch=fetch).fetch_key(Context(settings=Given()), "k")
    next(conversation)
    second = conversation.send(Response(body=b"Bearer t"))
    with pytest.raises(StopIteration) as done:
        conversation.send(Response(body=PEM.encode()))

    assert second.headers["authorization"] == "Bearer t"
    assert done.value.value == PEM.encode()


def test_of_several_proofs_one_that_holds_beats_one_whose_key_is_missing():
    keyed = DetachedJws("x-jws", KeyRing("https://keys.example/jwks"))
    given = Given(signing_key=Secret(RSA), webhook_secret=Secret("k"))
    both = AnyOf((keyed, Hmac("x-mac")))
    signed = both.proofs[1].sign(keyed.sign(Message(body=ORDER), given, STAMP), given, STAMP)

    both.check(Check(signed, given, NOW, {}))
    with pytest.raises(KeyNeeded) as needed:
        both.check(Check(msgspec.structs.replace(signed, body=b"x"), given, NOW, {}))
    conversation = both.fetch_key(Context(settings=given), needed.value.key)

    assert next(conversation).url == "https://keys.example/jwks"


def test_a_key_nobody_knows_is_forged():
    conversation = AnyOf((Hmac("x-mac"),)).fetch_key(Context(settings=Given()), "k")

    with pytest.raises(Forged):
        next(conversation)
    with pytest.raises(Forged):
        next(Signature("x").fetch_key(Context(settings=Given()), "k"))


# ── tokens that cheat ────────────────────────────────────────────────────────────────────────────────


def part(value: object) -> str:
    return to_b64url(json.dumps(value).encode())


def told(token: str, now: int = NOW, **settings: object) -> None:
    Jwt().check(Check(Message(body=token.encode()), Given(public_key=Secret(PEM), **settings), now, {}))


def made(head: dict[str, object], claims: object, private: str = RSA) -> str:
    signed = f"{part(head)}.{part(claims)}"
    raw = private_key(private.encode()).sign(  # type: ignore[call-arg,union-attr]
        signed.encode(), padding.PKCS1v15(), hashes.SHA256()
    )
    return f"{signed}.{to_b64url(raw)}"


RS256 = {"alg": "RS256", "typ": "JWT"}


def test_a_token_with_all_its_claims_is_believed():
    told(made(RS256, {"data": "x", "exp": NOW + 1, "nbf": NOW - 1}))


@pytest.mark.parametrize(
    ("head", "claims"),
    [
        ({"alg": "none"}, {"exp": NOW + 9}),
        ({"alg": "HS256"}, {"exp": NOW + 9}),
        ({"alg": "PS256"}, {"exp": NOW + 9}),
        ({}, {"exp": NOW + 9}),
        ({**RS256, "crit": ["b64"]}, {"exp": NOW + 9}),
        (RS256, {}),
        (RS256, {"exp": None}),
        (RS256, {"exp": "9999999999"}),
        (RS256, {"exp": True}),
        (RS256, {"exp": float("nan")}),
        (RS256, {"exp": NOW - 61}),
        (RS256, {"exp": NOW + 9, "nbf": NOW + 61}),
        (RS256, [NOW]),
    ],
)
def test_a_token_of_another_kind_or_time_is_forged(head: dict[str, object], claims: object):
    with pytest.raises(Forged):
        told(made(head, claims))


def test_a_token_without_signature_or_with_our_public_key_as_secret_is_forged():
    signed = f"{part({'alg': 'HS256'})}.{part({'exp': NOW + 9})}"
    mac = to_b64url(hmac.digest(PEM.encode(), signed.encode(), "sha256"))
    for token in (
        f"{part({'alg': 'none'})}.{part({'exp': NOW + 9})}.",
        f"{signed}.{mac}",
        "a.b",
        "..",
        "a.b.c.d",
    ):
        with pytest.raises(Forged):
            told(token)


def test_a_token_opens_to_its_claims():
    proof = Jwt()
    given = Given(signing_key=Secret(RSA), public_key=Secret(PEM))
    signed = proof.sign(Message(body='{"data":"{\\"n\\":\\"é\\"}"}'.encode()), given, STAMP)

    opened = proof.open(signed, given)

    assert opened.json() == {"data": '{"n":"é"}', "iat": NOW, "exp": NOW + 300}


def test_a_detached_signature_may_not_bring_its_own_payload():
    proof = DetachedJws("x-jws", KeyRing("https://keys.example/jwks"))
    given = Given(signing_key=Secret(RSA))
    signed = proof.sign(Message(body=ORDER), given, STAMP)
    kid = json.loads(base64.urlsafe_b64decode(signed.headers["x-jws"].split(".")[0] + "=="))["kid"]
    keys = {kid: PEM.encode()}
    head, _, signature = signed.headers["x-jws"].split(".")

    proof.check(Check(signed, given, NOW, keys))
    smuggled = Message(body=b"other", headers=Headers({"x-jws": f"{head}.{to_b64url(ORDER)}.{signature}"}))
    with pytest.raises(Forged, match="not detached"):
        proof.check(Check(smuggled, given, NOW, keys))


# ── Amazon SNS ───────────────────────────────────────────────────────────────────────────────────────


def sns(**changed: str) -> tuple[Message, dict[str, bytes]]:
    given = Given(signing_key=Secret(RSA))
    signed = SnsSignature().sign(Message(body=b'{"orderId":"1001"}'), given, STAMP)
    body = {**json.loads(signed.body), **changed}
    return Message(body=json.dumps(body).encode()), {body["SigningCertURL"]: PEM.encode()}


@pytest.mark.parametrize(
    "address",
    [
        "http://sns.us-east-1.amazonaws.com/SimpleNotificationService-1.pem",
        "https://sns.us-east-1.amazonaws.com.evil.example/SimpleNotificationService-1.pem",
        "https://evil.example/sns.us-east-1.amazonaws.com/SimpleNotificationService-1.pem",
        "https://sns.us-east-1.amazonaws.com@evil.example/SimpleNotificationService-1.pem",
        "https://sns.us-east-1.amazonaws.com/other.pem",
        "https://bucket.s3.amazonaws.com/SimpleNotificationService-1.pem",
        "https://sns.us-east-1.amazonaws.com/SimpleNotificationService-1.pem\n",
        "",
    ],
)
def test_a_certificate_from_elsewhere_is_never_asked_for(address: str):
    message, keys = sns(SigningCertURL=address)

    with pytest.raises(Forged):
        SnsSignature().check(Check(message, Given(), NOW, keys))


@pytest.mark.parametrize(
    "changed",
    [{"Message": "x"}, {"TopicArn": "arn:aws:sns:eu-west-1:1:other"}, {"Type": "UnsubscribeConfirmation"},
     {"Type": "Other"}, {"Subject": "new"}, {"SignatureVersion": "3"}, {"SignatureVersion": "1"}, {"Signature": ""},
     {"MessageId": "m"}, {"Timestamp": "2020-01-01T00:00:00.000Z"}],
)  # fmt: skip
def test_an_sns_message_changed_anywhere_it_is_signed_is_forged(changed: dict[str, str]):
    message, keys = sns(**changed)

    with pytest.raises(Forged):
        SnsSignature().check(Check(message, Given(), NOW, keys))


def test_the_certificate_itself_is_fetched_and_has_to_be_of_now():
    message, keys = sns()
    address = next(iter(keys))
    day = timedelta(days=1)
    now = datetime.fromtimestamp(NOW, UTC)

    request, _ = asked_of(SnsSignature(), address)
    SnsSignature().check(Check(message, Given(), NOW, {address: certificate(now - day, now + day)}))

    assert request.url == address
    with pytest.raises(Forged, match="not valid now"):
        SnsSignature().check(Check(message, Given(), NOW, {address: certificate(now - 2 * day, now - day)}))


def asked_of(proof: SnsSignature, key: str) -> tuple[Request, object]:
    conversation = proof.fetch_key(Context(settings=Given()), key)
    return next(conversation), conversation


def test_the_public_half_of_a_key_is_what_a_far_side_would_publish():
    assert public_pem(private_key(ED.encode())) == serialization.load_pem_public_key(
        public_of(ED).encode()
    ).public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)

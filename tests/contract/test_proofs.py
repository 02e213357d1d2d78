"""What every stock proof promises, once for all of them."""

from __future__ import annotations

import msgspec
import pytest

from hub.contract import Forged, Message, Misconfigured
from hub.contract.proof import AnyOf, Check, Digest, Hmac, Jwt, Parts, Signature, TimedHmac
from hub.contract.proof.spots import spot
from tests.contract.proof_cases import CASES, NOW, STAMP, Case, Given

every = pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
with_secret = pytest.mark.parametrize(
    "case", [case for case in CASES if not case.by_id], ids=[case.name for case in CASES if not case.by_id]
)
with_time = pytest.mark.parametrize(
    "case", [case for case in CASES if case.tolerance], ids=[case.name for case in CASES if case.tolerance]
)
with_body = pytest.mark.parametrize(
    "case",
    [case for case in CASES if case.covers_body],
    ids=[case.name for case in CASES if case.covers_body],
)


def altered(message: Message) -> Message:
    body = message.body.replace(b"1001", b"1002") if b"1001" in message.body else _flipped(message.body)
    assert body != message.body
    return msgspec.structs.replace(message, body=body)


def _flipped(body: bytes) -> bytes:
    middle = len(body) // 2
    return body[:middle] + (b"A" if body[middle : middle + 1] != b"A" else b"B") + body[middle + 1 :]


@every
def test_an_honest_message_is_believed(case: Case):
    case.check(case.signed())


@every
def test_signing_a_signed_message_again_is_believed(case: Case):
    again = case.proof.sign(case.signed(), case.settings(), STAMP)

    case.check(again)


@every
def test_a_message_without_a_proof_is_forged(case: Case):
    with pytest.raises(Forged):
        case.check(case.message)


@every
def test_an_empty_message_is_forged(case: Case):
    with pytest.raises(Forged):
        case.check(Message())


@every
def test_a_message_signed_by_another_is_forged(case: Case):
    with pytest.raises(Forged):
        case.check(case.signed(1))


@with_body
def test_an_altered_body_is_forged(case: Case):
    if case.proof.authenticity == "bearer_only" and case.name == "mailgun":
        tampered = msgspec.structs.replace(
            case.signed(), body=case.signed().body.replace(b"token=t1001", b"token=t1002")
        )
    else:
        tampered = altered(case.signed())

    with pytest.raises(Forged):
        case.check(tampered)


@with_secret
def test_a_message_signed_before_the_secret_rotated_is_believed(case: Case):
    case.check(case.signed(), case.rotating())
    case.check(case.signed(1), case.rotating())


@with_secret
def test_a_connection_without_its_secret_believes_nobody(case: Case):
    with pytest.raises(Forged):
        case.check(case.signed(), Given())


@with_time
@pytest.mark.parametrize("direction", [1, -1])
def test_a_late_or_early_message_is_forged(case: Case, direction: int):
    near, far = case.tolerance - 1, case.tolerance + 1

    case.check(case.signed(), now=NOW + direction * near)
    if isinstance(case.proof, Jwt) and direction == -1:
        return  # a token says when it ends, not when it begins
    with pytest.raises(Forged):
        case.check(case.signed(), now=NOW + direction * far)


@with_time
def test_a_time_changed_after_signing_is_forged(case: Case):
    late = case.signed(at=NOW - 10_000)
    fresh = case.signed()
    mixed = msgspec.structs.replace(late, headers=fresh.headers, query=fresh.query)
    if mixed == fresh or late.body != fresh.body:
        return
    headers = [(k, str(NOW) if v == str(NOW - 10_000) else v) for k, v in late.headers.pairs]
    query = late.query.replace(str(NOW - 10_000), str(NOW))

    with pytest.raises(Forged):
        case.check(msgspec.structs.replace(late, headers=type(late.headers)(headers), query=query))


@every
def test_a_proof_prints_what_it_is_and_no_secret(case: Case):
    shown = repr(case.proof) + repr(case.settings())

    assert type(case.proof).__name__ in shown
    assert all(secret not in shown for secret in case.secrets)
    assert "PRIVATE KEY" not in shown


@every
def test_what_is_vouched_for_is_stated(case: Case):
    assert case.proof.authenticity in {"body_signed_with_time", "body_signed", "bearer_only"}
    assert isinstance(case.proof.secret, str)


@every
def test_signing_without_a_secret_is_the_operators_fault(case: Case):
    with pytest.raises(Misconfigured):
        case.proof.sign(case.message, Given(), STAMP)


def test_the_weakest_of_several_proofs_is_what_they_vouch_for():
    both = AnyOf((TimedHmac("a"), Hmac("b"), Digest("c", authenticity="bearer_only")))

    assert both.authenticity == "bearer_only"
    assert both.secret == "webhook_secret"


@pytest.mark.parametrize("text", ["", "cookie:x", "form:", "header:"])
def test_a_place_that_is_none_is_refused_where_it_is_declared(text: str):
    with pytest.raises(ValueError, match="names no place"):
        Hmac(text)


@pytest.mark.parametrize("template", ["{body", "body}", "{bdy}", "{cookie:x}", "{}", "{setting:}"])
def test_a_template_that_cannot_be_filled_is_refused_where_it_is_declared(template: str):
    with pytest.raises(ValueError, match=r"brace|place"):
        Parts(template)


def test_a_key_ring_needs_the_place_of_the_keys_id():
    with pytest.raises(ValueError, match="go together"):
        Signature("x-signature", kid="x-key")


def test_form_values_are_decoded_exactly_once():
    message = Message(body=b"param=%257B%2B+1&sign=x")

    assert spot("form:param").read(message) == "%7B+ 1"
    assert Parts("{form:param}")(message, Given()) == b"%7B+ 1"


def test_writing_a_query_parameter_keeps_the_url_in_step():
    message = Message(url="https://hub.example/in/a?x=1", query="x=1")

    signed = spot("query:nonce").write(message, "a b")

    assert (signed.query, signed.url) == ("x=1&nonce=a+b", "https://hub.example/in/a?x=1&nonce=a+b")


def test_a_template_sees_numbers_as_they_were_written():
    message = Message(body=b'{"a":{"b":1.10},"n":12345678901234567890,"t":true,"z":null,"l":[1]}')

    filled = Parts("{json:a.b}|{json:n}|{json:t}|{json:z}|{json:l}|{json:a.b.c}")(message, Given())

    assert filled == b"1.10|12345678901234567890||||"


def test_the_check_reads_the_case_of_headers_and_of_hex_as_one():
    proof = Hmac("X-Acme-Signature", "hex")
    settings = Given(webhook_secret="k")  # type: ignore[arg-type]
    signed = proof.sign(Message(body=b"a"), settings, STAMP)
    shouted = [(name.upper(), value.upper()) for name, value in signed.headers.pairs]

    proof.check(Check(Message(body=b"a", headers=type(signed.headers)(shouted)), settings, NOW, {}))

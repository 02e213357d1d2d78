"""What the suite cannot know: each way of proving that settings choose, topics and delivery ids wherever they stand,
and the worked examples."""

from __future__ import annotations

import base64
import hashlib
import hmac
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from standardwebhooks import Webhook

from adapters.generic import channel
from adapters.generic.settings import GenericSettings
from hub.contract import Channel, Forged, Headers, Message, Misconfigured
from hub.contract.given import read_settings
from hub.contract.mapping import compile_mapping
from hub.contract.proof import Check, Stamp

EXAMPLES = Path(__file__).parent / "fixtures" / "examples"
NOW = 1_770_000_000
BODY = b'{"event": {"type": "order.paid"}, "id": "d-1"}'


def told(**given: Any) -> GenericSettings:
    return read_settings(GenericSettings, {"webhook_secret": "s3cret", **given})


def shaped(**given: Any) -> Channel:
    return channel.with_settings(told(**given))


def check(given: GenericSettings, message: Message, now: int = NOW) -> None:
    channel.proof_for(given).check(Check(message=message, settings=given, now=now, keys={}))


WAYS: dict[str, dict[str, Any]] = {
    "hmac": {"proof": "hmac", "header": "X-Sign"},
    "hmac in a form": {"proof": "hmac", "header": "form:sign", "parts": "{form:order}", "encoding": "base64"},
    "hmac over the URL": {"proof": "hmac", "header": "query:sign", "parts": "{body}{header:x-nonce}", "hash": "sha512"},
    "timed": {"proof": "timed_hmac", "header": "X-Sign"},
    "timed elsewhere": {
        "proof": "timed_hmac", "header": "X-Sign", "time_header": "X-Time", "prefix": "v0=", "parts": "v0:{t}:{body}",
    },
    "digest": {"proof": "digest", "header": "X-Sign", "encoding": "HEX"},
    "sorted": {"proof": "sorted_digest", "header": "form:sign", "encoding": "HEX"},
    "token": {"proof": "token"},
    "token of a header": {"proof": "token", "header": "X-Token"},
    "token of the query": {"proof": "token", "header": "query:key"},
    "basic": {"proof": "basic", "webhook_secret": "ada:s3cret"},
    "standard webhooks": {"webhook_secret": "whsec_c29tZS1zZWNyZXQtb2YtdGhlLXNhbXBsZXM="},
}  # fmt: skip


@pytest.mark.parametrize("way", WAYS)
def test_a_push_is_proved_the_way_that_the_settings_say_and_no_other(way: str):
    given = told(**WAYS[way])
    form = Headers({"content-type": "application/x-www-form-urlencoded"})
    bare = Message(body=b"order=7&total=9", headers=form, url="https://hub.example/in/generic")
    signed = channel.proof_for(given).sign(bare, given, Stamp(now=NOW))

    check(given, signed)
    with pytest.raises(Forged):
        check(given, bare)
    with pytest.raises(Forged):
        check(told(**{**WAYS[way], "webhook_secret": ["whsec_b3RoZXI=", "another:one"]}), signed)
    if channel.proof_for(given).authenticity.startswith("body"):
        with pytest.raises(Forged):
            check(given, msgspec.structs.replace(signed, body=signed.body.replace(b"7", b"8", 1)))


def test_the_published_example_of_a_far_side_holds():
    # docs.github.com, "Validating webhook deliveries", the values for testing
    given = told(proof="hmac", header="X-Hub-Signature-256", prefix="sha256=",
                 webhook_secret="It's a Secret to Everybody")  # fmt: skip
    signature = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"

    check(given, Message(body=b"Hello, World!", headers=Headers({"x-hub-signature-256": signature})))


def test_a_sender_of_standard_webhooks_needs_its_secret_and_nothing_else():
    secret = "whsec_c29tZS1zZWNyZXQtb2YtdGhlLXNhbXBsZXM="
    made = Webhook(secret).sign("msg_1", datetime.fromtimestamp(NOW, UTC), BODY.decode())
    headers = {"webhook-id": "msg_1", "webhook-timestamp": str(NOW), "webhook-signature": made}
    given = told(webhook_secret=secret)

    check(given, Message(body=BODY, headers=Headers(headers)))
    with pytest.raises(Forged):
        check(given, Message(body=BODY + b" ", headers=Headers(headers)))
    with pytest.raises(Forged):
        check(given, Message(body=BODY, headers=Headers(headers)), now=NOW + 3600)
    assert channel.with_settings(given).dedupe.find(Message(headers=Headers(headers))) == "msg_1"


def test_a_public_key_proves_what_only_its_holder_signed():
    key = Ed25519PrivateKey.generate()
    pem = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    given = told(proof="public_key", header="X-Sign", scheme="ed25519", public_key=pem)
    sign = Headers({"x-sign": base64.b64encode(key.sign(BODY)).decode()})

    check(given, Message(body=BODY, headers=sign))
    with pytest.raises(Forged):
        check(given, Message(body=BODY + b" ", headers=sign))


def test_a_signature_that_leaves_the_body_out_vouches_for_its_sender_alone():
    given = told(proof="hmac", header="X-Sign", parts="{header:x-time}")

    assert channel.proof_for(given).authenticity == "bearer_only"
    assert channel.proof_for(told(proof="none")).authenticity == "none"


@pytest.mark.parametrize(
    ("topic", "message"),
    [
        ("header:X-Event", Message(headers=Headers({"x-event": "order.paid"}))),
        ("query:event", Message(query="event=order.paid")),
        ("body:event.type", Message(body=BODY)),
        ("form:event", Message(body=b"event=order.paid&x=1")),
        ("xml:Event", Message(body=b"<m><Event>order.paid</Event></m>")),
        ("path", Message(path="/order.paid")),
        ("fixed:order.paid", Message(body=b"\xff\xfe")),
        ("header:X-Event | fixed:order.paid", Message()),
    ],
)
def test_the_topic_is_found_where_the_settings_say(topic: str, message: Message):
    assert shaped(topic=topic, proof="token").topic.find(message) == "order.paid"


def test_the_delivery_id_is_found_or_is_the_body_itself_or_there_is_none():
    message = Message(body=BODY, headers=Headers({"x-id": "7"}))

    assert shaped(proof="token", dedupe="header:x-id").dedupe.find(message) == "7"
    assert shaped(proof="token", dedupe="body:id").dedupe.find(message) == "d-1"
    assert (
        shaped(proof="token", dedupe="hash").dedupe.find(message).endswith(hashlib.sha256(BODY).hexdigest())
    )
    assert shaped(proof="token").dedupe.find(message) == ""
    assert shaped(proof="token").freshness_of("*") == "arrival", "no push is taken for another"
    assert shaped(proof="token", freshness="sequence").freshness_of("order") == "sequence"


def test_the_sender_is_answered_what_it_wants_to_hear_and_a_forged_push_is_not():
    answer: Any = shaped(proof="token", reply='{"code": 0}').answer

    assert answer("accepted", Message()).body == b'{"code": 0}'
    assert answer("duplicate", Message()).headers["content-type"] == "application/json"
    assert answer("forged", Message()) is None
    assert answer("unavailable", Message()) is None


@pytest.mark.parametrize(
    ("given", "fault"),
    [
        ({"proof": "hmac"}, "header: required for the proof hmac"),
        ({"proof": "hmac", "header": "cookie:sign"}, "header: 'cookie:sign' names no place"),
        ({"proof": "hmac", "header": "x", "parts": "{body"}, "parts: '{body' has a brace without its other"),
        ({"proof": "token", "header": "form:token"}, "header: a token stands in a header or in `query:…`"),
        ({"topic": "X-Topic"}, "topic: 'X-Topic' names no place"),
        ({"dedupe": "hash | body:"}, "dedupe: 'body:' names no place"),
        ({"proof": "hmc"}, "proof: Invalid enum value 'hmc'"),
    ],
)
def test_what_does_not_go_together_is_told_with_its_setting(given: dict[str, Any], fault: str):
    with pytest.raises(Misconfigured) as caught:
        told(**given)

    assert any(one.startswith(fault) for one in caught.value.faults), caught.value.faults


def test_every_fault_is_told_at_once():
    with pytest.raises(Misconfigured) as caught:
        told(proof="hmac", topic="nowhere", dedupe="nor here")

    assert [one.partition(":")[0] for one in caught.value.faults] == ["header", "topic", "dedupe"]


def test_the_examples_read_what_their_senders_send():
    till = compile_mapping((EXAMPLES / "acme.order.yaml").read_text(), file="acme.order.yaml")
    body = (
        "<Sale id='4711'><Sold>03.02.2026 18:05</Sold><Currency>EUR</Currency><Lines><Line no='1'>"
        "<Article>LAMP</Article><Qty>1,5</Qty><Price>1.019,95</Price></Line></Lines></Sale>"
    )
    (sale,) = till.facts(Message(body=body.encode(), zone="Europe/Berlin"))
    form = compile_mapping((EXAMPLES / "acme.form.yaml").read_text(), file="acme.form.yaml")
    (answer,) = form.facts(Message(body=b"answer_id=7&name=%E9%BB%84", currency="CNY"))

    assert (sale.ref, sale.doc["placed_at"]) == ("4711", "2026-02-03T17:05:00.000Z")
    assert sale.doc["lines"][0]["unit_price"]["amount"] == "1019.95"
    assert sale.doc["lines"][0]["quantity"] == {"ordered": "1.5"}
    assert (answer.ref, answer.doc["channel"], answer.doc["currency"]) == ("7", "form", "CNY")


def test_a_digest_is_what_the_sender_computes():
    given = told(proof="digest", header="query:sign", parts="{secret}{body}{secret}")
    sign = hashlib.md5(b"s3cret" + BODY + b"s3cret").hexdigest()

    check(given, Message(body=BODY, query=f"sign={sign.upper()}"))
    timed = told(proof="timed_hmac", header="X-Sign", time_header="X-Time", tolerance=0)
    mac = hmac.digest(b"s3cret", b"1." + BODY, "sha256").hex()
    check(timed, Message(body=BODY, headers=Headers({"x-sign": mac, "x-time": "1"})))

"""Signatures that others made: published by far sides, or told by their recipes, checked by our proofs.

The literal ones stand here. Where the folder of samples lies beside the repository, its three lists of
vectors are run as well; one that no proof here can express is named with the reason.
"""

from __future__ import annotations

import hmac
import json
import unicodedata
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from hub.contract import Headers, Message, Secret
from hub.contract.errors import Forged
from hub.contract.proof import (
    Check,
    DetachedJws,
    Digest,
    EnvelopeSignature,
    Hmac,
    KeyRing,
    Parts,
    Proof,
    SortedDigest,
    SortedTexts,
    StandardWebhooks,
    TimedHmac,
)
from tests.contract.proof_cases import Given

SAMPLES = Path(__file__).resolve().parents[3] / "shared" / "payloads"
RING = KeyRing("https://keys.example/jwks")


def holds(proof: Proof, message: Message, settings: Given, *, now: int = 0) -> None:
    """The proof believes this message with this secret."""
    proof.check(Check(message, settings, now, {}))
    with pytest.raises(Forged):
        proof.check(Check(message, Given(webhook_secret=Secret("00AA")), now, {}))


def said(body: str = "", query: str = "", url: str = "", **headers: str) -> Message:
    fields = {name.replace("_", "-"): value for name, value in headers.items()}
    return Message(body=body.encode(), headers=Headers(fields), query=query, url=url)


def shared(secret: str, **more: Any) -> Given:
    return Given(webhook_secret=Secret(secret), **more)


# ── known answers ────────────────────────────────────────────────────────────────────────────────────


def test_the_golden_vectors_of_standard_webhooks():
    message = said(
        '{"test": 2432232314}',
        webhook_id="msg_p5jXN8AQM9LWM0D4loKWxJek",
        webhook_timestamp="1614265330",
        webhook_signature="v1,xx v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    )

    holds(StandardWebhooks(), message, shared("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"), now=1614265330)


@pytest.mark.parametrize("field", ["webhook_secret", "public_key"])
def test_the_golden_vector_of_standard_webhooks_by_public_key(field: str):
    message = said(
        '{"test": 2432232314}',
        svix_id="msg_p5jXN8AQM9LWM0D4loKWxJek",
        svix_timestamp="1614265330",
        svix_signature="v1a,hnO3f9T8Ytu9HwrXslvumlUpqtNVqkhqw/enGzPCXe5BdqzCInXqYXFymVJaA7AZdpXwVLPo3mNl8EM+m7TBAg==",
    )
    given = Given(**{field: Secret("whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4=")})

    holds(StandardWebhooks(), message, given, now=1614265330)


def test_jiandaoyuns_recipe():
    body = (
        '{"op":"data_create","opTime":1700000000000,"data":{"_id":"5f1e0000000000000000abcd","appId":"app1",'
        '"entryId":"ent1","order_no":"SO-1001"}}'
    )
    proof = Digest(
        "x-jdy-signature",
        Parts("{query:nonce}:{body}:{secret}:{query:timestamp}"),
        "sha1",
        time="query:timestamp",
        nonce="query:nonce",
    )
    message = said(
        body, "timestamp=1498586609&nonce=0f5ade", x_jdy_signature="ba460a5688e9ef19814a1f0ef1d143ec51b37bf5"
    )

    holds(proof, message, shared("test-secret"))


def test_kuaidi100s_recipe_over_the_value_decoded_once():
    param = '{"status":"shutdown","lastResult":{"state":"3","nu":"YT9693083639795"}}'
    body = urlencode({"sign": "2E3F0033C896831F37B9CE585F03C626", "param": param})
    lower = body.replace("2E3F0033C896831F37B9CE585F03C626", "2e3f0033c896831f37b9ce585f03c626")
    proof = Digest("form:sign", Parts("{form:param}{secret}"), encoding="HEX")

    holds(proof, said(body), shared("SALT0123456789"))
    holds(proof, said(lower), shared("SALT0123456789"))


def test_taobaos_published_vector():
    fields = {
        "method": "taobao.item.seller.get", "app_key": "12345678", "session": "test",
        "timestamp": "2016-01-01 12:00:00", "format": "json", "v": "2.0", "sign_method": "md5",
        "fields": "num_iid,title,nick,price,num", "num_iid": "11223344",
        "sign": "66987CB115214E59E6EC978214934FB8",
    }  # fmt: skip

    holds(
        SortedDigest("form:sign", encoding="HEX", skip_empty=True),
        said(urlencode(fields)),
        shared("helloworld"),
    )


def test_wechats_published_vector():
    proof = SortedTexts("query:signature", ("{secret}", "{query:timestamp}", "{query:nonce}"))
    query = "signature=f464b24fc39322e44b38aa78f5edd27bd1441696&timestamp=1714036504&nonce=1514711492"

    holds(proof, said(query=query), shared("AAAAA"))


def test_trackingmores_published_vector_covers_the_time_only():
    proof = TimedHmac("signature", "timestamp", parts=Parts("{t}"), authenticity="bearer_only")
    message = said(
        timestamp="1662371528", signature="a37084ab68ae16b77db1f8463f31be9fcc965e2515e03efecf8139bb1e511b06"
    )

    holds(proof, message, shared("2e55b9a3-4dd1-4416-9897-c4bd1e3d738f"), now=1662371528)


def test_sendclouds_published_vector():
    signature = "1eed4b3d41f4653ac64fd56f1bf1cbfd349e4482cbc11dff7134bd93e5da4b0a"

    holds(
        Hmac("Sendcloud-Signature", "hex"),
        said('{"key": "value"}', sendcloud_signature=signature),
        shared("secretkey"),
    )


def test_a_secret_with_an_accent_is_decomposed_for_easypost():
    proof = Hmac("x-hmac-signature", "hex", prefix="hmac-sha256-hex=", key="nfkd")
    decomposed = unicodedata.normalize("NFKD", "sécret").encode()
    signature = "hmac-sha256-hex=" + hmac.digest(decomposed, b"{}", "sha256").hex()

    holds(proof, said("{}", x_hmac_signature=signature), shared("s\u00e9cret"))
    holds(proof, said("{}", x_hmac_signature=signature), shared("se\u0301cret"))


# ── the lists beside the repository ──────────────────────────────────────────────────────────────────


def listed(name: str, *inside: str) -> list[dict[str, Any]]:
    file = SAMPLES / name
    if not file.exists():
        return []
    found = json.loads(file.read_text())
    for key in inside:
        found = found[key]
    return found


STOREFRONTS = {v["platform"]: v for v in listed("storefronts/SIGNATURE_VECTORS.json", "vectors")}
STANDARD = StandardWebhooks(tolerance=None)
STORE_PROOFS: dict[str, Proof] = {
    "shopify": Hmac("X-Shopify-Hmac-SHA256"),
    "woocommerce": Hmac("X-WC-Webhook-Signature", key="html"),
    "bigcommerce": StandardWebhooks(key="utf8", tolerance=None),
    "etsy": STANDARD,
    "squarespace": Hmac("Squarespace-Signature", "hex", key="hex"),
    "shopware6": Hmac("shopware-shop-signature", "hex"),
    "shopware6-registration": Hmac("shopware-app-signature", "hex", parts=Parts("{header:x-query}")),
    "tiktok-shop": Hmac("Authorization", "hex", parts=Parts("{setting:client_id}{body}")),
    "lazada": Hmac("Authorization", "hex", parts=Parts("{setting:client_id}{body}")),
    "shopee": Hmac("Authorization", "hex", parts=Parts("{url}|{body}")),
    "square": Hmac("x-square-hmacsha256-signature", parts=Parts("{url}{body}")),
    "ecwid": Hmac("X-Ecwid-Webhook-Signature", parts=Parts("{json:eventCreated}.{json:eventId}")),
    "spree": TimedHmac("X-Spree-Webhook-Signature", "x-time", tolerance=None),
    "saleor-legacy-secret": Hmac("Saleor-Signature", "hex"),
    "walmart-performance": TimedHmac(
        "WM_SEC.SIGNATURE",
        "x-time",
        "base64",
        parts=Parts("{method}\n{target}\n{t}\n{body:sha256}"),
        tolerance=None,
    ),
}
STORE_ELSEWHERE = {
    "ebay-challenge": "the answer to a handshake, not a proof of a message",
    "shopee-api-sign": "signs a request of ours",
}


@pytest.mark.parametrize("platform", list(STOREFRONTS))
def test_the_vectors_of_storefronts(platform: str):
    if platform in STORE_ELSEWHERE:
        return
    vector = STOREFRONTS[platform]
    headers = {
        vector["header"]: vector["signature"],
        "x-time": vector.get("timestamp", ""),
        "x-query": vector.get("query", ""),
        "webhook-id": vector.get("webhook_id", ""),
        "webhook-timestamp": vector.get("webhook_timestamp", ""),
    }
    url = vector.get("url", "https://hub.example" + vector.get("path", ""))
    message = Message(body=vector["body_utf8"].encode(), headers=Headers(headers), url=url)

    holds(
        STORE_PROOFS[platform],
        message,
        shared(vector.get("secret_as_stored", vector["secret"]), client_id=vector.get("app_key", "")),
    )


def test_every_storefront_vector_has_a_proof_or_a_reason():
    assert set(STOREFRONTS) <= set(STORE_PROOFS) | set(STORE_ELSEWHERE)


def test_squares_own_vector():
    for vector in [
        json.loads(file.read_text()) for file in SAMPLES.glob("storefronts/square/webhook-*.json")
    ]:
        message = said(
            vector["body"],
            url=vector["notification_url"],
            x_square_hmacsha256_signature=vector["x-square-hmacsha256-signature"],
        )
        holds(STORE_PROOFS["square"], message, shared(vector["signature_key"]))


def test_saleors_own_vector():
    for vector in [json.loads(file.read_text()) for file in SAMPLES.glob("storefronts/saleor/jws-*.json")]:
        message = said(vector["raw_body"], saleor_signature=vector["signature_header"])
        keys = {key["kid"]: json.dumps(key).encode() for key in vector["jwks"]["keys"]}
        proof = DetachedJws("saleor-signature", RING)

        proof.check(Check(message, Given(), 0, keys))
        with pytest.raises(Forged):
            proof.check(Check(said("{}", saleor_signature=vector["signature_header"]), Given(), 0, keys))


EBAY = (
    json.loads(file.read_text())
    if (file := SAMPLES / "storefronts/ebay/notification-signature-vectors.json").exists()
    else {}
)


@pytest.mark.parametrize("name", [name for name in EBAY if EBAY[name]["response"]])
@pytest.mark.parametrize("compact", [True, False])
def test_ebays_own_vectors(name: str, compact: bool):
    vector = EBAY[name]
    text = json.dumps(vector["message"], separators=(",", ":") if compact else None, ensure_ascii=False)
    keys = {
        kid: vector["response"]["key"].encode()
        for kid in (vector["public_key"], "9936261a-7d7b-4621-a0f1-96ccb428af49")
    }
    check = Check(said(text, x_ebay_signature=vector["signature"]), Given(), 0, keys)
    proof = EnvelopeSignature("x-ebay-signature", RING)

    if name == "VALID":
        proof.check(check)
    else:
        with pytest.raises(Forged):
            proof.check(check)


CARRIERS = listed("carriers/signature_vectors.json")
CARRIER_PROOFS: dict[str, Proof] = {
    "easypost v1": Hmac("X-Hmac-Signature", "hex", prefix="hmac-sha256-hex=", key="nfkd"),
    "easypost v2": TimedHmac(
        "X-Hmac-Signature-V2", "X-Timestamp", prefix="hmac-sha256-hex=", key="nfkd", tolerance=300,
        parts=Parts("{t}{method}{header:x-path}{body}"),
    ),
    "trackingmore v4": TimedHmac("signature", "timestamp", parts=Parts("{t}"), tolerance=None),
    "sendcloud v2/v3": Hmac("Sendcloud-Signature", "hex"),
    "shippo hmac": TimedHmac("Shippo-Auth-Signature", tolerance=None),
    "aftership tracking": Hmac("aftership-hmac-sha256"),
    "17track v2.x": Digest("sign", Parts("{body}/{secret}"), "sha256"),
    "fedex AIV": Hmac("fdx-signature"),
    "usps subscriptions-tracking v3.2": Hmac("X-HMAC", parts=Parts("{json:timestamp}{json:payload}")),
}  # fmt: skip


def carrier_body(vector: dict[str, Any]) -> bytes:
    if "body_file" not in vector:
        return (
            vector["body"].encode() if "body" in vector else json.dumps(vector.get("envelope", {})).encode()
        )
    name, _, how = vector["body_file"].partition(" ")
    raw = (SAMPLES / "carriers" / name).read_bytes()
    return raw.rstrip(b"\n") if "without" in how else raw


@pytest.mark.parametrize("vector", CARRIERS, ids=[f"{v['system']} {v['scheme']}" for v in CARRIERS])
def test_the_vectors_of_carriers(vector: dict[str, Any]):
    name = f"{vector['system']} {vector['scheme']}"
    headers = vector.get("header") or {"signature": vector["signature"], "timestamp": vector["signed"]}
    message = Message(body=carrier_body(vector), headers=Headers(headers))
    now = 1755635829  # Tue, 19 Aug 2025 20:37:09 UTC, EasyPost's stamp

    holds(CARRIER_PROOFS[name], message, shared(vector["secret"]), now=now)


CHINA = listed("china/vectors.json")


def digest_over(template: str, **more: Any) -> Digest:
    return Digest("x-sign", Parts(template), **more)


CHINA_PROOFS: dict[str, Proof] = {
    "jiandaoyun data push X-JDY-Signature": digest_over("{form:nonce}:{form:body}:{form:secret}:{form:timestamp}", hash="sha1"),
    "kuaidi100 push sign": digest_over("{form:param}{form:salt}"),
    "kuaidi100 query sign": digest_over("{form:param}{form:key}{form:customer}"),
    "kdniao DataSign (before urlencode)": digest_over("{form:request_data}{form:app_key}", encoding="base64-hex"),
    "17track webhook sign": digest_over("{form:body}/{form:key}", hash="sha256"),
    "zto x-dataDigest": digest_over("{form:body}{form:secret}", encoding="base64"),
    "yto sign": digest_over("{form:param}{form:method}{form:v}{form:secret}", encoding="base64"),
    "sto data_digest": digest_over("{form:content}{form:secret}", encoding="base64"),
    "yunda sign (UNCONFIRMED)": digest_over("{form:body}_{form:secret}"),
    "jtexpress header digest": digest_over("{form:bizContent}{form:privateKey}", encoding="base64"),
    "deppon digest (base64 of the hex string)": digest_over("{form:params}{form:appkey}{form:timestamp}", encoding="base64-hex"),
    "cainiao data_digest": digest_over("{form:logistics_interface}{form:secret}", encoding="base64"),
    "youzan Event-Sign header": digest_over("{form:client_id}{form:body}{form:client_secret}"),
    "youzan legacy body sign (over msg)": digest_over("{form:client_id}{form:msg}{form:client_secret}"),
    "douyin push event-sign": digest_over("{form:app_key}{form:body}{form:app_secret}"),
    "jd JOS md5": digest_over("{form:secret}{form:concatenated}{form:secret}"),
    "pdd API md5": digest_over("{form:secret}{form:concatenated}{form:secret}"),
    "guanyi sign": digest_over("{form:secret}{form:json_without_sign}{form:secret}"),
    "wechat URL verification signature": SortedTexts("x-sign", ("{form:token}", "{form:timestamp}", "{form:nonce}"), time="", nonce=""),
    "wechat msg_signature over echostr/Encrypt": SortedTexts("x-sign", ("{form:token}", "{form:timestamp}", "{form:nonce}", "{form:encrypt}"), time="", nonce=""),
    "taobao TOP md5": SortedDigest("x-sign"),
    "jushuitan biz request sign": SortedDigest("x-sign", around="prefix"),
    "jushuitan token request sign": SortedDigest("x-sign", around="prefix"),
    "jushuitan biz request sign (2)": SortedDigest("x-sign", around="prefix"),
    "wangdiantong_qjb sign": SortedDigest("x-sign"),
    "wanliniu_b2c sign (both directions)": SortedDigest("x-sign"),
    "1688 push _aop_signature (UNCONFIRMED recipe)": Hmac("x-sign", "hex", "sha1", parts=Parts("message{form:message}")),
    "yonbip self-app token signature (base64, url-encode when sending)": Hmac("x-sign", parts=Parts("appKey{form:appKey}timestamp{form:timestamp}")),
    "kingdee_k3cloud X-Kd-Signature": Hmac("x-sign", "base64-hex", parts=Parts("{form:app_id}{form:app_data}")),
    "1688 _aop_signature": Hmac("x-sign", "hex", "sha1", parts=Parts("{header:x-path}{sorted:form}")),
}  # fmt: skip
CHINA_OURS = {
    "sf msgDigest": "signs a request of ours; SF's pushes carry no signature",
    "jdl md5-salt sign": "signs a request of ours",
    "douyin API sign hmac-sha256": "signs a request of ours",
    "pdd PMC websocket digest (url-encoded)": "opens a socket of ours",
    "kuaishou API HMAC_SHA256": "signs a request of ours",
    "xiaohongshu API sign": "signs a request of ours",
    "wangdiantong_qyb sign": "signs a request of ours",
    "wanliniu_open _sign": "signs a request of ours",
    "kingdee_k3cloud X-Api-Signature": "signs a request of ours",
    "dingtalk bot sign (url-encoded)": "signs a request of ours",
    "feishu bot sign": "signs a request of ours",
    "aliyun RPC V1": "signs a request of ours",
    "aliyun_sms RPC V1 SendSms": "signs a request of ours",
    "tencent_tc3 sha256 of the canonical request (intermediate value)": "signs a request of ours",
    "tencent_sms TC3 final signature, SendSms": "signs a request of ours",
}


@pytest.mark.parametrize("vector", CHINA, ids=[f"{v['system']} {v['what']}" for v in CHINA])
def test_the_vectors_of_china(vector: dict[str, Any]):
    name = f"{vector['system']} {vector['what']}"
    if name in CHINA_OURS:
        return
    inputs = vector["inputs"]
    secret = next(
        (inputs[key] for key in ("secret", "app_secret", "appSecret", "secret_key") if key in inputs),
        "unused",
    )
    fields = inputs["params"] if isinstance(inputs.get("params"), dict) else inputs
    headers = Headers({"x-sign": vector["signature"], "x-path": inputs.get("url_path", "")})

    altered = {key: f"{value}x" for key, value in fields.items()}

    proof = CHINA_PROOFS[name]
    proof.check(Check(Message(body=urlencode(fields).encode(), headers=headers), shared(secret), 0, {}))
    with pytest.raises(Forged):
        proof.check(Check(Message(body=urlencode(altered).encode(), headers=headers), shared(secret), 0, {}))


def test_every_chinese_vector_has_a_proof_or_a_reason():
    assert {f"{v['system']} {v['what']}" for v in CHINA} <= set(CHINA_PROOFS) | set(CHINA_OURS)

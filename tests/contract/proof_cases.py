"""Every stock proof with the recipe of a far side that uses it, for the suites beside this file."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from hub.contract import Headers, Message, Secret, Settings
from hub.contract.proof import (
    AnyOf,
    Basic,
    Check,
    DetachedJws,
    Digest,
    EnvelopeSignature,
    Hmac,
    Jwt,
    KeyNeeded,
    KeyRing,
    Parts,
    Signature,
    SnsSignature,
    SortedDigest,
    SortedTexts,
    Stamp,
    StandardWebhooks,
    StaticToken,
    TimedHmac,
    private_key,
    public_pem,
)

NOW = 1_790_000_000
STAMP = Stamp(now=NOW, nonce="0f5ade", id="msg_2Lh9")
ORDER = b'{"id":820982911946154508,"name":"#1001","note":"caf\xc3\xa9 \\u00e9\\/","total":"10.00","eventId":"e1001"}'
FORM = b"param=%7B%22nu%22%3A%22YT+1001%22%7D&order_id=1001&timestamp=1790000000&token=t1001"


class Given(Settings):
    """The settings of a connection as the proofs here need them."""

    webhook_secret: Secret | list[Secret] | None = None
    public_key: Secret | list[Secret] | None = None
    signing_key: Secret | None = None
    client_id: str = "38abcd"
    topic_arn: str = "arn:aws:sns:eu-west-1:123456789012:orders"
    base_url: str = "https://shop.example/graphql/"


@cache
def private_pem(kind: str, number: int) -> str:
    """A private key of a kind, always the same one for a number within a run."""
    key: Any
    if kind == "rsa":
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    elif kind == "ec":
        key = ec.generate_private_key(ec.SECP256R1())
    else:
        key = Ed25519PrivateKey.generate()
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def public_of(private: str) -> str:
    return public_pem(private_key(private.encode())).decode()


@dataclass(frozen=True)
class Case:
    """A proof and what it needs: `keys` is the kind of its key pair, "" for a shared secret."""

    name: str
    proof: Any
    message: Message = Message(
        body=ORDER,
        url="https://hub.example/in/acme?shop=a&x=1",
        query="shop=a&x=1",
        headers=Headers({"x-path": "/in/acme"}),
    )
    keys: str = ""
    secrets: tuple[str, str] = ("s3cret-one", "s3cret-two")
    covers_body: bool = True
    tolerance: int | None = None

    def settings(self, which: int = 0) -> Given:
        """The settings with the first or the second secret or key pair."""
        if not self.keys:
            return Given(webhook_secret=Secret(self.secrets[which]))
        private = private_pem(self.keys, which)
        return Given(signing_key=Secret(private), public_key=Secret(public_of(private)))

    def rotating(self) -> Given:
        """The settings that hold the second secret and, still, the first."""
        both = [self.settings(1), self.settings(0)]
        if self.keys:
            return Given(public_key=[one.public_key for one in both])  # type: ignore[misc]
        return Given(webhook_secret=[one.webhook_secret for one in both])  # type: ignore[misc]

    @property
    def by_id(self) -> bool:
        """Whether its key is fetched by id."""
        return bool(self.keys) and not getattr(self.proof, "secret", "")

    def signed(self, which: int = 0, at: int = NOW) -> Message:
        """The message as the far side would sign it."""
        stamp = Stamp(now=at, nonce=STAMP.nonce, id=STAMP.id)
        return self.proof.sign(self.message, self.settings(which), stamp)

    def check(self, message: Message, settings: Given | None = None, now: int = NOW) -> None:
        """As the hub checks: a key that is needed is fetched, and it is always ours."""
        ours = settings or self.settings()
        keys: dict[str, bytes] = {}
        for _ in range(3):
            try:
                return self.proof.check(Check(message, ours, now, keys))
            except KeyNeeded as needed:
                assert needed.key not in keys, "asked for a key that is there"
                keys[needed.key] = public_of(private_pem(self.keys, 0)).encode()
        raise AssertionError("asks for keys without end")


def _form(body: bytes = FORM) -> Message:
    return Message(body=body, headers=Headers({"content-type": "application/x-www-form-urlencoded"}))


JWKS = KeyRing("https://api.shipengine.example/jwks")
WHSEC = ("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcY")

CASES = [
    Case("shopify", Hmac("x-shopify-hmac-sha256")),
    Case("sendcloud", Hmac("sendcloud-signature", "hex")),
    Case("squarespace", Hmac("squarespace-signature", "hex", key="hex"), secrets=("0011aabb", "ccdd2233")),
    Case("woocommerce", Hmac("x-wc-webhook-signature", key="html"), secrets=("a&amp;b", "c&#039;d")),
    Case("easypost", Hmac("x-hmac-signature", "hex", prefix="hmac-sha256-hex=", key="nfkd"), secrets=("sécret", "zwölf")),
    Case("square", Hmac("x-square-hmacsha256-signature", parts=Parts("{url}{body}"))),
    Case("shopee", Hmac("authorization", "hex", parts=Parts("{url}|{body}"))),
    Case("tiktok", Hmac("authorization", "hex", parts=Parts("{setting:client_id}{body}"))),
    Case("adobe-commerce", Hmac("x-adobe-signature", parts=Parts("{body:base64}"))),
    Case("walmart", TimedHmac("wm_sec.signature", "wm_sec.timestamp", "base64", parts=Parts("{method}\n{target}\n{t}\n{body:sha256}")), tolerance=300),
    Case("easypost-v2", TimedHmac("x-hmac-signature-v2", "x-timestamp", prefix="hmac-sha256-hex=", parts=Parts("{t}{method}{header:x-path}{body}")), tolerance=300),
    Case("shippo", TimedHmac("shippo-auth-signature"), tolerance=300),
    Case("spree", TimedHmac("x-spree-webhook-signature", "x-spree-webhook-timestamp"), tolerance=300),
    Case("mailgun", TimedHmac("form:signature", "form:timestamp", parts=Parts("{t}{form:token}"), authenticity="bearer_only"), _form(), tolerance=300),
    Case("ecwid", Hmac("x-ecwid-webhook-signature", parts=Parts("{json:total}.{json:eventId}"), authenticity="bearer_only")),
    Case("mandrill", Hmac("x-mandrill-signature", hash="sha1", parts=Parts("{url}{sorted:form}")), _form()),
    Case("standard", StandardWebhooks(), secrets=WHSEC, tolerance=300),
    Case("standard-bare", StandardWebhooks(), secrets=(WHSEC[0][6:], WHSEC[1][6:]), tolerance=300),
    Case("bigcommerce", StandardWebhooks(key="utf8"), tolerance=300),
    Case("jiandaoyun", Digest("x-jdy-signature", Parts("{query:nonce}:{body}:{secret}:{query:timestamp}"), "sha1", time="query:timestamp", nonce="query:nonce")),
    Case("jiandaoyun-timed", Digest("x-jdy-signature", Parts("{query:nonce}:{body}:{secret}:{t}"), "sha1", time="query:timestamp", nonce="query:nonce", tolerance=600), tolerance=600),
    Case("17track", Digest("sign", Parts("{body}/{secret}"), "sha256")),
    Case("youzan", Digest("event-sign", Parts("{setting:client_id}{body}{secret}"))),
    Case("kuaidi100", Digest("form:sign", Parts("{form:param}{secret}"), encoding="HEX"), _form()),
    Case("kdniao", Digest("form:DataSign", Parts("{form:param}{secret}"), encoding="base64-hex"), _form()),
    Case("zto", Digest("x-datadigest", encoding="base64")),
    Case("sha1-prefixed", Digest("x-sign", hash="sha1", prefix="sha1=")),
    Case("taobao", SortedDigest("form:sign", encoding="HEX"), _form()),
    Case("jushuitan", SortedDigest("form:sign", around="prefix"), _form()),
    Case("suffixed-json", SortedDigest("json:sign", source="json", around="suffix"), Message(body=b'{"b":"1001","a":2,"c":null,"e":""}')),
    Case("taobao-hmac", SortedDigest("form:sign", encoding="HEX", keyed=True, skip_empty=True, without=("sign_method",), time="form:timestamp", tolerance=600), _form(FORM + b"&sign_method=hmac&x="), tolerance=600),
    Case("sorted-query", SortedDigest("query:sign", source="query"), Message(query="b=1001&a=2", url="https://hub.example/in/a?b=1001&a=2"), covers_body=False),
    Case("wechat", SortedTexts("query:msg_signature", ("{secret}", "{query:timestamp}", "{query:nonce}", "{json:Encrypt}{xml:Encrypt}")), Message(body=b'{"ToUserName":"gh_1","Encrypt":"ab1001=="}')),
    Case("wecom", SortedTexts("query:msg_signature", ("{secret}", "{query:timestamp}", "{query:nonce}", "{json:Encrypt}{xml:Encrypt}")), Message(body=b"<xml><To>gh</To><Encrypt><![CDATA[ab1001==]]></Encrypt></xml>")),
    Case("yonbip", SortedTexts("json:signature", ("{json:nonce}", "{json:timestamp}", "{json:encrypt}"), hash="sha256", encoding="base64", keyed=True, time="json:timestamp", nonce="json:nonce", tolerance=600), Message(body=b'{"encrypt":"ab1001=="}'), tolerance=600),
    Case("sendgrid", Signature("x-twilio-email-event-webhook-signature", Parts("{t}{body}"), "ecdsa-sha256", time="x-twilio-email-event-webhook-timestamp"), keys="ec", tolerance=300),
    Case("pss", Signature("x-signature", scheme="pss-sha256", encoding="base64url"), keys="rsa"),
    Case("ed25519", Signature("x-signature-ed25519", Parts("{t}{body}"), "ed25519", "hex", time="x-signature-timestamp"), keys="ed", tolerance=300),
    Case("postal", Signature("x-postal-signature", scheme="rsa-sha1"), keys="rsa"),
    Case("shipengine", Signature("x-shipengine-rsa-sha256-signature", Parts("{t}.{body}"), time="x-shipengine-timestamp", kid="x-shipengine-rsa-sha256-key-id", keys=JWKS), keys="rsa", tolerance=300),
    Case("ebay", EnvelopeSignature("x-ebay-signature", KeyRing("https://api.ebay.example/public_key/{kid}", holds="field:key")), keys="ec"),
    Case("saleor", DetachedJws("saleor-signature", KeyRing("{origin:base_url}/.well-known/jwks.json")), keys="rsa"),
    Case("jws-es256", DetachedJws("x-jws", JWKS, algorithm="ES256"), keys="ec"),
    Case("wix", Jwt(), Message(body=b'{"data":"{\\"instanceId\\":\\"1001\\"}"}'), keys="rsa", tolerance=360),
    Case("jwt-text", Jwt(algorithm="EdDSA"), Message(body=b"order 1001"), keys="ed", tolerance=360),
    Case("pubsub", Jwt("authorization", "Bearer ", keys=JWKS, claims=(("aud", "{setting:client_id}"),)), keys="rsa", tolerance=360, covers_body=False),
    Case("sns", SnsSignature(), keys="rsa"),
    Case("sns-envelope", SnsSignature(), Message(body=b'{"Type":"SubscriptionConfirmation","Message":"You have 1001","SubscribeURL":"https://x","Token":"t"}'), keys="rsa"),
    Case("either", AnyOf((Hmac("x-new-signature"), Hmac("x-old-signature", "hex", "sha1")))),
    Case("bearer", StaticToken(), covers_body=False),
    Case("token-in-query", StaticToken(query="token"), covers_body=False),
    Case("basic", Basic(), secrets=("user:pass", "user:pässword"), covers_body=False),
]  # fmt: skip

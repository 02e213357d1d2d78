"""Plain digests of the message and a secret: the recipes of Chinese platforms, carriers and trackers.

They are no HMACs, but their far sides know no better. Each is declared as data:

    简道云      Digest("x-jdy-signature", Parts("{query:nonce}:{body}:{secret}:{query:timestamp}"), hash="sha1",
                       time="query:timestamp", nonce="query:nonce")
    17TRACK     Digest("sign", Parts("{body}/{secret}"), hash="sha256")
    有赞、抖店   Digest("event-sign", Parts("{setting:client_id}{body}{secret}"), secret="client_secret")
    快递100     Digest("form:sign", Parts("{form:param}{secret}"), encoding="HEX")
    快递鸟      Digest("form:DataSign", Parts("{form:RequestData}{secret}"), encoding="base64-hex")
    中通        Digest("x-datadigest", Parts("{body}{secret}"), encoding="base64")
    淘宝、万里牛 SortedDigest("form:sign", encoding="HEX")
    微信小店    SortedTexts("query:msg_signature", ("{secret}", "{query:timestamp}", "{query:nonce}",
                            "{json:Encrypt}{xml:Encrypt}"))
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from hub.contract.errors import Forged, Unreadable
from hub.contract.message import Message
from hub.contract.proof.base import Authenticity, Check, Stamp, all_secrets, first_secret
from hub.contract.proof.mac import Encoding, Hash, encode, same
from hub.contract.proof.moment import near
from hub.contract.proof.spots import Parts, rows, spot, words
from hub.contract.settings import Settings


@dataclass(frozen=True, slots=True)
class Digest:
    """`at` = prefix + encode(hash(over)): the secret stands within the signed text.

    `time` and `nonce` name the places that the sender fills before it signs; `tolerance` in seconds is
    ours, None where the far side's retries keep the first stamp.
    """

    at: str
    over: Parts = Parts("{body}{secret}")
    hash: Hash = "md5"
    encoding: Encoding = "hex"
    prefix: str = ""
    time: str = ""
    nonce: str = ""
    tolerance: int | None = None
    secret: str = "webhook_secret"
    authenticity: Authenticity = "body_signed"

    def __post_init__(self) -> None:
        for text in (self.at, self.time or self.at, self.nonce or self.at):
            spot(text)

    def check(self, check: Check) -> None:
        """The digest, of either spelling of hex, fits one of the secrets."""
        t = _time(self.time, check.message)
        keys = all_secrets(check.settings, self.secret)
        digests = [self._digest(check.message, check.settings, t, key) for key in keys]
        _fits(check, self.at, self.prefix, digests, self.encoding)
        near(t, check.now, self.tolerance)

    def sign(self, message: Message, settings: Settings, stamp: Stamp) -> Message:
        """As the far side signs: with the first secret."""
        message = _stamped(message, self.time, self.nonce, stamp)
        t = _time(self.time, message)
        digest = self._digest(message, settings, t, first_secret(settings, self.secret))
        return spot(self.at).write(message, self.prefix + digest)

    def _digest(self, message: Message, settings: Settings, t: str, secret: bytes) -> str:
        return encode(_hash(self.hash, self.over(message, settings, t, secret)), self.encoding)


@dataclass(frozen=True, slots=True)
class SortedDigest:
    """`at` = encode(md5(secret + Σ sorted name and value + secret)) over the fields of `source`.

    `around` says where the secret stands; `without` names fields that are not signed besides the
    signature itself; `skip_empty` leaves empty values out (Taobao docs). With `keyed` the sum is not
    enclosed but the message of an HMAC (Taobao's sign_method hmac). What the query holds is signed, not the body,
    unless `source` is form or json.
    """

    at: str = "form:sign"
    source: Literal["form", "query", "json"] = "form"
    around: Literal["both", "prefix", "suffix"] = "both"
    hash: Hash = "md5"
    encoding: Encoding = "hex"
    without: tuple[str, ...] = ()
    skip_empty: bool = False
    keyed: bool = False
    time: str = ""
    tolerance: int | None = None
    secret: str = "webhook_secret"
    authenticity: Authenticity = "body_signed"

    def __post_init__(self) -> None:
        spot(self.at)
        spot(self.time or self.at)

    def check(self, check: Check) -> None:
        """The digest, of either spelling of hex, fits one of the secrets."""
        keys = all_secrets(check.settings, self.secret)
        signed = self._signed(check.message)
        _fits(check, self.at, "", [self._digest(signed, key) for key in keys], self.encoding)
        near(_time(self.time, check.message), check.now, self.tolerance)

    def sign(self, message: Message, settings: Settings, stamp: Stamp) -> Message:
        """As the far side signs: with the first secret."""
        message = _stamped(message, self.time, "", stamp)
        digest = self._digest(self._signed(message), first_secret(settings, self.secret))
        return spot(self.at).write(message, digest)

    def _signed(self, message: Message) -> bytes:
        try:
            fields = words(message, self.source)
        except Unreadable as error:
            raise Forged(f"the {self.source} that is signed cannot be read") from error
        if self.skip_empty:
            fields = {name: value for name, value in fields.items() if value}
        return _utf8(rows(fields, frozenset({spot(self.at).name, *self.without})))

    def _digest(self, signed: bytes, secret: bytes) -> str:
        if self.keyed:
            return encode(hmac.digest(secret, signed, self.hash), self.encoding)
        before = secret if self.around != "suffix" else b""
        after = secret if self.around != "prefix" else b""
        return encode(_hash(self.hash, before + signed + after), self.encoding)


@dataclass(frozen=True, slots=True)
class SortedTexts:
    """`at` = encode(sha1 of some texts, sorted and joined): WeChat, WeCom and their kin.

    WeChat docs: sha1(sort([token, timestamp, nonce, Encrypt])). YonBIP makes an HMAC of it (`keyed`).
    """

    at: str
    texts: tuple[str, ...]
    hash: Hash = "sha1"
    encoding: Encoding = "hex"
    keyed: bool = False
    time: str = "query:timestamp"
    nonce: str = "query:nonce"
    tolerance: int | None = None
    secret: str = "webhook_secret"
    authenticity: Authenticity = "body_signed"

    def __post_init__(self) -> None:
        for text in self.texts:
            Parts(text)
        for text in (self.at, self.time or self.at, self.nonce or self.at):
            spot(text)

    def check(self, check: Check) -> None:
        """The digest fits one of the secrets."""
        keys = all_secrets(check.settings, self.secret)
        digests = [self._digest(check.message, check.settings, key) for key in keys]
        _fits(check, self.at, "", digests, self.encoding)
        near(_time(self.time, check.message), check.now, self.tolerance)

    def sign(self, message: Message, settings: Settings, stamp: Stamp) -> Message:
        """As the far side signs: with the first secret."""
        message = _stamped(message, self.time, self.nonce, stamp)
        return spot(self.at).write(
            message, self._digest(message, settings, first_secret(settings, self.secret))
        )

    def _digest(self, message: Message, settings: Settings, secret: bytes) -> str:
        signed = b"".join(sorted(Parts(text)(message, settings, "", secret) for text in self.texts))
        raw = hmac.digest(secret, signed, self.hash) if self.keyed else _hash(self.hash, signed)
        return encode(raw, self.encoding)


def _fits(check: Check, at: str, prefix: str, digests: Iterable[str], encoding: Encoding) -> None:
    place = spot(at)
    theirs = place.read(check.message).strip()
    if not theirs:
        raise Forged(f"{place} is missing")
    if not any([same(prefix + digest, theirs, encoding) for digest in digests]):
        raise Forged(f"{place} does not fit the message")


def _time(place: str, message: Message) -> str:
    return spot(place).read(message) if place else ""


def _stamped(message: Message, time: str, nonce: str, stamp: Stamp) -> Message:
    if time:
        message = spot(time).write(message, str(stamp.now))
    return spot(nonce).write(message, stamp.nonce) if nonce else message


def _hash(name: Hash, data: bytes) -> bytes:
    return hashlib.new(name, data, usedforsecurity=False).digest()


def _utf8(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")

"""HMAC proofs: over the body, over templates of body, URL and headers, and with a time in them."""

from __future__ import annotations

import base64
import binascii
import hmac
import html
import unicodedata
from dataclasses import dataclass
from typing import Literal

from hub.contract.errors import Forged
from hub.contract.message import Message
from hub.contract.proof.base import Authenticity, Check, Stamp, add_headers, all_secrets, first_secret
from hub.contract.proof.moment import near
from hub.contract.proof.spots import Parts, signed_parts, spot
from hub.contract.settings import Settings

Encoding = Literal["base64", "hex", "HEX", "base64-hex"]
"""How a digest is written; `base64-hex` is base64 of the hex text, as Chinese carriers do."""
KeyForm = Literal["utf8", "hex", "base64", "whsec", "nfkd", "html"]
"""How a secret is given: as text, as hex or base64 of the key, in Standard Webhooks' form, as text to be
NFKD-normalised (EasyPost), or with HTML entities in it (WooCommerce)."""
Hash = Literal["sha1", "sha256", "sha384", "sha512", "md5"]


def encode(digest: bytes, encoding: Encoding) -> str:
    """A digest as text."""
    if encoding == "base64":
        return base64.b64encode(digest).decode()
    if encoding == "base64-hex":
        return base64.b64encode(digest.hex().encode()).decode()
    return digest.hex().upper() if encoding == "HEX" else digest.hex()


def same(ours: str, theirs: str, encoding: Encoding = "base64") -> bool:
    """Constant-time equality; hex of either case is the same."""
    if encoding in {"hex", "HEX"}:
        ours, theirs = ours.lower(), theirs.lower()
    return hmac.compare_digest(ours.encode(), theirs.encode("utf-8", "replace"))


def key_bytes(secret: bytes, form: KeyForm) -> bytes:
    """A secret in the form its far side gives it, as the key's bytes; an ill-formed one is never a key."""
    try:
        if form == "hex":
            return bytes.fromhex(secret.decode())
        if form == "base64":
            return base64.b64decode(secret)
        if form == "whsec":
            return base64.b64decode(secret.removeprefix(b"whsec_"))
        if form == "nfkd":
            return unicodedata.normalize("NFKD", secret.decode()).encode()
        if form == "html":
            return html.unescape(secret.decode()).encode()
    except (ValueError, binascii.Error) as error:
        raise Forged(f"the connection's secret is not {form}") from error
    return secret


@dataclass(frozen=True, slots=True)
class Hmac:
    """`header` = prefix + encode(HMAC(secret, raw body)), or over `parts` where more is signed.

    `header` may be any spot (`form:signature`). Several secrets are tried (rotation). `key` says in what
    form the far side gives its secret. Where `parts` leave the body out, say so by `authenticity`.
    """

    header: str
    encoding: Encoding = "base64"
    hash: Hash = "sha256"
    prefix: str = ""
    parts: Parts | None = None
    key: KeyForm = "utf8"
    secret: str = "webhook_secret"
    authenticity: Authenticity = "body_signed"

    def __post_init__(self) -> None:
        spot(self.header)

    def check(self, check: Check) -> None:
        """The signature, of either spelling of hex, fits one of the secrets."""
        place = spot(self.header)
        theirs = place.read(check.message).strip()
        if not theirs:
            raise Forged(f"{place} is missing")
        if not theirs.startswith(self.prefix):
            raise Forged(f"{place} does not start with {self.prefix!r}")
        theirs = theirs[len(self.prefix) :]
        keys = all_secrets(check.settings, self.secret)
        macs = [self._mac(key, check.message, check.settings) for key in keys]
        if not any([same(mac, theirs, self.encoding) for mac in macs]):
            raise Forged(f"{place} does not fit the message")

    def sign(self, message: Message, settings: Settings, stamp: Stamp) -> Message:
        """As the far side signs: with the first secret."""
        mac = self._mac(first_secret(settings, self.secret), message, settings)
        return spot(self.header).write(message, self.prefix + mac)

    def _mac(self, secret: bytes, message: Message, settings: Settings) -> str:
        signed = self.parts(message, settings) if self.parts else message.body
        return encode(hmac.digest(key_bytes(secret, self.key), signed, self.hash), self.encoding)


@dataclass(frozen=True, slots=True)
class TimedHmac:
    """A signature with a time in it: `t=…,v1=…` in one header, or the time in a place of its own.

    Signs `parts` ("{t}.{body}" by default) and refuses a time further than `tolerance` seconds away;
    None checks no time (far sides whose retries keep the first stamp).
    """

    header: str
    time_header: str = ""
    encoding: Encoding = "hex"
    hash: Hash = "sha256"
    prefix: str = ""
    parts: Parts = signed_parts("{t}.{body}")
    key: KeyForm = "utf8"
    secret: str = "webhook_secret"
    tolerance: int | None = 300
    authenticity: Authenticity = "body_signed_with_time"

    def __post_init__(self) -> None:
        spot(self.header)
        spot(self.time_header or self.header)

    def check(self, check: Check) -> None:
        """The time is near and the signature covers it."""
        stamp, theirs = self._read(check.message)
        keys = all_secrets(check.settings, self.secret)
        macs = [self._mac(key, check.message, check.settings, stamp) for key in keys]
        if not any([same(mac, one, self.encoding) for mac in macs for one in theirs]):
            raise Forged(f"{spot(self.header)} does not fit the message")
        near(stamp, check.now, self.tolerance)

    def sign(self, message: Message, settings: Settings, stamp: Stamp) -> Message:
        """As the far side signs, at the stamp's time."""
        key = first_secret(settings, self.secret)
        t = str(stamp.now)
        if self.time_header:
            message = spot(self.time_header).write(message, t)
            return spot(self.header).write(message, self.prefix + self._mac(key, message, settings, t))
        return add_headers(message, {self.header: f"t={t},v1={self._mac(key, message, settings, t)}"})

    def _read(self, message: Message) -> tuple[str, list[str]]:
        place = spot(self.header)
        given = place.read(message).strip()
        if not given:
            raise Forged(f"{place} is missing")
        if self.time_header:
            return spot(self.time_header).read(message), [given.removeprefix(self.prefix)]
        pairs = [part.strip().partition("=")[::2] for part in given.split(",")]
        stamps = [value for name, value in pairs if name == "t"]
        if len(stamps) != 1:
            raise Forged(f"{place} has no time")
        return stamps[0], [value for name, value in pairs if name == "v1"][:10]

    def _mac(self, secret: bytes, message: Message, settings: Settings, t: str) -> str:
        signed = self.parts(message, settings, t)
        return encode(hmac.digest(key_bytes(secret, self.key), signed, self.hash), self.encoding)

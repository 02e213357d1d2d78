"""HMAC proofs: over the body, over templates of body, URL and headers, and with a time in them."""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from hub.contract.errors import Forged
from hub.contract.message import Message
from hub.contract.proof.base import Authenticity, Check, Stamp, add_headers
from hub.contract.settings import Settings, secrets

Encoding = Literal["base64", "hex", "HEX"]
KeyForm = Literal["utf8", "hex", "base64", "whsec"]
Hash = Literal["sha1", "sha256", "sha384", "sha512", "md5"]


def encode(digest: bytes, encoding: Encoding) -> str:
    """A digest as text."""
    if encoding == "base64":
        return base64.b64encode(digest).decode()
    return digest.hex().upper() if encoding == "HEX" else digest.hex()


def same(ours: str, theirs: str, encoding: Encoding = "base64") -> bool:
    """Constant-time equality; hex of either case is the same."""
    if encoding != "base64":
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
    except (ValueError, binascii.Error) as error:
        raise Forged(f"the connection's secret is not {form}") from error
    return secret


Parts = Callable[[Message, str], bytes]
"""What is signed: from the message and the timestamp's text ("" where there is none)."""


def signed_parts(template: str) -> Parts:
    """`"{t}.{body}"`, `"{url}{body}"`, `"{url}|{body}"`, `"{header:x-id}.{t}.{body}"`, `"{query:nonce}"`:
    the signed bytes as a template over body, url, path, method, t, header:… and query:…"""
    pieces: list[tuple[str, str]] = []
    for chunk in template.split("{"):
        name, brace, rest = chunk.partition("}")
        if brace:
            pieces.append(("name", name))
            pieces.append(("text", rest))
        else:
            pieces.append(("text", chunk))

    def parts(message: Message, t: str) -> bytes:
        out = b""
        for kind, value in pieces:
            out += value.encode() if kind == "text" else _piece(message, value, t)
        return out

    return parts


def _piece(message: Message, name: str, t: str) -> bytes:
    if name == "body":
        return message.body
    kind, _, key = name.partition(":")
    found = {
        "t": t,
        "url": message.url,
        "path": message.path,
        "method": message.method,
        "header": message.headers.get(key, ""),
        "query": message.params().get(key, "") if kind == "query" else "",
    }
    return found[kind].encode()


@dataclass(frozen=True, slots=True)
class Hmac:
    """`header` = prefix + encode(HMAC(secret, raw body)), or over `parts` where more is signed.

    Several secrets are tried (rotation). `key` says in what form the far side gives its secret.
    """

    header: str
    encoding: Encoding = "base64"
    hash: Hash = "sha256"
    prefix: str = ""
    parts: Parts | None = None
    key: KeyForm = "utf8"
    secret: str = "webhook_secret"
    authenticity: Authenticity = "body_signed"

    def check(self, check: Check) -> None:
        """The signature, of either spelling of hex, fits one of the secrets."""
        given = check.message.headers.get(self.header, "")
        if not given:
            raise Forged(f"no {self.header} header")
        theirs = given.strip()
        if self.prefix:
            if not theirs.startswith(self.prefix):
                raise Forged(f"{self.header} does not start with {self.prefix!r}")
            theirs = theirs[len(self.prefix) :]
        keys = list(secrets(check.settings, self.secret))
        if not keys:
            raise Forged(f"the connection has no {self.secret}")
        if not any([same(self._mac(key, check.message), theirs, self.encoding) for key in keys]):
            raise Forged(f"{self.header} does not fit the body")

    def sign(self, message: Message, settings: Settings, stamp: Stamp) -> Message:
        """As the far side signs: with the first secret."""
        key = next(secrets(settings, self.secret))
        return add_headers(message, {self.header: self.prefix + self._mac(key, message)})

    def _mac(self, secret: bytes, message: Message) -> str:
        signed = self.parts(message, "") if self.parts else message.body
        return encode(hmac.digest(key_bytes(secret, self.key), signed, self.hash), self.encoding)


@dataclass(frozen=True, slots=True)
class TimedHmac:
    """A signature with a time in it: `t=…,v1=…` in one header, or the time in a header of its own.

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

    def check(self, check: Check) -> None:
        """The time is near and the signature covers it."""
        stamp, theirs = self._read(check.message)
        keys = list(secrets(check.settings, self.secret))
        if not keys:
            raise Forged(f"the connection has no {self.secret}")
        if not any(
            [same(self._mac(key, check.message, stamp), one, self.encoding) for key in keys for one in theirs]
        ):
            raise Forged(f"{self.header} does not fit the body")
        if self.tolerance is not None and abs(check.now - _seconds(stamp)) > self.tolerance:
            raise Forged(f"stamped {abs(check.now - _seconds(stamp))} s away, {self.tolerance} s are allowed")

    def sign(self, message: Message, settings: Settings, stamp: Stamp) -> Message:
        """As the far side signs, at the stamp's time."""
        key = next(secrets(settings, self.secret))
        t = str(stamp.now)
        if self.time_header:
            message = add_headers(message, {self.time_header: t})
            return add_headers(message, {self.header: self.prefix + self._mac(key, message, t)})
        return add_headers(message, {self.header: f"t={t},v1={self._mac(key, message, t)}"})

    def _read(self, message: Message) -> tuple[str, list[str]]:
        given = message.headers.get(self.header, "").strip()
        if not given:
            raise Forged(f"no {self.header} header")
        if self.time_header:
            return message.headers.get(self.time_header, ""), [given.removeprefix(self.prefix)]
        pairs = [part.strip().partition("=")[::2] for part in given.split(",")]
        stamps = [value for name, value in pairs if name == "t"]
        if len(stamps) != 1:
            raise Forged(f"{self.header} has no time")
        return stamps[0], [value for name, value in pairs if name == "v1"]

    def _mac(self, secret: bytes, message: Message, t: str) -> str:
        return encode(hmac.digest(key_bytes(secret, self.key), self.parts(message, t), self.hash), self.encoding)


def _seconds(stamp: str) -> int:
    """Unix seconds from seconds or milliseconds; what is no number is infinitely far."""
    if not stamp.isascii() or not stamp.isdigit() or len(stamp) > 16:
        raise Forged("the time of the signature is not a unix time")
    number = int(stamp)
    return number // 1000 if number > 10_000_000_000 else number



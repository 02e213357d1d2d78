"""Seals: DKIM signatures, verified by us on the raw bytes (RFC 6376), and whether each counts.

A signature with `l=` holds though text was added to the mail, and one that leaves out an identity header holds
though it was changed: such hold and do not count. Keys are fetched before; what judges them here is pure, and
runs in a cell.
"""

from __future__ import annotations

import re

import dkim
import msgspec

from hub.inbound.mail.marks import Marks
from hub.inbound.mail.verdict import Seal

MOST_SEALS = 5
SIGNED = ("from", "subject", "date", "message-id", "content-type")
"""What has to be among the signed fields, or else it can be changed or added."""
_DOMAIN = re.compile(r"[a-z0-9_](?:[a-z0-9_.-]{0,251}[a-z0-9])?")
_SKEW = 300


class Tags(msgspec.Struct, frozen=True):
    """What one DKIM-Signature field says."""

    domain: str
    selector: str
    signed: frozenset[str]
    length: bool
    expires: int | None
    made: int | None

    @property
    def key_name(self) -> str:
        """Where its public key stands in the DNS."""
        return f"{self.selector}._domainkey.{self.domain}"


def tags(marks: Marks) -> list[Tags | None]:
    """The signatures of a letter, the topmost first; None for one that cannot be read."""
    return [_tags(value) for value in marks.all("dkim-signature")[:MOST_SEALS]]


def seals(raw: bytes, found: list[Tags | None], keys: dict[str, str | None], now: int) -> tuple[Seal, ...]:
    """What each signature is worth, given the TXT records of their keys (None: the DNS did not answer)."""
    return tuple(_seal(raw, at, one, keys, now) for at, one in enumerate(found))


def _seal(raw: bytes, at: int, one: Tags | None, keys: dict[str, str | None], now: int) -> Seal:
    if one is None:
        return Seal(domain="", result="fail", reason="the signature cannot be read")
    result, reason = _result(raw, at, one, keys.get(one.key_name, ""), now)
    return Seal(domain=one.domain, selector=one.selector, result=result, reason=reason)


def _result(raw: bytes, at: int, one: Tags, key: str | None, now: int) -> tuple[str, str]:
    if key is None:
        return "temperror", "the DNS did not answer for its key"
    if not key:
        return "fail", f"there is no key at {one.key_name}"
    if one.expires is not None and one.expires < now:
        return "fail", "the signature has expired"
    if one.made is not None and one.made > now + _SKEW:
        return "fail", "the signature is of the future"
    fault = _verify(raw, at, key)
    if fault:
        return "fail", fault
    if one.length:
        return "ignored", "it signs only a part of the body (l=), the rest may be anybody's"
    if missing := [name for name in SIGNED if name not in one.signed]:
        return "ignored", f"it does not sign {', '.join(missing)}"
    return "pass", ""


def _verify(raw: bytes, at: int, key: str) -> str:
    """Why a signature does not hold, "" where it does."""

    def record(name: bytes, timeout: int = 5) -> bytes:
        return key.encode()

    try:
        held = dkim.DKIM(raw, minkey=1024).verify(idx=at, dnsfunc=record)
    except dkim.DKIMException as error:
        return str(error).split("(got", maxsplit=1)[0].strip()
    except (ValueError, KeyError, IndexError, TypeError) as error:
        return f"it cannot be verified ({type(error).__name__})"
    return "" if held else "the signature does not fit: the mail was altered, or another signed it"


def _tags(value: str) -> Tags | None:
    known: dict[str, str] = {}
    for part in value.split(";"):
        name, sign, text = part.partition("=")
        name = name.strip()
        if sign and name in known:
            return None
        known[name] = text.strip()
    domain, selector = known.get("d", "").lower(), known.get("s", "").lower()
    if not _DOMAIN.fullmatch(domain) or not _DOMAIN.fullmatch(selector):
        return None
    times = [known.get(name, "") for name in ("x", "t")]
    if any(text and not re.fullmatch(r"[0-9]{1,12}", text) for text in times):
        return None
    expires, made = (int(text) if text else None for text in times)
    signed = frozenset(name.strip().lower() for name in known.get("h", "").split(":"))
    return Tags(domain, selector, signed, "l" in known, expires, made)

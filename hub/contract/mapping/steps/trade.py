"""Steps that know the trade: phones, countries, languages, addresses, article numbers."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

from hub.contract.mapping.steps import countries
from hub.contract.mapping.steps.currencies import currency
from hub.contract.mapping.steps.registry import NUMBER, Parameter, Step
from hub.contract.mapping.steps.scalars import text_of

_MAIL = re.compile(r"[^@\s<>\"(),:;]{1,64}@[^@\s<>\"(),:;]{1,255}").fullmatch
_DIALLED = re.compile(r"[0-9+().\-/\s]{3,40}").fullmatch
_LANGUAGE = re.compile(
    r"([A-Za-z]{2,3})(?:[-_]([A-Za-z]{4}))?(?:[-_]([A-Za-z]{2}|[0-9]{3}))?(?:[.@].*)?"
).fullmatch


def phone(value: Any, region: Any = None) -> str | None:
    """E.164 where it can be read as a number of the country; else the text as it is."""
    text = text_of(value).strip()
    if not _DIALLED(text):
        return text or None
    return _phone(text, "" if region is None else text_of(region))


@lru_cache(maxsize=4096)
def _phone(text: str, region: str) -> str:
    import phonenumbers  # noqa: PLC0415  its tables take longer to load than all else: only where they are used

    home = countries.code(region) if region else None
    try:
        number = phonenumbers.parse(text, home if home and len(home) == 2 else None)
    except phonenumbers.NumberParseException:
        return text
    if not phonenumbers.is_possible_number(number) or number.extension:
        return text
    return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))


def country(value: Any) -> str | None:
    """ISO 3166-1 alpha-2, from alpha-2, alpha-3 or a name; an unknown word stays as it is."""
    text = text_of(value).strip()
    return countries.code(text) if text else None


def language(value: Any) -> str | None:
    """A language tag as `de` or `zh-Hans-CN`; what is none is null."""
    match = _LANGUAGE(text_of(value).strip())
    if match is None:
        return None
    script, region = match[2], match[3]
    return "-".join(filter(None, (match[1].lower(), script and script.title(), region and region.upper())))


def email(value: Any) -> str | None:
    """A mail address, trimmed, its domain in lower case; what is none is null."""
    text = text_of(value).strip()
    if not _MAIL(text):
        return None
    name, _, domain = text.partition("@")
    return f"{name}@{domain.lower()}"


def url(value: Any) -> str | None:
    """An http or https address; what is none is null."""
    text = text_of(value).strip()
    try:
        parts = urlsplit(text)
        host = parts.hostname
    except ValueError:
        return None
    return text if parts.scheme in ("http", "https") and host and not re.search(r"\s", text) else None


def gtin(value: Any) -> str | None:
    """A GTIN-8, -12, -13 or -14 whose check digit holds; what is none is null."""
    text = re.sub(r"[\s-]", "", text_of(value))
    if not (text.isascii() and text.isdigit()) or len(text) not in (8, 12, 13, 14) or not text.strip("0"):
        return None
    weighted = sum(int(sign) * (3 if place % 2 else 1) for place, sign in enumerate(reversed(text)))
    return text if weighted % 10 == 0 else None


STEPS = (
    Step("phone", "trade", phone, "E.164 where it can be read as a number of the country; else the text as it is", NUMBER,
         parameters=(Parameter("country", required=False),),
         examples=(("'030 901820' | phone('DE')", "+4930901820"), ("'n/a' | phone('DE')", "n/a"))),
    Step("country", "trade", country, "ISO 3166-1 alpha-2, from alpha-2, alpha-3 or a name; an unknown word stays",
         examples=(("'Germany' | country", "DE"), ("'CHN' | country", "CN"))),
    Step("currency", "trade", currency, "an ISO 4217 code, in capitals; `RMB`, `€` and their like are known",
         examples=(("'rmb' | currency", "CNY"),)),
    Step("language", "trade", language, "a language tag; what is none is null", examples=(("'de_at' | language", "de-AT"),)),
    Step("email", "trade", email, "a mail address, its domain in lower case; what is none is null",
         examples=(("' Ada@Example.ORG ' | email", "Ada@example.org"),)),
    Step("url", "trade", url, "an http or https address; what is none is null",
         examples=(("'https://example.org/t' | url", "https://example.org/t"), ("'ftp:x' | url | is_null", "true"))),
    Step("gtin", "trade", gtin, "an article number whose check digit holds; what is none is null", NUMBER,
         examples=(("'4006381333931' | gtin", "4006381333931"), ("'4006381333930' | gtin | is_null", "true"))),
)  # fmt: skip

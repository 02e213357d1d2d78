"""Parcel numbers: one spelling for look-ups, and check digits as a hint of the carrier.

A hint and no more: carriers recycle numbers, formats overlap, and some are not checked at all. The carrier
comes from the shipment; a failing check digit never refuses an event.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable
from functools import lru_cache

Check = Callable[[str], bool]
Rule = tuple[str, "re.Pattern[str]", Check | None]

_DROPPED = frozenset({"Zs", "Zl", "Zp", "Cc", "Cf", "Pd"})
"""Spaces, line ends, invisible marks and dashes of any script."""


@lru_cache(maxsize=8192)
def normal(number: str) -> str:
    """The number in one spelling: upper case, without spaces, dashes and invisible marks."""
    if number.isascii() and number.isalnum():
        return number.upper()
    wide = unicodedata.normalize("NFKC", number)
    return "".join(char for char in wide if unicodedata.category(char) not in _DROPPED).upper()


def carriers_of(number: str) -> tuple[str, ...]:
    """Our codes of the carriers whose format and check digit this number fits, likeliest first."""
    plain = normal(number)
    found = [
        code for code, pattern, check in _RULES if pattern.fullmatch(plain) and (not check or check(plain))
    ]
    return tuple(dict.fromkeys([*_post(plain), *found]))


def _digits(text: str) -> list[int]:
    return [int(char) for char in text]


def _weighted(values: Iterable[int], weights: Iterable[int]) -> int:
    return sum(value * weight for value, weight in zip(values, weights, strict=False))


def _mod10(even: int, odd: int) -> Check:
    """The last digit makes the sum a multiple of ten; places count from the left, from nought."""

    def check(text: str) -> bool:
        body = _digits(text[:-1])
        total = sum(value * (odd if place % 2 else even) for place, value in enumerate(body))
        return (total + int(text[-1])) % 10 == 0

    return check


def _gs1(text: str) -> bool:
    """GS1: threes and ones, from the right."""
    body = _digits(text[:-1])[::-1]
    return (
        sum(value * (1 if place % 2 else 3) for place, value in enumerate(body)) + int(text[-1])
    ) % 10 == 0


def _ups(text: str) -> bool:
    """1Z: letters count as (code - 3) mod 10, every second place double."""
    body = [int(char) if char.isdigit() else (ord(char) - 3) % 10 for char in text[2:-1]]
    return (
        sum(value * (2 if place % 2 else 1) for place, value in enumerate(body)) + int(text[-1])
    ) % 10 == 0


def _fedex(weights: tuple[int, ...]) -> Check:
    """FedEx Express: a weighted sum, mod 11 mod 10, over the last places."""

    def check(text: str) -> bool:
        body = _digits(text[-len(weights) - 1 : -1])
        return _weighted(body, weights) % 11 % 10 == int(text[-1])

    return check


def _mod7(text: str) -> bool:
    """DHL Express: the rest by seven."""
    return int(text[:-1]) % 7 == int(text[-1])


def _luhn(text: str) -> bool:
    doubled = [
        sum(divmod(value * 2, 10)) if place % 2 else value for place, value in enumerate(_digits(text)[::-1])
    ]
    return sum(doubled) % 10 == 0


_BASE36 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def _mod37(text: str) -> bool:
    """DPD: ISO 7064 mod 37,36 over the whole, check character last."""
    rest = 36
    for char in text[:-1]:
        rest = (rest + _BASE36.index(char)) % 36 or 36
        rest = rest * 2 % 37
    return (37 - rest) % 36 == _BASE36.index(text[-1])


def _s10(text: str) -> bool:
    """UPU S10: weights 8 6 4 2 3 5 9 7, mod 11; ten is nought, eleven five."""
    rest = 11 - _weighted(_digits(text[2:10]), (8, 6, 4, 2, 3, 5, 9, 7)) % 11
    return {10: 0, 11: 5}.get(rest, rest) == int(text[10])


def _usps(text: str) -> bool:
    """USPS: mod 10 over the number itself, without the 420 and ZIP that a label may carry before it."""
    plain = re.sub(r"^420\d{5}(\d{4})?(?=9[1-5]\d{20}(\d{4})?$)", "", text)
    return _gs1(plain) or (len(plain) == 20 and _gs1("91" + plain))


def _after(start: int, check: Check, prefix: str = "") -> Check:
    return lambda text: check(prefix + text[start:])


def _ontrac(digit: str) -> Check:
    """OnTrac: the leading letter counts as a digit."""
    return _after(1, _mod10(1, 2), digit)


_RULES: tuple[Rule, ...] = tuple(
    (code, re.compile(pattern, re.ASCII), check)
    for code, pattern, check in (
        ("ups", r"1Z[A-Z0-9]{15}\d", _ups),
        ("ups", r"[AHJKTV]\d{10}", _after(1, _mod10(1, 2))),
        ("usps", r"(420\d{5}(\d{4})?)?9[1-5]\d{20}(\d{4})?", _usps),
        ("usps", r"(0[37]|23|7[0-7]|82)\d{18}", _usps),
        ("fedex", r"\d{12}", _fedex((3, 1, 7) * 3 + (3, 1))),
        ("fedex", r"\d{15}", _mod10(1, 3)),
        ("fedex", r"96\d{20}", _after(7, _mod10(1, 3))),
        ("fedex", r"96\d{32}|[0-8]\d{33}", _fedex((1, 7, 3) * 4 + (1,))),
        ("dhl_express", r"\d{10,11}", _mod7),
        ("dhl_express", r"J[A-Z]{2,3}\d{9,10}", None),
        ("canada_post", r"\d{16}", _mod10(3, 1)),
        ("purolator", r"[0-5]\d{11}", _luhn),
        ("purolator", r"[A-Z]{3}\d{9}", None),
        ("dpd", r"\d{14}[0-9A-Z]|\d{27}[0-9A-Z]", _mod37),
        ("ontrac", r"C\d{14}", _ontrac("4")),
        ("ontrac", r"D\d{14}", _ontrac("5")),
        ("lasership", r"L[AIEHNX][1-3]\d{7}|1LS(7[12](\d{10}|\d{2}01[1-4]\d{6}1)|CX[0-9A-Z]{10})", None),
        ("amazon_logistics", r"TB[ACM]\d{12}", None),
        ("yodel", r"JJ?D\d{16}", None),
        ("yunexpress", r"YT\d{16}", None),
        ("yto", r"YT\d{13}", None),
        ("sf_express", r"SF\d{12,13}", None),
    )
)

_S10 = re.compile(r"[A-Z]{2}\d{9}[A-Z]{2}", re.ASCII)

_POSTS = {
    "AT": "austrian_post", "AU": "australia_post", "BE": "bpost", "BR": "correios", "CA": "canada_post",
    "CH": "swiss_post", "CN": "china_post", "CY": "cyprus_post", "CZ": "ceska_posta", "DE": "deutsche_post",
    "DK": "postnord_dk", "ES": "correos", "FI": "posti", "FR": "la_poste", "GB": "royal_mail",
    "GR": "elta", "HK": "hongkong_post", "HU": "magyar_posta", "IE": "an_post", "IL": "israel_post",
    "IN": "india_post", "IS": "iceland_post", "IT": "poste_italiane", "JP": "japan_post", "KR": "korea_post",
    "LT": "lietuvos_pastas", "LV": "latvijas_pasts", "MY": "pos_malaysia", "NL": "postnl", "NO": "posten_norge",
    "NZ": "new_zealand_post", "PL": "poczta_polska", "PT": "ctt", "RO": "posta_romana", "RU": "russian_post",
    "SE": "postnord_se", "SG": "singapore_post", "TH": "thailand_post", "TR": "ptt", "TW": "chunghwa_post",
    "UA": "ukrposhta", "US": "usps", "ZA": "sapo",
}  # fmt: skip
"""Who carries an S10 number of a country, as far as we have a code for it."""

_EXPRESS_POSTS = {"CN": "ems_china", "FR": "chronopost"}
"""Countries whose EMS numbers (first letter E) another company carries."""


def _post(plain: str) -> tuple[str, ...]:
    if not _S10.fullmatch(plain) or not _s10(plain):
        return ()
    country = plain[-2:]
    express = _EXPRESS_POSTS.get(country) if plain[0] == "E" else None
    code = express or _POSTS.get(country)
    return (code,) if code else ()

"""Values as people write them: numbers, money and dates by the partner's locale, never by a guess.

What has one meaning under the rules is that; what could mean two things is told with both and has no value.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import date, datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from hub.contract.mapping.steps.currencies import currency as currency_of

LONGEST, MOST = 60, 12
"""How long a number or a date may be written, and how many digits a number may have before its sign."""


class Told(NamedTuple):
    """A value, None where there is none or more than one, and all that the text might mean."""

    value: str | None
    readings: tuple[str, ...] = ()


_POINT = re.compile(r"[+-]?(?:\d{1,3}(?:[,' ]\d{3})+|\d{1,15})(?:\.\d{1,9})?")
_COMMA = re.compile(r"[+-]?(?:\d{1,3}(?:[.' ]\d{3})+|\d{1,15})(?:,\d{1,9})?")


def plain(text: str) -> str:
    """In one width and one kind of space: `２０` and `20` are the same."""
    return " ".join(unicodedata.normalize("NFKC", text).replace("\u2019", "'").split())


def number(text: str, decimal: str) -> Told:
    """A number by its decimal sign; without one, only what both signs read alike."""
    clean = plain(text).replace("\u2212", "-")
    if not clean or len(clean) > LONGEST:
        return Told(None)
    read = {sign: _number(clean, sign) for sign in ".,"}
    readings = tuple(dict.fromkeys(one for one in read.values() if one is not None))
    if decimal:
        return Told(read[decimal], readings)
    return Told(readings[0] if len(readings) == 1 else None, readings)


def _number(text: str, decimal: str) -> str | None:
    if not (_POINT if decimal == "." else _COMMA).fullmatch(text):
        return None
    digits = re.sub(r"[.,' ]", lambda sign: "." if sign[0] == decimal else "", text).removeprefix("+")
    whole, dot, fraction = digits.partition(".")
    sign = "-" if whole.startswith("-") else ""
    if len(whole.lstrip("-0")) > MOST:
        return None
    return f"{sign}{whole.removeprefix('-').lstrip('0') or '0'}{dot}{fraction}"


_CODE = re.compile(r"(?i)(?:[A-Z]{3}|R\$|US\$|[€$£¥￥元]|RMB)")
_SHARED = frozenset("$¥￥")
"""Signs of several currencies: the partner's own is meant, or none."""


def money(text: str, decimal: str, currency: str) -> tuple[Told, str]:
    """An amount, and its currency: the one written beside it, else the partner's."""
    clean = plain(text)
    signs = [one for one in _CODE.findall(clean) if one[0] not in "0123456789"]
    bare = plain(_CODE.sub(" ", clean)).removesuffix("-").rstrip(",.") if signs else clean
    named = "" if not signs or signs[0] in _SHARED else _named(signs[0])
    return number(bare, decimal), named or currency


def _named(word: str) -> str:
    known = currency_of("CNY" if word in ("元", "RMB") else word)
    return known if isinstance(known, str) and len(known) == 3 and known.isalpha() else ""


_NUMERIC = re.compile(r"(\d{1,4})\s*([./年-])\s*(\d{1,2})\s*([./月-])\s*(\d{1,4})\s*日?")
_NAMED_DAY = re.compile(r"(?i)(\d{1,2})\.?\s+([a-zä]{3,9})\.?,?\s+(\d{4})")
_NAMED_MONTH = re.compile(r"(?i)([a-zä]{3,9})\.?\s+(\d{1,2})(?:st|nd|rd|th)?,?\s+(\d{4})")
_MONTHS = {
    word: number
    for number, words in enumerate(
        (
            "jan january januar", "feb february februar", "mar march mär märz mrz", "apr april", "may mai",
            "jun june juni", "jul july juli", "aug august", "sep sept september", "oct october okt oktober",
            "nov november", "dec december dez dezember",
        ),
        1,
    )
    for word in words.split()
}  # fmt: skip


def day(text: str, dates: str) -> Told:
    """A date by the order of its parts; years of four digits at the front, and months by name, need none. Relative
    words (next Friday, 周五前) are no date: what they mean depends on who reads them when."""
    clean = plain(text)[:LONGEST]
    clean = re.sub(r"[T ]\d{1,2}:\d{2}(:\d{2})?.*$", "", clean)
    if named := _NAMED_DAY.fullmatch(clean) or _NAMED_MONTH.fullmatch(clean):
        return _by_name(named.groups())
    match = _NUMERIC.fullmatch(clean)
    if match is None:
        return Told(None)
    first, last = match[1], match[5]
    if len(first) == 4:
        return _single(first, match[3], last)
    return _by_order(int(first), int(match[3]), last, dates)


def _by_name(parts: tuple[str, ...]) -> Told:
    first, second, year = parts
    word, number_ = (first, second) if second.isdigit() else (second, first)
    month = _MONTHS.get(word.lower())
    return _single(year, str(month), number_) if month else Told(None)


def _by_order(first: int, second: int, last: str, dates: str) -> Told:
    if dates == "ymd" and len(last) == 2:
        return _single(str(2000 + first), str(second), last)
    year = str(2000 + int(last)) if len(last) == 2 else last
    read = {
        "dmy": _single(year, str(second), str(first)).value,
        "mdy": _single(year, str(first), str(second)).value,
    }
    readings = tuple(dict.fromkeys(one for one in read.values() if one))
    if dates in read:
        return Told(read[dates], readings)
    return Told(readings[0] if len(readings) == 1 else None, readings)


def _single(year: str, month: str, day_: str) -> Told:
    try:
        told = date(int(year), int(month), int(day_)).isoformat()
    except ValueError:
        return Told(None)
    return Told(told, (told,))


def moment(day_: str, zone: str) -> str | None:
    """The start of a day in a zone as a canonical time; None without a zone: times are not guessed."""
    try:
        start = datetime.fromisoformat(day_).replace(tzinfo=ZoneInfo(zone)) if zone else None
    except (ZoneInfoNotFoundError, ValueError):
        return None
    return start.astimezone(ZoneInfo("UTC")).strftime("%Y-%m-%dT%H:%M:%S.000Z") if start else None

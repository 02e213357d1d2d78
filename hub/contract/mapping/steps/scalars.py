"""What a payload's scalar is as text or as number; XML elements with attributes count by their text."""

from __future__ import annotations

import re
from decimal import ROUND_HALF_EVEN, Decimal, localcontext
from typing import Any

from hub.contract.mapping.place import Unfit

WHOLE_DIGITS = 15
PLACES = 9
NOISE_PLACES = 6

seen: set[str] = set()
"""Texts that were found to be canonical decimals not long ago: prices and quantities come again and again."""
_MOST_SEEN = 20_000
_TOO_LARGE = 10**WHOLE_DIGITS
_PLAIN = re.compile(r"-?(?:0|[1-9][0-9]{0,14})(?:\.[0-9]{1,9})?").fullmatch
_WRITTEN = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]+)?|\.[0-9]+)").fullmatch


def text_of(value: Any) -> str:
    """A scalar as text: numbers in plain digits, `true`, `false`."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | Decimal):
        return plain(value)
    if isinstance(value, dict) and "#text" in value:
        return text_of(value["#text"])
    raise Unfit(value, "is not a text")


def plain(number: int | Decimal) -> str:
    """A number without an exponent."""
    if isinstance(number, int):
        return str(number)
    if not number.is_finite() or abs(number.adjusted()) > 60 or int(number.as_tuple().exponent) < -60:
        raise Unfit(str(number)[:40], "is out of range")
    return format(number, "f")


def decimal_text(value: Any) -> str | None:
    """The canonical decimal of a number or text: the scale as given, no exponent, binary noise rounded away.

    Empty text is null. More than nine places are noise: rounded half-even to six, zeros stripped.
    """
    if value.__class__ is str:
        if _PLAIN(value):
            return _remembered(value) if value[0] != "-" else _unsigned_zero(value)
        return _decimal_text(_written(value))
    if value.__class__ is int and -_TOO_LARGE < value < _TOO_LARGE:
        return str(value)
    if value.__class__ is Decimal and _PLAIN(text := str(value)):
        return _unsigned_zero(text)
    return _decimal_text(number_of(value))


def _remembered(text: str) -> str:
    if len(seen) >= _MOST_SEEN:
        seen.clear()
    seen.add(text)
    return text


def number_of(value: Any) -> Decimal | None:
    """A value as an exact number; empty text is null."""
    if isinstance(value, str):
        return _written(value)
    if value is None or isinstance(value, Decimal):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return Decimal(value)
    if isinstance(value, dict) and "#text" in value:
        return number_of(value["#text"])
    raise Unfit(value, "is not a decimal number")


def looks_numeric(value: Any) -> bool:
    """Whether a comparison may take it for a number."""
    if isinstance(value, str):
        return len(value) <= 60 and _WRITTEN(value) is not None
    return isinstance(value, int | Decimal) and not isinstance(value, bool)


def settled(number: Decimal, value: Any = None) -> str:
    """The canonical text of a computed number: at most nine places, rounded half-even."""
    text = str(number)
    if _PLAIN(text):
        return _unsigned_zero(text)
    if not number.is_finite() or number.adjusted() >= WHOLE_DIGITS:
        raise Unfit(number if value is None else value, "is out of range")
    if _places(number) > PLACES:
        number = rounded(number, PLACES)
        return _stripped(format(number, "f"))
    return _unsigned_zero(format(number, "f"))


def rounded(number: Decimal, places: int) -> Decimal:
    """Rounded half-even to so many places; negative places round to tens, hundreds."""
    with localcontext() as context:
        context.prec = 80
        result = number.quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_EVEN)
        return result if places >= 0 else result.quantize(Decimal(1))


def _written(text: str) -> Decimal | None:
    stripped = text.strip()
    if not stripped:
        return None
    if len(stripped) > 60 or not _WRITTEN(stripped):
        raise Unfit(text, "is not a decimal number")
    return Decimal(stripped)


def _decimal_text(number: Decimal | None) -> str | None:
    if number is None:
        return None
    text = str(number)
    if _PLAIN(text):
        return _unsigned_zero(text)
    if not number.is_finite() or number.adjusted() >= WHOLE_DIGITS or number.adjusted() < -60:
        raise Unfit(str(number)[:40], "is out of range")
    if _places(number) > PLACES:
        return _stripped(format(rounded(number, NOISE_PLACES), "f"))
    return _unsigned_zero(format(number, "f"))


def _places(number: Decimal) -> int:
    return -int(number.as_tuple().exponent)


def _stripped(text: str) -> str:
    return _unsigned_zero(text.rstrip("0").rstrip(".") if "." in text else text)


def _unsigned_zero(text: str) -> str:
    return text if text[0] != "-" or text.strip("-0.") else text[1:]

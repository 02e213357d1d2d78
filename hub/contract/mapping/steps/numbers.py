"""Steps on numbers: exact, in decimal texts; no binary fraction ever."""

from __future__ import annotations

from decimal import Context, Decimal
from typing import Any

from hub.contract.mapping.place import Unfit
from hub.contract.mapping.steps.currencies import exponent
from hub.contract.mapping.steps.registry import NUMBER, Parameter, Step
from hub.contract.mapping.steps.scalars import decimal_text, number_of, rounded, settled

_EXACT = Context(prec=80)
_SMALL = 10**14


def whole(value: Any) -> int | None:
    """A whole number."""
    number = number_of(value)
    if number is None:
        return None
    if not number.is_finite() or number.adjusted() > 18 or number != number.to_integral_value():
        raise Unfit(value, "is not a whole number")
    if not -(1 << 63) <= int(number) < 1 << 63:
        raise Unfit(value, "is out of range")
    return int(number)


def round_(value: Any, places: Any = 0) -> str | None:
    """Rounded half-even."""
    number, digits = _safe(value), whole(places)
    if number is None or digits is None:
        return None
    if not -15 <= digits <= 9:
        raise Unfit(digits, "is not a number of places from -15 to 9")
    return settled(rounded(number, digits), value)


def absolute(value: Any) -> str | None:
    """Without its sign."""
    number = _safe(value)
    return None if number is None else settled(number.copy_abs(), value)


def negate(value: Any) -> str | None:
    """With the other sign."""
    number = _safe(value)
    return None if number is None else settled(number.copy_negate(), value)


def add(value: Any, other: Any) -> str | None:
    """The sum."""
    if value.__class__ is int and other.__class__ is int and abs(value) < _SMALL > abs(other):
        return str(value + other)
    return _computed(value, other, _EXACT.add)


def sub(value: Any, other: Any) -> str | None:
    """The difference."""
    return _computed(value, other, _EXACT.subtract)


def mul(value: Any, other: Any) -> str | None:
    """The product."""
    return _computed(value, other, _EXACT.multiply)


def div(value: Any, other: Any) -> str | None:
    """The quotient, to nine places."""
    return _computed(value, other, _divided)


def minor(value: Any, currency: Any) -> str | None:
    """An amount in the currency's smallest unit, in the currency itself."""
    number = _safe(value)
    if number is None:
        return None
    return settled(number.scaleb(-exponent(currency)), value)


def _divided(a: Decimal, b: Decimal) -> Decimal:
    if not b:
        raise Unfit(a, "cannot be divided by zero")
    return _EXACT.divide(a, b)


def _computed(value: Any, other: Any, compute: Any) -> str | None:
    a, b = _safe(value), _safe(other)
    return None if a is None or b is None else settled(compute(a, b))


def _safe(value: Any) -> Decimal | None:
    """The number, within the range that a canonical one has."""
    if value.__class__ is int and abs(value) < _SMALL:
        return Decimal(value)
    text = decimal_text(value)
    return None if text is None else Decimal(text)


_OTHER = (Parameter("number", NUMBER),)
STEPS = (
    Step("dec", "numbers", decimal_text, "an exact decimal, its scale as given; more than nine places are binary noise, "
         "rounded half-even to six; empty text is null", NUMBER, "decimal",
         examples=(("'19.90' | dec", "19.90"), ("2 | dec", "2"), ("19.949999999999999 | dec", "19.95"))),
    Step("int", "numbers", whole, "a whole number", NUMBER, "integer", examples=(("'7' | int", "7"), ("7.00 | int", "7"))),
    Step("round", "numbers", round_, "rounded half-even to so many places, none unless said", NUMBER, "decimal",
         (Parameter("places", NUMBER, required=False),), examples=(("'2.345' | round(2)", "2.34"), ("2.5 | round", "2"))),
    Step("abs", "numbers", absolute, "without its sign", NUMBER, "decimal", examples=(("'-5.00' | abs", "5.00"),)),
    Step("negate", "numbers", negate, "with the other sign", NUMBER, "decimal", examples=(("'5.00' | negate", "-5.00"),)),
    Step("add", "numbers", add, "the sum; null when either is", NUMBER, "decimal", _OTHER,
         examples=(("'0.1' | add(0.2)", "0.3"),)),
    Step("sub", "numbers", sub, "the difference", NUMBER, "decimal", _OTHER, examples=(("5 | sub('1.50')", "3.50"),)),
    Step("mul", "numbers", mul, "the product", NUMBER, "decimal", _OTHER, examples=(("'1.5' | mul(3)", "4.5"),)),
    Step("div", "numbers", div, "the quotient, half-even to nine places", NUMBER, "decimal", _OTHER,
         examples=(("1 | div(8)", "0.125"), ("2 | div(3)", "0.666666667"))),
    Step("minor", "numbers", minor, "an amount in the currency's smallest unit (cents), in the currency itself; "
         "JPY has no places, KWD three", NUMBER, "decimal", (Parameter("currency"),),
         examples=(("1995 | minor('EUR')", "19.95"), ("1995 | minor('JPY')", "1995"))),
)  # fmt: skip

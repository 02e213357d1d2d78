"""What the operators mean: emptiness, truth and comparison, the same for both ways of running a mapping."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from hub.contract.mapping.place import Unfit
from hub.contract.mapping.steps.presence import empty
from hub.contract.mapping.steps.scalars import looks_numeric, number_of, text_of


def items(value: Any) -> list[Any]:
    """What `[]` walks over: a list's members that are not null; a lone object or value is a list of one."""
    if value.__class__ is list:
        return [one for one in value if one is not None]
    return [] if value is None or value == {} or value == "" else [value]


def equal(left: Any, right: Any) -> bool:
    """The same value; a number equals a text that says the same number."""
    if left == right:
        return not (isinstance(left, bool) ^ isinstance(right, bool))
    if _number(left) or _number(right):
        return numerically(left, right, lambda a, b: a == b)
    return False


def numerically(left: Any, right: Any, compare: Callable[[Decimal, Decimal], bool]) -> bool:
    """A comparison of two numbers, however written; false when one is none."""
    if not (looks_numeric(left) and looks_numeric(right)):
        return False
    a, b = _exact(left), _exact(right)
    return a is not None and b is not None and compare(a, b)


def ordered(left: Any, right: Any, sign: str) -> bool:
    """`<`, `<=`, `>`, `>=`: numbers by size, other texts by code point; what cannot be compared is false."""
    compare = _ORDER[sign]
    if looks_numeric(left) and looks_numeric(right):
        return numerically(left, right, compare)
    if isinstance(left, str) and isinstance(right, str):
        return compare(left, right)
    return False


def contained(left: Any, right: Any) -> bool:
    """`in`: a member of a list, a part of a text, a name of an object."""
    if isinstance(right, list):
        return any(equal(left, one) for one in right)
    if left is None or isinstance(left, list | dict):
        return False
    if isinstance(right, str):
        return _said(left) in right
    return isinstance(right, dict) and _said(left) in right


def compared(sign: str, left: Any, right: Any, numeric: bool) -> bool:
    """Any comparison by its sign."""
    if sign == "in":
        return contained(left, right)
    if sign in _ORDER:
        return ordered(left, right, sign)
    same = equal(left, right) or (numeric and numerically(left, right, lambda a, b: a == b))
    return same if sign == "==" else not same


def group_name(value: Any) -> str | None:
    """The text by which rows belong together; rows without one are a group of their own."""
    return None if empty(value) else text_of(value)


def _said(value: Any) -> str:
    try:
        return text_of(value)
    except Unfit:
        return "\0"


def _number(value: Any) -> bool:
    return isinstance(value, int | Decimal) and not isinstance(value, bool)


def _exact(value: Any) -> Decimal | None:
    number = number_of(value)
    return number if number is not None and number.is_finite() else None


_ORDER: dict[str, Callable[[Any, Any], bool]] = {
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
}

__all__ = ["compared", "contained", "empty", "equal", "group_name", "items", "numerically", "ordered"]

"""A leaf's last word: what its value has to be by the canon, after all steps."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from hub.contract.mapping.place import Unfit
from hub.contract.mapping.plan import Cast
from hub.contract.mapping.steps.currencies import code
from hub.contract.mapping.steps.lists import listed
from hub.contract.mapping.steps.numbers import whole
from hub.contract.mapping.steps.other import truth
from hub.contract.mapping.steps.scalars import decimal_text, plain, text_of
from hub.contract.mapping.targets import Free, Many, Record, Scalar, Target

TEXT_LIMIT = 20_000
KEY_LIMIT = 200
DEEPEST = 100


def text(value: Any) -> str | None:
    """A text of the canon; an empty one is absent."""
    if value is None or value == "" or value == [] or value == {}:
        return None
    found = value if isinstance(value, str) else text_of(value)
    if len(found) > TEXT_LIMIT:
        raise Unfit(found, f"is longer than {TEXT_LIMIT} characters")
    return found or None


def key(value: Any) -> str | None:
    """A text that names something."""
    found = text(value)
    if found is not None and len(found) > KEY_LIMIT:
        raise Unfit(found, f"is longer than {KEY_LIMIT} characters")
    return found


def country(value: Any) -> str | None:
    """Two capitals."""
    found = text(value)
    if found is not None and not (
        len(found) == 2 and found.isascii() and found.isalpha() and found.isupper()
    ):
        raise Unfit(found, "is not a country code")
    return found


def currency(value: Any) -> str | None:
    """Three capitals."""
    found = text(value)
    return None if found is None else code(found)


def same(value: Any) -> Any:
    """What the last step made, which is canonical already; an empty text is absent."""
    return None if value == "" else value


def free(value: Any) -> Any:
    """Any value as JSON can say it: exact numbers as texts, nulls left out; an empty list or object is absent."""
    if value.__class__ is str:
        return value
    found = _free(value, 0)
    return None if found == [] or found == {} else found


def _free(value: Any, depth: int) -> Any:
    if depth > DEEPEST:
        raise Unfit(value, f"is nested deeper than {DEEPEST} levels")
    if isinstance(value, list):
        return [one if one.__class__ is str else _free(one, depth + 1) for one in value if one is not None]
    if isinstance(value, dict):
        return {
            name: one if one.__class__ is str else _free(one, depth + 1)
            for name, one in value.items()
            if one is not None
        }
    return _scalar(value)


def _scalar(value: Any) -> Any:
    if value is None or isinstance(value, str | bool):
        return value
    if isinstance(value, Decimal):
        return plain(value)
    if isinstance(value, int):
        return value if -(1 << 63) <= value < 1 << 63 else str(value)
    raise Unfit(value, "is not an exact value")


_CASTS: dict[str, Cast] = {
    "text": text,
    "key": key,
    "decimal": decimal_text,
    "currency": currency,
    "country": country,
    "time": same,
    "date": same,
    "bool": truth,
    "integer": whole,
    "choice": same,
}


def cast_for(target: Target) -> Cast:
    """The cast of a leaf by what it aims at."""
    if isinstance(target, Scalar):
        return _CASTS[target.kind]
    if isinstance(target, Many):
        return many(cast_for(target.item))
    return free if isinstance(target, Free) else same


def many(one: Cast) -> Cast:
    """A list, each of its items cast; none is absent."""

    def cast(value: Any) -> list[Any] | None:
        if one is text and value.__class__ is list:
            plain = [item for item in value if item.__class__ is str and 0 < len(item) <= TEXT_LIMIT]
            if len(plain) == len(value):
                return plain or None
        found = [item for item in map(one, listed(value)) if item is not None]
        return found or None

    return cast


def misfit(target: Target, kind: str) -> str:
    """Why an expression of a kind cannot stand in a field, "" when it can."""
    if isinstance(target, Free) or kind == "null":
        return ""
    if isinstance(target, Record):
        return _record_misfit(target, kind)
    if isinstance(target, Many):
        return _many_misfit(target, kind)
    allowed, hint = _ALLOWED[target.kind]
    return "" if kind in allowed else hint


def _record_misfit(target: Record, kind: str) -> str:
    if target.name == "Money":
        return "" if kind == "money" else "is money: end with money(currency)"
    return "is an object: write its fields, or `in:` and `map:`"


def _many_misfit(target: Many, kind: str) -> str:
    if isinstance(target.item, Record):
        return "is a list of objects: write `each:` and `map:`"
    return "" if kind in ("list", "any") or not misfit(target.item, kind) else "is a list"


_TEXTS = ("any", "text", "decimal", "integer", "bool", "time", "date")
_ALLOWED: dict[str, tuple[tuple[str, ...], str]] = {
    "text": (_TEXTS, "is a text"),
    "key": (_TEXTS, "is a text"),
    "country": (_TEXTS, "is a text"),
    "currency": (("any", "text"), "is a currency: end with currency, or a text of three capitals"),
    "decimal": (("decimal", "integer"), "is a decimal: end with dec"),
    "time": (("time",), "is a time: end with datetime, datetime_in, epoch or epoch_ms"),
    "date": (("date",), "is a date: end with date or date_in"),
    "bool": (("any", "bool", "integer", "text"), "is true or false: end with bool"),
    "integer": (("integer",), "is a whole number: end with int"),
    "choice": (_TEXTS, ""),
}

"""Steps on lists; what is no list counts as a list of one."""

from __future__ import annotations

from decimal import Context, Decimal
from functools import reduce
from typing import Any

from hub.contract.mapping.place import Unfit
from hub.contract.mapping.steps.registry import LIST, OBJECT, SCALAR, Step, literal
from hub.contract.mapping.steps.scalars import decimal_text, looks_numeric, settled, text_of

_EXACT = Context(prec=80)


_NUMBERLIKE = frozenset("+-.0123456789")


def listed(value: Any) -> list[Any]:
    """A value as a list: null and an empty object are none, anything else that is no list is one."""
    if isinstance(value, list):
        return value
    return [] if value is None or value == {} or value == "" else [value]


def first(value: Any) -> Any:
    """The first that is not null."""
    return next((one for one in listed(value) if one is not None), None)


def last(value: Any) -> Any:
    """The last that is not null."""
    return next((one for one in reversed(listed(value)) if one is not None), None)


def count(value: Any) -> int:
    """How many; null counts none."""
    return len(listed(value))


def total(value: Any) -> str | None:
    """The sum of the numbers; nulls left out, no numbers at all is null."""
    texts = [decimal_text(one) for one in listed(value) if one is not None]
    numbers = [Decimal(one) for one in texts if one is not None]
    return settled(reduce(_EXACT.add, numbers)) if numbers else None


def least(value: Any) -> Any:
    """The smallest."""
    return min((one for one in listed(value) if one is not None), key=_rank, default=None)


def most(value: Any) -> Any:
    """The greatest."""
    return max((one for one in listed(value) if one is not None), key=_rank, default=None)


def unique(value: Any, key: Any = None) -> list[Any]:
    """Each once, in the order of their first coming."""
    seen: dict[Any, Any] = {}
    for one in listed(value):
        seen.setdefault(_identity(one if key is None else _member(one, key)), one)
    return list(seen.values())


def sort(value: Any, key: Any = None) -> list[Any]:
    """In ascending order: numbers by size before texts by code point, nulls last."""
    items = listed(value)
    if key is None and not [one for one in items if one.__class__ is not str or one[:1] in _NUMBERLIKE]:
        return sorted(items)
    return sorted(items, key=lambda one: _rank(one if key is None else _member(one, key)))


def compact(value: Any) -> list[Any]:
    """Without nulls, empty texts, empty lists and empty objects."""
    return [one for one in listed(value) if one is not None and one != "" and one != [] and one != {}]


def _member(value: Any, key: Any) -> Any:
    return value.get(text_of(key)) if isinstance(value, dict) else None


def _rank(value: Any) -> tuple[int, Any]:
    if value is None:
        return (3, 0)
    if looks_numeric(value):
        return (0, Decimal(value))
    if isinstance(value, str | bool):
        return (1, text_of(value))
    raise Unfit(value, "cannot be put in order")


def _identity(value: Any) -> Any:
    if isinstance(value, dict):
        return ("object", tuple(sorted((key, _identity(one)) for key, one in value.items())))
    if isinstance(value, list):
        return ("list", tuple(_identity(one) for one in value))
    return (value.__class__.__name__, value)


_IN = LIST | OBJECT | SCALAR
_KEY = (literal("key", required=False),)
STEPS = (
    Step("first", "lists", first, "the first that is not null", _IN, "any", examples=(("['a', 'b'] | first", "a"),)),
    Step("last", "lists", last, "the last that is not null", _IN, "any", examples=(("['a', 'b'] | last", "b"),)),
    Step("count", "lists", count, "how many; 0 for null", _IN, "integer", sees_null=True,
         examples=(("['a', 'b'] | count", "2"), ("null | count", "0"))),
    Step("sum", "lists", total, "the sum of the numbers, nulls left out", _IN, "decimal",
         examples=(("['1.10', 2, null] | sum", "3.10"),)),
    Step("min", "lists", least, "the smallest", _IN, "any", examples=(("['10', '9'] | min", "9"),)),
    Step("max", "lists", most, "the greatest", _IN, "any", examples=(("['10', '9'] | max", "10"),)),
    Step("unique", "lists", unique, "each once, in order; objects by a key where one is said", _IN, "list", _KEY,
         examples=(("['a', 'b', 'a'] | unique | join(',')", "a,b"),)),
    Step("sort", "lists", sort, "ascending: numbers, then texts, nulls last; objects by a key", _IN, "list", _KEY,
         examples=(("['b', '10', '9'] | sort | join(',')", "9,10,b"),)),
    Step("compact", "lists", compact, "without nulls and empties", _IN, "list",
         examples=(("['a', '', null] | compact | count", "1"),)),
)  # fmt: skip

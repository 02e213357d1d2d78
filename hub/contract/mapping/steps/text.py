"""Steps on text."""

from __future__ import annotations

from typing import Any

from hub.contract.mapping.place import Unfit
from hub.contract.mapping.steps.registry import ANY, LIST, NUMBER, SCALAR, Parameter, Step
from hub.contract.mapping.steps.scalars import number_of, text_of

LARGEST = 4_000_000


def text(value: Any) -> str:
    """A scalar as text."""
    return text_of(value)


def trim(value: Any) -> str:
    """Without white space at both ends."""
    return text_of(value).strip()


def upper(value: Any) -> str:
    """In upper case."""
    return text_of(value).upper()


def lower(value: Any) -> str:
    """In lower case."""
    return text_of(value).lower()


def title(value: Any) -> str:
    """Each word's first letter in upper case, the rest in lower."""
    return " ".join(word[:1].upper() + word[1:].lower() for word in text_of(value).split(" "))


def split(value: Any, separator: Any) -> list[str]:
    """The parts between the separators, trimmed, without the empty ones."""
    mark = text_of(separator)
    whole = text_of(value)
    parts = whole.split(mark) if mark else whole.split()
    return [part for part in map(str.strip, parts) if part]


def join(value: Any, separator: Any = "") -> str:
    """The texts of a list, set together; nulls and empty texts left out."""
    items = value if isinstance(value, list) else [value]
    texts = [one if one.__class__ is str else text_of(one) for one in items if one is not None and one != ""]
    mark = "" if separator is None else text_of(separator)
    _bounded(value, len(mark) * len(texts))
    return mark.join(texts)


def replace(value: Any, old: Any, new: Any) -> str:
    """Every occurrence of one text replaced by another."""
    whole, mark, other = text_of(value), text_of(old), text_of(new)
    if not mark:
        return whole
    _bounded(value, whole.count(mark) * len(other))
    return whole.replace(mark, other)


def slice_(value: Any, start: Any, end: Any = None) -> Any:
    """From a position up to (not with) another; negative ones count from the end."""
    whole = value if isinstance(value, list) else text_of(value)
    return whole[_position(start) : None if end is None else _position(end)]


def pad(value: Any, width: Any, fill: Any = "0") -> str:
    """Filled up on the left to a width."""
    sign = text_of(fill)
    size = _position(width)
    if len(sign) != 1 or not 0 <= size <= 200:
        raise Unfit(sign if len(sign) != 1 else size, "cannot pad: one sign, a width up to 200")
    return text_of(value).rjust(size, sign)


def concat(value: Any, *others: Any) -> str | None:
    """Set together with the others; nulls are left out, the ends trimmed, nothing at all is null."""
    texts = [one if one.__class__ is str else text_of(one) for one in (value, *others) if one is not None]
    return "".join(texts).strip() or None


def _position(value: Any) -> int:
    number = number_of(value)
    if number is None or number != number.to_integral_value() or abs(number) > 10**9:
        raise Unfit(value, "is not a position")
    return int(number)


def _bounded(value: Any, size: int) -> None:
    if size > LARGEST:
        raise Unfit(value, "would become too long")


_SEPARATOR = Parameter("separator")
STEPS = (
    Step("str", "text", text, "as text: a number in plain digits, `true`, `false`", SCALAR,
         examples=(("12.50 | str", "12.50"), ("true | str", "true"))),
    Step("trim", "text", trim, "without white space at both ends", examples=(("' Ada ' | trim", "Ada"),)),
    Step("upper", "text", upper, "in upper case", examples=(("'eur' | upper", "EUR"),)),
    Step("lower", "text", lower, "in lower case", examples=(("'PAID' | lower", "paid"),)),
    Step("title", "text", title, "each word with a capital", examples=(("'ADA LOVELACE' | title", "Ada Lovelace"),)),
    Step("split", "text", split, "the parts between separators, trimmed, without the empty ones", gives="list",
         parameters=(_SEPARATOR,), examples=(("'a, b,,c' | split(',') | join('+')", "a+b+c"),)),
    Step("join", "text", join, "the texts of a list set together, nulls and empty texts left out", LIST | SCALAR,
         parameters=(Parameter("separator", required=False),), examples=(("['a', null, 'b'] | join('-')", "a-b"),)),
    Step("replace", "text", replace, "every occurrence of one text replaced by another",
         parameters=(Parameter("old"), Parameter("new")), examples=(("'1,000' | replace(',', '')", "1000"),)),
    Step("slice", "text", slice_, "from a position up to, not with, another; of a text or a list", SCALAR | LIST, "same",
         (Parameter("start", NUMBER), Parameter("end", NUMBER, required=False)),
         examples=(("'2026-01-10' | slice(0, 4)", "2026"), ("'abc' | slice(-1)", "c"))),
    Step("pad", "text", pad, "filled up on the left to a width, with `0` or another sign", SCALAR,
         parameters=(Parameter("width", NUMBER), Parameter("fill", required=False)),
         examples=(("7 | pad(3)", "007"),)),
    Step("concat", "text", concat, "set together with the others, nulls left out, the ends trimmed; null when all but texts of the mapping is", SCALAR,
         parameters=(Parameter("others", SCALAR | ANY, many=True),), sees_null=True, joins=True,
         examples=(("'Ada' | concat(' ', 'Byron')", "Ada Byron"), ("'Ada' | concat(' ', null)", "Ada"))),
)  # fmt: skip

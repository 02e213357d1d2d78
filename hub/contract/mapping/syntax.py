"""The tree of an expression: what the parser makes and all else walks."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Literal as Choice

from hub.contract.mapping.place import Spot
from hub.contract.mapping.steps.registry import Step
from hub.contract.mapping.steps.tables import Table

Scalar = str | int | bool | Decimal | None


@dataclass(frozen=True, slots=True)
class Literal:
    """A value written in the mapping."""

    value: Scalar
    spot: Spot


@dataclass(frozen=True, slots=True)
class Listing:
    """A list written in the mapping: `['a', 'b']`."""

    items: tuple[Expr, ...]
    spot: Spot


@dataclass(frozen=True, slots=True)
class Key:
    """`.name`: the member of that name; of many, each one's."""

    name: str


@dataclass(frozen=True, slots=True)
class Index:
    """`[0]`: one of a list, from the end when negative; of many, one of those."""

    number: int


@dataclass(frozen=True, slots=True)
class Every:
    """`[]`: each item of a list; a lone object counts as a list of one."""


@dataclass(frozen=True, slots=True)
class Where:
    """`[?x == 'y']`: the items for which the test holds."""

    test: Expr


Part = Key | Index | Every | Where
Start = Choice["self", "root", "parent", "variable", "context"]


@dataclass(frozen=True, slots=True)
class Path:
    """A walk: from the element (`.`), the root (`$`), a parent (`^`), a variable or the message's context.

    `name` is the variable's or the context's, `argument` that of `#header('…')`, `levels` how many `^`.
    """

    start: Start
    parts: tuple[Part, ...]
    spot: Spot
    name: str = ""
    argument: str = ""
    levels: int = 0


@dataclass(frozen=True, slots=True)
class Apply:
    """A value put through a step."""

    value: Expr
    step: Step
    arguments: tuple[Expr, ...]
    spot: Spot


@dataclass(frozen=True, slots=True)
class First:
    """`a ?? b`: the first that is neither null nor empty."""

    options: tuple[Expr, ...]
    spot: Spot


@dataclass(frozen=True, slots=True)
class Compare:
    """`a == b` and its kin; `numeric` when one side is known to be a number."""

    sign: Choice["==", "!=", "<", "<=", ">", ">=", "in"]
    left: Expr
    right: Expr
    spot: Spot
    numeric: bool = False


@dataclass(frozen=True, slots=True)
class Logic:
    """`a and b`, `a or b`."""

    word: Choice["and", "or"]
    left: Expr
    right: Expr
    spot: Spot


@dataclass(frozen=True, slots=True)
class Not:
    """`not a`."""

    value: Expr
    spot: Spot


@dataclass(frozen=True, slots=True)
class Look:
    """A word looked up in a table, which the checker found; `field` is where the word would stand."""

    value: Expr
    table: Table
    field: str
    spot: Spot


Expr = Literal | Listing | Path | Apply | First | Compare | Logic | Not | Look


def inside(expr: Expr) -> tuple[Expr, ...]:
    """The expressions directly within one."""
    match expr:
        case Listing(items=items) | First(options=items):
            return items
        case Path(parts=parts):
            return tuple(part.test for part in parts if isinstance(part, Where))
        case Apply(value=value, arguments=arguments):
            return (value, *arguments)
        case Compare(left=left, right=right) | Logic(left=left, right=right):
            return (left, right)
        case Not(value=value) | Look(value=value):
            return (value,)
        case _:
            return ()

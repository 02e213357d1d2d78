"""What a mapping does, checked: the tree that is interpreted slowly with its sources, or made into one function."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from hub.contract.mapping.place import Spot
from hub.contract.mapping.syntax import Expr
from hub.contract.mapping.targets import Many, Scalar

Cast = Callable[[Any], Any]
"""What turns a leaf's value into its canonical form; null is absent."""


@dataclass(frozen=True, slots=True)
class Leaf:
    """An expression whose value is the field's."""

    expr: Expr
    cast: Cast
    spot: Spot
    target: Scalar | Many | None = None


@dataclass(frozen=True, slots=True)
class Fixed:
    """A value that the mapping states."""

    value: Any
    spot: Spot


@dataclass(frozen=True, slots=True)
class Demand:
    """What an object cannot be without: `ref`, if there is anything at all of a `strict` one, and `needs`,
    other fields without which it is absent. A strict one is absent when only what is stated is left."""

    spot: Spot
    ref: bool = False
    needs: tuple[str, ...] = ()
    strict: bool = True


@dataclass(frozen=True, slots=True)
class Shape:
    """An object: `spoken` fields come from the payload, `stated` are the mapping's own words."""

    spoken: tuple[tuple[str, Plan], ...]
    stated: tuple[tuple[str, Plan], ...]
    demand: Demand
    spot: Spot


@dataclass(frozen=True, slots=True)
class Each:
    """A list: one result for each item, or for each group of them (`rows` is the slot of the group's rows)."""

    over: Expr
    body: Plan
    spot: Spot
    vars: tuple[Var, ...] = ()
    when: Expr | None = None
    group: Expr | None = None
    rows: str = ""


@dataclass(frozen=True, slots=True)
class Within:
    """A result whose paths begin elsewhere; nothing there, no result."""

    over: Expr
    body: Plan
    spot: Spot
    vars: tuple[Var, ...] = ()
    when: Expr | None = None


@dataclass(frozen=True, slots=True)
class Choose:
    """One result or another."""

    test: Expr
    then: Plan
    otherwise: Plan | None
    spot: Spot


@dataclass(frozen=True, slots=True)
class Merge:
    """Objects laid upon each other, the later over the earlier."""

    parts: tuple[Plan, ...]
    demand: Demand
    spot: Spot


@dataclass(frozen=True, slots=True)
class Listed:
    """A list, item by item as written; the absent ones are left out."""

    items: tuple[Plan, ...]
    spot: Spot


Plan = Leaf | Fixed | Shape | Each | Within | Choose | Merge | Listed


@dataclass(frozen=True, slots=True)
class Var:
    """A named expression, known below where it is declared; `slot` is unique in the mapping.

    An `early` one is needed to tell whether there will be a result at all; `many` are a group's rows.
    """

    name: str
    expr: Expr
    slot: str
    spot: Spot = Spot("", 0, 0)
    early: bool = False
    many: bool = False


ROWS = "rows"
"""The variable that holds the rows of a group."""


@dataclass(frozen=True, slots=True)
class Whole:
    """A whole mapping: what to walk over, what to leave out, and what each document is."""

    body: Plan
    each: Expr | None = None
    group: Expr | None = None
    rows: str = ""
    when: Expr | None = None
    vars: tuple[Var, ...] = ()
    marks: dict[str, Expr] = field(default_factory=dict, hash=False)

"""Expressions made sure: names resolved, tables found, the kinds of what goes through the steps compared."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from hub.contract.mapping.place import Faults, Spot
from hub.contract.mapping.plan import Var
from hub.contract.mapping.steps.registry import Kind, Parameter, Step
from hub.contract.mapping.steps.tables import UNKNOWN, Table
from hub.contract.mapping.syntax import (
    Apply,
    Compare,
    Every,
    Expr,
    First,
    Index,
    Key,
    Listing,
    Literal,
    Logic,
    Look,
    Not,
    Part,
    Path,
    Where,
)

_LITERALS: dict[type, Kind] = {str: "text", bool: "bool", int: "integer", type(None): "null"}
_NUMERIC = ("decimal", "integer")
_NAMES: dict[str, str] = {
    "list": "a list", "object": "an object", "money": "money", "text": "text", "decimal": "a decimal",
    "integer": "a whole number", "bool": "true or false", "time": "a time", "date": "a date", "any": "anything",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Ground:
    """Where an expression stands: how many elements lie above it, and the variables it may name."""

    depth: int = 0
    vars: dict[str, Var] = field(default_factory=dict)

    def below(self) -> Ground:
        """One element further in."""
        return Ground(self.depth + 1, self.vars)

    def knowing(self, found: Iterable[Var]) -> Ground:
        """With these variables as well."""
        return Ground(self.depth, self.vars | {var.name: var for var in found})


class Binder:
    """Turns parsed expressions into bound ones and notes every fault it meets."""

    def __init__(self, tables: dict[str, Table], faults: Faults) -> None:
        self.tables = tables
        self.faults = faults
        self.used_tables: set[str] = set()
        self.used_slots: set[str] = set()

    def bind(self, expr: Expr, ground: Ground, field: str, choices: tuple[str, ...] | None = None) -> Expr:
        """The expression with its names resolved; `choices` are the words that the field knows."""

        def go(part: Expr) -> Expr:
            return self.bind(part, ground, field, choices)

        match expr:
            case Path():
                return self.path(expr, ground, field)
            case Apply():
                return self.applied(expr, ground, field, choices)
            case First(options=options):
                return replace(expr, options=tuple(map(go, options)))
            case Listing(items=items):
                return replace(expr, items=tuple(map(go, items)))
            case Compare() | Logic() | Not():
                return self.judgement(expr, ground, field)
            case _:
                return expr

    def judgement(self, expr: Compare | Logic | Not, ground: Ground, field: str) -> Expr:
        """What is true or false, its parts bound."""
        if isinstance(expr, Compare):
            return self.compared(expr, ground, field)
        if isinstance(expr, Logic):
            return replace(
                expr, left=self.bind(expr.left, ground, field), right=self.bind(expr.right, ground, field)
            )
        return replace(expr, value=self.bind(expr.value, ground, field))

    def compared(self, expr: Compare, ground: Ground, field: str) -> Compare:
        """A comparison that knows whether it is one of numbers."""
        left, right = self.bind(expr.left, ground, field), self.bind(expr.right, ground, field)
        numeric = kind_of(left, ground) in _NUMERIC or kind_of(right, ground) in _NUMERIC
        return replace(expr, left=left, right=right, numeric=numeric)

    def path(self, path: Path, ground: Ground, field: str) -> Path:
        """A path whose start is known to exist."""
        name = path.name
        if path.start == "parent" and path.levels > ground.depth:
            self.faults.add(path.spot, "there is no parent here: `^` leads out of an `each` or `in`")
        if path.start == "variable":
            name = self.slot(path, ground)
        parts = tuple(self.part(part, ground, field) for part in path.parts)
        return replace(path, name=name, parts=parts)

    def slot(self, path: Path, ground: Ground) -> str:
        """The slot of the variable that a path begins with."""
        var = ground.vars.get(path.name)
        if var is None:
            self.faults.add(path.spot, f"no variable '@{path.name}'")
            return path.name
        self.used_slots.add(var.slot)
        return var.slot

    def part(self, part: Part, ground: Ground, field: str) -> Part:
        """A filter's test stands one element further in."""
        return Where(self.bind(part.test, ground.below(), field)) if isinstance(part, Where) else part

    def applied(self, expr: Apply, ground: Ground, field: str, choices: tuple[str, ...] | None) -> Expr:
        """A step whose input and arguments fit."""
        value = self.bind(expr.value, ground, field, choices if expr.step.gives == "same" else None)
        self.takes(expr.step, kind_of(value, ground), expr.spot)
        if expr.step.context == "table":
            return self.looked(expr, value, field, choices)
        arguments = tuple(
            self.argument(expr.step, number, argument, ground, field)
            for number, argument in enumerate(expr.arguments[: expr.step.arity[1]])
        )
        self.judged(expr, arguments)
        return replace(expr, value=value, arguments=arguments)

    def takes(self, step: Step, kind: Kind, spot: Spot) -> None:
        """A fault when a step cannot take this kind."""
        if kind not in ("any", "null") and kind not in step.takes:
            wanted = (
                "text" if "text" in step.takes else " or ".join(sorted(_NAMES[one] for one in step.takes))
            )
            self.faults.add(spot, f"'{step.name}' takes {wanted}, not {_NAMES[kind]}")

    def argument(self, step: Step, number: int, argument: Expr, ground: Ground, field: str) -> Expr:
        """An argument that fits its parameter."""
        parameter = step.parameter(number)
        if parameter.literal and not isinstance(argument, Literal):
            self.faults.add(
                argument.spot, f"'{parameter.name}' of '{step.name}' has to be written here, as 'text'"
            )
            return argument
        bound = self.bind(argument, ground, field)
        self.fits(step, parameter, kind_of(bound, ground), argument.spot)
        return bound

    def fits(self, step: Step, parameter: Parameter, kind: Kind, spot: Spot) -> None:
        """A fault when an argument is of the wrong kind."""
        if kind not in ("any", "null") and kind not in parameter.takes and "any" not in parameter.takes:
            self.faults.add(spot, f"'{parameter.name}' of '{step.name}' cannot be {_NAMES[kind]}")

    def judged(self, expr: Apply, arguments: tuple[Expr, ...]) -> None:
        """What the step itself says of the arguments that are written in the mapping."""
        if expr.step.check is None or not arguments:
            return
        known = tuple(one.value if isinstance(one, Literal) else None for one in arguments)
        wrong = expr.step.check(known)
        if wrong:
            self.faults.add(arguments[0].spot, wrong)

    def looked(self, expr: Apply, value: Expr, field: str, choices: tuple[str, ...] | None) -> Expr:
        """A look-up in a table that there is, all of whose words the field knows."""
        name = expr.arguments[0] if expr.arguments else None
        if not isinstance(name, Literal) or not isinstance(name.value, str):
            if name is not None:
                self.faults.add(name.spot, f"name the table in quotes: {expr.step.name}('payment')")
            return value
        table = self.tables.get(name.value)
        if table is None:
            self.faults.add(name.spot, f"no table '{name.value}'")
            return value
        self.used_tables.add(table.name)
        if expr.step.name == "enum" and table.rest is None and (choices is None or UNKNOWN in choices):
            table = replace(table, rest=UNKNOWN)
        return Look(value, table, field, expr.spot)


def kind_of(expr: Expr, ground: Ground) -> Kind:
    """The kind of an expression's value, `any` where only the payload can tell."""
    match expr:
        case Literal(value=value):
            return _LITERALS.get(type(value), "decimal")
        case Listing():
            return "list"
        case Path():
            return _path_kind(expr, ground)
        case Apply(step=step, value=value):
            return _step_kind(expr, step, value, ground)
        case First(options=options):
            return _joint(kind_of(one, ground) for one in options)
        case Look():
            return "text"
        case _:
            return "bool"


def _path_kind(path: Path, ground: Ground) -> Kind:
    if path.start == "context":
        return "time" if path.name == "received_at" else "text"
    many = False
    for part in path.parts:
        many = (many or isinstance(part, Every | Where)) if isinstance(part, Key | Every | Where) else False
        if isinstance(part, Index):
            many = False
    if many:
        return "list"
    if path.start == "variable" and not path.parts:
        slots = {var.slot: var for var in ground.vars.values()}
        var = slots.get(path.name) or ground.vars.get(path.name)
        return "any" if var is None else "list" if var.many else kind_of(var.expr, ground)
    return "any"


def _step_kind(expr: Apply, step: Step, value: Expr, ground: Ground) -> Kind:
    if step.gives != "same":
        return step.gives
    inner = kind_of(value, ground)
    if step.name == "default" and expr.arguments:
        return _joint((inner, kind_of(expr.arguments[0], ground)))
    return inner


def _joint(kinds: Iterable[Kind]) -> Kind:
    found = {kind for kind in kinds if kind != "null"}
    if len(found) == 1:
        return found.pop()
    if not found:
        return "null"
    return "decimal" if found <= set(_NUMERIC) else "any"


def words_of(expr: Expr, ground: Ground) -> frozenset[str | None] | None:
    """Every word that an expression can give, None where that cannot be told."""
    match expr:
        case Literal(value=value):
            return frozenset({value}) if isinstance(value, str) or value is None else None
        case Look(table=table):
            return frozenset({*table.words.values(), table.rest})
        case First(options=options):
            return _all_words(options, ground)
        case Apply(step=step, value=value, arguments=arguments) if step.name in ("default", "required"):
            return _all_words((value, *arguments), ground)
        case Path(start="variable", parts=()):
            var = next((one for one in ground.vars.values() if expr.name in (one.slot, one.name)), None)
            return None if var is None or var.many else words_of(var.expr, ground)
        case _:
            return None


def _all_words(options: tuple[Expr, ...], ground: Ground) -> frozenset[str | None] | None:
    found = [words_of(one, ground) for one in options]
    return None if None in found else frozenset[Any]().union(*(one or () for one in found))

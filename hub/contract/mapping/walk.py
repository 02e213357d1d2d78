"""Reading a payload by the expressions of a mapping, with the path of every value that is read."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from hub.contract.mapping import logic
from hub.contract.mapping.context import known
from hub.contract.mapping.place import Spent, Spot, Unfit
from hub.contract.mapping.steps.tables import Unknown, look
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
from hub.contract.message import Message

WORK, WORK_PER_BYTE = 1_000_000, 10
"""How many items a run may walk over: a million, and ten for each byte of the message."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A value of the payload and its path there."""

    value: Any
    source: str


@dataclass(frozen=True, slots=True)
class Scope:
    """The element that `.` means, with those above it."""

    here: Seen
    above: Scope | None = None

    def below(self, seen: Seen) -> Scope:
        """One element further in."""
        return Scope(seen, self)


@dataclass(slots=True)
class Reading:
    """The state of reading: what is known, where the current leaf's values came from, which step failed."""

    message: Message
    root: Seen = Seen(None, "")
    sources: list[str] = field(default_factory=list)
    vars: dict[str, tuple[Any, list[str]]] = field(default_factory=dict)
    rows: dict[str, list[Seen]] = field(default_factory=dict)
    notes: list[Unknown] = field(default_factory=list)
    failed: Spot | None = None
    work: int = 0

    def value(self, expr: Expr, scope: Scope) -> Any:
        """An expression's value, its sources remembered."""
        match expr:
            case Literal(value=value):
                return value
            case Path():
                return self.path(expr, scope)
            case Apply():
                return self.applied(expr, scope)
            case Look(value=inner, table=table, field=name):
                word = self.value(inner, scope)
                return None if word is None else self._tried(expr.spot, look, word, table, self.notes, name)
            case First(options=options):
                return self.first(options, scope)
            case Listing(items=items):
                return [self.value(item, scope) for item in items]
            case _:
                return self.judged(expr, scope)

    def judged(self, expr: Compare | Logic | Not, scope: Scope) -> bool:
        """Whether a comparison, or what `and`, `or` and `not` join, is true."""
        match expr:
            case Compare(sign=sign, left=left, right=right, numeric=numeric):
                return logic.compared(sign, self.value(left, scope), self.value(right, scope), numeric)
            case Logic(word=word, left=left, right=right):
                met = bool(self.value(left, scope))
                return bool(self.value(right, scope)) if met == (word == "and") else met
            case Not(value=inner):
                return not self.value(inner, scope)

    def first(self, options: tuple[Expr, ...], scope: Scope) -> Any:
        """The first that is neither null nor empty; only its sources count."""
        for option in options:
            mark = len(self.sources)
            value = self.value(option, scope)
            if not logic.empty(value):
                return value
            del self.sources[mark:]
        return None

    def applied(self, expr: Apply, scope: Scope) -> Any:
        """A value put through a step; null passes by."""
        step, value = expr.step, self.value(expr.value, scope)
        if value is None and not step.sees_null:
            return None
        if step.name == "default" and not logic.empty(value):
            return value
        own, self.sources = self.sources, []
        arguments = [self.value(one, scope) for one in expr.arguments]
        if step.joins:
            own = own + self.sources
            if value is None and not _spoken(expr.arguments, arguments):
                return None
        if step.name == "default":
            own = self.sources
        self.sources = own
        context = (self.message.zone,) if step.context == "zone" else ()
        return self._tried(expr.spot, step.call, value, *context, *arguments)

    def _tried(self, spot: Spot, call: Any, *arguments: Any) -> Any:
        try:
            return call(*arguments)
        except Unfit:
            self.failed = spot
            raise

    def path(self, path: Path, scope: Scope) -> Any:
        """What a path leads to; of many, a list."""
        if path.start == "context":
            return known(self.message, path.name, path.argument)
        found, many = self.walked(path, scope)
        self.sources.extend(seen.source for seen in found if seen.value is not None)
        if many:
            return [seen.value for seen in found]
        return found[0].value if found else None

    def one(self, expr: Expr, scope: Scope) -> Seen:
        """An expression's value with its path."""
        self.sources = []
        value = self.value(expr, scope)
        return Seen(value, self.sources[0] if self.sources else "")

    def located(self, expr: Expr, scope: Scope) -> list[Seen]:
        """The items of a list with the path of each, as far as it can be told."""
        if isinstance(expr, Path) and expr.start != "context":
            found, many = self.walked(expr, scope)
            return found if many else [seen for one in found for seen in every(one)]
        base = self.one(expr, scope)
        paths = {id(seen.value): seen.source for seen in self._origins(expr, scope)}
        sources = list(self.sources)
        items = logic.items(base.value)
        self.sources = sources
        return [Seen(item, paths.get(id(item), base.source)) for item in items]

    def _origins(self, expr: Expr, scope: Scope) -> list[Seen]:
        """The items that a pipe began with: a step that sorts or picks hands on the same ones."""
        while isinstance(expr, Apply):
            expr = expr.value
        return self.located(expr, scope) if isinstance(expr, Path) and expr.start != "context" else []

    def walked(self, path: Path, scope: Scope) -> tuple[list[Seen], bool]:
        """Where a path leads, and whether it leads to many."""
        found, many = [self.begin(path, scope)], False
        parts: Iterable[Part] = path.parts
        rows = self.rows.get(path.name) if path.start == "variable" else None
        if rows is not None and path.parts and isinstance(path.parts[0], Every | Where | Index):
            found = [seen for seen in rows if seen.value is not None]
            many = True
            parts = path.parts[1:] if isinstance(path.parts[0], Every) else path.parts
            if isinstance(path.parts[0], Where):
                test, parts = path.parts[0].test, path.parts[1:]
                self.counted(found, test.spot)
                found = [one for one in found if self.holds(test, scope.below(one))]
        for part in parts:
            found, many = self.stepped(found, many, part, scope)
        return found, many

    def begin(self, path: Path, scope: Scope) -> Seen:
        """Where a path begins."""
        if path.start == "root":
            return self.root
        if path.start == "variable":
            if path.name in self.rows:
                return Seen([seen.value for seen in self.rows[path.name]], "")
            value, sources = self.vars[path.name]
            self.sources.extend(() if path.parts else sources)
            return Seen(value, sources[0] if sources else "")
        for _ in range(path.levels):
            scope = scope.above or scope
        return scope.here

    def stepped(self, found: list[Seen], many: bool, part: Part, scope: Scope) -> tuple[list[Seen], bool]:
        """One part of a path further."""
        match part:
            case Key(name=name):
                inner = [member(seen, name) for seen in found]
                return [seen for seen in inner if seen.value is not None] if many else inner, many
            case Index(number=number):
                listed = found if many else indexed(found[0])
                inside = -len(listed) <= number < len(listed)
                return [listed[number] if inside else Seen(None, "")], False
            case Every():
                return [one for seen in found for one in every(seen)], True
            case Where(test=test):
                items = [one for seen in found for one in every(seen)]
                self.counted(items, test.spot)
                return [one for one in items if self.holds(test, scope.below(one))], True

    def counted(self, items: list[Seen], spot: Spot) -> None:
        """The work of walking over items, which has an end."""
        self.work += len(items)
        if self.work > WORK + WORK_PER_BYTE * len(self.message.body):
            raise Spent(spot)

    def holds(self, test: Expr, scope: Scope) -> bool:
        """Whether a filter's test is true of an item; what it reads is no source."""
        own, self.sources = self.sources, []
        met = bool(self.value(test, scope))
        self.sources = own
        return met


def member(seen: Seen, name: str) -> Seen:
    """A member of an object, null where there is none."""
    value = seen.value.get(name) if isinstance(seen.value, dict) else None
    plain = name.lstrip("@#").replace("-", "_").isidentifier()
    step = f".{name}" if plain else f"['{name}']"
    return Seen(value, (seen.source + step).removeprefix(".") if plain else seen.source + step)


def indexed(seen: Seen) -> list[Seen]:
    """The places of a list; what is no list is one."""
    if isinstance(seen.value, list):
        return [Seen(value, f"{seen.source}[{number}]") for number, value in enumerate(seen.value)]
    return [Seen(item, seen.source) for item in logic.items(seen.value)]


def every(seen: Seen) -> list[Seen]:
    """The items of a list that are not null; what is no list is one."""
    return [one for one in indexed(seen) if one.value is not None]


def _spoken(exprs: tuple[Expr, ...], values: list[Any]) -> bool:
    """Whether any of the values that do not stand in the mapping itself is there."""
    pairs = zip(exprs, values, strict=True)
    return any(value is not None and not isinstance(expr, Literal) for expr, value in pairs)

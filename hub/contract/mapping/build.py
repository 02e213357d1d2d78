"""From the tree of a file to the plan of its fields, every fault noted on the way."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from difflib import get_close_matches
from itertools import count
from typing import Any

from hub.contract.mapping.casts import cast_for, free, misfit
from hub.contract.mapping.check import Binder, Ground, kind_of, words_of
from hub.contract.mapping.document import Branch, Row, Twig, Word
from hub.contract.mapping.parser import parse
from hub.contract.mapping.place import Faults, Spot, Unfit
from hub.contract.mapping.plan import (
    ROWS,
    Choose,
    Demand,
    Each,
    Fixed,
    Leaf,
    Listed,
    Merge,
    Plan,
    Shape,
    Var,
    Within,
)
from hub.contract.mapping.steps.time import date, stamp
from hub.contract.mapping.syntax import Expr, Literal, Path, inside
from hub.contract.mapping.targets import Free, Many, Record, Scalar, Target

HEADS = {
    "each": frozenset({"each", "map", "when", "vars", "group_by"}),
    "in": frozenset({"in", "map", "when", "vars"}),
    "const": frozenset({"const"}),
    "if": frozenset({"if", "then", "else"}),
    "merge": frozenset({"merge"}),
}
"""The words that begin a structure, with those that may stand beside each."""

DEEPEST = 40


class Builder:
    """Makes plans; one for a whole file, so that variables get slots of their own."""

    def __init__(self, binder: Binder, faults: Faults) -> None:
        self.binder = binder
        self.faults = faults
        self.slots: Iterator[int] = count(1)
        self.depth = 0

    def plan(self, twig: Twig, target: Target, ground: Ground, field: str) -> Plan | None:
        """The plan of what stands in one place, None when it is broken."""
        self.depth += 1
        try:
            if self.depth > DEEPEST:
                self.faults.add(twig.spot, f"nested deeper than {DEEPEST} levels")
                return None
            if isinstance(twig, Word):
                return self.leaf(twig, target, ground, field)
            if isinstance(twig, Row):
                return self.listed(twig, target, ground, field)
            return self.branch(twig, target, ground, field)
        finally:
            self.depth -= 1

    def expr(
        self, twig: Twig | None, ground: Ground, field: str, choices: tuple[str, ...] | None = None
    ) -> Expr | None:
        """A bound expression, None when it is broken or is not there."""
        if twig is None:
            return None
        if not isinstance(twig, Word):
            self.faults.add(twig.spot, "an expression stands here, not a list or an object")
            return None
        if not twig.text.strip() or twig.null:
            self.faults.add(
                twig.spot, "an expression is missing (a # after a space begins a comment: quote it)"
            )
            return None
        parsed = parse(twig.text, twig.locate, self.faults)
        return None if parsed is None else self.binder.bind(parsed, ground, field, choices)

    def leaf(self, word: Word, target: Target, ground: Ground, field: str) -> Plan | None:
        """A field whose value is an expression of a kind that fits it."""
        choices = target.choices if isinstance(target, Scalar) and target.kind == "choice" else None
        expr = self.expr(word, ground, field, choices)
        if expr is None:
            return None
        wrong = misfit(target, kind_of(expr, ground))
        if wrong:
            self.faults.add(expr.spot, f"'{_last(field)}' {wrong}")
        elif choices is not None:
            self.chosen(expr, choices, ground, field)
        aim = target if isinstance(target, Scalar | Many) else None
        return Leaf(expr, cast_for(target), word.spot, aim)

    def chosen(self, expr: Expr, choices: tuple[str, ...], ground: Ground, field: str) -> None:
        """A fault when a field of fixed words could become another one."""
        words = words_of(expr, ground)
        named = ", ".join(choices)
        if words is None:
            self.faults.add(
                expr.spot, f"'{_last(field)}' is one of {named}: end with lookup(table) or enum(table)"
            )
            return
        for word in sorted(one for one in words if one is not None and one not in choices):
            self.faults.add(expr.spot, f"'{_last(field)}' cannot be '{word}'; it is one of {named}")

    def listed(self, row: Row, target: Target, ground: Ground, field: str) -> Plan | None:
        """A list as it is written."""
        item = target.item if isinstance(target, Many) else target if isinstance(target, Free) else None
        if item is None:
            self.faults.add(row.spot, f"'{_last(field)}' is not a list")
            return None
        plans = [self.plan(one, item, ground, f"{field}[]") for one in row.items]
        return Listed(tuple(plan for plan in plans if plan is not None), row.spot)

    def branch(self, branch: Branch, target: Target, ground: Ground, field: str) -> Plan | None:
        """A structure, where one of its words begins it, else an object."""
        words = branch.words()
        heads = [head for head in HEADS if head in words]
        if not heads:
            return self.shape(branch, target, ground, field)
        head = heads[0]
        for name in branch.items:
            if name not in HEADS[head] or name not in words:
                self.faults.add(branch.keys[name].spot, f"'{name}' cannot stand beside '{head}'")
        build: Any = getattr(self, f"{head}_")
        found: Plan | None = build(branch, target, ground, field)
        return found

    def shape(self, branch: Branch, target: Target, ground: Ground, field: str) -> Plan | None:
        """An object, field by field."""
        if isinstance(target, Many):
            self.faults.add(branch.spot, f"'{_last(field)}' is a list: write `each:` and `map:`, or [ … ]")
            return None
        if isinstance(target, Scalar):
            self.faults.add(branch.spot, f"'{_last(field)}' is one value, not an object")
            return None
        fields = [(name, self.field(name, branch, target, ground, field)) for name in branch.items]
        plans = [(name, plan) for name, plan in fields if plan is not None]
        strict = bool(field) and isinstance(target, Record)
        stated = tuple(one for one in plans if constant(one[1]))
        spoken = tuple(one for one in plans if one not in stated)
        if isinstance(target, Record):
            for name in sorted(target.needs - branch.items.keys()):
                self.faults.add(branch.spot, f"{target.name.lower()} needs '{name}'")
        ref = dict(plans).get("ref")
        spot = ref.expr.spot if isinstance(ref, Leaf) else branch.spot
        return Shape(spoken, stated, demand(target, spot, strict), branch.spot)

    def field(
        self, name: str, branch: Branch, target: Record | Free, ground: Ground, field: str
    ) -> Plan | None:
        """One field of an object."""
        inner: Target = target
        if isinstance(target, Record):
            spot = branch.keys[name].spot
            if name not in target.fields:
                self.faults.add(
                    spot, f"{target.name.lower()} has no field '{name}'{_near(name, target.fields)}"
                )
                return None
            if name in target.held:
                self.faults.add(spot, f"'{name}' of {target.name.lower()} is the hub's own field")
                return None
            inner = target.fields[name]
        return self.plan(branch.items[name], inner, ground, f"{field}.{name}" if field else name)

    def each_(self, branch: Branch, target: Target, ground: Ground, field: str) -> Plan | None:
        """`each:` with `map:`."""
        item = target.item if isinstance(target, Many) else target
        if isinstance(target, Record | Scalar):
            self.faults.add(branch.spot, f"'{_last(field)}' is not a list")
            return None
        over = self.expr(branch.get("each"), ground, field)
        below = ground.below()
        group = self.expr(branch.get("group_by"), below, field)
        if "group_by" in branch.items:
            below = self.grouped(below, branch.items["group_by"].spot)
        rows = below.vars[ROWS].slot if group is not None else ""
        found, below = self.vars(branch.get("vars"), below)
        when = self.expr(branch.get("when"), below, field)
        body = self.body(branch, item, below, f"{field}[]")
        if over is None or body is None:
            return None
        return Each(over, body, branch.spot, early(found, when), when, group, rows)

    def in_(self, branch: Branch, target: Target, ground: Ground, field: str) -> Plan | None:
        """`in:` with `map:`."""
        over = self.expr(branch.get("in"), ground, field)
        found, below = self.vars(branch.get("vars"), ground.below())
        when = self.expr(branch.get("when"), below, field)
        body = self.body(branch, target, below, field)
        return (
            None
            if over is None or body is None
            else Within(over, body, branch.spot, early(found, when), when)
        )

    def body(self, branch: Branch, target: Target, ground: Ground, field: str) -> Plan | None:
        """What stands under `map:`."""
        twig = branch.get("map")
        if twig is None:
            self.faults.add(branch.spot, "`map:` is missing")
            return None
        return self.plan(twig, target, ground, field)

    def const_(self, branch: Branch, target: Target, ground: Ground, field: str) -> Plan | None:
        """`const:`."""
        twig = branch.items["const"]
        value = self.stated(twig, target, field)
        return Fixed(free(value) if isinstance(target, Free) else value, twig.spot)

    def stated(self, twig: Twig, target: Target, field: str) -> Any:
        """A value that the mapping states, in its canonical form."""
        if isinstance(twig, Row):
            item = target.item if isinstance(target, Many) else target
            return [self.stated(one, item, f"{field}[]") for one in twig.items]
        if isinstance(twig, Branch):
            if not isinstance(target, Free):
                self.faults.add(
                    twig.spot, f"'{_last(field)}' is an object: write its fields, each a `const:`"
                )
            return {name: self.stated(item, target, f"{field}.{name}") for name, item in twig.items.items()}
        return self.stated_word(twig, target, field)

    def stated_word(self, word: Word, target: Target, field: str) -> Any:
        """A word that the mapping states, in its canonical form."""
        text = None if word.null else word.text
        try:
            if isinstance(target, Scalar) and target.kind in ("time", "date"):
                return text and (stamp(text, "") if target.kind == "time" else date(text))
            if isinstance(target, Scalar) and target.kind == "choice" and text not in (None, *target.choices):
                raise Unfit(text, f"is not one of {', '.join(target.choices)}")
            if isinstance(target, Record | Many):
                raise Unfit(text, f"cannot be '{_last(field)}'")
            return cast_for(target)(text)
        except Unfit as unfit:
            self.faults.add(word.spot, str(unfit))
            return None

    def if_(self, branch: Branch, target: Target, ground: Ground, field: str) -> Plan | None:
        """`if:`, `then:`, `else:`."""
        test = self.expr(branch.get("if"), ground, field)
        then, otherwise = branch.get("then"), branch.get("else")
        if then is None:
            self.faults.add(branch.spot, "`then:` is missing")
            return None
        yes = self.plan(then, target, ground, field)
        no = None if otherwise is None else self.plan(otherwise, target, ground, field)
        return None if test is None or yes is None else Choose(test, yes, no, branch.spot)

    def merge_(self, branch: Branch, target: Target, ground: Ground, field: str) -> Plan | None:
        """`merge:`."""
        row = branch.items["merge"]
        if not isinstance(row, Row) or not isinstance(target, Record | Free):
            self.faults.add(row.spot, "`merge:` takes a list of objects, for a field that is one")
            return None
        loose = replace(target, needs=frozenset()) if isinstance(target, Record) else target
        plans = [self.plan(one, loose, ground, field) for one in row.items]
        parts = tuple(plan for plan in plans if plan is not None)
        return Merge(parts, demand(target, row.spot, bool(field)), row.spot)

    def grouped(self, ground: Ground, spot: Spot) -> Ground:
        """Where the rows of a group are known as `@rows`."""
        rows = Var(ROWS, Path("self", (), spot), f"v{next(self.slots)}", many=True)
        return ground.knowing((rows,))

    def vars(self, twig: Twig | None, ground: Ground) -> tuple[tuple[Var, ...], Ground]:
        """Variables in the order in which they can be told, and the ground that knows them."""
        if twig is None:
            return (), ground
        if not isinstance(twig, Branch):
            self.faults.add(twig.spot, "`vars:` names expressions")
            return (), ground
        parsed = {name: expr for name, expr in self._parsed(twig) if expr is not None}
        found: list[Var] = []
        for name in self._ordered(parsed, twig):
            bound = self.binder.bind(parsed[name], ground, f"@{name}")
            var = Var(name, bound, f"v{next(self.slots)}", twig.keys[name].spot)
            found.append(var)
            ground = ground.knowing((var,))
        return tuple(found), ground

    def _parsed(self, branch: Branch) -> Iterator[tuple[str, Expr | None]]:
        for name, twig in branch.items.items():
            if name == ROWS:
                self.faults.add(branch.keys[name].spot, "'rows' is the rows of a group")
            elif not isinstance(twig, Word) or twig.null or not twig.text.strip():
                self.faults.add(twig.spot, "a variable is an expression")
            else:
                yield name, parse(twig.text, twig.locate, self.faults)

    def _ordered(self, parsed: dict[str, Expr], branch: Branch) -> list[str]:
        """Names so that each stands after those it speaks of; a circle is a fault."""
        order: list[str] = []
        waiting: list[str] = []

        def visit(name: str) -> None:
            if name in order:
                return
            if name in waiting:
                self.faults.add(branch.keys[name].spot, f"'@{name}' runs in a circle")
                return
            waiting.append(name)
            for other in sorted(named(parsed[name]) & parsed.keys()):
                visit(other)
            waiting.remove(name)
            order.append(name)

        for name in parsed:
            visit(name)
        return order


def demand(target: Target, spot: Spot, strict: bool) -> Demand:
    """What an object of this kind cannot be without."""
    needs = target.needs if isinstance(target, Record) else frozenset()
    return Demand(spot, "ref" in needs, tuple(sorted(needs - {"ref"})), strict)


def named(expr: Expr) -> set[str]:
    """The variables that an expression speaks of: by name when parsed, by slot when bound."""
    own = {expr.name} if isinstance(expr, Path) and expr.start == "variable" else set[str]()
    return own.union(*(named(one) for one in inside(expr)))


def early(found: tuple[Var, ...], when: Expr | None) -> tuple[Var, ...]:
    """The variables with those marked, and put first, that a test needs."""
    wanted = named(when) if when is not None else set[str]()
    for var in reversed(found):
        wanted |= named(var.expr) if var.slot in wanted else set()
    first = [replace(var, early=True) for var in found if var.slot in wanted]
    return (*first, *(var for var in found if var.slot not in wanted))


def constant(plan: Plan | None) -> bool:
    """Whether a plan states its value without looking at the payload."""
    return isinstance(plan, Fixed) or (isinstance(plan, Leaf) and isinstance(plan.expr, Literal))


def _last(field: str) -> str:
    return field.removesuffix("[]").rpartition(".")[2]


def _near(name: str, names: Any) -> str:
    close = get_close_matches(name, names, 1)
    return f"; did you mean '{close[0]}'?" if close else ""

"""The mapping run step by step: slow, but it knows the source of each value and the spot of each fault.

It is the definition of what a mapping means. The generated function does the same without looking where
it is; when that one fails, this one runs to say where, and it is what provenance reads.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from hub.contract.errors import Place, Unmapped
from hub.contract.mapping import logic
from hub.contract.mapping.place import Missing, Spent, Spot, Unfit
from hub.contract.mapping.plan import (
    Choose,
    Demand,
    Each,
    Fixed,
    Leaf,
    Merge,
    Plan,
    Shape,
    Var,
    Whole,
    Within,
)
from hub.contract.mapping.steps.scalars import text_of
from hub.contract.mapping.syntax import Expr
from hub.contract.mapping.walk import Reading, Scope, Seen


@dataclass(frozen=True, slots=True)
class Trace:
    """Where a leaf came from: the path in the payload and the spot in the mapping."""

    field: str
    source: str
    file: str
    line: int
    column: int
    value: Any


@dataclass(slots=True)
class Run:
    """One pass of a mapping over a payload; `field` is where it is."""

    reading: Reading
    traces: list[Trace] = field(default_factory=list)
    field: str = ""

    def documents(self, whole: Whole, payload: Any) -> Iterator[tuple[Any, dict[str, Any]]]:
        """Each document of a payload with its marks (`sequence`, `account` …)."""
        for scope in self._elements(whole, Scope(Seen(payload, ""))):
            self.reading.root = scope.here
            self.traces = []
            if self._declared(whole.vars, whole.when, scope):
                self.field = ""
                doc = self.plan(whole.body, scope)
                yield doc, {name: self.told(expr, scope, name) for name, expr in whole.marks.items()}

    def _elements(self, whole: Whole, top: Scope) -> Iterator[Scope]:
        self.reading.root = top.here
        if whole.each is None:
            yield top
        else:
            found = self._located(whole.each, top)
            yield from self._grouped(found, whole.each.spot, whole.group, whole.rows, top)

    def _located(self, over: Expr, scope: Scope) -> list[Seen]:
        found: list[Seen] = self._guarded(lambda: self.reading.located(over, scope), over.spot)
        return found

    def _grouped(
        self, found: list[Seen], spot: Spot, group: Expr | None, slot: str, scope: Scope
    ) -> Iterator[Scope]:
        """A scope for each item, or for each group's first, whose rows are then known as `@rows`."""
        self._guarded(lambda: self.reading.counted(found, spot), spot)
        if group is None:
            yield from (scope.below(seen) for seen in found)
            return
        groups: dict[str | None, list[Seen]] = {}
        for seen in found:
            groups.setdefault(self._group_name(group, scope.below(seen)), []).append(seen)
        for rows in groups.values():
            self.reading.rows[slot] = rows
            yield scope.below(rows[0])

    def _group_name(self, group: Expr, scope: Scope) -> str | None:
        value = self.told(group, scope, "group_by")
        return self._guarded(lambda: logic.group_name(value), group.spot)  # type: ignore[no-any-return]

    def _declared(self, found: tuple[Var, ...], when: Expr | None, scope: Scope) -> bool:
        """Whether there is a result; if so, its variables are known afterwards."""
        self._declare([var for var in found if var.early], scope)
        if when is not None and not self.told(when, scope, self.field or "when"):
            return False
        self._declare([var for var in found if not var.early], scope)
        return True

    def _declare(self, found: list[Var], scope: Scope) -> None:
        for var in found:
            value = self.told(var.expr, scope, f"@{var.name}")
            self.reading.vars[var.slot] = (value, self.reading.sources)

    def told(self, expr: Expr, scope: Scope, field: str) -> Any:
        """An expression's value, its faults told as those of a field."""
        outer, self.field = self.field, field
        self.reading.sources = []
        value = self._guarded(lambda: self.reading.value(expr, scope), expr.spot)
        self.field = outer
        return value

    def _guarded(self, do: Callable[[], Any], spot: Spot) -> Any:
        self.reading.failed = None
        try:
            return do()
        except Unfit as unfit:
            failed = unfit.spot if isinstance(unfit, Spent) else self.reading.failed
            raise self.fault(unfit, failed or spot) from None

    def fault(self, unfit: Unfit, spot: Spot) -> Unmapped:
        """The error that names the spot in the mapping, the field and the value."""
        return Unmapped(str(unfit), place=Place(*spot, field=self.field or "-", value=_said(unfit.value)))

    def plan(self, plan: Plan, scope: Scope) -> Any:
        """What a plan makes; None is absent, and leaves no trace."""
        mark = len(self.traces)
        found = self._plan(plan, scope)
        if found is None:
            del self.traces[mark:]
        return found

    def _plan(self, plan: Plan, scope: Scope) -> Any:
        match plan:
            case Leaf():
                return self.leaf(plan, scope)
            case Fixed(value=value):
                return value
            case Shape():
                return self.shape(plan, scope)
            case Each():
                return self.each(plan, scope)
            case Within():
                return self.within(plan, scope)
            case Choose():
                return self.choose(plan, scope)
            case Merge():
                return self.merge(plan, scope)
            case _:
                return self.numbered((item, scope) for item in plan.items)

    def leaf(self, leaf: Leaf, scope: Scope) -> Any:
        """A leaf's value in its canonical form, its source remembered."""
        value = self.told(leaf.expr, scope, self.field)
        if value is None:
            return None
        value = self._guarded(lambda: leaf.cast(value), leaf.expr.spot)
        if value is not None:
            source = ", ".join(dict.fromkeys(one for one in self.reading.sources if one))
            self.traces.append(Trace(self.field, source, *leaf.spot, value))
        return value

    def shape(self, shape: Shape, scope: Scope) -> Any:
        """An object, what the mapping itself states laid in last."""
        found: dict[str, Any] = {}
        self._fill(found, shape.spoken, scope)
        if found or not shape.demand.strict or not shape.spoken:
            self._fill(found, shape.stated, scope)
        return self._whole(found, shape.demand)

    def _fill(self, found: dict[str, Any], fields: tuple[tuple[str, Plan], ...], scope: Scope) -> None:
        outer = self.field
        for name, plan in fields:
            self.field = f"{outer}.{name}" if outer else name
            value = self.plan(plan, scope)
            if value is not None:
                found[name] = value
        self.field = outer

    def _whole(self, found: dict[str, Any], demand: Demand) -> dict[str, Any] | None:
        if demand.ref and "ref" not in found and (found or not demand.strict):
            self.field = f"{self.field}.ref" if self.field else "ref"
            raise self.fault(Missing(), demand.spot)
        return found if found and all(name in found for name in demand.needs) else None

    def each(self, each: Each, scope: Scope) -> Any:
        """A list, one result for each item that is to have one."""
        found = self._located(each.over, scope)
        return self.numbered(
            (each.body, below)
            for below in self._grouped(found, each.over.spot, each.group, each.rows, scope)
            if self._declared(each.vars, each.when, below)
        )

    def numbered(self, plans: Iterator[tuple[Plan, Scope]]) -> list[Any] | None:
        """A list of results, the absent ones left out."""
        outer, found = self.field, list[Any]()
        for plan, scope in plans:
            self.field = f"{outer}[{len(found)}]"
            value = self.plan(plan, scope)
            self.field = outer
            if value is not None:
                found.append(value)
        return found or None

    def within(self, within: Within, scope: Scope) -> Any:
        """A result whose paths begin elsewhere."""
        seen = self._guarded(lambda: self.reading.one(within.over, scope), within.over.spot)
        if seen.value is None or seen.value == "" or seen.value == []:
            return None
        below = scope.below(seen)
        return self.plan(within.body, below) if self._declared(within.vars, within.when, below) else None

    def choose(self, choose: Choose, scope: Scope) -> Any:
        """One result or another."""
        chosen = choose.then if self.told(choose.test, scope, self.field) else choose.otherwise
        return None if chosen is None else self.plan(chosen, scope)

    def merge(self, merge: Merge, scope: Scope) -> Any:
        """Objects laid upon each other."""
        found: dict[str, Any] = {}
        for part in merge.parts:
            value = self.plan(part, scope)
            if isinstance(value, dict):
                found |= value
        return self._whole(found, merge.demand)


def _said(value: Any) -> str:
    try:
        return "" if value is None else text_of(value)[:80]
    except Unfit:
        return "[…]" if isinstance(value, list) else "{…}"

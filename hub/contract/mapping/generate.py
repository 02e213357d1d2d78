"""A mapping as one Python function: made from the checked plan, never from text, and compiled once.

Over JSON the payload is typed (`payload`), over all else it is the plain tree. Whatever goes wrong in it is
told by the interpreter, which runs again from the start: here nothing is spent on places.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from hub.contract.mapping import casts, logic
from hub.contract.mapping.paths import Spoken, Stand
from hub.contract.mapping.payload import Node, Types, types_of
from hub.contract.mapping.phrases import Phrases
from hub.contract.mapping.place import Spot
from hub.contract.mapping.plan import (
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
    Whole,
    Within,
)
from hub.contract.mapping.steps.other import truth
from hub.contract.mapping.steps.registry import Step
from hub.contract.mapping.syntax import Apply, Every, Expr, Look, Path, inside
from hub.contract.mapping.walk import WORK, WORK_PER_BYTE
from hub.contract.mapping.writer import Writer

Run = Callable[[Any, Any, Any], list[tuple[Any, dict[str, Any]]]]
"""(payload, message, notes) → documents and their marks."""

_GROWS = frozenset({"concat", "join", "replace", "pad", "upper", "lower", "title"})


def tree_run(whole: Whole) -> Run:
    """The function over a plain tree."""
    source = Source(Writer(), None)
    source.whole(whole)
    run: Run = source.writer.made("run")
    return run


def typed_run(whole: Whole) -> tuple[Run, Types]:
    """The function over a typed payload, with the types: the first pass finds them, the second uses them."""
    root = Node()
    Source(Writer(), root).whole(whole)
    _settle(root)
    source = Source(Writer(), root)
    types = types_of(root)
    source.whole(whole)
    for number, struct in types.structs.items():
        source.writer.values |= {f"S{number}": struct, f"E{number}": struct()}
    run: Run = source.writer.made("run")
    return run, types


def expression_run(expr: Expr) -> Callable[[Any, Any, Any, Any], Any]:
    """The function of one expression: (here, root, message, notes) → its value."""
    writer = Writer()
    phrases = Phrases(writer)
    with writer.block("def value(p, r, message, notes):"):
        writer.line(f"zone, work, most = message.zone, 0, {WORK}")
        phrases.paths.root = phrases.paths.below("r", None, Stand("r", "r", None))
        writer.line(f"return {phrases.value(expr, phrases.paths.below('p', None, Stand('p', 'p', None)))}")
    run: Callable[[Any, Any, Any, Any], Any] = writer.made("value")
    return run


def _settle(node: Node) -> None:
    node.whole = node.whole or not node.members
    for inner in node.members.values():
        _settle(inner)


@dataclass(frozen=True, slots=True)
class Walk:
    """What a loop goes over: items, or their groups, whose rows have a slot."""

    at: Spoken
    spot: Spot
    group: Expr | None = None
    rows: str = ""


class Source:
    """Writes the function of one mapping."""

    def __init__(self, writer: Writer, root: Node | None) -> None:
        self.writer = writer
        self.node = root
        self.phrases = Phrases(writer)
        self.paths = self.phrases.paths

    # the whole

    def whole(self, whole: Whole) -> None:
        """The function itself."""
        line, block = self.writer.line, self.writer.block
        with block("def run(p, message, notes):"):
            short = "False" if self.node is None else f"len(message.body) <= {casts.TEXT_LIMIT}"
            line(f"zone, out, short = message.zone, [], {short}")
            line(f"work, most = 0, {WORK} + {WORK_PER_BYTE} * len(message.body)")
            top = self.paths.below("p", self.node, Stand("p", "p", None))
            top = Stand(top.raw, top.object, top.node)
            self.paths.root = top
            if whole.each is None:
                self.document(whole, top)
            else:
                at = self.elements(whole.each, top)
                over = Walk(at, whole.each.spot, whole.group, whole.rows)
                self.walk(over, top, lambda stand: self.document(whole, stand))
            line("return out")

    def document(self, whole: Whole, stand: Stand) -> None:
        """One document and its marks."""
        self.paths.begins(Stand(stand.raw, stand.object, stand.node))
        with self.declared(whole.vars, whole.when, stand):
            result = self.plan(whole.body, stand)
            marks = [f"{name!r}: {self.phrases.held(expr, stand)}" for name, expr in whole.marks.items()]
            self.writer.line(f"out.append(({result}, {{{', '.join(marks)}}}))")

    # elements

    def elements(self, over: Expr, stand: Stand) -> Spoken:
        """The items that `each` walks over."""
        if not isinstance(over, Path) or over.start == "context":
            items = self.writer.named(logic.items, "items")
            return Spoken(self.paths.put(f"{items}({self.phrases.value(over, stand)})"), None, many=True)
        *most, last = over.parts or (None,)
        if not isinstance(last, Every):
            at = self.paths.settled(self.paths.walked(over, stand))
            return at if at.many else self.paths.listed(at)
        return self.paths.listed(self.paths.walked(replace(over, parts=tuple(most)), stand))

    def walk(self, over: Walk, stand: Stand, body: Callable[[Stand], None]) -> None:
        """A loop over items, or over their groups."""
        one, at = self.writer.fresh("e"), over.at
        self.paths.counted(at.text, over.spot)
        if over.group is None:
            with self.writer.block(f"for {one} in {at.text}:"), self.writer.block(f"if {one} is not None:"):
                body(self.paths.below(one, at.node, stand))
            return
        groups = self.groups(over, over.group, one, stand)
        self.paths.rows[over.rows] = at.node
        with self.writer.block(f"for {over.rows} in {groups}.values():"):
            self.writer.line(f"{one} = {over.rows}[0]")
            body(self.paths.below(one, at.node, stand))

    def groups(self, over: Walk, group: Expr, one: str, stand: Stand) -> str:
        """Items by the text that they are grouped by."""
        found, named = self.writer.fresh("g"), self.writer.named(logic.group_name, "group")
        self.writer.line(f"{found} = {{}}")
        with self.writer.block(f"for {one} in {over.at.text}:"), self.writer.block(f"if {one} is not None:"):
            below = self.paths.below(one, over.at.node, stand)
            self.writer.line(
                f"{found}.setdefault({named}({self.phrases.value(group, below)}), []).append({one})"
            )
        return found

    def declared(self, found: tuple[Var, ...], when: Expr | None, stand: Stand) -> Any:
        """A block in which the variables are known, entered where there is a result."""
        self.declare([var for var in found if var.early], stand)
        test = "True" if when is None else self.phrases.value(when, stand)
        return _Declared(self, f"if {test}:", [var for var in found if not var.early], stand)

    def declare(self, found: list[Var], stand: Stand) -> None:
        """Variables, each under its slot."""
        for var in found:
            self.writer.line(f"{var.slot} = {self.phrases.value(var.expr, stand)}")
            self.writer.leave_room(var.slot)

    # plans: each gives the name of a variable that holds its result, None where it is absent

    def put(self, plan: Plan, stand: Stand, sink: str) -> None:
        """A plan's result, put where it belongs unless it is absent."""
        if isinstance(plan, Leaf):
            self.put_leaf(plan, stand, sink)
            return
        if isinstance(plan, Shape):
            found = self.filled(plan, stand)
            self.writer.line(f"if {self.fit(found, plan.demand)}: {sink.format(found)}")
            return
        result = self.plan(plan, stand)
        some = result if isinstance(plan, Each) else f"{result} is not None"
        self.writer.line(f"if {some}: {sink.format(result)}")

    def put_leaf(self, leaf: Leaf, stand: Stand, sink: str) -> None:
        """A leaf put where it belongs: at once when it is canonical already, else cast before."""
        name, ready = self.phrases.own(leaf.expr, stand), _ready(leaf)
        if ready == "as it is":
            self.writer.line(f"if {name} is not None: {sink.format(name)}")
            return
        if ready:
            self.writer.line(f"if {ready.format(name)}: {sink.format(name)}")
        some = name if _textual(leaf) else f"{name} is not None"
        with self.writer.block(f"{'elif' if ready else 'if'} {some}:"):
            self.cast(leaf, name)
            self.writer.line(f"if {name} is not None: {sink.format(name)}")

    def plan(self, plan: Plan, stand: Stand) -> str:
        """A plan's result."""
        write: Any = getattr(self, plan.__class__.__name__.lower())
        name: str = write(plan, stand)
        return name

    def fixed(self, fixed: Fixed, stand: Stand) -> str:
        """A value that the mapping states."""
        return self.writer.named(fixed.value)

    def leaf(self, leaf: Leaf, stand: Stand) -> str:
        """A leaf, cast; what is canonical already is not cast again."""
        name = self.phrases.own(leaf.expr, stand)
        ready = _ready(leaf)
        if ready == "as it is":
            return name
        if ready:
            with self.writer.block(f"if not ({ready.format(name)}) and {name} is not None:"):
                self.cast(leaf, name)
        else:
            with self.writer.block(f"if {name} is not None:"):
                self.cast(leaf, name)
        return name

    def cast(self, leaf: Leaf, name: str) -> None:
        """The call of a leaf's cast."""
        self.writer.line(f"{name} = {self.writer.named(leaf.cast, 'cast')}({name})")

    def shape(self, shape: Shape, stand: Stand) -> str:
        """An object."""
        found = self.filled(shape, stand)
        self.writer.line(f"if not ({self.fit(found, shape.demand)}): {found} = None")
        return found

    def filled(self, shape: Shape, stand: Stand) -> str:
        """An object as far as it goes."""
        found = self.writer.fresh("d")
        self.writer.line(f"{found} = {{}}")
        self.fill(found, shape.spoken, stand)
        if shape.stated and shape.demand.strict and shape.spoken:
            with self.writer.block(f"if {found}:"):
                self.fill(found, shape.stated, stand)
        else:
            self.fill(found, shape.stated, stand)
        return found

    def fill(self, found: str, fields: tuple[tuple[str, Plan], ...], stand: Stand) -> None:
        """The fields of an object that are not absent."""
        for name, plan in fields:
            self.put(plan, stand, f"{found}[{self.writer.named(name)}] = {{}}")

    def fit(self, found: str, demand: Demand) -> str:
        """The source of a test whether an object has what it cannot be without; a fault where that is its `ref`."""
        if demand.ref:
            anything = f"{found} and " if demand.strict else ""
            self.writer.line(f"if {anything}'ref' not in {found}: raise {self.phrases.missing}")
        return " and ".join([found, *(f"{self.writer.named(name)} in {found}" for name in demand.needs)])

    def each(self, each: Each, stand: Stand) -> str:
        """A list, one result for each item that is to have one."""
        found = self.writer.fresh("l")
        self.writer.line(f"{found} = None")

        def body(below: Stand) -> None:
            with self.declared(each.vars, each.when, below):
                self.put(each.body, below, f"{found}.append({{}})")

        at = self.elements(each.over, stand)
        with self.writer.block(f"if {at.text}:"):
            self.writer.line(f"{found} = []")
            self.walk(Walk(at, each.over.spot, each.group, each.rows), stand, body)
            self.writer.line(f"if not {found}: {found} = None")
        return found

    def within(self, within: Within, stand: Stand) -> str:
        """A result whose paths begin elsewhere."""
        found = self.writer.fresh("w")
        self.writer.line(f"{found} = None")
        at = self.place(within.over, stand)
        with self.writer.block(f"if {at.text} is not None and {at.text} != '' and {at.text} != []:"):
            below = self.paths.below(at.text, at.node, stand)
            with self.declared(within.vars, within.when, below):
                self.writer.line(f"{found} = {self.plan(within.body, below)}")
        return found

    def place(self, over: Expr, stand: Stand) -> Spoken:
        """Where the paths of `in` begin."""
        if isinstance(over, Path) and over.start != "context":
            at = self.paths.walked(over, stand)
            if not at.many:
                return Spoken(self._kept(at.text), at.node)
        return Spoken(self._kept(self.phrases.value(over, stand)))

    def _kept(self, text: str) -> str:
        name = self.writer.fresh("e")
        self.writer.line(f"{name} = {text}")
        return name

    def choose(self, choose: Choose, stand: Stand) -> str:
        """One result or another."""
        found = self.writer.fresh("w")
        with self.writer.block(f"if {self.phrases.value(choose.test, stand)}:"):
            self.writer.line(f"{found} = {self.plan(choose.then, stand)}")
        with self.writer.block("else:"):
            other = "None" if choose.otherwise is None else self.plan(choose.otherwise, stand)
            self.writer.line(f"{found} = {other}")
        return found

    def merge(self, merge: Merge, stand: Stand) -> str:
        """Objects laid upon each other."""
        found = self.writer.fresh("d")
        self.writer.line(f"{found} = {{}}")
        for part in merge.parts:
            result = self.plan(part, stand)
            self.writer.line(f"if {result}.__class__ is dict: {found}.update({result})")
        self.writer.line(f"if not ({self.fit(found, merge.demand)}): {found} = None")
        return found

    def listed(self, listed: Listed, stand: Stand) -> str:
        """A list as it is written."""
        results = [self.plan(item, stand) for item in listed.items]
        return self.paths.put(
            f"[r for r in ({''.join(f'{one}, ' for one in results)}) if r is not None] or None"
        )


class _Declared:
    """The block of a result: entered by its test, the later variables declared first."""

    def __init__(self, source: Source, head: str, late: list[Var], stand: Stand) -> None:
        self.source, self.late, self.stand = source, late, stand
        self.block = source.writer.block(head)

    def __enter__(self) -> None:
        self.block.__enter__()
        self.source.declare(self.late, self.stand)

    def __exit__(self, *error: Any) -> None:
        self.block.__exit__(*error)


def _ready(leaf: Leaf) -> str:
    """When a leaf's value needs no cast: a test of it, "as it is" for always, "" for never."""
    last = leaf.expr.step if isinstance(leaf.expr, Apply) else None
    sure = "" if _textual(leaf) else "{0}.__class__ is str and "
    if leaf.cast is casts.text:
        whole = "" if _grows(leaf.expr) else "short or "
        return f"{sure}{{0}} and ({whole}len({{0}}) <= {casts.TEXT_LIMIT})"
    if leaf.cast is casts.key:
        return f"{sure}{{0}} and len({{0}}) <= {casts.KEY_LIMIT}"
    if (
        leaf.cast is casts.same
        and isinstance(leaf.expr, Look)
        and "" not in (*leaf.expr.table.words.values(), leaf.expr.table.rest)
    ):
        return "as it is"
    if leaf.cast is truth and last is not None and last.gives == "bool":
        return "as it is"
    if leaf.cast is truth:
        return "{0}.__class__ is bool"
    if leaf.cast is casts.free:
        return "{0}.__class__ is str"
    return "as it is" if last is not None and _canonical(last) else ""


def _textual(leaf: Leaf) -> bool:
    """Whether the value is a text or null, whatever the payload holds, and an empty one is absent."""
    expr = leaf.expr
    while isinstance(expr, Apply) and expr.step.name == "required":
        expr = expr.value
    gives = isinstance(expr, Look) or (isinstance(expr, Apply) and expr.step.gives == "text")
    return gives and leaf.cast in (casts.text, casts.key)


def _grows(expr: Expr) -> bool:
    """Whether a text may come out longer than the body that it comes from."""
    if isinstance(expr, Path) and expr.start in ("context", "variable"):
        return True
    return (isinstance(expr, Apply) and expr.step.name in _GROWS) or any(map(_grows, inside(expr)))


def _canonical(step: Step) -> bool:
    return step.gives in ("decimal", "money", "time", "date") and step.name != "required"


__all__ = ["Run", "tree_run", "typed_run"]

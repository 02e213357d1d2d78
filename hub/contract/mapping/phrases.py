"""Expressions as source: statements where they must be, one Python expression where they can be."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from hub.contract.mapping import logic
from hub.contract.mapping.context import known
from hub.contract.mapping.payload import Node
from hub.contract.mapping.place import Missing, Spent, Spot
from hub.contract.mapping.steps.scalars import looks_numeric
from hub.contract.mapping.steps.tables import look
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
from hub.contract.mapping.writer import Writer


class Lone(Exception):
    """A lone object where a list is walked over: only the plain tree can tell an empty one."""


@dataclass(frozen=True, slots=True)
class Spoken:
    """A value in the source: its text, the place in the typed payload (None: a plain tree), whether it is
    many, and whether it is known to be an object."""

    text: str
    node: Node | None = None
    many: bool = False
    object: bool = False


@dataclass(frozen=True, slots=True)
class Stand:
    """Where an expression stands in the source: the element as it is, as an object, and what lies above."""

    raw: str
    object: str
    node: Node | None
    above: Stand | None = None

    def spoken(self, parts: tuple[Part, ...]) -> Spoken:
        """The element, as an object where a member of it is wanted."""
        if parts and isinstance(parts[0], Key):
            return Spoken(self.object, self.node, object=True)
        return Spoken(self.raw, self.node)


class Phrases:
    """Writes expressions; `rows` are the slots of groups with the places of their rows."""

    def __init__(self, writer: Writer) -> None:
        self.writer = writer
        self.root = Stand("p", "p", None)
        self.rows: dict[str, Node | None] = {}
        self.missing = writer.named(Missing, "missing")
        self.spent = writer.named(Spent, "spent")

    # values

    def held(self, expr: Expr, stand: Stand) -> str:
        """The name of a variable that holds an expression's value."""
        text = self.value(expr, stand)
        return text if text.isidentifier() else self.put(text)

    def put(self, text: str) -> str:
        """A fresh variable that holds what a piece of source gives."""
        name = self.writer.fresh()
        self.writer.line(f"{name} = {text}")
        return name

    def value(self, expr: Expr, stand: Stand) -> str:
        """The source of an expression's value; what has to be done before is written before."""
        match expr:
            case Literal(value=value):
                return self.literal(value)
            case Path():
                return self.path(expr, stand)
            case Apply():
                return self.applied(expr, stand)
            case Look():
                return self.looked(expr, stand)
            case First(options=options):
                return self.first(options, stand)
            case Listing(items=items):
                return f"[{', '.join([self.held(item, stand) for item in items])}]"
            case _:
                return self.judged(expr, stand)

    def literal(self, value: object) -> str:
        """A value of the mapping: a word of Python's own, or a name."""
        return repr(value) if value is None or isinstance(value, bool) else self.writer.named(value)

    def judged(self, expr: Compare | Logic | Not, stand: Stand) -> str:
        """True or false."""
        if isinstance(expr, Compare):
            return self.compared(expr, stand)
        if isinstance(expr, Not):
            return self.put(f"not ({self.value(expr.value, stand)})")
        name = self.put(self.truth(self.value(expr.left, stand)))
        with self.writer.block(f"if {name}:" if expr.word == "and" else f"if not {name}:"):
            self.writer.line(f"{name} = {self.truth(self.value(expr.right, stand))}")
        return name

    def truth(self, text: str) -> str:
        """A value as true or false."""
        return f"not not ({text})"

    def compared(self, expr: Compare, stand: Stand) -> str:
        """A comparison; that with a plain word is Python's own."""
        left, right = self.held(expr.left, stand), self.held(expr.right, stand)
        plain = [one.value for one in (expr.left, expr.right) if isinstance(one, Literal)]
        if expr.sign in ("==", "!=") and not expr.numeric and any(_wordy(value) for value in plain):
            return f"({left} {expr.sign} {right})"
        compare = self.writer.named(logic.compared, "compared")
        return f"{compare}({expr.sign!r}, {left}, {right}, {expr.numeric})"

    def first(self, options: tuple[Expr, ...], stand: Stand) -> str:
        """The first that is neither null nor empty."""
        name, empty = self.own(options[0], stand), self.writer.named(logic.empty, "empty")
        for option in options[1:]:
            with self.writer.block(f"if not {name} and {empty}({name}):"):
                self.writer.line(f"{name} = {self.value(option, stand)}")
        self.writer.line(f"if not {name} and {empty}({name}): {name} = None")
        return name

    def looked(self, expr: Look, stand: Stand) -> str:
        """A look-up: the word that is there at once, the rest by the step itself."""
        name = self.own(expr.value, stand)
        words, table = self.writer.named(expr.table.words, "words"), self.writer.named(expr.table, "table")
        call, field = self.writer.named(look, "look"), self.writer.named(expr.field)
        with self.writer.block(f"if {name} is not None:"):
            found = f"{words}[{name}] if {name}.__class__ is str and {name} in {words}"
            self.writer.line(f"{name} = {found} else {call}({name}, {table}, notes, {field})")
        return name

    # steps

    def own(self, expr: Expr, stand: Stand) -> str:
        """A variable that holds an expression's value and may be set anew."""
        text = self.value(expr, stand)
        return text if text.isidentifier() and text[0] == "t" else self.put(text)

    def applied(self, expr: Apply, stand: Stand) -> str:
        """A value put through a step; null passes by."""
        step, name = expr.step, self.own(expr.value, stand)
        if step.name == "required":
            empty = self.writer.named(logic.empty, "empty")
            self.writer.line(f"if not {name} and {empty}({name}): raise {self.missing}")
        elif step.name == "str":
            call = self.writer.named(step.call, "step")
            text = f"str({name}) if {name}.__class__ is int else {call}({name})"
            self.writer.line(f"if {name}.__class__ is not str and {name} is not None: {name} = {text}")
        elif step.joins:
            self.joined(expr, name, stand)
        elif step.sees_null:
            self.call(expr, name, stand)
        else:
            with self.writer.block(f"if {name} is not None:"):
                self.call(expr, name, stand)
        return name

    def joined(self, expr: Apply, name: str, stand: Stand) -> None:
        """A step of several values, null when all of them that come from the payload are."""
        arguments = [self.held(one, stand) for one in expr.arguments]
        own = [
            name,
            *(
                text
                for one, text in zip(expr.arguments, arguments, strict=True)
                if not isinstance(one, Literal)
            ),
        ]
        step = self.writer.named(expr.step.call, "step")
        with self.writer.block(f"if {' or '.join(f'{text} is not None' for text in own)}:"):
            self.writer.line(f"{name} = {step}({', '.join([name, *arguments])})")

    def call(self, expr: Apply, name: str, stand: Stand) -> None:
        """The step's function, called."""
        arguments = [self.value(one, stand) for one in expr.arguments]
        if expr.step.context == "zone":
            arguments.insert(0, "zone")
        step = self.writer.named(expr.step.call, "step")
        self.writer.line(f"{name} = {step}({', '.join([name, *arguments])})")

    # paths

    def path(self, path: Path, stand: Stand) -> str:
        """What a path leads to, whole."""
        if path.start == "context":
            call = self.writer.named(known, "known")
            return f"{call}(message, {path.name!r}, {self.writer.named(path.argument)})"
        found = self.walked(path, stand)
        if found.node is not None:
            found.node.whole = True
        return found.text

    def walked(self, path: Path, stand: Stand) -> Spoken:
        """Where a path leads, its place in the typed payload still open."""
        at, parts = self.begin(path, stand)
        for number, part in enumerate(parts):
            if at.node is not None and number and self.deep(at, parts[number - 1], part):
                at.node.whole = True
            at = self.stepped(self.settled(at), part, stand)
        return at

    def settled(self, at: Spoken) -> Spoken:
        """A value that is wanted whole is a plain tree from there on."""
        return Spoken(at.text, None, at.many) if at.node is not None and at.node.whole else at

    def deep(self, at: Spoken, before: Part, part: Part) -> bool:
        """Whether a list within a list is walked over, for which the typed payload has no type."""
        return (
            not isinstance(before, Key)
            and isinstance(part, Every | Where | Index)
            and not (at.many and isinstance(part, Index))
        )

    def begin(self, path: Path, stand: Stand) -> tuple[Spoken, tuple[Part, ...]]:
        """Where a path begins, and the parts that are left of it."""
        if path.start == "variable":
            return self.variable(path)
        if path.start == "root":
            return self.root.spoken(path.parts), path.parts
        for _ in range(path.levels):
            stand = stand.above or stand
        return stand.spoken(path.parts), path.parts

    def variable(self, path: Path) -> tuple[Spoken, tuple[Part, ...]]:
        """A variable; the rows of a group are many from the start."""
        if path.name not in self.rows or not path.parts or isinstance(path.parts[0], Key):
            node = self.rows.get(path.name)
            if node is not None:
                node.whole = True
            return Spoken(path.name), path.parts
        many = Spoken(path.name, self.rows[path.name], many=True)
        return many, path.parts[1:] if isinstance(path.parts[0], Every) else path.parts

    def stepped(self, at: Spoken, part: Part, stand: Stand) -> Spoken:
        """One part of a path further."""
        match part:
            case Key(name=name):
                return self.each_member(at, name) if at.many else self.member(at, name)
            case Index(number=number):
                return self.index(at, number)
            case Every():
                return self.every(at)
            case Where(test=test):
                items = at if at.many and at.text in self.rows else self.every(at)
                return self.filtered(items, test, stand)

    def member(self, at: Spoken, name: str) -> Spoken:
        """A member of an object, null where there is none."""
        if at.node is None:
            inner, kind, access = None, "dict", f".get({self.writer.named(name)})"
        else:
            inner = at.node.member(name)
            kind, access = f"S{at.node.number}", f".{at.node.attribute(name)}"
        if at.object:
            return Spoken(at.text + access, inner)
        held = self.writer.fresh()
        return Spoken(f"({held}{access} if ({held} := {at.text}).__class__ is {kind} else None)", inner)

    def each_member(self, at: Spoken, name: str) -> Spoken:
        """That member of each, the nulls left out."""
        one = self.writer.fresh("e")
        inner = self.member(Spoken(one, at.node), name)
        found = self.put(f"[t for {one} in {at.text} if (t := {inner.text}) is not None]")
        return Spoken(found, inner.node, many=True)

    def every(self, at: Spoken) -> Spoken:
        """The items of a list; of many, those of each."""
        source = self.items(at.text, at.node)
        if at.many:
            one = self.writer.fresh("e")
            source = f"[t for {one} in {at.text} for t in {self.items(one, at.node)}]"
        return Spoken(self.put(source), at.node, many=True)

    def listed(self, at: Spoken) -> Spoken:
        """The items to loop over; those of a list as it is, its nulls to be skipped there."""
        at = self.settled(at)
        if at.many:
            return self.every(at)
        name = self.put(at.text)
        found = self.put(f"{name} if {name}.__class__ is list else {self.items(name, at.node)}")
        return Spoken(found, at.node, many=True)

    def items(self, text: str, node: Node | None) -> str:
        """The items of a value."""
        if node is None:
            return f"{self.writer.named(logic.items, 'items')}({text})"
        return f"{self.writer.named(typed_items, 'items')}({text})"

    def index(self, at: Spoken, number: int) -> Spoken:
        """One of a list, or of many."""
        pick = self.writer.named(
            picked if at.many else indexed if at.node is None else typed_indexed, "index"
        )
        return Spoken(f"{pick}({at.text}, {number})", at.node)

    def filtered(self, at: Spoken, test: Expr, stand: Stand) -> Spoken:
        """The items for which a test holds."""
        found, one = self.put("[]"), self.writer.fresh("e")
        self.counted(at.text, test.spot)
        with self.writer.block(f"for {one} in {at.text}:"):
            below = self.below(one, at.node, stand)
            self.writer.line(f"if {self.value(test, below)}: {found}.append({one})")
        return Spoken(found, at.node, many=True)

    def counted(self, items: str, spot: Spot) -> None:
        """The work of walking over items, which has an end."""
        spent = self.writer.named(spot, "spot")
        self.writer.line(f"work += len({items})")
        self.writer.line(f"if work > most: raise {self.spent}({spent})")

    def below(self, raw: str, node: Node | None, stand: Stand) -> Stand:
        """One element further in: seen as an object, an empty one where it is none."""
        held = self.writer.fresh("o")
        if node is None or node.whole:
            nothing = self.writer.named(_NOTHING, "nothing")
            self.writer.line(f"{held} = {raw} if {raw}.__class__ is dict else {nothing}")
            return Stand(raw, held, None, stand)
        self.writer.line(f"{held} = {raw} if {raw}.__class__ is S{node.number} else E{node.number}")
        return Stand(raw, held, node, stand)


_NOTHING: dict[str, object] = {}


def typed_items(value: object) -> list[object]:
    """The items of a place in the typed payload."""
    if value.__class__ is list:
        return [one for one in value if one is not None]
    if value is None or value == "":
        return []
    raise Lone


def indexed(value: object, number: int) -> object:
    """One of a list by its number; what is no list is one of one."""
    found = value if isinstance(value, list) else logic.items(value)
    return found[number] if -len(found) <= number < len(found) else None


def typed_indexed(value: object, number: int) -> object:
    """The same in the typed payload."""
    if isinstance(value, list):
        return value[number] if -len(value) <= number < len(value) else None
    if value is None or value == "":
        return None
    raise Lone


def picked(found: list[object], number: int) -> object:
    """One of many by its number."""
    return found[number] if -len(found) <= number < len(found) else None


def _wordy(value: object) -> bool:
    return isinstance(value, str) and not looks_numeric(value) and not isinstance(value, Decimal)

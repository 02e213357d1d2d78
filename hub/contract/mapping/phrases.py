"""Expressions as source: statements where they must be, one Python expression where they can be."""

from __future__ import annotations

from decimal import Decimal

from hub.contract.mapping import logic
from hub.contract.mapping.context import known
from hub.contract.mapping.paths import Paths, Stand
from hub.contract.mapping.place import Missing
from hub.contract.mapping.shortcuts import hollow, shortcut
from hub.contract.mapping.steps.scalars import looks_numeric
from hub.contract.mapping.steps.tables import look
from hub.contract.mapping.syntax import (
    Apply,
    Compare,
    Expr,
    First,
    Listing,
    Literal,
    Logic,
    Look,
    Not,
    Path,
)
from hub.contract.mapping.writer import Writer


class Phrases:
    """Writes expressions."""

    def __init__(self, writer: Writer) -> None:
        self.writer = writer
        self.paths = Paths(writer, self.value)
        self.missing = writer.named(Missing, "missing")

    # values

    def held(self, expr: Expr, stand: Stand) -> str:
        """The name of a variable that holds an expression's value."""
        text = self.value(expr, stand)
        return text if text.isidentifier() else self.paths.put(text)

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
            return self.paths.put(f"not ({self.value(expr.value, stand)})")
        name = self.paths.put(self.truth(self.value(expr.left, stand)))
        with self.writer.block(f"if {name}:" if expr.word == "and" else f"if not {name}:"):
            self.writer.line(f"{name} = {self.truth(self.value(expr.right, stand))}")
        return name

    def truth(self, text: str) -> str:
        """A value as true or false."""
        return f"not not ({text})"

    def compared(self, expr: Compare, stand: Stand) -> str:
        """A comparison; that with plain words is Python's own."""
        if expr.sign == "in" and isinstance(expr.right, Listing) and all(map(_worded, expr.right.items)):
            words = tuple(one.value for one in expr.right.items if isinstance(one, Literal))
            return f"({self.held(expr.left, stand)} in {self.writer.named(words)})"
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
            with self.writer.block(f"if {hollow(name, self.writer)}:"):
                self.writer.line(f"{name} = {self.value(option, stand)}")
        self.writer.line(f"if not {name} and {name} is not None and {empty}({name}): {name} = None")
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
        return text if text.isidentifier() and text[0] == "t" else self.paths.put(text)

    def applied(self, expr: Apply, stand: Stand) -> str:
        """A value put through a step; null passes by."""
        step, name = expr.step, self.own(expr.value, stand)
        if step.group == "presence":
            self.presence(expr, name, stand)
        elif step.joins:
            self.joined(expr, name, stand)
        elif step.sees_null:
            self.call(expr, name, stand)
        else:
            with self.writer.block(f"if {name} is not None:"):
                self.call(expr, name, stand)
        return name

    def presence(self, expr: Apply, name: str, stand: Stand) -> None:
        """A step that looks at whether there is anything."""
        test = hollow(name, self.writer)
        if expr.step.name == "required":
            self.writer.line(f"if {test}: raise {self.missing}")
        elif expr.step.name == "is_null":
            self.writer.line(f"{name} = {test}")
        elif expr.step.name == "default":
            with self.writer.block(f"if {test}:"):
                self.writer.line(f"{name} = {self.value(expr.arguments[0], stand)}")
        else:
            self.call(expr, name, stand)

    def joined(self, expr: Apply, name: str, stand: Stand) -> None:
        """A step of several values, null when all of them that come from the payload are."""
        arguments = [self.held(one, stand) for one in expr.arguments]
        pairs = zip(expr.arguments, arguments, strict=True)
        own = [name, *(text for one, text in pairs if not isinstance(one, Literal))]
        step = self.writer.named(expr.step.call, "step")
        with self.writer.block(f"if {' or '.join(f'{text} is not None' for text in own)}:"):
            self.writer.line(f"{name} = {step}({', '.join([name, *arguments])})")

    def call(self, expr: Apply, name: str, stand: Stand) -> None:
        """The step, by the shortest way."""
        arguments = [self.held(one, stand) for one in expr.arguments]
        if expr.step.context == "zone":
            arguments.insert(0, "zone")
        call = f"{self.writer.named(expr.step.call, 'step')}({', '.join([name, *arguments])})"
        text = shortcut(expr.step.name, name, arguments, call, self.writer)
        self.writer.line(f"{name} = {text}")

    def path(self, path: Path, stand: Stand) -> str:
        """What a path leads to, whole."""
        if path.start == "context":
            call = self.writer.named(known, "known")
            return f"{call}(message, {path.name!r}, {self.writer.named(path.argument)})"
        found = self.paths.walked(path, stand)
        if found.node is not None:
            found.node.whole = True
        return found.text


def _worded(expr: Expr) -> bool:
    return isinstance(expr, Literal) and _wordy(expr.value)


def _wordy(value: object) -> bool:
    return isinstance(value, str) and not looks_numeric(value) and not isinstance(value, Decimal)

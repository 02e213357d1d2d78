"""From the text of a mapping file to a Mapping, or to all its faults at once."""

from __future__ import annotations

import hashlib
from dataclasses import replace

from hub.contract.errors import Misconfigured
from hub.contract.fact import ORDER_FACETS
from hub.contract.mapping.build import Builder, early
from hub.contract.mapping.check import Binder, Ground, kind_of
from hub.contract.mapping.document import Branch, Row, Twig, Word
from hub.contract.mapping.engine import Engine
from hub.contract.mapping.expression import Expression
from hub.contract.mapping.extends import Find, Sheet, gather
from hub.contract.mapping.generate import expression_run
from hub.contract.mapping.mapping import Mapping
from hub.contract.mapping.parser import parse
from hub.contract.mapping.place import Faults, Spot
from hub.contract.mapping.plan import ROWS, Var, Whole
from hub.contract.mapping.steps.tables import REST, UNKNOWN, Table
from hub.contract.mapping.syntax import Expr
from hub.contract.mapping.targets import TARGETS, Free, Record, target
from hub.contract.mapping.trees import FORMATS, Format
from hub.contract.mapping.trial import Case, cases

HEADER = (
    "map", "target", "source", "extends", "remove", "format", "each", "group_by", "when", "full", "sequence",
    "account", "occurred_at", "vars", "tables", "fields", "tests",
)  # fmt: skip
"""The names that may stand at the left margin of a mapping file."""

_MARKS = {"sequence": ("integer",), "account": ("any", "text"), "occurred_at": ("time",)}
_ENDS = {"sequence": "int", "account": "str", "occurred_at": "datetime"}
_EMPTY = Branch(Spot("", 0, 0), {}, {})


def compile_mapping(text: str, *, file: str, find: Find | None = None) -> Mapping:
    """The mapping that a file describes; `find` gives the text of one that it extends.

    Raises Misconfigured with every fault of the file, each as `file:line:column what is wrong`.
    """
    faults = Faults()
    sheet = gather(text, file, find, faults)
    made = None if sheet is None or not sheet.complete else _Compiler(sheet, file, faults).mapping()
    faults.settle()
    if made is None:
        raise Misconfigured(f"{file}:1:1 the file describes no mapping")
    return made


def compile_expression(text: str, *, file: str = "", payload: Format = "json") -> Expression:
    """An expression that stands outside of a mapping file: a filter, a rule, a route."""
    faults = Faults()
    parsed = parse(text, lambda offset: Spot(file, 1, offset + 1), faults)
    bound = None if parsed is None else Binder({}, faults).bind(parsed, Ground(), "-")
    faults.settle()
    if bound is None:
        raise Misconfigured(f"{Spot(file, 1, 1)} the expression is empty")
    return Expression(text, bound, expression_run(bound), payload)


class _Compiler:
    def __init__(self, sheet: Sheet, file: str, faults: Faults) -> None:
        self.sheet = sheet
        self.tree = sheet.tree
        self.file = file
        self.faults = faults
        self.tables = self._tables()
        self.binder = Binder(self.tables, faults)
        self.builder = Builder(self.binder, faults)

    def mapping(self) -> Mapping | None:
        """The mapping; None when it has faults."""
        for word, key in self.tree.keys.items():
            if word not in HEADER:
                self.faults.add(key.spot, f"unknown key '{word}'; there are {' '.join(HEADER)}")
        name, aim = self._word("map"), self._word("target")
        shape = self._target(aim)
        whole = self._whole(shape)
        full = self._full(aim.text if aim else "", shape)
        tests = self._tests()
        if len(self.faults) or name is None or aim is None or whole is None or shape is None:
            return None
        return Mapping(
            name=name.text,
            target=aim.text,
            subject=aim.text.partition("/")[0],
            source=self._text("source"),
            hash=hashlib.sha256("\0".join(self.sheet.texts).encode()).hexdigest()[:16],
            file=self.file,
            format=self._format(),
            full=full,
            spot=whole.body.spot,
            engine=Engine(whole, self._format()),
            tests=tests,
        )

    def _word(self, name: str) -> Word | None:
        twig = self.tree.get(name)
        if isinstance(twig, Word) and twig.text:
            return twig
        spot = self.tree.spot if twig is None else twig.spot
        self.faults.add(spot, f"`{name}:` is missing" if twig is None else f"`{name}:` is one word")
        return None

    def _text(self, name: str) -> str:
        twig = self.tree.get(name)
        return twig.text if isinstance(twig, Word) else ""

    def _format(self) -> Format:
        twig = self.tree.get("format")
        if twig is None:
            return "json"
        for one in FORMATS:
            if isinstance(twig, Word) and twig.text == one:
                return one
        self.faults.add(twig.spot, f"`format:` is one of {', '.join(FORMATS)}")
        return "json"

    def _target(self, word: Word | None) -> Record | Free | None:
        self._format()
        if word is None:
            return None
        shape = target(word.text)
        if shape is None:
            self.faults.add(word.spot, f"no target '{word.text}'; there are {', '.join(_named_targets())}")
        if isinstance(shape, Record) and word.text.partition("/")[0] == "order":
            return replace(shape, needs=shape.needs | {"ref"})
        return shape

    def _whole(self, shape: Record | Free | None) -> Whole | None:
        """All that the file says of walking, variables, fields and marks."""
        fields, ground = self.tree.get("fields"), Ground()
        if fields is None:
            self.faults.add(self.tree.spot, "`fields:` is missing")
        each, group, rows = self.builder.expr(self.tree.get("each"), ground, "each"), None, ""
        if self.tree.get("each") is not None:
            ground = ground.below()
            group, ground, rows = self._group(ground)
        elif (alone := self.tree.get("group_by")) is not None:
            self.faults.add(alone.spot, "`group_by:` needs an `each:` beside it")
        found, ground = self.builder.vars(self.tree.get("vars"), ground)
        when = self.builder.expr(self.tree.get("when"), ground, "when")
        marks = self._marks(ground)
        body = None if fields is None or shape is None else self.builder.plan(fields, shape, ground, "")
        self._needed(fields, shape)
        used = early(self._used(found), when)
        self._unused_tables()
        return None if body is None else Whole(body, each, group, rows, when, used, marks)

    def _group(self, ground: Ground) -> tuple[Expr | None, Ground, str]:
        twig = self.tree.get("group_by")
        if twig is None:
            return None, ground, ""
        group = self.builder.expr(twig, ground, "group_by")
        ground = self.builder.grouped(ground, twig.spot)
        return group, ground, ground.vars[ROWS].slot

    def _marks(self, ground: Ground) -> dict[str, Expr]:
        marks: dict[str, Expr] = {}
        for name, kinds in _MARKS.items():
            twig = self.tree.get(name)
            expr = self.builder.expr(twig, ground, name)
            if expr is None:
                continue
            marks[name] = expr
            if kind_of(expr, ground) not in kinds:
                self.faults.add(expr.spot, f"`{name}:` has to end with {_ENDS[name]}")
        return marks

    def _needed(self, fields: Twig | None, shape: Record | Free | None) -> None:
        """A parcel is known by its `ref` or by its `number`."""
        if not isinstance(shape, Record) or shape.name != "Tracking" or not isinstance(fields, Branch):
            return
        if not fields.words() & {"ref", "number", "in", "if", "merge"}:
            self.faults.add(fields.spot, "tracking needs 'ref' or 'number'")

    def _used(self, found: tuple[Var, ...]) -> tuple[Var, ...]:
        """The variables that something names; one of this file that nothing names is a fault."""
        for var in found:
            if var.slot not in self.binder.used_slots and var.spot.file == self.file:
                self.faults.add(var.spot, f"variable '@{var.name}' is never used")
        return tuple(var for var in found if var.slot in self.binder.used_slots)

    def _unused_tables(self) -> None:
        own = self.sheet.own.get("tables")
        for name, key in own.keys.items() if isinstance(own, Branch) else ():
            if name in self.tables and name not in self.binder.used_tables:
                self.faults.add(key.spot, f"table '{name}' is never used")

    def _tables(self) -> dict[str, Table]:
        twig = self.tree.get("tables")
        if twig is None:
            return {}
        if not isinstance(twig, Branch):
            self.faults.add(twig.spot, "`tables:` names tables of words")
            return {}
        return {name: self._table(name, item) for name, item in twig.items.items()}

    def _table(self, name: str, twig: Twig) -> Table:
        if not isinstance(twig, Branch):
            self.faults.add(twig.spot, f"table '{name}' holds words: source word: ours")
            twig = _EMPTY
        words: dict[str, str | None] = {}
        for word, ours in twig.items.items():
            if isinstance(ours, Word):
                words[word] = None if ours.null else ours.text
            else:
                self.faults.add(ours.spot, f"'{word}' of table '{name}' stands for one word")
        told = REST not in words or words[REST] == UNKNOWN
        return Table(name, words, words.pop(REST, None), told)

    def _full(self, aim: str, shape: Record | Free | None) -> frozenset[str]:
        """The facets that a fact of this mapping carries whole."""
        order = aim.partition("/")[0] == "order"
        twig = self.tree.get("full")
        if twig is None:
            return ORDER_FACETS if order else frozenset({"*"})
        names = twig.items if isinstance(twig, Row) else (twig,)
        words = [one for one in names if isinstance(one, Word)]
        if len(words) == 1 and words[0].text == "none":
            return frozenset()
        known = ORDER_FACETS if order else {"*", *(shape.fields if isinstance(shape, Record) else ())}
        for one in words:
            if one.text not in known:
                self.faults.add(
                    one.spot, f"no facet '{one.text}'; there are none, {', '.join(sorted(known))}"
                )
        if len(words) != len(names):
            self.faults.add(twig.spot, "`full:` lists facets, or says none")
        return frozenset(one.text for one in words)

    def _tests(self) -> tuple[Case, ...]:
        twig = self.sheet.own.get("tests")
        return () if twig is None else cases(twig, self.faults)


def _named_targets() -> list[str]:
    return [name if name == "json" else f"{name}/1" for name in TARGETS]

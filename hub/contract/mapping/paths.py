"""Paths as source: where each leads, in the typed payload or in a plain tree."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from hub.contract.mapping import logic
from hub.contract.mapping.payload import Node
from hub.contract.mapping.place import Spent, Spot
from hub.contract.mapping.syntax import Every, Expr, Index, Key, Part, Path, Where
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


class Paths:
    """Writes paths; `value` writes the test of a filter, `rows` are the slots of groups with the places of
    their rows."""

    def __init__(self, writer: Writer, value: Callable[[Expr, Stand], str]) -> None:
        self.writer = writer
        self.value = value
        self.root = Stand("p", "p", None)
        self.rows: dict[str, Node | None] = {}
        self.spent = writer.named(Spent, "spent")
        self.keeps: dict[tuple[tuple[Part, ...], bool], str] = {}

    def put(self, text: str) -> str:
        """A fresh variable that holds what a piece of source gives."""
        name = self.writer.fresh()
        self.writer.line(f"{name} = {text}")
        return name

    def walked(self, path: Path, stand: Stand) -> Spoken:
        """Where a path leads, its place in the typed payload still open."""
        at, parts = self.begin(path, stand)
        length = self.kept_length(path)
        if not length:
            return self.along(at, parts, 0, len(parts), stand)
        kept = self.kept(at, parts, length, stand)
        if length == len(parts) or any(isinstance(part, Index) for part in parts):
            return self.along(kept, parts, length, len(parts), stand)
        found = self.put(kept.text)
        with self.writer.block(f"if {found}:"):
            at = self.along(kept, parts, length, len(parts), stand)
            self.writer.line(f"{found} = {at.text}")
        return Spoken(found, at.node, many=True)

    def along(self, at: Spoken, parts: tuple[Part, ...], start: int, end: int, stand: Stand) -> Spoken:
        """From one part of a path to another."""
        for number in range(start, end):
            at = self.ready(at, parts, number)
            at = self.stepped(at, parts[number], stand)
        return at

    def ready(self, at: Spoken, parts: tuple[Part, ...], number: int) -> Spoken:
        """A value that the next part can be taken of."""
        if at.node is not None and number and self.deep(at, parts[number - 1], parts[number]):
            at.node.whole = True
        return self.settled(at)

    def kept_length(self, path: Path) -> int:
        """How many parts of a path from the root lead to many, the same for every element: those are kept."""
        if path.start != "root" or not self.writer.has_room("keeps"):
            return 0
        length = next(
            (n for n, part in enumerate(path.parts) if not isinstance(part, Key | Every)), len(path.parts)
        )
        filtered = length < len(path.parts) and isinstance(path.parts[length], Where)
        return length if filtered or any(isinstance(part, Every) for part in path.parts[:length]) else 0

    def kept(self, at: Spoken, parts: tuple[Part, ...], length: int, stand: Stand) -> Spoken:
        """The items that the first parts of a path from the root lead to, walked over once for a document."""
        filtered = length < len(parts) and isinstance(parts[length], Where)
        name = self.keeps.setdefault((parts[:length], filtered), f"h{len(self.keeps)}")
        self.writer.fill_room("keeps", f"{' = '.join(self.keeps.values())} = None")
        with self.writer.block(f"if {name} is None:"):
            at = self.along(at, parts, 0, length, stand)
            if filtered:
                at = self.every(self.ready(at, parts, length))
            self.writer.line(f"{name} = {at.text}")
        return Spoken(name, at.node, many=True)

    def begins(self, root: Stand) -> None:
        """A document begins here: what is kept for it is forgotten."""
        self.root, self.keeps = root, {}
        self.writer.leave_room("keeps")

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
                held = at.many and (at.text in self.rows or at.text in self.keeps.values())
                items = at if held else self.every(at)
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
        found = self.put(
            f"[t for {one} in {at.text} if (t := {inner.text}) is not None] if {at.text} else {at.text}"
        )
        return Spoken(found, inner.node, many=True)

    def every(self, at: Spoken) -> Spoken:
        """The items of a list; of many, those of each."""
        if not at.many:
            name = self.put(at.text)
            return Spoken(
                self.put(f"[] if {name} is None else {self.items(name, at.node)}"), at.node, many=True
            )
        one = self.writer.fresh("e")
        inner = f"[t for {one} in {at.text} for t in {self.items(one, at.node)}]"
        return Spoken(self.put(f"{inner} if {at.text} else {at.text}"), at.node, many=True)

    def listed(self, at: Spoken) -> Spoken:
        """The items to loop over; those of a list as it is, its nulls to be skipped there."""
        at = self.settled(at)
        if at.many:
            return self.every(at)
        name = self.put(at.text)
        other = f"[] if {name} is None else {self.items(name, at.node)}"
        found = self.put(f"{name} if {name}.__class__ is list else {other}")
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
        with self.writer.block(f"if {at.text}:"):
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

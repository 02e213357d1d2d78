"""A mapping file as a tree of texts with their spots: YAML without its types, so that `no` stays `no`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, cast

import yaml

from hub.contract.mapping.place import Faults, Locate, Spot
from hub.contract.mapping.shield import hide, show

LARGEST = 1_000_000
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_FOLD = re.compile(r"[ \t]*\n[ \t\n]*")
_NULLS = ("", "~", "null", "Null", "NULL")


@dataclass(frozen=True, slots=True)
class Word:
    """A scalar: its text, whether it stands in quotes, and how an offset in it becomes a spot."""

    text: str
    spot: Spot
    quoted: bool
    locate: Locate

    @property
    def null(self) -> bool:
        """Whether it is YAML's null: nothing at all, `~` or `null` without quotes."""
        return not self.quoted and self.text in _NULLS


@dataclass(frozen=True, slots=True)
class Branch:
    """A mapping: names to what stands there, in order; `keys` are the names as written."""

    spot: Spot
    keys: dict[str, Word]
    items: dict[str, Twig]

    def get(self, name: str) -> Twig | None:
        """What stands under a name."""
        return self.items.get(name)

    def words(self) -> frozenset[str]:
        """The names that do not stand in quotes: only those can be words of the structure."""
        return frozenset(name for name, key in self.keys.items() if not key.quoted)


@dataclass(frozen=True, slots=True)
class Row:
    """A sequence."""

    spot: Spot
    items: tuple[Twig, ...]


Twig = Word | Branch | Row


def read(text: str, file: str, faults: Faults) -> Branch | None:
    """The tree of a file; None when there is none, with the reason among the faults."""
    start = Spot(file, 1, 1)
    if len(text) > LARGEST:
        faults.add(start, "the file is larger than 1 MB")
        return None
    hidden = hide(text)
    try:
        node = yaml.compose(hidden, Loader=_LOADER)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        spot = Spot(file, mark.line + 1, mark.column + 1) if mark else start
        faults.add(spot, f"not YAML: {error.problem or error.context}")
        return None
    except (yaml.YAMLError, RecursionError) as error:
        faults.add(start, f"not YAML: {str(error).splitlines()[0]}")
        return None
    tree = None if node is None else _Reader(text, file, faults, hidden != text).twig(node)
    if isinstance(tree, Branch):
        return tree
    faults.add(start, "a mapping file begins with `map:`, `target:` and `fields:`")
    return None


class _Reader:
    def __init__(self, text: str, file: str, faults: Faults, shielded: bool) -> None:
        self.text = text
        self.file = file
        self.faults = faults
        self.shielded = shielded
        self.seen: set[int] = set()

    def twig(self, node: yaml.Node) -> Twig:
        if id(node) in self.seen:
            self.faults.add(self.spot(node), "anchors and aliases are not used here")
            return Row(self.spot(node), ())
        self.seen.add(id(node))
        if isinstance(node, yaml.MappingNode):
            return self.branch(node)
        if isinstance(node, yaml.SequenceNode):
            return Row(self.spot(node), tuple(self.twig(item) for item in node.value))
        return self.word(cast(yaml.ScalarNode, node))

    def branch(self, node: yaml.MappingNode) -> Branch:
        keys: dict[str, Word] = {}
        items: dict[str, Twig] = {}
        for key_node, value_node in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                self.faults.add(self.spot(key_node), "a name is a plain word")
                continue
            key = self.word(key_node)
            if key.text in keys:
                self.faults.add(key.spot, f"duplicate key '{key.text}'")
            keys[key.text], items[key.text] = key, self.twig(value_node)
        return Branch(self.spot(node), keys, items)

    def word(self, node: yaml.ScalarNode) -> Word:
        quoted = node.style in ("'", '"', "|", ">")
        text = show(node.value) if self.shielded else node.value
        return Word(text, self.spot(node), quoted, _locator(self.text, self.file, node))

    def spot(self, node: yaml.Node) -> Spot:
        return Spot(self.file, node.start_mark.line + 1, node.start_mark.column + 1)


def _locator(text: str, file: str, node: yaml.ScalarNode) -> Locate:
    """From an offset in the scalar's value to its spot: exact unless there are escapes, else the scalar's own."""
    start = node.start_mark
    own = Spot(file, start.line + 1, start.column + 1)
    if node.style in ("|", ">"):
        return lambda _offset: own
    written = text[start.index : node.end_mark.index]

    def along(offset: int) -> Spot:
        places = _places(written, node.style or "")
        if len(places) != len(node.value):
            return own
        before = written[: places[offset] if offset < len(places) else len(written)]
        lines = before.count("\n")
        column = len(before) - before.rfind("\n") if lines else own.column + len(before)
        return Spot(file, own.line + lines, column)

    return along


def _places(written: str, style: str) -> list[int]:
    """Where each sign of a scalar's value stands in what is written: quotes left out, folded lines one space."""
    places: list[int] = []
    at, end = (1, len(written) - 1) if style else (0, len(written.rstrip()))
    while at < end:
        fold = _FOLD.match(written, at)
        if fold is not None:
            places += [fold.start()] * max(1, fold.group().count("\n") - 1)
            at = fold.end()
            continue
        places.append(at)
        at += 2 if style == "'" and written.startswith("''", at) else 1
    return places

"""The payload as a mapping sees it: the members that its paths name, as a msgspec type that skips all others.

The type is lenient: wherever an object is expected, a list, a text, a number or null may stand too, and a
leaf is anything. Steps judge, the parser does not.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Union

import msgspec


@dataclass(slots=True)
class Node:
    """A place in the payload: the members that are named there, and whether its value is wanted whole."""

    members: dict[str, Node] = field(default_factory=dict)
    whole: bool = False
    number: int = 0

    def member(self, name: str) -> Node:
        """The place of a member."""
        return self.members.setdefault(name, Node())

    def attribute(self, name: str) -> str:
        """The name, ours, under which a member stands in the struct."""
        return f"f{list(self.members).index(name)}"


def numbered(root: Node) -> Iterator[Node]:
    """Every place that becomes a struct, each with a number of its own."""
    waiting, number = [root], 0
    while waiting:
        node = waiting.pop()
        if node.whole or not node.members:
            continue
        node.number = number
        number += 1
        waiting += node.members.values()
        yield node


@dataclass(slots=True)
class Types:
    """The structs of a payload by the number of their place, and the decoder of the whole."""

    structs: dict[int, type[msgspec.Struct]]
    decoder: msgspec.json.Decoder[Any]


def types_of(root: Node) -> Types:
    """The types of all places below a root."""
    structs: dict[int, type[msgspec.Struct]] = {}
    nodes = list(numbered(root))
    for node in reversed(nodes):
        fields = [(node.attribute(name), _type(inner, structs), None) for name, inner in node.members.items()]
        rename = {node.attribute(name): name for name in node.members}
        structs[node.number] = msgspec.defstruct(f"S{node.number}", fields, rename=rename, gc=False)
    return Types(structs, msgspec.json.Decoder(_type(root, structs), float_hook=Decimal))


def _type(node: Node, structs: dict[int, type[msgspec.Struct]]) -> Any:
    if node.whole or not node.members:
        return Any
    own = structs[node.number]
    item = _lenient(own, msgspec.Raw)
    return _lenient(own, item)


def _lenient(own: Any, item: Any) -> Any:
    return Union[own, list[item], str, int, float, bool, None]  # noqa: UP007  its members are values

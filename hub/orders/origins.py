"""Origins: which fact each value of an order document came from, told by the fold itself.

The fold copies references: a text that stands in the document is the very object that was decoded from its
fact. So the facts are folded once more and the document's leaves are recognised by identity; the hot path
pays nothing and nothing has to be kept. Values that are no objects of their own (flags, digits) are
recognised by their address and value, and what no fact said is the hub's own (counts, roll-ups, ids).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

from hub.orders import registers
from hub.orders.compose import compose
from hub.orders.forget import PLURAL
from hub.orders.registers import Said, State

Doc = dict[str, Any]


class Spot(NamedTuple):
    """One leaf of a document: its `path` by place (`lines[0].sku`), its `address` by name (`lines[77].sku`), which
    is the same in every document of the order, and its value."""

    path: str
    address: str
    value: Any


class Origin(NamedTuple):
    """A leaf of a fact: the fact by its number in the row of all, and where in it."""

    fact: int
    spot: Spot


class Traced(NamedTuple):
    """A leaf of the order: where it came from (None: the hub's own), and what others said in its place."""

    spot: Spot
    origin: Origin | None
    others: list[Origin]


def trace(facts: Sequence[Said], state: State, new_id: Callable[[str], str]) -> list[Traced]:
    """Every leaf of the order that these facts make, under the names given once in `state`."""
    said = [Origin(number, spot) for number, one in enumerate(facts) for spot in _spots_of(one)]
    doc = _folded(facts, state, new_id)
    known = _by_identity(said)
    places: dict[str, list[Origin]] = {}
    for one in said:
        places.setdefault(one.spot.address, []).append(one)
    return [_traced(spot, known, places, facts) for spot in spots(doc)]


def _folded(facts: Sequence[Said], state: State, new_id: Callable[[str], str]) -> Doc:
    fresh = registers.empty() | {"ids": dict(state["ids"])}
    if "redacted_at" in state:
        fresh["redacted_at"] = state["redacted_at"]
    for one in facts:
        registers.apply(fresh, one)
    return compose(fresh, new_id)


def _spots_of(said: Said) -> Iterator[Spot]:
    if said.subject == "order":
        return spots(said.doc)
    name = PLURAL.get(said.subject, "trackings")
    return spots(said.doc, "", f"{name}[{said.ref}]")


def spots(value: Any, path: str = "", address: str = "") -> Iterator[Spot]:
    """The leaves of a document."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from spots(
                inner, f"{path}.{name}" if path else name, f"{address}.{name}" if address else name
            )
    elif isinstance(value, list):
        for place, inner in enumerate(value):
            yield from spots(inner, f"{path}[{place}]", f"{address}[{_name(inner, place)}]")
    else:
        yield Spot(path, address, value)


def _name(member: Any, place: int) -> str:
    if not isinstance(member, dict):
        return str(place)
    return str(member.get("ref") or member.get("role") or member.get("tracking_number") or f"#{place}")


def _own(value: Any) -> bool:
    """Whether a value is an object of its own: short texts, numbers and flags are shared by all who say them."""
    return isinstance(value, str) and len(value) > 1


def _by_identity(said: list[Origin]) -> dict[int, Origin]:
    known: dict[int, Origin] = {}
    twice: set[int] = set()
    for one in said:
        if _own(one.spot.value):
            mark = id(one.spot.value)
            twice |= {mark} & known.keys()
            known[mark] = one
    return {mark: one for mark, one in known.items() if mark not in twice}


def _traced(
    spot: Spot, known: dict[int, Origin], places: dict[str, list[Origin]], facts: Sequence[Said]
) -> Traced:
    origin = known.get(id(spot.value)) if _own(spot.value) else None
    if origin is None:
        same = [one for one in places.get(spot.address, ()) if one.spot.value == spot.value]
        origin = max(same, key=lambda one: facts[one.fact].rev, default=None)
    if origin is None:
        return Traced(spot, None, [])
    others = [
        one for one in places[origin.spot.address] if one.fact != origin.fact and one.spot.value != spot.value
    ]
    return Traced(spot, origin, others)

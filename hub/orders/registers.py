"""Registers: what each source last said of each part of an order, kept so that arrival order is nothing.

    state  = {"sources": {source: {"first": at, "facets": {facet: {"floor": rev, "cells": {key: cell}}}}}, "ids": …,
              "redacted_at": when its people were forgotten}
    cell   = {"r": rev, "v": value}            the newest full value
             "o": {pointer: [rev, leaf]}       leaves that partial facts wrote later than "r"
             "m": [rev, value]                 the newest masked or emptied value of a person
             "t": true                         two different values claim the same revision
    rev    = [source time or sequence, rank of a re-read, content hash]

Every write is a maximum under `rev`, and a maximum does not care about the order of its arguments nor
about repeats: that is all there is to convergence. A full facet writes its revision as the floor; a
member below the floor is no longer in the facet. Why cells and not leaves: a full value is a set of
leaves with one revision, so a snapshot costs one comparison per cell instead of one per leaf.
"""

from __future__ import annotations

from typing import Any

import msgspec

from hub.contract.clock import micros
from hub.orders import forget
from hub.orders.forget import PLURAL
from hub.orders.numbers import normal
from hub.orders.scans import fingerprint

Rev = list[Any]
Cell = dict[str, Any]
State = dict[str, Any]

PEOPLE = frozenset({"buyer", "ship_to", "bill_to"})
KEYED = frozenset({"lines", "shipping", "discounts", "taxes", "fees", "parties"})
GROWING = frozenset({"payments", "refunds", "fulfillments", "shipments", "returns"})
LISTS = KEYED | GROWING
_PERSONAL = ("name", "given", "family", "company", "line1", "lines", "phone", "email", "formatted")


class Said(msgspec.Struct, kw_only=True):
    """A fact as it is kept and folded: who said it (`source`, channel:account), of what, how fresh.

    `auto` marks a source whose orders count as confirmed when they arrive.
    """

    source: str
    subject: str
    ref: str
    rev: Rev
    full: list[str]
    doc: dict[str, Any]
    auto: bool = False


def forgotten(said: Said) -> Said:
    """A fact without its people; who said it, of what and how fresh stay, so that a repeat is known as one."""
    return msgspec.structs.replace(said, doc=forget.fact(said.subject, said.doc))


def empty() -> State:
    """The state of an order of which nothing was said."""
    return {"sources": {}, "ids": {}}


def apply(state: State, said: Said) -> bool:
    """Write one fact into the registers; False when it changed nothing. A redacted order takes no person
    from any fact, however fresh it is."""
    if "redacted_at" in state:
        said = forgotten(said)
    source = state["sources"].setdefault(said.source, {"first": said.rev[0], "facets": {}})
    changed: bool = said.rev[0] < source["first"]
    if changed:
        source["first"] = said.rev[0]
    if said.auto and "auto" not in source:
        source["auto"] = changed = True
    facets = source["facets"]
    if said.subject == "order":
        return _order(facets, said) | changed
    if said.subject == "tracking":
        return _tracking(facets, said) | changed
    rev, whole = _own(said.doc, said.rev), bool(said.full)
    if said.subject == "shipment":
        return _shipment(facets, said.ref, rev, said.doc, whole=whole) | changed
    return _write(_cells(facets, PLURAL[said.subject]), said.ref, rev, said.doc, whole=whole) | changed


def _order(facets: State, said: Said) -> bool:
    changed = False
    core: dict[str, Any] = {}
    full = said.full
    for name, value in said.doc.items():
        if value is None:
            continue  # absent and null are the same
        if name in PEOPLE:
            changed |= _person(_cells(facets, name), said.rev, value, whole=name in full)
        elif name in LISTS:
            changed |= _members(facets, name, said.rev, value, whole=name in GROWING or name in full)
        elif name == "totals":
            changed |= _write(_cells(facets, name), "", said.rev, value, whole=name in full)
        else:
            core[name] = value
    changed |= _write(_cells(facets, "order"), "", said.rev, core, whole="order" in full)
    for name in full:
        if name in KEYED:
            changed |= _raise_floor(facets, name, said.rev)
    return changed


def _tracking(facets: State, said: Said) -> bool:
    number = normal(said.doc["number"])
    scans = said.doc.get("scans") or ()
    doc = {name: value for name, value in said.doc.items() if name != "scans"}
    changed = _write(_cells(facets, "trackings"), number, said.rev, doc, whole=bool(said.full))
    return _scans(facets, number, said.rev, scans) | changed if scans else changed


def _shipment(facets: State, ref: str, rev: Rev, value: dict[str, Any], *, whole: bool) -> bool:
    """A shipment; the scans that it brings only grow, as a tracker's do."""
    tracking = value.get("tracking") or {}
    scans = tracking.get("scans")
    if not scans:
        return _write(_cells(facets, "shipments"), ref, rev, value, whole=whole)
    value = {**value, "tracking": {name: part for name, part in tracking.items() if name != "scans"}}
    changed = _write(_cells(facets, "shipments"), ref, rev, value, whole=whole)
    return _scans(facets, f"@{ref}", rev, scans) | changed


def _scans(facets: State, place: str, rev: Rev, scans: list[dict[str, Any]]) -> bool:
    changed = False
    cells = _cells(facets, f"scans/{place}")
    told: dict[str, dict[str, Any]] = {}
    for scan in scans:
        told.setdefault(fingerprint(scan, place), scan)  # a list may tell one twice
    for key, scan in told.items():
        changed |= _write(cells, key, rev, scan, whole=True)
    return changed


def _cells(facets: State, name: str) -> dict[str, Cell]:
    facet = facets.get(name)
    if facet is None:
        facet = facets[name] = {"cells": {}}
    cells: dict[str, Cell] = facet["cells"]
    return cells


def _raise_floor(facets: State, name: str, rev: Rev) -> bool:
    facet = facets.setdefault(name, {"cells": {}})
    if "floor" in facet and facet["floor"] >= rev:
        return False
    facet["floor"] = rev
    return True


def _members(facets: State, name: str, rev: Rev, members: list[dict[str, Any]], *, whole: bool) -> bool:
    changed = False
    cells = _cells(facets, name)
    told: dict[str, dict[str, Any]] = {}
    for index, member in enumerate(members):
        told.setdefault(member.get("ref") or member.get("role") or f"#{index}", member)
    for key, member in told.items():
        own = _own(member, rev)
        if name == "shipments":
            changed |= _shipment(facets, key, own, member, whole=whole)
        else:
            changed |= _write(cells, key, own, member, whole=whole)
    return changed


def _own(doc: dict[str, Any], rev: Rev) -> Rev:
    """A part that carries its own revision is judged by it, whichever message brought it."""
    own = doc.get("source_revision")
    return [micros(own), rev[1], rev[2]] if own else rev


def _person(cells: dict[str, Cell], rev: Rev, value: dict[str, Any], *, whole: bool) -> bool:
    """Masked or emptied data never beats clear data: it waits in a place of its own."""
    if is_clear(value) or not (whole or value.get("masked")):
        return _write(cells, "", rev, value, whole=whole)
    cell = cells.setdefault("", {})
    if "m" in cell and cell["m"][0] >= rev:
        return False
    cell["m"] = [rev, value]
    return True


def is_clear(person: dict[str, Any]) -> bool:
    """Whether a person or address says who or where, and is not masked."""
    return not person.get("masked") and any(person.get(name) for name in _PERSONAL)


def _write(cells: dict[str, Cell], key: str, rev: Rev, value: dict[str, Any], *, whole: bool) -> bool:
    if not whole and not value:
        return False
    cell = cells.get(key)
    if cell is None:
        cell = cells[key] = {}
    return _whole(cell, rev, value) if whole else _leaves(cell, rev, value)


def _whole(cell: Cell, rev: Rev, value: dict[str, Any]) -> bool:
    held = cell.get("r")
    if held is not None:
        if rev[:2] == held[:2] and rev[2] != held[2] and value != cell["v"]:
            tied = not cell.get("t")
            cell["t"] = True
            if rev < held:
                return tied
        elif rev <= held:
            return False
        elif rev[:2] != held[:2]:
            cell.pop("t", None)
    cell["r"] = rev
    cell["v"] = value
    leaves = cell.get("o")
    if leaves:
        cell["o"] = {pointer: leaf for pointer, leaf in leaves.items() if leaf[0] > rev}
    return True


def _leaves(cell: Cell, rev: Rev, value: dict[str, Any]) -> bool:
    held = cell.get("r")
    if held is not None and rev <= held:
        return False
    leaves = cell.setdefault("o", {})
    changed = False
    for pointer, leaf in _flat(value):
        if pointer not in leaves or leaves[pointer][0] < rev:
            leaves[pointer] = [rev, leaf]
            changed = True
    return changed


def _flat(tree: dict[str, Any], prefix: str = "") -> list[tuple[str, Any]]:
    out: list[tuple[str, Any]] = []
    for name, value in tree.items():
        pointer = f"{prefix}/{name.replace('~', '~0').replace('/', '~1')}"
        if isinstance(value, dict) and value and "amount" not in value:
            out += _flat(value, pointer)
        else:
            out.append((pointer, value))
    return out


def read(cell: Cell) -> dict[str, Any]:
    """What a cell says now: its newest value with the later leaves laid over it."""
    value: dict[str, Any] = cell["v"] if "v" in cell else cell["m"][1] if "m" in cell else {}
    leaves = cell.get("o")
    if not leaves:
        return value
    value = _copy(value)
    for pointer in sorted(leaves):
        _put(value, pointer, _copy(leaves[pointer][1]))
    return value


def _copy(tree: Any) -> Any:
    return {name: _copy(value) for name, value in tree.items()} if isinstance(tree, dict) else tree


def _put(tree: dict[str, Any], pointer: str, leaf: Any) -> None:
    *path, last = [part.replace("~1", "/").replace("~0", "~") for part in pointer[1:].split("/")]
    for name in path:
        below = tree.get(name)
        if not isinstance(below, dict):
            below = tree[name] = {}
        tree = below
    tree[last] = leaf


def newest(cell: Cell) -> Rev:
    """The highest revision that a cell holds."""
    revs = [leaf[0] for leaf in cell.get("o", {}).values()]
    if "r" in cell:
        revs.append(cell["r"])
    if "m" in cell:
        revs.append(cell["m"][0])
    return max(revs)


Member = tuple[str, dict[str, Any], bool]


def members(facets: State, name: str) -> list[Member]:
    """The members of a facet as (key, value, still there): below the floor a member has vanished."""
    facet = facets.get(name)
    if facet is None:
        return []
    floor = facet.get("floor")
    cells = facet["cells"]
    return [
        (key, cell["v"], floor is None or cell["r"] >= floor)
        if len(cell) == 2 and "v" in cell  # `r` and `v` alone: nothing to lay over it
        else (key, read(cell), floor is None or newest(cell) >= floor)
        for key, cell in cells.items()
    ]

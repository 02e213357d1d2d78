"""The order document: what all sources say of an order, laid together by authority, counted and judged.

The order's own source (its home) speaks for its commercial facets; others fill what it leaves out.
Shipments, payments, refunds and returns are gathered from all.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hub.orders import ledger as ledgers, money, notifications, parcels, registers
from hub.orders.registers import KEYED, PEOPLE, Member, State
from hub.orders.states import decide

Doc = dict[str, Any]
Names = Callable[[str], str]


_ROWS = ("line1", "line2", "line3", "line4")
_SINGLE = PEOPLE | {"totals"}
_GATHERED = frozenset({"payments", "refunds", "fulfillments", "returns"})


def home(state: State) -> str:
    """The source whose order this is: of those that described it, the one that spoke of it first."""
    told = [
        (source["first"], name) for name, source in state["sources"].items() if "order" in source["facets"]
    ]
    return min(told)[1] if told else min(state["sources"], default="")


def compose(state: State, new_id: Names) -> Doc:
    """The document of an order, without id, numbers and times of our own."""
    own = home(state)
    sources = state["sources"]
    ranked = sorted(sources, key=lambda name: (name != own, name))
    doc: Doc = {}
    for name in reversed(ranked):
        cell = sources[name]["facets"].get("order", {"cells": {}})["cells"].get("")
        if cell:
            doc.update(registers.read(cell))
    _facets(doc, state, ranked, new_id)
    doc["account"] = own.partition(":")[2]
    _judge(doc, state, own)
    return doc


def _facets(doc: Doc, state: State, ranked: list[str], new_id: Names) -> None:
    """The parts of the order that any source told of."""
    sources = state["sources"]
    present = set().union(*(source["facets"] for source in sources.values()))
    for facet in present & _SINGLE:
        value = _single(sources, ranked, facet)
        if value:
            doc[facet] = _tidy(value) if facet != "totals" else value
    for facet in present & KEYED:
        _keyed(doc, state, ranked, facet, new_id)
    doc.setdefault("lines", [])
    for facet in present & _GATHERED:
        _gathered(doc, state, ranked, facet, new_id)
    shipped = (
        parcels.shipments(state, ranked[0], doc.get("ship_to"), new_id) if "shipments" in present else []
    )
    if shipped:
        doc["shipments"] = shipped
    if "decisions" in present:
        doc |= _refs(sources)
    if "notifications" in present:
        doc.update(notifications.told(sources, ranked))


def _refs(sources: State) -> Doc:
    """What partners call this order, as their answers said."""
    told = [
        {name: value[name] for name in ("account", "type", "id")}
        for source in sources.values()
        for _, value, _ in registers.members(source["facets"], "decisions")
        if value.get("kind") == "ref"
    ]
    return {"refs": sorted(told, key=lambda one: (one["account"], one["id"]))} if told else {}


def _single(sources: State, ranked: list[str], facet: str) -> Doc | None:
    masked: Doc | None = None
    for name in ranked:
        cell = sources[name]["facets"].get(facet, {"cells": {}})["cells"].get("")
        if cell:
            value = registers.read(cell)
            if "v" in cell or "o" in cell:
                return value
            masked = masked or value
    return masked


def _tidy(person: Doc) -> Doc:
    """`line1` … `line4` are another way to write `lines`."""
    if "line1" not in person and "line2" not in person:
        return person
    kept = dict(person)
    kept["lines"] = [row for name in _ROWS if (row := kept.pop(name, None))]
    return kept


def _keyed(doc: Doc, state: State, ranked: list[str], facet: str, new_id: Names) -> None:
    """A list that one source owns: the first in rank that has it. Lines that vanished stay, with nothing ordered."""
    for name in ranked:
        found = registers.members(state["sources"][name]["facets"], facet)
        if not found:
            continue
        if facet == "lines":
            doc[facet] = _lines(state["ids"], name, found, new_id)
        else:
            doc[facet] = [value for _, value, there in _placed(found) if there]
        if doc[facet]:
            return
        del doc[facet]


def _lines(ids: dict[str, str], source: str, found: list[Member], new_id: Names) -> list[Doc]:
    out = []
    for key, value, there in _placed(found):
        line = {**value, "id": _given(ids, f"lines/{source}/{key}", "lin", new_id)}
        if not there:
            line["quantity"] = {**line.get("quantity", {}), "ordered": "0"}
        if "ship_to" in line:
            line["ship_to"] = _tidy(line["ship_to"])
        out.append(line)
    return out


def _placed(found: list[Member]) -> list[Member]:
    return sorted(found, key=_place) if len(found) > 1 else found


def _place(member: Member) -> tuple[int, str]:
    return _order(member[0])


def _order(key: str) -> tuple[int, str]:
    """Ids that are numbers by size, places in a list (`#10`) too; others by name, before them."""
    digits = key.removeprefix("#")
    return (len(digits), digits) if digits.isdigit() else (0, key)


def _given(ids: dict[str, str], key: str, prefix: str, new_id: Names) -> str:
    name = ids.get(key)
    if name is None:
        name = ids[key] = new_id(prefix)
    return name


_PREFIX = {"payments": "pay", "refunds": "rfd", "fulfillments": "ful", "returns": "ret"}


def _gathered(doc: Doc, state: State, ranked: list[str], facet: str, new_id: Names) -> None:
    out = []
    for source in ranked:
        for key, value, _ in registers.members(state["sources"][source]["facets"], facet):
            name = _given(state["ids"], f"{facet}/{source}/{key}", _PREFIX[facet], new_id)
            out.append({**{k: v for k, v in value.items() if k != "order"}, "id": name})
    if out:
        doc[facet] = sorted(out, key=lambda one: (one.get("source_revision", ""), _order(one["ref"])))


def _judge(doc: Doc, state: State, own: str) -> None:
    """Ledger, roll-ups, totals, state and anomalies: all that follows from what was said."""
    currency = doc.get("currency") or (doc.get("totals", {}).get("total") or {}).get("currency", "")
    verdict = decide(doc, state, own)
    ledger = ledgers.Ledger(doc["lines"])
    ledgers.fill(ledger, doc)
    if verdict.cancelled:
        ledger.cancel_rest()
    ledger.write()
    doc.update(ledgers.roll_up(ledger))
    totals = money.computed(doc, currency) if currency and doc["lines"] else None
    if totals:
        doc["computed_totals"] = totals
    doc["payment_status"] = money.payment_status(doc, currency)
    verdict.write(doc)
    found = ledger.anomalies() + _anomalies(doc, state, currency)
    if found:
        doc["anomalies"] = sorted(found, key=lambda one: (one["kind"], one.get("subject", "")))


def _anomalies(doc: Doc, state: State, currency: str) -> list[dict[str, str]]:
    shipments = doc.get("shipments", ())
    out: list[dict[str, str]] = []
    if difference := money.mismatch(doc, currency):
        out.append({"kind": "totals_mismatch", "detail": difference})
    if difference := money.over_refunded(doc, currency):
        out.append({"kind": "refunded_more_than_paid", "detail": difference})
    if doc["state"] == "cancelled" and any(one["status"] in ledgers.OUT for one in shipments):
        out.append(
            {"kind": "cancelled_after_shipping", "detail": "a shipment of a cancelled order is on its way"}
        )
    out += [
        {"kind": "ambiguous_revision", "subject": f"{name}/{facet}/{key}".rstrip("/"), "detail": _AMBIGUOUS}
        for name, source in state["sources"].items()
        for facet, held in source["facets"].items()
        for key, cell in held["cells"].items()
        if "t" in cell
    ]
    out += [
        {"kind": "tracking_conflict", "subject": one["ref"], "detail": _CONFLICT}
        for one in shipments
        if "conflict" in one.get("tracking", {}).get("flags", ())
    ]
    return out


_AMBIGUOUS = "two different texts claim the same revision; the next re-read settles it"
_CONFLICT = "a scan after delivery says the parcel still moves"

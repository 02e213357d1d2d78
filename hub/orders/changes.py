"""Change sets: what somebody asks to be changed of an order, decided as one.

    compare(doc, said)     the actions that would make the order what was said
    fold(decisions)        the change sets that there are, from the decisions in their order
    patch(doc, actions)    a partial order that does them, and the facets that it carries whole
    preview(doc, actions)  before, after and the difference; computed, never kept

At most one set of an order is open: a request that comes while one is takes its place.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from hub.orders.amounts import MICRO, amount, money, text, units
from hub.orders.diff import diff

Doc = dict[str, Any]

KINDS = frozenset({"change", "confirm_change", "decline_change"})
"""Decisions that are about change sets."""


def fold(taken: Iterable[Doc]) -> list[Doc]:
    """The change sets that these decisions make, oldest first."""
    out: dict[str, Doc] = {}
    for one in taken:
        if one["kind"] == "change":
            for other in out.values():
                if other["status"] == "requested":
                    other.update(
                        status="cancelled", decided_at=one["at"], decision="another change was asked for"
                    )
            out[one["ref"]] = _requested(one)
        elif (
            one["kind"] in KINDS
            and (held := out.get(one.get("change", "")))
            and held["status"] == "requested"
        ):
            held["status"] = "confirmed" if one["kind"] == "confirm_change" else "declined"
            held |= {
                name: value
                for name, value in (
                    ("decided_at", one["at"]),
                    ("decided_by", one.get("by")),
                    ("decision", one.get("reason")),
                )
                if value
            }
    return [*out.values()]


def _requested(one: Doc) -> Doc:
    said = {
        "requested_at": one["at"],
        "requested_by": one.get("by"),
        "reason": one.get("reason"),
        "message": one.get("message"),
    }
    told = {name: value for name, value in said.items() if value}
    return {"id": one["ref"], "status": "requested", "actions": one.get("actions", []), **told}


def pending(doc: Doc) -> Doc | None:
    """The set that waits for a decision."""
    return next((one for one in doc.get("changes", ()) if one["status"] == "requested"), None)


def refusal(decision: str, doc: Doc, said: Doc) -> str:
    """Why a decision about change sets cannot be taken, "" where it can."""
    waiting = pending(doc)
    if decision == "change":
        return (
            f"the change {waiting['id']} waits for a decision: confirm or decline it first" if waiting else ""
        )
    named = next((one for one in doc.get("changes", ()) if one["id"] == said.get("change")), None)
    if named is None:
        return f"the order has no change {said.get('change')}"
    return "" if named["status"] == "requested" else f"the change {named['id']} is {named['status']} already"


# ── what differs ──


def compare(doc: Doc, said: Doc, *, partial: bool) -> list[Doc]:
    """The actions that would make this order what was said; where `partial`, what was not said stays."""
    out: list[Doc] = []
    left = [line for line in doc.get("lines", ()) if line.get("status") != "removed"]
    for line in said.get("lines", ()):
        held = pair(line, left)
        if held is None:
            out += _added(line)
            continue
        left.remove(held)
        out += _of_line(held, line)
    if not partial and said.get("lines"):
        out += [{"kind": "remove_line", "line": held["ref"], **_sku(held)} for held in left]
    return out + _of_order(doc, said)


def pair(line: Doc, held: list[Doc]) -> Doc | None:
    """The held line that is meant: by article, by the buyer's own word for it, by name, and only then by place."""
    for names in (_articles, _titles):
        meant = names(line)
        found = [one for one in held if meant & names(one)]
        if len(found) == 1:
            return found[0]
        if len(found) > 1:
            return next((one for one in found if one["ref"] == line.get("ref")), found[0])
    if _articles(line) or _titles(line):
        return None
    return next((one for one in held if one["ref"] == line.get("ref")), None)


def _articles(line: Doc) -> set[str]:
    codes = {one["value"].lower() for one in line.get("identifiers", ())}
    return codes | ({line["sku"].lower()} if line.get("sku") else set())


def _titles(line: Doc) -> set[str]:
    return {line["name"].strip().lower()} if line.get("name") else set()


def _sku(line: Doc) -> Doc:
    return {"sku": line["sku"]} if line.get("sku") else {}


def _added(line: Doc) -> list[Doc]:
    ordered = line.get("quantity", {}).get("ordered")
    return [{"kind": "add_line", "add": line, **_sku(line)}] if ordered and units(ordered) else []


def _of_line(held: Doc, line: Doc) -> list[Doc]:
    about = {"line": held["ref"], **_sku(held)}
    out: list[Doc] = []
    wanted = line.get("quantity", {}).get("ordered")
    if wanted is not None and units(wanted) != units(held["quantity"]["ordered"]):
        kind: Doc = {"kind": "set_quantity", "quantity": wanted} if units(wanted) else {"kind": "remove_line"}
        out.append(kind | about)
    price, now = line.get("unit_price"), held.get("unit_price")
    if price and (now is None or price["currency"] != now["currency"] or amount(price) != amount(now)):
        out.append({"kind": "set_price", "unit_price": price, **about})
    return out


def _of_order(doc: Doc, said: Doc) -> list[Doc]:
    out: list[Doc] = []
    ship_to = said.get("ship_to")
    if ship_to and not within(ship_to, doc.get("ship_to") or {}):
        out.append({"kind": "set_address", "ship_to": ship_to})
    wanted = said.get("requested_delivery")
    if wanted and not within(wanted, doc.get("requested_delivery") or {}):
        out.append({"kind": "set_delivery", "requested_delivery": wanted})
    total, now = said.get("totals", {}).get("total"), doc.get("totals", {}).get("total")
    if total and (now is None or total["currency"] != now["currency"] or amount(total) != amount(now)):
        out.append({"kind": "set_total", "total": total})
    return out


def within(said: Doc, held: Doc) -> bool:
    """Whether all that was said of a place or a day is what is held of it."""
    flat, known = _rows(said), _rows(held)
    return all(known.get(name) == value for name, value in flat.items())


def _rows(one: Doc) -> Doc:
    rows = one.get("lines") or [one[f"line{n}"] for n in (1, 2, 3, 4) if one.get(f"line{n}")]
    kept = {name: _said(value) for name, value in one.items() if value and not name.startswith("line")}
    return kept | ({"lines": _said(" ".join(rows))} if rows else {})


def _said(value: Any) -> Any:
    return " ".join(value.split()).casefold() if isinstance(value, str) else value


# ── what it would be ──


def patch(doc: Doc, actions: Iterable[Doc]) -> tuple[Doc, frozenset[str]]:
    """A partial order that does these actions, and its facets that are meant whole."""
    out: Doc = {}
    taken = {line["ref"] for line in doc.get("lines", ())}
    for one in actions:
        kind = one["kind"]
        if kind in ("set_quantity", "remove_line", "set_price"):
            line = _named(out, doc, one)
            if line is not None:
                _write(line, one, doc)
        elif kind == "add_line":
            ref = next(str(n) for n in range(1, len(taken) + 2) if str(n) not in taken)
            taken.add(ref)
            out.setdefault("lines", []).append({**one["add"], "ref": ref})
        elif kind in ("set_address", "set_delivery"):
            name = "ship_to" if kind == "set_address" else "requested_delivery"
            out[name] = one[name]
        elif kind == "set_total":
            out["totals"] = {"total": one["total"]}
    return out, frozenset({"ship_to"} & out.keys())


def _named(out: Doc, doc: Doc, action: Doc) -> Doc | None:
    """The partial line that an action writes to, once per line."""
    named = {"ref": action.get("line", "")} | _sku(action)
    held = next((one for one in doc.get("lines", ()) if one["ref"] == named["ref"]), None) or pair(
        named, doc.get("lines", [])
    )
    if held is None:
        return None
    lines = out.setdefault("lines", [])
    known: Doc | None = next((one for one in lines if one["ref"] == held["ref"]), None)
    if known is None:
        known = {"ref": held["ref"]}
        lines.append(known)
    return known


def _write(line: Doc, action: Doc, doc: Doc) -> None:
    """An action in its line; what was ordered first stays known."""
    if action["kind"] == "set_price":
        line["unit_price"] = action["unit_price"]
        return
    held = next(one for one in doc["lines"] if one["ref"] == line["ref"])
    ordered = action["quantity"] if action["kind"] == "set_quantity" else "0"
    line["quantity"] = {"original": held["quantity"]["original"], "ordered": ordered}


def preview(doc: Doc, actions: Iterable[Doc]) -> Doc:
    """What the order is and would be, and what differs; `due` is what the total changes by, where lines have prices."""
    told = [*actions]
    change, _ = patch(doc, told)
    before, after = _short(doc, {}), _short(doc, change)
    out: Doc = {"before": before, "after": after, "difference": diff(before, after)}
    was, will = before.get("totals", {}).get("total"), after.get("totals", {}).get("total")
    if was and will and was["currency"] == will["currency"]:
        out["due"] = money(amount(will) - amount(was), will["currency"])
    return out


_LINE = ("ref", "sku", "name", "unit", "unit_price")


def _short(doc: Doc, change: Doc) -> Doc:
    by_ref = {line["ref"]: line for line in change.get("lines", ())}
    lines = [_line(line, by_ref.pop(line["ref"], {})) for line in doc.get("lines", ())]
    lines += [_line(line, {}) for line in by_ref.values()]
    out: Doc = {"lines": lines}
    for name in ("ship_to", "requested_delivery"):
        if value := change.get(name) or doc.get(name):
            out[name] = value
    currency = doc.get("currency") or ""
    total = _total(doc, lines, currency)
    if total is not None:
        out["totals"] = {"total": money(total, currency)}
    return out


def _line(line: Doc, change: Doc) -> Doc:
    merged = {name: line[name] for name in _LINE if line.get(name) is not None}
    ordered = change.get("quantity", {}).get("ordered") or line.get("quantity", {}).get("ordered") or "1"
    return (
        merged
        | {name: value for name, value in change.items() if name in _LINE}
        | {"quantity": text(units(ordered))}
    )


def _total(doc: Doc, lines: list[Doc], currency: str) -> int | None:
    """What the lines, shipping, fees and stated tax come to; None where a line has no price in the currency."""
    sum_ = 0
    for line in lines:
        price = line.get("unit_price")
        if not price or price["currency"] != currency:
            return None
        sum_ += units(price["amount"]) * units(line["quantity"]) // MICRO
    sum_ += sum(
        amount(one.get("discounted_price") or one.get("price"), currency) for one in doc.get("shipping", ())
    )
    sum_ += sum(amount(one.get("amount"), currency) for one in doc.get("fees", ()))
    sum_ -= sum(amount(one.get("amount"), currency) for one in doc.get("discounts", ()))
    return sum_ + (0 if doc.get("prices_include_tax") else amount(doc.get("totals", {}).get("tax"), currency))

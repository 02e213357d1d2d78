"""An order's values as a form's widgets take them, by the field map of the settings, and what differs from a row.

A path is that of the canonical order (`number`, `ship_to.name`, `totals.total`), of one of its lines (`lines[].sku`,
`lines` itself being the subform), or of the shipment that the news is about (`shipment.tracking_number`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

import msgspec

Doc = Mapping[str, Any]
Values = dict[str, Any]

LINES = "lines"
LINE = "lines[]."
SHIPMENT = "shipment."
_KEYS = (f"{LINE}ref", f"{LINE}sku")
"""The columns by which a line finds its row again, the better first."""


def order_values(fields: Mapping[str, str], order: Doc) -> Values:
    """Widget → value, of the order and its lines; None for what it has not."""
    found = {
        widget: value
        for path, widget, kind in _named(fields)
        if path != LINES and not path.startswith((LINE, SHIPMENT))
        for value in [_typed(_at(order, path), path, kind)]
    }
    subform = next((widget for path, widget, _ in _named(fields) if path == LINES), "")
    if subform:
        found[subform] = [
            _line(fields, line) for line in order.get(LINES) or () if line.get("status") != "removed"
        ]
    return found


def shipment_values(fields: Mapping[str, str], shipment: Doc) -> Values:
    """Widget → value, of a shipment; its parcels' values together where it has none of its own."""
    out: Values = {}
    for path, widget, kind in _named(fields):
        if path.startswith(SHIPMENT):
            name = path.removeprefix(SHIPMENT)
            value = _at(shipment, name)
            if value is None:
                parts = [_at(one, name) for one in shipment.get("packages") or ()]
                value = ", ".join(dict.fromkeys(str(part) for part in parts if part)) or None
            out[widget] = _typed(value, name, kind)
    return out


def changed(fields: Mapping[str, str], wanted: Values, row: Doc) -> Values:
    """The wanted values that a row has not; its subform's rows keep their ids."""
    out: Values = {}
    for widget, value in wanted.items():
        if isinstance(value, list) and value and isinstance(value[0], dict):
            rows = row.get(widget)
            lines = _kept(fields, value, rows if isinstance(rows, list) else [])
            if not _same_rows(lines, rows):
                out[widget] = lines
        elif not _same(value, row.get(widget)):
            out[widget] = value
    return out


def wrapped(values: Values) -> Values:
    """As the API takes them: each value under `value`, numbers exact."""
    return {widget: {"value": _plain(value)} for widget, value in values.items()}


def _named(fields: Mapping[str, str]) -> Iterator[tuple[str, str, str]]:
    for path, widget in fields.items():
        name, _, kind = widget.partition(":")
        yield path, name, kind


def _line(fields: Mapping[str, str], line: Doc) -> Values:
    return {
        widget: _typed(_at(line, path.removeprefix(LINE)), path, kind)
        for path, widget, kind in _named(fields)
        if path.startswith(LINE)
    }


def _at(doc: Any, path: str) -> Any:
    for name in path.split("."):
        doc = doc.get(name) if isinstance(doc, Mapping) else None
    return doc


def _typed(value: Any, path: str, kind: str) -> Any:
    """A canonical value as its widget's: money and quantities are numbers, an address is one, the rest is text."""
    if isinstance(value, Mapping):
        if "amount" in value:
            value, path = value["amount"], f"{path}.amount"
        else:
            return _address(value)
    if isinstance(value, list):
        return [str(one) for one in value] if kind == "list" else ", ".join(str(one) for one in value) or None
    if value is None or value == "":
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    if kind == "number" or (not kind and _counts(path)):
        return _number(value)
    return [str(value)] if kind == "list" else str(value)


def _counts(path: str) -> bool:
    return path.endswith((".amount", "weight")) or "quantity." in path


def _number(value: Any) -> Any:
    try:
        found = Decimal(str(value))
    except InvalidOperation:
        return str(value)
    return found if found.is_finite() else str(value)


def _address(value: Doc) -> Any:
    lines = [*(value.get("lines") or ()), *(value.get(f"line{n}") for n in range(1, 5))]
    detail = " ".join(str(line) for line in lines if line)
    names = {"province": "region", "city": "city", "district": "district"}
    found = {ours: str(value.get(theirs) or "") for ours, theirs in names.items()} | {"detail": detail}
    return found if any(found.values()) else None


def _kept(fields: Mapping[str, str], lines: list[Values], rows: list[Any]) -> list[Values]:
    """The lines with the ids of the rows that they are: by the line's name, its SKU, or its place."""
    names = {path: widget for path, widget, _ in _named(fields)}
    key = next((names[path] for path in _KEYS if path in names), "")
    known = [row for row in rows if isinstance(row, dict) and row.get("_id")]
    out = []
    for place, line in enumerate(lines):
        match = next((row for row in known if key and _same(line.get(key), row.get(key))), None)
        if not key and place < len(rows) and rows[place] in known:
            match = rows[place]
        if match is not None:
            known.remove(match)
        out.append({**line, "_id": match["_id"]} if match is not None else line)
    return out


def _same_rows(lines: list[Values], rows: Any) -> bool:
    if not isinstance(rows, list) or len(rows) != len(lines):
        return False
    return all(
        isinstance(row, dict) and all(_same(value, row.get(name)) for name, value in line.items())
        for line, row in zip(lines, rows, strict=True)
    )


def _same(wanted: Any, held: Any) -> bool:
    """Whether a row has this value already; "", {}, [] and null are all nothing."""
    if not wanted and wanted != 0:
        return not held and held != 0
    if isinstance(wanted, Decimal):
        return isinstance(held, int | Decimal) and not isinstance(held, bool) and wanted == held
    if isinstance(wanted, dict):
        return isinstance(held, Mapping) and all(
            (held.get(name) or "") == value for name, value in wanted.items()
        )
    return bool(wanted == held)


def _plain(value: Any) -> Any:
    if value is None:
        return ""  # 简道云 keeps no null in a text, and takes "" for nothing everywhere
    if isinstance(value, Decimal):
        return msgspec.Raw(format(value, "f").encode())
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return [{name: {"value": _plain(one)} for name, one in row.items()} for row in value]
    return value

"""Tables: a grid of cells, of a sheet or of HTML, becomes an order by the words above its columns."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from hub.inbound.mail.reading.form import Cell, OrderForm
from hub.inbound.mail.reading.words import COLUMNS, LABELS, key, vocabulary

Grid = Sequence[Sequence[Cell]]
_ENOUGH = {"sku", "gtin", "name"}
_OF_ORDER = {"purchase_order": "purchase_order", "requested_delivery": "requested_delivery"}


def fill(form: OrderForm, grid: Grid) -> bool:
    """Fill the form from a grid: the rows below a heading are lines, cells beside a label are fields. True where
    there was a heading."""
    columns, known = (
        vocabulary(form.rules.manner.columns, COLUMNS),
        vocabulary(form.rules.manner.labels, LABELS),
    )
    found = False
    heading: dict[int, tuple[str, bool]] = {}
    for row in grid:
        read = _heading(row, columns)
        if read and not heading:
            heading, found = read, True
        elif heading and _line(form, row, heading):
            continue
        else:
            _labels(form, row, known)
    return found


def _heading(row: Sequence[Cell], columns: dict[str, tuple[str, bool]]) -> dict[int, tuple[str, bool]]:
    """Column → (field, own) of a row that is a heading: it names an article and a quantity."""
    known = {n: columns[word] for n, cell in enumerate(row) if (word := key(cell.text)) in columns}
    fields = {field for field, _ in known.values()}
    return known if "quantity" in fields and fields & _ENOUGH else {}


def _line(form: OrderForm, row: Sequence[Cell], heading: dict[int, tuple[str, bool]]) -> bool:
    """Whether this row below the heading was a line."""
    cells: dict[str, Cell] = {}
    for column, (field, own) in heading.items():
        if column < len(row) and row[column].text.strip():
            cells.setdefault(field, row[column]._replace(own=own))
    if "quantity" not in cells or not (cells.keys() & _ENOUGH):
        return False
    form.row(cells)
    return True


def _labels(form: OrderForm, row: Sequence[Cell], known: dict[str, tuple[str, bool]]) -> None:
    """A row of labels with their values: `PO | 4711`, `PO: 4711`, or several pairs."""
    filled = [cell for cell in row if cell.text.strip()]
    for cell, after in zip(filled, [*filled[1:], None], strict=False):
        label, value = _split(cell.text)
        if value and key(label) in known:
            field, own = known[key(label)]
            form.put(field, cell._replace(text=value, own=own))
        elif after is not None and key(cell.text) in known:
            field, own = known[key(cell.text)]
            form.put(field, after._replace(own=own))


def _split(text: str) -> tuple[str, str]:
    for sign in (":", "："):
        label, colon, value = text.partition(sign)
        if colon and len(label) <= 60:
            return label, value.strip()
    return text, ""


def labelled(form: OrderForm, lines: Iterable[tuple[int, str]]) -> None:
    """Lines of text such as `PO number: 4711`, with their numbers."""
    known = vocabulary(form.rules.manner.labels, LABELS)
    for number, line in lines:
        label, value = _split(line)
        field, own = known.get(key(label), ("", False))
        if field and value:
            form.put(field, Cell(value, f"line {number}", own=own))

"""Sheets: CSV, XLSX and ODS become grids of cells, or rows for a partner's mapping."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from typing import Any

from hub.inbound.mail.reading.form import Cell
from hub.inbound.mail.reading.kinds import bomb
from hub.inbound.mail.reading.parts import Part

SHEETS, ROWS, COLUMNS, LONG = 10, 20_000, 60, 5000
"""How many sheets, rows and columns are looked at, and how long a cell may be."""


class Unopened(Exception):
    """A file that is not opened, with the reason."""


Grid = list[list[Cell]]


def grids(part: Part) -> Iterator[Grid]:
    """The grids of a part; raises Unopened."""
    if part.kind == "csv" or part.kind == "text":
        yield _csv(part.text)
    elif part.kind in ("xlsx", "ods"):
        if why := bomb(part.data):
            raise Unopened(why)
        yield from _workbook(part.data)
    else:
        raise Unopened("sheets of this kind may hold programs: they are not opened")


def rows(part: Part) -> list[dict[str, Any]]:
    """The rows of a part by the names in its first one, as a mapping reads them; raises Unopened."""
    for grid in grids(part):
        filled = [row for row in grid if any(cell.text.strip() for cell in row)]
        if filled:
            names = [cell.text.strip() for cell in filled[0]]
            return [dict(zip(names, [cell.text for cell in row], strict=False)) for row in filled[1:]]
    return []


def _csv(text: str) -> Grid:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter(text))
    out: Grid = []
    try:
        for row in reader:
            if len(out) >= ROWS:
                break
            out.append(
                [Cell(cell[:LONG], f"{_column(n)}{reader.line_num}") for n, cell in enumerate(row[:COLUMNS])]
            )
    except csv.Error as error:
        raise Unopened(f"line {reader.line_num}: {error}") from None
    return out


def delimiter(text: str) -> str:
    """The sign that parts the same number of cells in most lines of the beginning."""
    lines = [line for line in text.split("\n")[:20] if line.strip()]
    return max(";\t|,", key=lambda sign: _agreed([line.count(sign) for line in lines]))


def _agreed(counts: list[int]) -> tuple[int, int]:
    """How many lines have the commonest count of a sign, and that count; a sign that is not there never wins."""
    present = [one for one in counts if one]
    if not present:
        return (0, 0)
    common = max(set(present), key=present.count)
    return (present.count(common), common)


def _workbook(data: bytes) -> Iterator[Grid]:
    try:
        from python_calamine import CalamineError, CalamineWorkbook, PasswordError  # noqa: PLC0415  an extra
    except ImportError:
        raise Unopened("sheets are read where `orderhub[xlsx]` is installed") from None
    try:
        book = CalamineWorkbook.from_filelike(io.BytesIO(data))
        for name in book.sheet_names[:SHEETS]:
            sheet = book.get_sheet_by_name(name)
            if sheet.total_height > 10 * ROWS or sheet.total_width > 100 * COLUMNS:
                raise Unopened(f"sheet {name}: {sheet.total_height} rows of {sheet.total_width} columns")
            found = sheet.to_python(skip_empty_area=False, nrows=ROWS)
            yield [
                [_cell(value, f"{name}!{_column(n)}{line}") for n, value in enumerate(row[:COLUMNS])]
                for line, row in enumerate(found, 1)
            ]
    except PasswordError:
        raise Unopened("it is encrypted") from None
    except (CalamineError, OSError, ValueError) as error:
        raise Unopened(f"it cannot be read: {error}") from None


def _cell(value: Any, place: str) -> Cell:
    """A cell as text. Numbers are typed: their decimal sign is no question of the locale."""
    if isinstance(value, bool):
        return Cell(str(value).lower(), place)
    if isinstance(value, int | float):
        return Cell(_plain(value), place, typed=True)
    if isinstance(value, datetime):
        return Cell(value.date().isoformat(), place, typed=True)
    if isinstance(value, date):
        return Cell(value.isoformat(), place, typed=True)
    return Cell("" if value is None or isinstance(value, time | timedelta) else str(value)[:LONG], place)


def _plain(value: float) -> str:
    if value == int(value) and abs(value) < 1e15:
        return str(int(value))
    return f"{value:.9f}".rstrip("0").rstrip(".") if abs(value) < 1e15 else str(value)


def _column(index: int) -> str:
    """A column's letters: A … Z, AA …"""
    letters = ""
    index += 1
    while index:
        index, rest = divmod(index - 1, 26)
        letters = chr(65 + rest) + letters
    return letters

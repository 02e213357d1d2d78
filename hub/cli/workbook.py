"""Workbooks, read in a child process with limits: a file may be made to blow up whoever opens it."""

from __future__ import annotations

import asyncio
import csv
import io
import zipfile
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

from hub.cli.failures import Failure
from hub.contract.errors import Rejected, Unreadable
from hub.inbound.mail.cell import Bounds, Cell

ENTRIES, INFLATED, RATIO = 200, 50 << 20, 100
"""Files in a workbook, bytes that they inflate to, and how many times its own size."""
BOUNDS = Bounds(memory=2 << 30, cpu=60, wall=90.0, answer=256 << 20)


def as_table(path: Path, sheet: str) -> bytes:
    """A sheet of a workbook as CSV in UTF-8, row for row; Failure where it cannot be read."""

    async def read() -> bytes:
        cell = Cell(size=1, bounds=BOUNDS)
        try:
            return await cell.run(read_sheet, str(path), sheet)
        finally:
            cell.close()

    try:
        return asyncio.run(read())
    except Rejected as error:
        raise Failure(f"{path}: {error.reason}", hint="Save it as CSV and import that.") from error


def read_sheet(path: str, sheet: str) -> bytes:
    """What a child does: the sheet of this name, or the first, as CSV; raises Unreadable."""
    _judge(path)
    try:
        from python_calamine import CalamineError, CalamineWorkbook, PasswordError
    except ImportError:
        raise Unreadable("XLSX needs `pip install 'orderhub[xlsx]'`") from None
    try:
        book = CalamineWorkbook.from_path(path)
        if sheet and sheet not in book.sheet_names:
            raise Unreadable(f"there is no sheet {sheet!r}, there are: {', '.join(book.sheet_names)}")
        found = book.get_sheet_by_name(sheet) if sheet else book.get_sheet_by_index(0)
        rows = found.to_python(skip_empty_area=False)
    except PasswordError:
        raise Unreadable("it is encrypted") from None
    except (CalamineError, OSError, ValueError) as error:
        raise Unreadable(f"it cannot be read: {error}") from None
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerows([_cell(value) for value in row] for row in rows)
    return text.getvalue().encode()


def _judge(path: str) -> None:
    """Its directory is read before anything is inflated."""
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
    except (zipfile.BadZipFile, ValueError, OSError) as error:
        raise Unreadable(f"it is no workbook: {error}") from None
    size, packed = sum(one.file_size for one in entries), Path(path).stat().st_size
    if len(entries) > ENTRIES:
        raise Unreadable(f"{len(entries)} files in it, at most {ENTRIES} are opened")
    if size > INFLATED:
        raise Unreadable(f"it inflates to {size} bytes, at most {INFLATED} are read")
    if size > RATIO * packed:
        raise Unreadable(f"it inflates to {size // packed} times its size, at most {RATIO} are read")


def _cell(value: Any) -> str:
    """A cell as text: whole numbers without a fraction, times as they stand, without a zone."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float | int):
        return _plain(value)
    if isinstance(value, datetime):
        return value.isoformat(sep=" ", timespec="seconds")
    if isinstance(value, date):
        return value.isoformat()
    return "" if value is None or isinstance(value, time | timedelta) else str(value)


def _plain(value: float) -> str:
    if value == int(value) and abs(value) < 1e15:
        return str(int(value))
    return f"{value:.9f}".rstrip("0").rstrip(".") if abs(value) < 1e15 else str(value)

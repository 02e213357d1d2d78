"""From a table to rows with names: cells under our columns, numbers and times in one form; and back to the row at fault."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any, cast

import msgspec

from adapters.csv.cells import moment, number
from adapters.csv.layout import of_table
from adapters.csv.settings import CsvSettings, Table
from hub.contract import Headers, Message, Place, Unreadable, json_body
from hub.contract.files import Layout
from hub.contract.sheet import COLUMNS, Charset, Row, charset_of, column_of, missing, open_table, read_anew
from hub.contract.sheet.numbering import numbers, written

FILE, ROWS, DELIMITER, ENCODING = "x-file", "x-file-rows", "x-file-delimiter", "x-file-encoding"
NUMBERS = frozenset({"quantity", "unit_price", "line_total", "shipping_fee", "total"})
TIMES = frozenset({"order_date", "updated_at", "shipped_at", "delivered_at", "time"})
Doc = dict[str, Any]


def opened(message: Message, given: CsvSettings) -> Message:
    """The message with its table as JSON: a list of rows by our columns, each with its `row` in the file."""
    layout, columns, rows, _ = _read(message, given)
    docs = [_doc(columns, row, given) for row in rows]
    if layout.topic != "scans":
        _name_lines(docs, layout)
    if given.orders_of:
        for doc in docs:
            doc.setdefault("connection", given.orders_of)
    pairs = [pair for pair in message.headers.pairs if pair[0] != "content-type"]
    return msgspec.structs.replace(
        message, body=json_body(docs), headers=Headers([*pairs, ("content-type", "application/json")])
    )


def parts(message: Message, given: CsvSettings) -> list[Message]:
    """A table of one document each: its rows under the row of names, as they were written."""
    layout, columns, rows, head = _read(message, given)
    places = [columns.index(name) for name in layout.group if name in columns]
    found: dict[tuple[str, ...], list[Row]] = {}
    for row in rows:
        found.setdefault(tuple(_cell(row, place) for place in places), []).append(row)
    kept = [
        pair
        for pair in message.headers.pairs
        if pair[0] not in (ROWS, "content-type", "content-length", DELIMITER, FILE, ENCODING)
    ]
    about = [(FILE, message.headers.get(FILE, "")), ("content-type", "text/csv; charset=utf-8")]
    if encoding := _kept(message, given)[1]:
        about.append((ENCODING, encoding))
    return [
        msgspec.structs.replace(
            message,
            body=(head + "".join(_whole(row.text) for row in group)).encode(),
            headers=Headers([*kept, *about, (ROWS, written(row.number for row in group))]),
        )
        for group in found.values()
    ]


def blame(message: Message, place: Place) -> Doc:
    """The file, row, column and value that a fault of reading is about; `message` is as `opened` left it."""
    where: Doc = {"file": message.headers.get(FILE, "")} if message.headers.get(FILE) else {}
    try:
        docs = message.json()
    except Unreadable:
        return where
    table = cast(Table, message.topic if message.topic in COLUMNS else "orders")
    column = column_of(table, place.field)
    for doc in docs:
        cell = next((name for name, value in doc.items() if place.value and value == place.value), "")
        if cell and name_fits(cell, column):
            return where | {"row": doc["row"], "column": cell, "value": place.value}
    missing = [doc for doc in docs if column and not doc.get(column)]
    row = (missing or docs or [{"row": 0}])[0]["row"]
    return where | {"row": row, **({"column": column} if column else {})}


def name_fits(cell: str, column: str) -> bool:
    """Whether the cell at fault is where the field says; a field that comes from no column says nothing."""
    return not column or cell == column


def _read(message: Message, given: CsvSettings) -> tuple[Layout, list[str], Iterator[Row], str]:
    """How it is written, its columns, its rows by their numbers in the file, its row of names."""
    table = cast(Table, message.topic if message.topic in COLUMNS else given.table)
    layout = of_table(given, table)
    ours = FILE in message.headers
    file = io.BytesIO(_kept(message, given)[0] if ours else message.body)
    charset = Charset("utf-8", "kept so") if ours else charset_of(file, given.encoding)
    delimiter = {"tab": "\t"}.get(message.headers.get(DELIMITER, ""), message.headers.get(DELIMITER, ""))
    found = open_table(file, charset, delimiter or given.delimiter)
    columns = layout.columns(found.header)
    faults = missing(table, columns, found.header)
    if faults:
        raise Unreadable(faults, place=Place(field="row 1", value=found.delimiter.join(found.header)[:80]))
    rows: Iterator[Row] = found.rows
    if told := message.headers.get(ROWS, ""):
        rows = (
            msgspec.structs.replace(row, number=n) for row, n in zip(found.rows, numbers(told), strict=False)
        )
    head = _whole(found.head)
    return layout, columns, rows, head


def _kept(message: Message, given: CsvSettings) -> tuple[bytes, str]:
    """A table that we keep as UTF-8, and the encoding that its file was read in: the one that is told now, where the
    file can have been in it. So a message that is read again is read by the settings of now."""
    was = message.headers.get(ENCODING, "")
    text, encoding = read_anew(message.body.decode("utf-8", "replace"), was, given.encoding)
    return (message.body, was) if encoding == was else (text.encode(), encoding)


def _doc(columns: list[str], row: Row, given: CsvSettings) -> Doc:
    doc: Doc = {"row": row.number}
    for name, cell in zip(columns, row.cells, strict=False):
        if cell and name and name != "row":
            doc[name] = _value(name, cell, given)
    return doc


def _value(name: str, cell: str, given: CsvSettings) -> str:
    if name in NUMBERS:
        return number(cell, given.decimal)
    return moment(cell, given.date_format) if name in TIMES else cell


def _name_lines(docs: list[Doc], layout: Layout) -> None:
    """Lines without an id are named by their SKU, or by their place where it has none or is there twice."""
    taken: dict[tuple[str, ...], set[str]] = {}
    for doc in docs:
        names = taken.setdefault(tuple(doc.get(column, "") for column in layout.group), set())
        if "line_ref" not in doc:
            sku = doc.get("sku", "")
            doc["line"] = sku if sku and sku not in names else str(len(names) + 1)
        else:
            doc["line"] = doc["line_ref"]
        names.add(doc["line"])


def _cell(row: Row, place: int) -> str:
    return row.cells[place] if place < len(row.cells) else ""


def _whole(text: str) -> str:
    return text if text.endswith("\n") else text + "\n"

"""Cutting: a table becomes batches of whole orders, in bounded memory.

An order's rows usually stand together. Where they do not, the rows are first laid on a few heaps on the disk by
what they belong to, and each heap is put in order by itself.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from typing import IO
from zlib import crc32

import msgspec

from hub.contract.errors import Place, Unreadable
from hub.contract.files import Files, Layout
from hub.contract.settings import Settings
from hub.contract.sheet import Row, Table, charset_of, open_table
from hub.contract.sheet.numbering import written

ORDERS = 500
BYTES = 512 << 10
_LARGEST = 8 << 20
_KNOWN = 500_000
_HEAPS = 64
_LINES = msgspec.json.Decoder(Row)
Key = tuple[str, ...]


class Batch(msgspec.Struct, frozen=True):
    """Some of a table's documents: their rows under the row of names as UTF-8, and the rows' numbers."""

    body: bytes
    rows: str
    count: int


class Cutting(msgspec.Struct):
    """A table that is being cut: how it is written, its batches, to be taken once, and the `manner` by which they
    begin and end where they do."""

    layout: Layout
    table: Table
    batches: Iterator[Batch]
    manner: str


def cutting(file: IO[bytes], name: str, files: Files[Settings], settings: Settings) -> Cutting:
    """A file, ready to be cut; Unreadable where it is no table, or not one that can be read."""
    layout = files.layout(settings, name)
    charset = charset_of(file, layout.encoding)
    table = open_table(file, charset, layout.delimiter)
    if fault := files.judge(layout, table.header):
        raise Unreadable(fault, place=Place(field="row 1", value=table.delimiter.join(table.header)[:200]))
    columns = layout.columns(table.header)
    places = [columns.index(column) for column in layout.group if column in columns]
    orderly = together(_key(row, places) for row in table.rows)
    table = open_table(file, charset, layout.delimiter)
    rows = table.rows if orderly else gathered(table.rows, places)
    return Cutting(layout, table, batches(table.head, rows, places), _manner(layout, table))


def _manner(layout: Layout, table: Table) -> str:
    """A mark of all that says where batches end and what stands in them, besides the file."""
    told = msgspec.json.encode(
        (layout, str(table.charset), table.delimiter, ORDERS, BYTES, _KNOWN, _HEAPS), order="sorted"
    )
    return hashlib.sha256(told).hexdigest()[:16]


def batches(head: str, rows: Iterable[Row], places: list[int]) -> Iterator[Batch]:
    """The rows in batches that end between two documents."""
    kept: list[Row] = []
    size = documents = 0
    last: Key | None = None
    for row in rows:
        key = _key(row, places) if places else (str(row.number),)
        if key != last:
            if kept and (documents >= ORDERS or size >= BYTES):
                yield _batch(head, kept)
                kept, size, documents = [], 0, 0
            documents += 1
            last = key
        kept.append(row)
        size += len(row.text)
        if size > _LARGEST:
            raise Unreadable(
                f"the rows of one document are more than {_LARGEST >> 20} MB",
                place=Place(field=f"row {row.number}"),
            )
    if kept:
        yield _batch(head, kept)


def together(keys: Iterable[Key]) -> bool:
    """Whether equal keys stand together; False too where there are more of them than we care to remember."""
    seen: set[int] = set()
    last: Key | None = None
    for key in keys:
        if key == last:
            continue
        mark = hash(key)
        if mark in seen or len(seen) >= _KNOWN:
            return False
        seen.add(mark)
        last = key
    return True


def gathered(rows: Iterable[Row], places: list[int]) -> Iterator[Row]:
    """The rows with equal keys together, by way of the disk."""
    with ExitStack() as stack:
        heaps = [stack.enter_context(tempfile.TemporaryFile()) for _ in range(_HEAPS)]
        for row in rows:
            mark = crc32("\0".join(_key(row, places)).encode())
            heaps[mark % _HEAPS].write(msgspec.json.encode(row) + b"\n")
        for heap in heaps:
            heap.seek(0)
            found: dict[Key, list[Row]] = {}
            for line in heap:
                row = _LINES.decode(line)
                found.setdefault(_key(row, places), []).append(row)
            for group in found.values():
                yield from group


def _key(row: Row, places: list[int]) -> Key:
    return tuple(row.cells[place] if place < len(row.cells) else "" for place in places)


def _batch(head: str, rows: list[Row]) -> Batch:
    texts = [text if text.endswith("\n") else text + "\n" for text in (head, *(row.text for row in rows))]
    return Batch("".join(texts).encode("utf-8", "replace"), written(row.number for row in rows), len(rows))

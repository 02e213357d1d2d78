"""A table's rows, one after the other, however large its file is: each with its number and its own text.

A row's number is the one that a spreadsheet shows: the row of names is 1, a cell with a line break counts once.
"""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Callable, Iterator
from typing import IO, TextIO

import msgspec

from hub.contract.errors import Place, Unreadable
from hub.contract.sheet.charset import Charset

LONGEST = 1 << 20
"""Characters of a line."""
WIDEST = 500
"""Columns."""
_DELIMITERS = ",;\t|"
_LOOK = 1 << 14


class Row(msgspec.Struct):
    """A row: its number, its cells, and the text that it was written as."""

    number: int
    cells: list[str]
    text: str


class Table(msgspec.Struct, kw_only=True):
    """A table that is open: its columns' words as they stand, its rows to be read once, how it is written."""

    header: list[str]
    rows: Iterator[Row]
    charset: Charset
    delimiter: str
    head: str


def open_table(file: IO[bytes], charset: Charset, delimiter: str = "") -> Table:
    """The table in a file; Unreadable where it has no row of names. The file stays the caller's to close."""
    file.seek(charset.mark)
    text = io.TextIOWrapper(
        io.BufferedReader(_Lent(file)), encoding=charset.name, errors="strict", newline=None
    )
    rows = _rows(text, delimiter, lambda: _broken(file, charset))
    sign = next(rows)
    header = next(
        ((n, row) for n, row in enumerate(rows, 1) if isinstance(row, Row) and any(row.cells)), None
    )
    if header is None or not isinstance(sign, str):
        raise Unreadable("there is no row of names", place=Place(field="row 1"))
    names = [cell.strip() for cell in header[1].cells]
    _judge(names)
    return Table(
        header=names, rows=(row for row in rows if isinstance(row, Row) and any(row.cells)), charset=charset,
        delimiter=sign, head=header[1].text,
    )  # fmt: skip


def _judge(names: list[str]) -> None:
    while names and not names[-1]:
        names.pop()
    if len(names) > WIDEST:
        raise Unreadable(f"{len(names)} columns, at most {WIDEST}", place=Place(field="row 1"))
    twice = sorted({name for name in names if name and names.count(name) > 1})
    if twice:
        raise Unreadable(f"two columns are called {twice[0]!r}", place=Place(field="row 1", value=twice[0]))


class _Lent(io.RawIOBase):
    """A file that a wrapper may read and not close."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        chunk = self._file.read(len(buffer))
        buffer[: len(chunk)] = chunk
        return len(chunk)


def _rows(text: TextIO, delimiter: str, broken: Callable[[], int]) -> Iterator[str | Row]:
    """First the sign between cells, then every row."""
    number = 0
    try:
        lines = _Lines(text)
        if lines.ahead.lower().startswith("sep=") and len(lines.ahead.rstrip("\r\n")) == 5:
            delimiter = delimiter or lines.ahead[4]
            next(lines)
            lines.taken.clear()
        sign = delimiter or lines.sniff()
        yield sign
        reader = csv.reader(lines, delimiter=sign, strict=False)
        for cells in reader:
            number += 1
            row = Row(number, [cell.replace("\0", "").strip() for cell in cells], "".join(lines.taken))
            lines.taken.clear()
            yield row
    except csv.Error as error:
        reason = "a cell is too long: is a quote left open?" if "field larger" in str(error) else str(error)
        raise Unreadable(reason, place=Place(field=f"row {number + 1}")) from None
    except UnicodeDecodeError as error:
        shown = error.object[error.start : error.start + 8].hex(" ")
        raise Unreadable(
            f"is not {error.encoding}: bytes {shown}", place=Place(field=f"line {broken()}")
        ) from None


def _broken(file: IO[bytes], charset: Charset) -> int:
    """The line in which a file stops being in its encoding."""
    decoder = codecs.getincrementaldecoder(charset.name)()
    file.seek(charset.mark)
    number = 0
    while line := file.readline(LONGEST):
        number += 1
        try:
            decoder.decode(line)
        except UnicodeDecodeError:
            break
    return number


class _Lines:
    """The lines of a text, those that a row took remembered; the beginning may be looked at before."""

    def __init__(self, text: TextIO) -> None:
        self._text = text
        self._buffer = text.read(_LOOK)
        self.taken: list[str] = []

    @property
    def ahead(self) -> str:
        return self._buffer.split("\n", 1)[0]

    def sniff(self) -> str:
        """The sign that parts the first rows most evenly: as often in each, outside of quotes."""
        lines = [line for line in self._buffer.splitlines()[:20] if line.strip()]
        bare = ["".join(part for n, part in enumerate(line.split('"')) if n % 2 == 0) for line in lines]
        counts = {sign: [line.count(sign) for line in bare] for sign in _DELIMITERS}
        first = {sign: found[0] if found else 0 for sign, found in counts.items()}
        even = {sign: sum(n == first[sign] for n in found) for sign, found in counts.items()}
        return max(_DELIMITERS, key=lambda sign: (first[sign] > 0, even[sign] * first[sign]))

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        line, cut, rest = self._buffer.partition("\n")
        if cut:
            self._buffer = rest
            line += cut
        else:
            line += self._text.readline(LONGEST)
            self._buffer = ""
        if len(line) >= LONGEST:
            raise csv.Error("field larger than a line may be")
        if not line:
            raise StopIteration
        self.taken.append(line)
        return line

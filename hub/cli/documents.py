"""The documents of a table, read here with the mapping that the hub has for files: each with its rows, or its fault."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import msgspec

from hub.cli.failures import Failure
from hub.cli.house import installed
from hub.contract import Channel, Headers, Message, Rejected, Settings, Unreadable
from hub.contract.fact import Fact
from hub.contract.given import read_settings
from hub.inbound.files.cut import Cutting, cutting
from hub.registry import Registry

Doc = dict[str, Any]


class Document(msgspec.Struct):
    """One order, shipment or parcel of a table: its rows, and what they say, or why they say nothing, and where."""

    rows: str
    ref: str = ""
    row: Doc = {}
    fault: str = ""
    place: Doc = {}


@dataclass(frozen=True, slots=True)
class Found:
    """A table that is open."""

    name: str
    lines: int
    cut: Cutting
    channel: Channel
    settings: Settings
    registry: Registry
    about: Message
    connection: str

    @property
    def written(self) -> str:
        """How it is written."""
        sign = {"\t": "tab"}.get(self.cut.table.delimiter, self.cut.table.delimiter)
        return f"{self.cut.table.charset}, cells parted by {sign}"

    def all(self) -> Iterator[Document]:
        """Every document."""
        for batch in self.batches():
            yield from batch

    def batches(self) -> Iterator[list[Document]]:
        """Every document, as many together as one call takes."""
        with self._faults():
            for batch in self.cut.batches:
                pairs = [("x-file", self.name), ("x-file-rows", batch.rows)]
                pairs.append(
                    (
                        "x-file-delimiter",
                        {"\t": "tab"}.get(self.cut.table.delimiter, self.cut.table.delimiter),
                    )
                )
                whole = msgspec.structs.replace(self.about, body=batch.body, headers=Headers(pairs))
                parts = self.channel.parts(whole, self.settings) if self.channel.parts else [whole]
                yield [self._read(part) for part in parts]

    @contextlib.contextmanager
    def _faults(self) -> Iterator[None]:
        try:
            yield
        except Unreadable as error:
            raise Failure(f"{self.name}: {error}") from error

    def _read(self, part: Message) -> Document:
        rows = part.headers.get("x-file-rows", "")
        opened = part
        try:
            opened = self.channel.open(part, self.settings) if self.channel.open else part
            reading = self.registry.read(self.channel.name, opened)
        except Rejected as error:
            blame = self.channel.blame if isinstance(error, Unreadable) else None
            place = blame(opened, error.place) if blame and isinstance(error, Unreadable) else {}
            return Document(rows, fault=error.reason, place=place)
        facts = [fact for fact in reading.facts if isinstance(fact, Fact)] if reading else []
        return (
            Document(rows, facts[0].ref, self._row(facts[0]))
            if facts
            else Document(rows, fault="it says nothing")
        )

    def _row(self, fact: Fact) -> Doc:
        """A fact as the API takes it."""
        doc = dict(fact.doc)
        doc |= {"order": fact.order} if fact.order else {}
        connection = (fact.account or "").removeprefix("connection:") or self.connection
        if connection and fact.subject != "tracking":
            doc["connection"] = connection
        if not fact.full and fact.subject != "tracking":
            doc["partial"] = True
        return doc


@contextlib.contextmanager
def documents(
    path: Path, told: Doc, *, zone: str, currency: str, connection: str, sheet: str
) -> Iterator[Found]:
    """The table in a file, ready to be read while the block lasts; Failure where it is none."""
    registry = installed()
    channel = next((one for one in registry.channels.values() if one.files and one.parts), None)
    if channel is None or channel.files is None:
        raise Failure("no channel for files is installed")
    book = path.suffix.lower() in (".xlsx", ".xlsm", ".ods")
    if book:
        told = {**told, "encoding": "utf-8", "delimiter": ","}
    settings = read_settings(channel.settings, told)
    with io.BytesIO(_book(path, sheet)) if book else path.open("rb") as file:
        lines = _lines(file)
        try:
            cut = cutting(file, path.name, channel.files, settings)
        except Unreadable as error:
            raise Failure(f"{path.name}: {error}") from error
        about = Message(topic=cut.layout.topic, zone=zone, currency=currency, transport="file")
        yield Found(path.name, lines, cut, channel, settings, registry, about, connection)


def _lines(file: IO[bytes]) -> int:
    count = sum(chunk.count(b"\n") for chunk in iter(lambda: file.read(1 << 20), b""))
    file.seek(0)
    return count


def _book(path: Path, sheet: str) -> bytes:
    from hub.cli.workbook import as_table

    return as_table(path, sheet)

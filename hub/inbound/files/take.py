"""Taking a file: it becomes messages, each durable before the next is cut, and what was taken is remembered."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, Literal

import msgspec
import structlog

from hub.contract.channel import Channel
from hub.contract.errors import Refused
from hub.contract.files import Files
from hub.contract.settings import Settings
from hub.directory import Directory
from hub.inbound.files.away import digest_of
from hub.inbound.files.cut import Batch, Cutting, cutting
from hub.inbound.keep import Keeper, Letter, clean
from hub.store.engine import Engine, Unit
from hub.store.rows import PLAIN, Head
from hub.things import Connection
from hub.world import World

log = structlog.get_logger("orderhub.files")
_CROWD = 32
_PATIENCE = 600


class Taken(msgspec.Struct, kw_only=True):
    """What became of a file: `accepted` with how it was read, or a `duplicate` of one that was taken before."""

    file: str
    hash: str
    status: Literal["accepted", "duplicate"]
    table: str = ""
    encoding: str = ""
    delimiter: str = ""
    rows: int = 0
    messages: int = 0


class Known(msgspec.Struct, omit_defaults=True):
    """What is remembered of a file: its name, how many of its batches are durable, cut in which `manner`, whether that
    is all."""

    name: str
    batches: int = 0
    rows: int = 0
    whole: bool = False
    at: int = 0
    manner: str = ""


@dataclass(frozen=True, slots=True)
class Taker:
    """Makes messages of files."""

    engine: Engine
    directory: Directory
    keeper: Keeper
    world: World

    async def take(
        self, connection: Connection, name: str, file: IO[bytes], *, digest: str = "", quiet: bool = False,
        again: bool = False,
    ) -> Taken:  # fmt: skip
        """All of a file is durable when this returns; Unreadable where it cannot be read at all. `again` cuts one that
        was taken before by the settings of now: what of it stays as it was is known, and gives nothing twice."""
        channel = self.directory.channel(connection)
        files, settings = _files(channel), self.directory.settings(connection)
        digest = digest or await asyncio.to_thread(digest_of, file)
        known = await self._known(connection, digest)
        if known is not None and known.whole and not again:
            log.info("a file was taken before", connection=connection.id, file=name, first=known.name)
            return Taken(file=name, hash=digest, status="duplicate", rows=known.rows, messages=known.batches)
        cut = await asyncio.to_thread(cutting, file, name, files, settings)
        on = known if known and known.manner == cut.manner and not known.whole else None
        state = on or Known(name, manner=cut.manner)
        await self._batches(connection, name, digest, cut, state, quiet=quiet)
        return Taken(
            file=name, hash=digest, status="accepted", table=cut.layout.topic, encoding=str(cut.table.charset),
            delimiter=cut.table.delimiter, rows=state.rows, messages=state.batches,
        )  # fmt: skip

    async def _batches(
        self, connection: Connection, name: str, digest: str, cut: Cutting, state: Known, *, quiet: bool
    ) -> None:
        """Batch by batch from where we were: durable first, then remembered."""
        done, number = state.batches, 0
        while batch := await asyncio.to_thread(_next, cut.batches):
            number += 1
            if number <= done:
                continue
            await self._room()
            await self.keeper.keep(self._letter(connection, name, digest, cut, batch, quiet=quiet))
            state.batches, state.rows = number, state.rows + batch.count
            await self._remember(connection, digest, state)
        state.whole, state.at = True, self.world.now()
        await self._remember(connection, digest, state)

    def _letter(
        self, connection: Connection, name: str, digest: str, cut: Cutting, batch: Batch, *, quiet: bool
    ) -> Letter:
        about = {
            "content-type": "text/csv; charset=utf-8",
            "x-file": clean(name),
            "x-file-hash": digest,
            "x-file-encoding": str(cut.table.charset),
            "x-file-delimiter": {"\t": "tab"}.get(cut.table.delimiter, cut.table.delimiter),
            "x-file-rows": batch.rows,
        }
        return Letter(
            tenant=connection.tenant, connection=connection.id, transport="file", topic=cut.layout.topic,
            key=f"file:{digest[:24]}:{hashlib.sha256(batch.body).hexdigest()}",
            head=Head(headers=tuple(about.items()), quiet=quiet), body=batch.body, received_at=self.world.now(),
        )  # fmt: skip

    async def _room(self) -> None:
        """Wait while what was cut before is not understood yet: a large file must not fill the memory."""
        for _ in range(_PATIENCE):
            if self.keeper.waiting < _CROWD:
                return
            await self.world.sleep(0.2)

    async def _known(self, connection: Connection, digest: str) -> Known | None:
        rows = await self.engine.fetch(
            "memories_get", owner=f"files:{connection.id}", name=digest, now=self.world.now()
        )
        return msgspec.json.decode(bytes(rows[0][0]), type=Known) if rows else None

    async def _remember(self, connection: Connection, digest: str, known: Known) -> None:
        async def work(unit: Unit) -> None:
            unit.add("memories_put", [(f"files:{connection.id}", digest, PLAIN.encode(known), 0)])

        await self.engine.transact(work)


def _files(channel: Channel) -> Files[Settings]:
    if channel.files is None:
        raise Refused(f"{channel.name} takes no files")
    return channel.files


def _next(found: Iterator[Batch]) -> Batch | None:
    return next(found, None)

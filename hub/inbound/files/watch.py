"""Watching shelves: a file that stood still between two looks is taken, then moved away.

A writer that is not done changes size or time, or uses a name of its own until it is (`.part`, `.tmp`, a dot
before it). Two processes may look at one shelf: a file's content is known, so both together take it once. One that
is written anew under our hands is put back (hub.inbound.files.away), and taken when it stands still.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import partial

import structlog

from hub.contract.channel import Channel
from hub.contract.errors import HubError, Postponed, Unreadable
from hub.directory import Directory
from hub.files.shelf import Entry, Shelf
from hub.files.shelves import Shelves
from hub.inbound.files.away import Stranded, digest_of, put_away
from hub.inbound.files.take import Taker
from hub.inbound.keep import Keeper
from hub.store.engine import Engine, Unavailable
from hub.things import Connection
from hub.troubles import Trouble, Troubles, cause, place
from hub.vault import Locked
from hub.world import World

log = structlog.get_logger("orderhub.files")
EVERY = 10_000_000
DONE, FAILED = "done", "failed"
_UNDONE = (".part", ".tmp", ".filepart", ".crdownload", ".partial", ".swp", "~")


@dataclass(slots=True)
class Watcher:
    """The stage that looks at the shelves of all connections."""

    engine: Engine
    directory: Directory
    shelves: Shelves
    taker: Taker
    troubles: Troubles
    world: World
    stranded: Stranded
    _seen: dict[str, dict[str, Entry]] = field(default_factory=dict)
    _next: dict[str, int] = field(default_factory=dict)
    _running: dict[str, asyncio.Task[int]] = field(default_factory=dict)

    @staticmethod
    def over(
        engine: Engine,
        directory: Directory,
        shelves: Shelves,
        keeper: Keeper,
        troubles: Troubles,
        world: World,
    ) -> Watcher:
        """The stage with a taker of its own."""
        taker = Taker(engine, directory, keeper, world)
        return Watcher(engine, directory, shelves, taker, troubles, world, Stranded(engine, world))

    async def step(self) -> int:
        """Look wherever it is time, and wait for all of it; how many files were taken."""
        self.begin()
        return sum(await asyncio.gather(*self._running.values()))

    def begin(self) -> None:
        """Begin the looks that are due, each connection by itself."""
        now = self.world.now()
        for one in self.directory.all(Connection):
            channel = self.directory.registry.channels.get(one.channel)
            if channel is None or channel.files is None or one.status != "active" or not one.sweep:
                continue
            if one.id not in self._running and self._next.get(one.id, 0) <= now:
                self._next[one.id] = now + EVERY
                task = asyncio.get_running_loop().create_task(self._turn(one, channel))
                self._running[one.id] = task
                task.add_done_callback(partial(self._ended, one.id))

    def stop(self) -> None:
        """Give up what is under way: what is durable is remembered, the rest is cut again."""
        for task in self._running.values():
            task.cancel()

    def _ended(self, id_: str, _: asyncio.Task[int]) -> None:
        self._running.pop(id_, None)

    async def _turn(self, connection: Connection, channel: Channel) -> int:
        """One look; whatever goes wrong stays with its connection and stands in the exceptions until it is over."""
        subject = f"files:{connection.id}"
        try:
            count = await self._look(connection, channel)
        except Unavailable:
            log.warning("the store is away; files wait", connection=connection.id)
            return 0
        except (HubError, Locked) as error:
            log.warning("a place of files cannot be read", connection=connection.id, error=str(error))
            severity = "warning" if isinstance(error, Postponed) else "error"
            await self._open(Trouble(
                tenant=connection.tenant, cause=cause("files", connection.id), subject=subject, severity=severity,
                title=f"{connection.name}: its files cannot be read: {error}", connection=connection.id,
                hint="Mend the place or the connection's settings; it is looked at again by itself.",
            ))  # fmt: skip
            return 0
        except Exception:
            log.exception("looking for files stumbled; it is tried again", connection=connection.id)
            return 0
        await self.engine.transact(lambda unit: self.troubles.clear(unit, [subject]))
        return count

    async def _look(self, connection: Connection, channel: Channel) -> int:
        files = channel.files
        settings = self.directory.settings(connection)
        spot = files.place(settings) if files else None
        if files is None or spot is None:
            return 0
        patterns = files.pattern(settings).lower().split("|")
        async with self.shelves.at(spot) as shelf:
            await self.stranded.back(connection.id, shelf)
            there = {one.name: one for one in await shelf.entries() if _wanted(one.name, patterns)}
            before, self._seen[connection.id] = self._seen.get(connection.id, {}), there
            still = [one for one in there.values() if before.get(one.name) == one]
            count = 0
            for one in sorted(still, key=lambda entry: (entry.changed, entry.name)):
                count += await self._take(connection, shelf, one)
            return count

    async def _take(self, connection: Connection, shelf: Shelf, entry: Entry) -> int:
        """Take one file; 1 where it is done with."""
        try:
            return await self._taken(connection, shelf, entry)
        except Postponed:
            if entry.name in [one.name for one in await shelf.entries()]:
                raise
            return 0  # another process took it under our hands, and knows what we knew of it

    async def _taken(self, connection: Connection, shelf: Shelf, entry: Entry) -> int:
        subject = f"file:{connection.id}:{entry.name}"
        async with shelf.open(entry.name) as file:
            digest = await asyncio.to_thread(digest_of, file)
            try:
                taken = await self.taker.take(connection, entry.name, file, digest=digest)
            except Unreadable as error:
                await self._cannot(connection, shelf, entry, error, subject, digest)
                return 0
        if entry not in await shelf.entries() or not await put_away(shelf, entry, DONE, digest):
            return 0  # written on after all: it is another file now, taken when it stands still
        await self.engine.transact(lambda unit: self.troubles.clear(unit, [subject]))
        log.info(
            "a file was taken", connection=connection.id, file=entry.name, status=taken.status, rows=taken.rows,
            encoding=taken.encoding,
        )  # fmt: skip
        return 1

    async def _cannot(
        self, connection: Connection, shelf: Shelf, entry: Entry, error: Unreadable, subject: str, digest: str
    ) -> None:
        """Told first, then moved: a process that dies in between tells it again."""
        await self._open(Trouble(
            tenant=connection.tenant, cause=cause("file", connection.id, error.place.field, error.reason[:80]),
            subject=subject, title=f"{connection.name}: {entry.name} cannot be read: {error}",
            hint=f"It lies in {FAILED}/. Mend it or the connection's settings, then move it back.",
            connection=connection.id, place={"file": entry.name, **_about(error)},
        ))  # fmt: skip
        await put_away(shelf, entry, FAILED, digest)

    async def _open(self, trouble: Trouble) -> None:
        await self.engine.transact(lambda unit: self.troubles.open(unit, [trouble]))


def _about(error: Unreadable) -> dict[str, object]:
    return {name: value for name, value in place(error).items() if name != "file"}


def _wanted(name: str, patterns: list[str]) -> bool:
    low = name.lower()
    return (
        not low.startswith((".", "~"))
        and not low.endswith(_UNDONE)
        and any(fnmatchcase(low, pattern.strip()) for pattern in patterns)
    )

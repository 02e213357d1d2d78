"""SQLite: one writer connection, a few readers, checkpoints on a connection of their own.

One process owns the file, so identities and claims need no locks, and positions are counted in memory: a
unit that has taken some is the only one to get any until it stands in the writer's queue, which is first in,
first out, hence they commit in the order they were given.
Why multi-row VALUES and never `executemany`: sqlite3 gives up the GIL at every step, and beside a busy
loop each step may wait a whole switch interval.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import sqlite3
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any, TypeVar

import aiosqlite

from hub.contract.errors import Misconfigured
from hub.store.bell import Bell
from hub.store.engine import Line, Poisoned, Row, Unavailable, Unit, Write, tell
from hub.store.migrate import pending
from hub.store.statements import Statement, load

T = TypeVar("T")

_CHUNKS = (128, 32, 8, 4, 2, 1)
_PRAGMAS = (
    "journal_mode=WAL",
    "synchronous=FULL",
    "wal_autocheckpoint=0",
    "temp_store=MEMORY",
    "cache_size=-32768",
)
_CHECKPOINT_COMMITS = 64
_LOG_PAGES = 4096
_BUSY_MS = 10_000
_PATIENCE_MS = 20
_POSITIONED = (
    "messages", "facts", "events", "deliveries", "audit", "activations", "orders", "things", "exceptions", "jobs",
    "reconciliations", "drifts",
)  # fmt: skip


class SQLite:
    """The engine over one file."""

    dialect = "sqlite"
    shared = False

    def __init__(self, path: str, readers: int = 2) -> None:
        self.path = path
        self._count = readers
        self._statements: Mapping[str, Statement] = load("sqlite")
        self._position = 0
        self.bell = Bell()

    async def open(self) -> None:
        """Take the file for this process, connect, and migrate."""
        self._connections: list[aiosqlite.Connection] = []
        self._sweeping: asyncio.Task[None] | None = None
        try:
            Path(self.path).parent.mkdir(parents=True, exist_ok=True)
            self._lock = FileLock(f"{self.path}.lock")
        except OSError as error:
            raise Misconfigured(f"{self.path} cannot be opened: {error}") from error
        try:
            await self._open()
        except sqlite3.Error as error:
            await self.close()
            raise Misconfigured(f"{self.path} cannot be opened: {error}") from error
        except BaseException:
            await self.close()
            raise

    async def _open(self) -> None:
        self._placing = asyncio.Lock()
        self._writer = await self._connect()
        for pragma in _PRAGMAS:
            await self._writer.execute(f"PRAGMA {pragma}")
        await self._writer._execute(_migrate, self._writer)  # type: ignore[no-untyped-call]  # noqa: SLF001  see `_queue`
        self._readers: asyncio.LifoQueue[aiosqlite.Connection] = asyncio.LifoQueue()
        for _ in range(self._count):
            reader = await self._connect()
            await reader.execute("PRAGMA query_only=1")
            self._readers.put_nowait(reader)
        self._keeper = await self._connect()
        self._commits = 0
        union = " UNION ALL ".join(f"SELECT max(position) FROM {table}" for table in _POSITIONED)  # noqa: S608  our names
        rows = await self._writer.execute_fetchall(union)
        self._position = max((row[0] or 0 for row in rows), default=0)

    async def _connect(self) -> aiosqlite.Connection:
        connection = aiosqlite.connect(self.path, isolation_level=None, cached_statements=512)
        await connection
        self._connections.append(connection)
        await connection.execute(f"PRAGMA busy_timeout={_BUSY_MS}")
        return connection

    async def close(self) -> None:
        """Checkpoint, close and give the file back; whoever still asks is told that the store is away."""
        if self._sweeping is not None:
            await self._sweeping
        if self._connections:
            with suppress(sqlite3.Error, ValueError):
                await self._connections[0].execute("PRAGMA wal_checkpoint(TRUNCATE)")
        for connection in self._connections:
            await connection.close()
        self._lock.release()

    async def listen(self) -> None:
        """There is no other process: waits for ever."""
        await asyncio.get_running_loop().create_future()

    async def moment(self) -> int:
        """The machine's own clock."""
        return time.time_ns() // 1000

    async def transact(self, work: Callable[[Unit], Awaitable[T]]) -> T:
        """Gather what `work` adds and run it in one go on the writer."""
        unit = _Unit(self)
        try:
            result = await self._run(unit, work)
        except Exception:
            tell(unit.ends, durable=False)
            raise
        tell(unit.ends, durable=True)
        return result

    async def _run(self, unit: _Unit, work: Callable[[Unit], Awaitable[T]]) -> T:
        try:
            result = await work(unit)
            done = self._queue(unit.writes) if unit.writes else None
        finally:
            if unit.placing:
                self._placing.release()
        if done is not None:
            unit.counts.update(await self._finish(done))
            self.bell.written(unit.counts)
        return result

    def _queue(self, writes: list[Write]) -> asyncio.Future[dict[str, int]]:
        """One hop to the writer's thread for the whole transaction (aiosqlite's public calls cost a hop each);
        it stands in the queue when this returns."""
        future: asyncio.Future[dict[str, int]] = asyncio.get_running_loop().create_future()
        try:
            run = partial(_transaction, self._writer._conn, self._plan(writes))  # noqa: SLF001
        except ValueError as error:
            raise Unavailable(str(error)) from error
        self._writer._tx.put_nowait((future, run))  # noqa: SLF001
        return future

    async def _finish(self, done: asyncio.Future[dict[str, int]]) -> dict[str, int]:
        with _told():
            counts = await done
        self._checkpoint()
        return counts

    def _plan(self, writes: list[Write]) -> list[tuple[str, str, Sequence[Any]]]:
        out: list[tuple[str, str, Sequence[Any]]] = []
        for write in writes:
            statement = self._statements[write.name]
            fixed = [write.params[name] for name in statement.params]
            if write.rows is None:
                out.append((write.name, statement.sql(), fixed))
                continue
            out += [
                (write.name, statement.sql(len(chunk)), [*fixed, *chain.from_iterable(chunk)])
                for chunk in _chunks(write.rows)
            ]
        return out

    def _checkpoint(self) -> None:
        """Move the log into the file beside the writer, when it has grown."""
        self._commits += 1
        if self._commits >= _CHECKPOINT_COMMITS and self._sweeping is None:
            self._commits = 0
            self._sweeping = asyncio.get_running_loop().create_task(self._sweep())

    async def _sweep(self) -> None:
        """While commits never pause the log never ends, however often it is moved: then the writer itself moves
        the little that came meanwhile, between two transactions, and begins it anew."""
        try:
            with suppress(sqlite3.Error, ValueError):
                rows = await self._keeper.execute_fetchall("PRAGMA wal_checkpoint(PASSIVE)")
                if next(iter(rows))[1] > _LOG_PAGES:
                    await self._writer._execute(_restart, self._writer)  # type: ignore[no-untyped-call]  # noqa: SLF001
        finally:
            self._sweeping = None

    async def fetch(self, name: str, rows: Sequence[Row] | None = None, /, **params: Any) -> list[Row]:
        """A read on a connection of its own: it sees what was committed."""
        statement = self._statements[name]
        fixed = [params[one] for one in statement.params]
        reader = await self._readers.get()
        try:
            out: list[Row] = []
            with _told():
                for chunk in _chunks(rows) if rows is not None else [()]:
                    values = [*fixed, *chain.from_iterable(chunk)]
                    out += [
                        tuple(row) for row in await reader.execute_fetchall(statement.sql(len(chunk)), values)
                    ]
            return out
        finally:
            self._readers.put_nowait(reader)

    async def place(self, unit: _Unit, count: int) -> int:
        """The next positions; nobody else gets any until the unit is queued."""
        if not unit.placing:
            await self._placing.acquire()
            unit.placing = True
        first = self._position + 1
        self._position += count
        return first


@contextmanager
def _told() -> Iterator[None]:
    """What went wrong, in the store's words: the data, or the storage."""
    try:
        yield
    except (sqlite3.DataError, sqlite3.IntegrityError, OverflowError, UnicodeError) as error:
        raise Poisoned(str(error)) from error
    except (sqlite3.DatabaseError, ValueError) as error:
        if isinstance(error, sqlite3.ProgrammingError) and "closed" not in str(error):
            raise  # a statement that does not fit its parameters is a bug of ours
        raise Unavailable(str(error)) from error


class _Unit:
    """Reads come from a reader, writes wait for the end."""

    def __init__(self, engine: SQLite) -> None:
        self._engine = engine
        self.placing = False
        self.writes: list[Write] = []
        self.counts: dict[str, int] = {}
        self.ends: list[Callable[[bool], None]] = []

    async def fetch(self, name: str, rows: Sequence[Row] | None = None, /, **params: Any) -> list[Row]:
        return await self._engine.fetch(name, rows, **params) if rows is None or rows else []

    async def claim(self, name: str, rows: Sequence[Row]) -> None:
        self.add(name, rows)

    async def positions(self, count: int, of: Line = "") -> int:
        return await self._engine.place(self, count)

    def add(self, name: str, rows: Sequence[Row] | None = None, /, **params: Any) -> None:
        if rows is None or rows:
            self.writes.append(Write(name, rows, params))


def _chunks(rows: Sequence[Row]) -> Iterator[Sequence[Row]]:
    """Few sizes, so that the statement cache knows them."""
    start = 0
    for size in _CHUNKS:
        while len(rows) - start >= size:
            yield rows[start : start + size]
            start += size


def _transaction(
    connection: sqlite3.Connection, plan: list[tuple[str, str, Sequence[Any]]]
) -> dict[str, int]:
    counts: dict[str, int] = {}
    connection.execute("BEGIN IMMEDIATE")
    try:
        for name, sql, values in plan:
            count = connection.execute(sql, values).rowcount
            counts[name] = counts.get(name, 0) + max(count, 0)
        connection.execute("COMMIT")
    except BaseException:
        with suppress(sqlite3.Error):
            connection.execute("ROLLBACK")
        raise
    return counts


def _restart(writer: aiosqlite.Connection) -> None:
    connection = writer._conn  # noqa: SLF001
    connection.execute(
        f"PRAGMA busy_timeout={_PATIENCE_MS}"
    )  # a reader that stays (a backup) holds nobody up
    try:
        connection.execute("PRAGMA wal_checkpoint(RESTART)").fetchall()
    finally:
        connection.execute(f"PRAGMA busy_timeout={_BUSY_MS}")


def _migrate(writer: aiosqlite.Connection) -> None:
    connection = writer._conn  # noqa: SLF001
    connection.execute("CREATE TABLE IF NOT EXISTS migrations (name TEXT PRIMARY KEY, hash TEXT NOT NULL)")
    done = dict(connection.execute("SELECT name, hash FROM migrations").fetchall())
    for name, digest, script in pending(done, "sqlite"):
        record = f"INSERT INTO migrations VALUES ('{name}', '{digest}');"  # noqa: S608  a file name and a hash of ours
        connection.executescript(f"BEGIN IMMEDIATE;\n{script}\n{record}\nCOMMIT;")


class FileLock:
    """One process owns the file; the lock names who."""

    def __init__(self, path: str) -> None:
        self._file = open(path, "a+")  # noqa: SIM115, PTH123  held for as long as the process lives
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            self._file.seek(0)
            holder = self._file.read().strip() or "another process"
            self._file.close()
            raise Misconfigured(
                f"{path.removesuffix('.lock')} is in use by {holder}: one hub owns a SQLite file; "
                "stop the other, or use PostgreSQL for several processes"
            ) from None
        self.write(f"process {os.getpid()}")

    def write(self, text: str) -> None:
        """Tell others who holds it."""
        self._file.seek(0)
        self._file.truncate()
        self._file.write(text)
        self._file.flush()

    def release(self) -> None:
        """Give it back."""
        self._file.close()

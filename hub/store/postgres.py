"""PostgreSQL: a pool; each unit is a transaction that reads with locks and writes at its end.

Positions come from a sequence under one advisory lock held to commit, so that a reader who pages by
position never passes a row that commits later. Deadlocks and serialisation failures run the unit again.
"""

from __future__ import annotations

import socket
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, TypeVar

import asyncpg

from hub.contract.errors import Misconfigured
from hub.store.bell import Bell
from hub.store.engine import Line, Poisoned, Row, Unavailable, Unit, columns, tell
from hub.store.migrate import pending
from hub.store.statements import Statement, load
from hub.store.wire import Wire

T = TypeVar("T")

_LINES: dict[Line, tuple[int, str, int]] = {
    "": (0x6F68_706F, "positions", 1),
    "messages": (0x6F68_706D, "arrivals", 1 << 52),
}
"""The advisory lock of each line of positions, which no other part of the hub uses, its sequence, and where that begins:
no position is ever given twice, in whatever line."""
_TAKE = (
    "WITH held AS MATERIALIZED (SELECT pg_advisory_xact_lock($1)) SELECT min(taken) FROM "
    "(SELECT nextval($2::text::regclass) AS taken FROM held, generate_series(1, $3)) AS row"
)
_MIGRATING = 0x6F68_6D69
_TRIES = 8


class Postgres:
    """The engine over a PostgreSQL server."""

    dialect = "postgres"
    shared = True

    def __init__(self, url: str, size: int = 8) -> None:
        self.url = url
        self._size = size
        self._statements: Mapping[str, Statement] = load("postgres")
        self.bell = Bell()
        self._wire = Wire(self.bell)
        self.bell.far = self._wire.send

    async def open(self) -> None:
        """Connect and migrate, one process at a time."""
        try:
            self._pool = await asyncpg.create_pool(
                self.url, min_size=1, max_size=self._size, statement_cache_size=512, timeout=_DIAL, init=_watch,
                reset=_as_it_was, server_settings=_SETTINGS,
            )  # fmt: skip
        except (OSError, asyncpg.PostgresError, ValueError) as error:
            raise Misconfigured(f"cannot reach the database: {error}") from error
        try:
            async with self._pool.acquire() as connection:
                await _migrate(connection)
        except BaseException:
            await self._pool.close()
            raise

    async def close(self) -> None:
        """Close the pool."""
        await self._pool.close()

    async def listen(self) -> None:
        """Hear the other processes until the connection for it breaks: raises Unavailable."""
        try:
            await self._wire.run(self._dial)
        except _BROKEN as error:
            raise Unavailable(f"the connection that listens broke: {error}") from error

    async def _dial(self) -> Any:
        connection = await asyncpg.connect(self.url, timeout=_DIAL, server_settings=_SETTINGS)
        await _watch(connection)
        return connection

    async def moment(self) -> int:
        """The server's clock: that of all processes alike."""
        try:
            now: int = await self._pool.fetchval(
                "SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint"
            )
        except _BROKEN as error:
            raise Unavailable(f"the connection to the database broke: {error}") from error
        return now

    async def transact(self, work: Callable[[Unit], Awaitable[T]]) -> T:
        """Run the unit in one transaction, again when it lost a race."""
        for left in reversed(range(_TRIES)):
            try:
                return await self._once(work)
            except (asyncpg.DeadlockDetectedError, asyncpg.SerializationError) as error:
                if not left:
                    raise Unavailable(f"lost {_TRIES} races: {error}") from error
            except _BROKEN as error:
                raise Unavailable(f"the connection to the database broke: {error}") from error
            except _POISON as error:
                raise Poisoned(str(error)) from error
        raise AssertionError("unreachable")

    async def _once(self, work: Callable[[Unit], Awaitable[T]]) -> T:
        ends: list[Callable[[bool], None]] = []
        try:
            async with self._pool.acquire() as connection, connection.transaction():
                unit = _Unit(connection, self._statements, ends)
                result = await work(unit)
                await unit.flush()
        except _BROKEN:
            raise  # nobody knows what became of it
        except Exception:
            tell(ends, durable=False)
            raise
        tell(ends, durable=True)
        self.bell.written(unit.counts)
        return result

    async def fetch(self, name: str, rows: Sequence[Row] | None = None, /, **params: Any) -> list[Row]:
        """A read of its own."""
        if rows is not None and not rows:
            return []
        statement = self._statements[name]
        try:
            found = await self._pool.fetch(statement.sql(), *_values(statement, rows, params))
        except _BROKEN as error:
            raise Unavailable(f"the connection to the database broke: {error}") from error
        except _POISON as error:
            raise Poisoned(str(error)) from error
        return [tuple(row) for row in found]


async def _as_it_was(_: Any) -> None:
    """Nothing to reset when a connection goes back: the pool has ended its transaction, and no statement of ours
    leaves anything else in a session. asyncpg's own way is a round trip more for each transaction and each read."""


async def _watch(connection: Any) -> None:
    """Notice in seconds a server that has gone without a word (a cable, a firewall, a machine that froze): a
    question without an answer would wait for a quarter of an hour, a quiet connection for ever."""
    transport = connection._transport  # noqa: SLF001  asyncpg has no setting for it
    sock = transport.get_extra_info("socket")
    if sock is not None and sock.family != socket.AF_UNIX:
        for level, option, value in _SOCKET:
            sock.setsockopt(level, option, value)


_DIAL = 10.0
_SOCKET = (
    (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
    (socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 10),
    (socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 5),
    (socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 3),
    (socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, 25_000),
)
_SETTINGS = {
    # The other way round: a process that froze within a transaction holds the lock of positions against all.
    "idle_in_transaction_session_timeout": "60000",
    "tcp_keepalives_idle": "10",
    "tcp_keepalives_interval": "5",
    "tcp_keepalives_count": "3",
    "tcp_user_timeout": "25000",
}
_BROKEN = (
    OSError,
    TimeoutError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.PostgresSystemError,
    asyncpg.ReadOnlySQLTransactionError,
    asyncpg.IdleInTransactionSessionTimeoutError,
)
_POISON = (asyncpg.DataError, asyncpg.IntegrityConstraintViolationError, UnicodeError)


async def _migrate(connection: Any) -> None:
    """What is pending, each in a transaction with its record; the lock is the session's, so that it outlives them."""
    await connection.execute("SELECT pg_advisory_lock($1)", _MIGRATING)
    try:
        await connection.execute(
            "CREATE TABLE IF NOT EXISTS migrations (name TEXT PRIMARY KEY, hash TEXT NOT NULL)"
        )
        for _, sequence, first in _LINES.values():
            await connection.execute(f"CREATE SEQUENCE IF NOT EXISTS {sequence} MINVALUE {first}")
        done = {row[0]: row[1] for row in await connection.fetch("SELECT name, hash FROM migrations")}
        for name, digest, script in pending(done, "postgres"):
            async with connection.transaction():
                await connection.execute(script)
                await connection.execute("INSERT INTO migrations VALUES ($1, $2)", name, digest)
    finally:
        await connection.execute("SELECT pg_advisory_unlock($1)", _MIGRATING)


def _values(statement: Statement, rows: Sequence[Row] | None, params: Mapping[str, Any]) -> list[Any]:
    fixed = [params[name] for name in statement.params]
    return [*fixed, *columns(rows)] if rows else fixed


class _Unit:
    """One transaction on one connection."""

    def __init__(
        self, connection: Any, statements: Mapping[str, Statement], ends: list[Callable[[bool], None]]
    ) -> None:
        self.ends = ends
        self._connection = connection
        self._statements = statements
        self._writes: list[tuple[str, Sequence[Row] | None, Mapping[str, Any]]] = []
        self.counts: dict[str, int] = {}

    async def fetch(self, name: str, rows: Sequence[Row] | None = None, /, **params: Any) -> list[Row]:
        if rows is not None and not rows:
            return []
        statement = self._statements[name]
        return [
            tuple(row)
            for row in await self._connection.fetch(statement.sql(), *_values(statement, rows, params))
        ]

    async def claim(self, name: str, rows: Sequence[Row]) -> None:
        if rows:
            statement = self._statements[name]
            await self._connection.execute(statement.sql(), *_values(statement, sorted(rows), {}))

    async def positions(self, count: int, of: Line = "") -> int:
        if not count:
            return 0
        first: int = await self._connection.fetchval(_TAKE, *_LINES[of][:2], count)
        return first

    def add(self, name: str, rows: Sequence[Row] | None = None, /, **params: Any) -> None:
        if rows is None or rows:
            self._writes.append((name, rows, params))

    async def flush(self) -> None:
        """Run what was added."""
        for name, rows, params in self._writes:
            statement = self._statements[name]
            done = await self._connection.execute(statement.sql(), *_values(statement, rows, params))
            self.counts[name] = self.counts.get(name, 0) + _count(done)


def _count(done: str) -> int:
    last = done.rpartition(" ")[2]
    return int(last) if last.isdigit() else 0

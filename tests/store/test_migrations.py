"""Migrations run once, are recorded, and are never changed after their release."""

from __future__ import annotations

import asyncio
import hashlib
from importlib.resources import files
from pathlib import Path

import asyncpg
import pytest

from hub.contract.errors import Misconfigured
from hub.store import postgres, sqlite
from hub.store.engine import Engine
from hub.store.migrate import pending
from tests.engines import engine_of

FOLDER = files("hub.store").joinpath("migrations")
RELEASED = Path(__file__).with_name("released.txt")


@pytest.fixture
def sqlite_template() -> str:
    """Nothing has run yet."""
    return ""


@pytest.fixture
def postgres_template() -> str:
    """Here neither."""
    return ""


def shipped() -> dict[str, str]:
    """The migrations of this version, by name, with their hashes."""
    texts = {one.name: one.read_text() for one in FOLDER.iterdir() if one.name.endswith(".sql")}
    return {name: hashlib.sha256(texts[name].encode()).hexdigest() for name in sorted(texts)}


async def ask(engine: Engine, sql: str) -> list[tuple[object, ...]]:
    """What a query of the test's own returns."""
    if engine.dialect == "sqlite":
        return [tuple(row) for row in await engine._writer.execute_fetchall(sql)]
    return [tuple(row) for row in await engine._pool.fetch(sql)]


def test_released_migrations_are_as_they_were_released():
    """One that was changed would be refused by every database that it ran on: write the next one instead."""
    kept = dict(
        line.split() for line in RELEASED.read_text().splitlines() if line and not line.startswith("#")
    )
    assert {name: digest for name, digest in shipped().items() if name in kept} == kept


def test_migrations_are_numbered_without_a_gap():
    assert [int(name[:4]) for name in shipped()] == list(range(1, len(shipped()) + 1))


async def test_each_migration_is_recorded_with_its_hash(engine):
    assert dict(await ask(engine, "SELECT name, hash FROM migrations")) == shipped()


async def test_opening_again_changes_nothing(database):
    for _ in range(3):
        engine = engine_of(database)
        await engine.open()
        rows = await ask(engine, "SELECT name, hash FROM migrations ORDER BY name")
        await engine.close()
        assert rows == list(shipped().items())


async def test_processes_that_start_together_migrate_once(postgres_url):
    engines = [engine_of(postgres_url) for _ in range(6)]
    await asyncio.gather(*(one.open() for one in engines))
    assert await ask(engines[0], "SELECT name, hash FROM migrations ORDER BY name") == list(shipped().items())
    await asyncio.gather(*(one.close() for one in engines))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("UPDATE migrations SET hash = 'another' WHERE name = '0001_walls.sql'", "0001_walls.sql is not the one that ran"),
        ("INSERT INTO migrations VALUES ('9999_later.sql', 'x')", "newer orderhub .it has 9999_later.sql"),
    ],
    ids=["changed", "newer"],
)  # fmt: skip
async def test_a_database_whose_migrations_are_not_ours_is_refused(database, change, said):
    engine = engine_of(database)
    await engine.open()
    await ask(engine, change)
    await engine.close()
    for _ in range(2):  # and what was refused holds on to nothing
        with pytest.raises(Misconfigured, match=said):
            await engine_of(database).open()


async def test_a_migration_that_fails_leaves_nothing_behind_and_can_run_again(database, monkeypatch):
    engine = engine_of(database)
    await engine.open()
    await engine.close()
    first = dict(shipped())
    script = "CREATE TABLE half (id BIGINT); INSERT INTO half VALUES (1);"

    def broken(done, dialect):
        yield from pending({name: digest for name, digest in done.items() if name in first}, dialect)
        if "0002_half.sql" not in done:
            yield "0002_half.sql", "h2", script + "INSERT INTO nowhere VALUES (1);"

    for module in (sqlite, postgres):
        monkeypatch.setattr(module, "pending", broken)
    with pytest.raises((Misconfigured, asyncpg.PostgresError), match="nowhere"):
        await engine_of(database).open()

    def mended(done, dialect):
        if "0002_half.sql" not in done:
            yield "0002_half.sql", "h2", script

    for module in (sqlite, postgres):
        monkeypatch.setattr(module, "pending", mended)
    await engine.open()
    assert await ask(engine, "SELECT id FROM half") == [(1,)]
    assert dict(await ask(engine, "SELECT name, hash FROM migrations")) == {**first, "0002_half.sql": "h2"}
    await engine.close()

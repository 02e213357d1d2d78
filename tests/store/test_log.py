"""SQLite's write-ahead log: it is moved into the file beside the writer, and ends though the commits never pause."""

from __future__ import annotations

import asyncio
import os
import sqlite3
from pathlib import Path

import pytest

from hub.store.engine import Unavailable, Unit
from hub.store.sqlite import SQLite

MB = 1 << 20


@pytest.fixture
async def store(tmp_path):
    one = SQLite(f"{tmp_path}/hub.db")
    await one.open()
    yield one
    await one.close()


async def write(store: SQLite, name: str, commits: int, size: int = 100_000) -> None:
    """Commit after commit, each with so many bytes."""
    for n in range(commits):

        async def work(unit: Unit, n: int = n) -> None:
            unit.add("memories_put", [("log", f"{name}-{n}", os.urandom(size), 0)])

        await store.transact(work)


def log(store: SQLite) -> int:
    """How large it is."""
    return Path(f"{store.path}-wal").stat().st_size


async def test_the_log_stays_small_while_commits_never_pause(store):
    await asyncio.gather(*(write(store, f"w{n}", 200) for n in range(4)))
    assert log(store) < 40 * MB
    assert Path(store.path).stat().st_size > 50 * MB


async def test_a_reader_that_stays_holds_nobody_up_and_the_log_ends_when_it_has_left(store):
    backup = sqlite3.connect(store.path, isolation_level=None)
    backup.execute("BEGIN")
    backup.execute("SELECT count(*) FROM memories").fetchall()
    await asyncio.gather(*(write(store, f"w{n}", 60) for n in range(4)))
    grown = log(store)
    assert grown > 20 * MB
    backup.execute("COMMIT")
    backup.close()
    await asyncio.gather(*(write(store, f"x{n}", 60) for n in range(4)))
    assert log(store) < grown + 10 * MB


async def test_a_store_that_was_closed_is_one_file(tmp_path):
    store = SQLite(f"{tmp_path}/hub.db")
    await store.open()
    await write(store, "w", 70)
    await store.close()
    assert sorted(one.name for one in tmp_path.iterdir()) == ["hub.db", "hub.db.lock"]


async def test_every_commit_is_on_the_disk_before_it_is_told(store):
    for pragma, value in (("journal_mode", "wal"), ("synchronous", 2)):
        ((found,),) = await store._writer.execute_fetchall(f"PRAGMA {pragma}")
        assert found == value


async def test_a_full_disk_is_unavailable_and_nothing_of_the_unit_is_kept(store):
    await write(store, "before", 1)
    ((pages,),) = await store._writer.execute_fetchall("PRAGMA page_count")
    await store._writer.execute_fetchall(f"PRAGMA max_page_count = {pages + 4}")
    with pytest.raises(Unavailable, match="full"):
        await write(store, "after", 1)
    rows = await store.fetch("memories_all", owner="log", now=0)
    assert [row[0] for row in rows] == ["before-0"]
    await store._writer.execute_fetchall("PRAGMA max_page_count = 1000000")
    await write(store, "after", 1)
    assert len(await store.fetch("memories_all", owner="log", now=0)) == 2

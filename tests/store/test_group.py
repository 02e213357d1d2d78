"""Group commit: whoever waits at the same moment shares a transaction, and each hears of its own."""

from __future__ import annotations

import asyncio
import sqlite3
from urllib.parse import urlsplit

import asyncpg
import pytest

from hub.store.engine import Engine, Poisoned, Unavailable, Unit
from hub.store.group import Group
from hub.store.sqlite import SQLite
from tests.engines import engine_of


class Names:
    """A group that writes rows of `memories`, and how large each transaction was."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.sizes: list[int] = []
        self.group: Group[object, str] = Group(self._write, most=64)

    async def _write(self, names: list[object]) -> list[str]:
        self.sizes.append(len(names))

        async def work(unit: Unit) -> None:
            unit.add("memories_put", [("test", name, b"1", 0) for name in names])

        await self.engine.transact(work)
        return [f"kept {name}" for name in names]

    async def keep(self, names: list[object]) -> list[object]:
        """All at the same moment; what each was told."""
        return list(await asyncio.gather(*(self.group.add(name) for name in names), return_exceptions=True))

    async def kept(self) -> list[str]:
        """What the store has, as another reader sees it."""
        return [row[0] for row in await self.engine.fetch("memories_all", owner="test", now=0)]


async def test_all_that_wait_share_transactions_and_each_gets_its_own_answer(engine):
    names = Names(engine)
    wanted = [f"{n:03}" for n in range(200)]
    assert await names.keep(wanted) == [f"kept {name}" for name in wanted]
    assert await names.kept() == wanted
    assert sum(names.sizes) == 200
    assert max(names.sizes) == 64


@pytest.mark.parametrize("poison", ["lone \ud800", None, 7, 2**63], ids=repr)
async def test_a_poisoned_row_fails_alone_and_the_others_of_its_group_are_kept(engine, poison):
    if engine.dialect == "sqlite" and poison == 7:
        poison = "\udfff"  # SQLite keeps a number as its text
    names = Names(engine)
    told = await names.keep(["a", "b", poison, "c", "d"])
    assert told[:2] + told[3:] == ["kept a", "kept b", "kept c", "kept d"]
    assert isinstance(told[2], Poisoned)
    assert await names.kept() == ["a", "b", "c", "d"]


async def test_several_poisoned_rows_fail_each_for_itself(engine):
    names = Names(engine)
    told = await names.keep([f"{n:02}" if n % 5 else None for n in range(40)])
    assert [n for n, one in enumerate(told) if isinstance(one, Poisoned)] == list(range(0, 40, 5))
    assert await names.kept() == [f"{n:02}" for n in range(40) if n % 5]


async def test_a_waiter_that_gives_up_takes_nothing_from_the_others(engine):
    names = Names(engine)
    first, second = (asyncio.ensure_future(names.keep([name])) for name in ("a", "b"))
    await asyncio.sleep(0)
    first.cancel()
    assert await second == ["kept b"]
    assert await names.keep(["c"]) == ["kept c"]


async def test_a_writer_that_answers_for_too_few_leaves_nobody_waiting():
    async def write(items: list[str]) -> list[str]:
        return items[:1]

    group: Group[str, str] = Group(write)
    told = await asyncio.gather(group.add("a"), group.add("b"), return_exceptions=True)
    assert all(isinstance(one, ValueError) for one in told)


async def test_a_store_that_is_away_tells_all_and_recovers_by_itself_on_sqlite(tmp_path):
    engine = SQLite(f"{tmp_path}/hub.db")
    await engine.open()
    names = Names(engine)
    await names.keep(["before"])
    for connection in (engine._writer, engine._keeper):
        await connection.execute("PRAGMA query_only = 1")
    told = await names.keep(["a", "b", "c"])
    assert [type(one) for one in told] == [Unavailable] * 3
    assert await names.kept() == ["before"]
    await engine._writer.execute("PRAGMA query_only = 0")
    assert await names.keep(["a", "b", "c"]) == ["kept a", "kept b", "kept c"]
    await engine.close()


async def test_a_file_that_another_holds_too_long_is_unavailable_not_lost(tmp_path):
    engine = SQLite(f"{tmp_path}/hub.db")
    await engine.open()
    await engine._writer.execute("PRAGMA busy_timeout = 50")
    names = Names(engine)
    intruder = sqlite3.connect(f"{tmp_path}/hub.db", isolation_level=None)
    intruder.execute("BEGIN IMMEDIATE")
    assert [type(one) for one in await names.keep(["a", "b"])] == [Unavailable] * 2
    intruder.execute("ROLLBACK")
    intruder.close()
    assert await names.keep(["a", "b"]) == ["kept a", "kept b"]
    await engine.close()


async def test_a_closed_store_is_unavailable(database):
    engine = engine_of(database)
    await engine.open()
    await engine.close()
    names = Names(engine)
    assert [type(one) for one in await names.keep(["a", "b"])] == [Unavailable] * 2
    with pytest.raises(Unavailable):
        await engine.fetch("things_revision")


async def test_connections_that_the_server_cuts_are_unavailable_and_replaced_by_themselves(postgres_url):
    engine = engine_of(postgres_url)
    await engine.open()
    names = Names(engine)
    assert await names.keep(["before"]) == ["kept before"]

    async def cut(unit: Unit) -> None:
        await unit.fetch("things_revision")
        await _terminate(postgres_url)
        await unit.fetch("things_revision")

    with pytest.raises(Unavailable):
        await engine.transact(cut)
    assert await recovered(names, ["a", "b"]) == ["kept a", "kept b"]
    await _terminate(postgres_url)
    assert await recovered(names, ["c"]) == ["kept c"]
    await engine.close()


async def recovered(names: Names, wanted: list[object]) -> list[object]:
    """What they are told at last: each connection that was cut may cost one try."""
    for _ in range(10):
        told = await names.keep(wanted)
        if not any(isinstance(one, Unavailable) for one in told):
            return told
    return told


async def _terminate(url: str) -> None:
    other = await asyncpg.connect(url)
    await other.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    await other.close()


async def test_a_server_that_only_reads_is_unavailable_until_it_writes_again(postgres_url):
    engine = engine_of(postgres_url)
    await engine.open()
    names = Names(engine)
    await _read_only(postgres_url, "on")
    assert [type(one) for one in await recovered(names, ["a", "b"])] == [Unavailable] * 2
    assert await names.kept() == []
    await _read_only(postgres_url, "off")
    assert await recovered(names, ["a", "b"]) == ["kept a", "kept b"]
    await engine.close()


async def _read_only(url: str, on: str) -> None:
    """As a standby is: connections are cut, and the next can only read."""
    name = urlsplit(url).path[1:]
    other = await asyncpg.connect(url)
    await other.execute(
        f"BEGIN READ WRITE; ALTER DATABASE {name} SET default_transaction_read_only = {on}; COMMIT"
    )
    await other.close()
    await _terminate(url)


@pytest.mark.parametrize("text", ["lone \ud800", "nul \0"])
async def test_a_question_that_cannot_be_put_is_the_askers_fault(engine, text):
    if engine.dialect == "sqlite" and "\0" in text:
        assert await engine.fetch("meta_get", name=text) == []
        return
    with pytest.raises(Poisoned):
        await engine.fetch("meta_get", name=text)
    with pytest.raises(Poisoned):
        await engine.fetch("messages_present", [("fine",), (text,)])
    with pytest.raises(Poisoned):
        await engine.fetch(
            "events_between", tenant="main", after=2**63, last=2**62, since=0, until=2**62, most=1
        )


async def test_a_unit_that_loses_a_race_is_run_again(postgres_url):
    engines = [engine_of(postgres_url) for _ in range(2)]
    for one in engines:
        await one.open()
    await Names(engines[0]).keep(["a", "b"])
    met = asyncio.Barrier(2)
    runs: list[str] = []

    def crossing(first: str, second: str):
        async def work(unit: Unit) -> None:
            runs.append(first)
            await unit.claim("memories_put", [("test", first, first.encode(), 0)])
            if len(runs) <= 2:
                await met.wait()
            await unit.claim("memories_put", [("test", second, first.encode(), 0)])

        return work

    await asyncio.gather(engines[0].transact(crossing("a", "b")), engines[1].transact(crossing("b", "a")))
    assert len(runs) >= 3  # one was rolled back, and came again
    rows = dict(await engines[0].fetch("memories_all", owner="test", now=0))
    assert rows == {"a": runs[-1].encode(), "b": runs[-1].encode()}
    for one in engines:
        await one.close()

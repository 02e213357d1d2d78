"""`position`, the one number that the store gives: whoever pages by it misses nothing and sees nothing twice."""

from __future__ import annotations

import asyncio
from importlib.resources import files
from re import findall

import pytest

from hub.store.engine import Engine, Line, Unit
from hub.store.sqlite import _POSITIONED
from tests.store.fleet import engines

WRITERS, UNITS, EACH = 8, 25, 3


async def write(engine: Engine, writer: int) -> list[str]:
    """Units of a few events each; between the positions and the commit there is time for others to commit."""
    out = []
    for n in range(UNITS):
        ids = [f"w{writer}-{n:03}-{k}" for k in range(EACH)]

        async def work(unit: Unit, ids: list[str] = ids) -> None:
            first = await unit.positions(len(ids))
            await unit.fetch("things_revision")
            unit.add("events_add", [_event(first + k, id_, writer) for k, id_ in enumerate(ids)])

        await engine.transact(work)
        out += ids
    return out


def _event(position: int, id_: str, writer: int) -> tuple[object, ...]:
    return (position, id_, "main", f"ord_{writer}", position, "order.updated", 0, 0, 0, b'{"data":\0}', 0)


async def tail(engine: Engine, done: asyncio.Event) -> list[tuple[int, str]]:
    """Page by position until the writers have stopped and nothing is left."""
    out: list[tuple[int, str]] = []
    while True:
        last = done.is_set()
        after = out[-1][0] if out else 0
        page = await engine.fetch(
            "events_between", tenant="main", after=after, last=2**62, since=0, until=2**62, most=7
        )
        out += [(row[0], row[1]) for row in page]
        if not page:
            if last:
                return out
            await asyncio.sleep(0)


async def test_eight_writers_and_a_tailing_reader_miss_nothing_and_see_nothing_twice(database):
    async with engines(database, WRITERS + 1) as members:
        done = asyncio.Event()
        reader = asyncio.ensure_future(tail(members[-1], done))
        written = await asyncio.gather(*(write(one, n) for n, one in enumerate(members[:-1])))
        done.set()
        seen = await reader
    places, ids = zip(*seen, strict=True)
    assert sorted(ids) == sorted(id_ for one in written for id_ in one)
    assert list(places) == sorted(set(places))
    for writer, own in enumerate(written):
        assert [id_ for id_ in ids if id_.startswith(f"w{writer}-")] == own


async def test_the_positions_of_a_unit_follow_one_another_however_often_it_asks(database):
    async with engines(database, 4) as members:
        taken: list[list[int]] = []

        async def work(unit: Unit) -> list[int]:
            out = []
            for count in (1, 3, 2):
                first = await unit.positions(count)
                out += range(first, first + count)
                await unit.fetch("things_revision")
            unit.add("memories_put", [("taken", str(out[0]), b"1", 0)])
            return out

        for _ in range(5):
            taken += await asyncio.gather(*(one.transact(work) for one in members))
    assert all(one == list(range(one[0], one[0] + 6)) for one in taken)
    assert len({place for one in taken for place in one}) == 6 * len(taken)


async def test_the_positions_of_messages_are_given_beside_all_others_and_follow_one_another_too(database):
    async with engines(database, 6) as members:
        taken: dict[str, list[int]] = {"": [], "messages": []}

        async def take(engine: Engine, of: Line) -> None:
            for n in range(20):

                async def work(unit: Unit, n: int = n) -> range:
                    first = await unit.positions(3, of)
                    await unit.fetch("things_revision")
                    unit.add("memories_put", [("taken", f"{of}{first}", b"1", n)])
                    return range(first, first + 3)

                taken[of] += await engine.transact(work)

        await asyncio.gather(*(take(one, "messages" if n % 2 else "") for n, one in enumerate(members)))
    places = taken[""] + taken["messages"]
    assert len(set(places)) == len(places)


async def test_what_comes_in_does_not_wait_for_what_is_being_understood(postgres_url):
    async with engines(postgres_url, 2) as (slow, quick):
        go, taken = asyncio.Event(), asyncio.Event()

        async def understands(unit: Unit) -> None:
            await unit.positions(1)
            taken.set()
            await go.wait()

        async def keeps(unit: Unit) -> int:
            return await unit.positions(1, "messages")

        waiting = asyncio.ensure_future(slow.transact(understands))
        await taken.wait()
        assert await asyncio.wait_for(quick.transact(keeps), 20) > 0
        go.set()
        await waiting


async def test_positions_go_on_growing_when_the_store_is_opened_again(database):
    last = 0
    for turn in range(3):
        async with engines(database, 1) as (engine,):

            async def work(unit: Unit, turn: int = turn) -> int:
                first = await unit.positions(1)
                unit.add("events_add", [_event(first, f"e{turn}", 0)])
                return first

            place = await engine.transact(work)
        assert place > last
        last = place


async def test_a_unit_that_fails_keeps_no_position_from_the_others(engine):
    async def fails(unit: Unit) -> None:
        await unit.positions(5)
        raise KeyError("a bug")

    async def works(unit: Unit) -> int:
        first = await unit.positions(1)
        unit.add("events_add", [_event(first, "e", 0)])
        return first

    with pytest.raises(KeyError):
        await engine.transact(fails)
    assert await asyncio.wait_for(engine.transact(works), 5) > 0


async def test_every_table_with_a_position_is_counted_when_sqlite_is_opened():
    """A table that were forgotten here would give its numbers again after a restart."""
    text = "".join(
        one.read_text()
        for one in files("hub.store").joinpath("migrations").iterdir()
        if one.name.endswith(".sql")
    )
    tables = findall(r"CREATE TABLE (\w+) \((?:[^;]*?)\n    position ", text)
    assert sorted(tables) == sorted(_POSITIONED)

"""One process works at a job at a time, however long a turn takes, and none keeps from another what it does not work at."""

from __future__ import annotations

import asyncio

import pytest

from hub import serve
from hub.config import Config
from hub.contract.errors import Refused
from hub.repair.jobs import Turn
from hub.run import open_hub
from hub.world import World
from tests.engines import ADMIN, KEY

SECOND = 1_000_000
LEASE = 60


class Pages:
    """A kind of jobs whose turn takes as long as its far side does."""

    def __init__(self, *, slow=True):
        self.read, self.answers = [], asyncio.Event()
        self.error = None
        if not slow:
            self.answers.set()

    async def total(self, job):
        return 9

    async def turn(self, job):
        self.read.append((job.id, job.cursor))
        await self.answers.wait()
        if self.error is not None:
            raise self.error
        return Turn(cursor=str(int(job.cursor or 0) + 1), done=1, wait=1.0)

    async def asked(self, times=1):
        """Until its far side was asked so often."""
        async with asyncio.timeout(20):
            while len(self.read) < times:
                await asyncio.sleep(0.005)


def two(postgres_url, **more):
    config = Config(database=postgres_url, keys=(KEY,), admin_token=ADMIN, **more)
    world = World.still()
    return world, open_hub(config, world), open_hub(config, world)


async def begin(hub, count=1):
    for _ in range(count):
        await hub.engine.transact(lambda unit: hub.jobs.add(unit, "main", "pages", "con_1", {}, "me"))


async def jobs(hub):
    rows = await hub.engine.fetch("jobs_list", tenant="main", after=0, kind="", state="", subject="", most=99)
    return {row[1]: (row[7], row[8]) for row in rows}


async def exceptions(hub):
    rows = await hub.engine.fetch("exceptions_list", tenant="main", after=0, state="", most=9)
    return [(row[3], row[5]) for row in rows]


@pytest.mark.parametrize("role", ["inbound", "outbound"])
async def test_a_turn_longer_than_a_lease_is_one_process_s_from_its_claim_to_its_write(
    postgres_url, monkeypatch, role
):
    monkeypatch.setattr(serve, "_BACKSTOP", 0.02)
    world, one, other = two(postgres_url, roles=(role,))
    async with one as a, other as b:
        here, there = Pages(), Pages()
        a.jobs.kinds, b.jobs.kinds = {"pages": here}, {"pages": there}
        await begin(a)
        async with serve.stages(a):
            await here.asked()
            for _ in range(6):
                world.move(15)
                await renewed(a, world)
                assert await b.jobs.step() == 0
            here.answers.set()
            await here.asked(1)
            async with asyncio.timeout(20):
                while list((await jobs(a)).values()) != [("1", 1)]:
                    await asyncio.sleep(0.01)

        assert [cursor for _, cursor in here.read] == [""]
        assert there.read == []


async def renewed(hub, world):
    """Until the one job's claim is good for a whole lease again."""
    async with asyncio.timeout(20):
        while True:
            until = await hub.engine._pool.fetchval("SELECT claimed_until FROM jobs")
            if until == world.now() + LEASE * SECOND:
                return
            await asyncio.sleep(0.01)


async def test_what_a_process_does_not_work_at_yet_another_may(postgres_url):
    _, one, other = two(postgres_url)
    async with one as a, other as b:
        here, there = Pages(), Pages(slow=False)
        a.jobs.kinds, b.jobs.kinds = {"pages": here}, {"pages": there}
        await begin(a, 8)
        first = asyncio.create_task(a.jobs.step())
        await here.asked()

        assert await b.jobs.step() == 7
        here.answers.set()
        assert await first == 1
        assert set((await jobs(a)).values()) == {("1", 1)}


async def test_a_turn_that_lost_its_claim_writes_nothing_and_opens_nothing(postgres_url):
    world, one, other = two(postgres_url)
    async with one as a, other as b:
        here, there = Pages(), Pages(slow=False)
        a.jobs.kinds, b.jobs.kinds = {"pages": here}, {"pages": there}
        here.error = Refused("it hung up")
        await begin(a)
        frozen = asyncio.create_task(a.jobs.step())
        await here.asked()
        world.move(LEASE + 1)
        assert await b.jobs.step() == 1
        await a.jobs.renew()
        here.answers.set()

        assert await frozen == 0
        assert list((await jobs(a)).values()) == [("1", 1)]
        assert await exceptions(a) == []
        world.move(2)
        assert await b.jobs.step() == 1


async def test_a_job_that_stumbles_again_and_again_is_one_exception_that_counts(hub):
    pages = Pages(slow=False)
    hub.jobs.kinds = {"pages": pages}
    pages.error = Refused("it hung up")
    await begin(hub)
    for _ in range(3):
        await hub.jobs.step()
        hub.world.move(61)
    [(state, count)] = [(row[4], row[6]) for row in await hub.engine.fetch("exceptions_untold", most=9)]
    assert (state, count) == ("open", 3)

    pages.error = None
    await hub.jobs.step()
    assert [state for state, _ in await exceptions(hub)] == ["closed"]

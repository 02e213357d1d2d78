"""Letters are slow to judge and read: while one process has them, no other begins with them, however long it takes."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any

import pytest

from hub import serve
from hub.config import Config
from hub.run import open_hub
from tests.mail.village import Village, mail, signed, village as opened

LEASE = 60_000_000

pytestmark = pytest.mark.parametrize("database", ["postgres"], indirect=True)


@dataclass
class Slow:
    """A cell that begins when it is told to, and counts what it was asked to read."""

    cell: Any
    asked: int = 0
    go: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self, *work: Any) -> Any:
        self.asked += 1
        await self.go.wait()
        return await self.cell.run(*work)

    def close(self) -> None:
        self.cell.close()


async def until(seen: Any) -> None:
    async with asyncio.timeout(20):
        while not await seen():
            await asyncio.sleep(0.01)


async def arrived(village: Village, count: int) -> tuple[Slow, list[str]]:
    """So many letters are in memory, of which the first are being read."""
    await village.partner()
    slow = village.hub.post.cell = Slow(village.hub.post.cell)
    texts = [mail(number=str(n), subject=f"Order {n}", text=f"20 x W-00{n}\r\n") for n in range(count)]
    return slow, [(await village.arrive(signed(one))).id for one in texts]


async def test_letters_that_are_read_or_wait_for_longer_than_a_lease_are_read_once(
    config: Config, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(serve, "_BACKSTOP", 0.01)
    async with opened(config) as village, open_hub(village.hub.config, village.hub.world) as other:
        hub = village.hub
        slow, ids = await arrived(village, 6)
        elsewhere = other.post.cell = Slow(other.post.cell)
        elsewhere.go.set()
        leases = asyncio.create_task(serve.loop("leases", hub, serve.leases_turn))
        reading = asyncio.create_task(hub.post.step())
        try:
            for _ in range(6):
                hub.world.move(15)

                async def kept() -> bool:
                    return await good(hub) == [hub.world.now() + LEASE] * 6

                await until(kept)
                assert await other.post.step() == 0
            slow.go.set()
            assert await reading + await hub.post.step() == 6
        finally:
            leases.cancel()
            slow.go.set()

        assert {(await village.became(id_))[0] for id_ in ids} == {"processed"}
        assert (slow.asked, elsewhere.asked) == (6, 0)


async def good(hub: Any) -> list[int]:
    """Until when each letter is somebody's."""
    return [row[0] for row in await hub.engine._pool.fetch("SELECT claimed_until FROM messages")]


async def test_a_letter_that_was_put_off_or_lost_is_anyone_s_when_its_lease_is_over(config: Config):
    async with opened(config) as village, open_hub(village.hub.config, village.hub.world) as other:
        hub = village.hub
        village.zone.silent = True
        _, (id_,) = await arrived(village, 1)
        assert await hub.post.step() == 0
        village.zone.silent = False
        hub.world.move(30)
        await hub.post.renew()
        hub.world.move(31)

        assert await other.post.step() == 1
        assert (await village.became(id_))[0] == "processed"


async def test_a_process_that_was_frozen_for_longer_than_a_lease_settles_nothing_that_another_has(
    config: Config,
):
    async with opened(config) as village, open_hub(village.hub.config, village.hub.world) as other:
        hub = village.hub
        slow, (id_,) = await arrived(village, 1)
        reading = asyncio.create_task(hub.post.step())

        async def asked() -> bool:
            return slow.asked == 1

        await until(asked)
        hub.world.move(61)
        await hub.post.renew()
        assert await other.post.step() == 1
        slow.go.set()
        await reading

        assert (await village.became(id_))[0] == "processed"
        rows = await hub.engine.fetch(
            "events_between", tenant="main", after=0, last=2**62, since=0, until=2**62, most=100
        )
        assert [row[3] for row in rows].count("email.received") == 1

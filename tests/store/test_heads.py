"""Heads: the row of an (endpoint, order) that says whose turn it is. It never stalls and never lets two go."""

from __future__ import annotations

import asyncio
import random

import pytest

from hub.run import Hub
from hub.store.engine import Unit
from hub.world import Still, World
from tests.outbound.desk import NO, OK, Script, event, ids
from tests.store.fleet import hubs
from tests.store.trade import Gated, deliveries, partner, placed, shops, tell, waiting

ORDERS = 6


class Careful(Script):
    """A partner that refuses now and then, and sees to it that no order's news comes two at a time."""

    def __init__(self, chance: random.Random) -> None:
        super().__init__()
        self.chance = chance
        self.open: set[str] = set()
        self.taken: list[tuple[str, int, str]] = []

    async def send(self, post):
        told = event(post)
        assert told["order"] not in self.open, "two at once"
        self.open.add(told["order"])
        self.posts.append(post)
        for _ in range(self.chance.randrange(4)):
            await asyncio.sleep(0)
        self.open.discard(told["order"])
        if self.chance.random() < 0.25:
            return NO
        self.taken.append((told["order"], told["sequence"], told["id"]))
        return OK


@pytest.mark.parametrize("seed", range(4))
async def test_however_inserting_and_settling_interleave_all_is_delivered_in_order(database, seed):
    world = World.still(seed=seed)
    async with hubs(database, 3, world) as members:
        shop = await shops(members)
        ordered = await partner(
            members, schedule=[0] + [1] * 30, block_for=1e6, concurrency=3, headers={"x-to": "careful"}
        )
        await partner(members, ordering="none")
        script = Careful(random.Random(seed))
        other = Script()
        for one in members:
            one.deliver.sender = Two(script, other)
        await asyncio.gather(
            *(_live(one, shop, n, random.Random(seed * 100 + n)) for n, one in enumerate(members))
        )
        await _rest(members, world)
        rows = await deliveries(members[0])
        assert {status for _, _, status in rows} == {"delivered"}
        heads = await members[0].engine.fetch(
            "heads_find", sorted({(ordered.id, order) for _, order, _ in rows})
        )
    assert len(heads) == ORDERS
    taken = script.taken
    for order in {order for order, _, _ in taken}:
        own = [sequence for one, sequence, _ in taken if one == order]
        assert own == list(range(1, len(own) + 1))
    assert sorted(id_ for _, _, id_ in taken) == sorted(set(ids(other.posts)))


class Two:
    """One sender for two endpoints: the careful one is told by a header."""

    def __init__(self, careful: Script, other: Script) -> None:
        self.careful, self.other = careful, other

    async def send(self, post):
        return await (self.careful if "x-to" in post.headers else self.other).send(post)


async def _live(hub: Hub, shop, worker: int, chance: random.Random) -> None:
    """What a hub does in an hour, in an order that chance gives."""
    for turn in range(25):
        choice = chance.random()
        if choice < 0.5:
            ref = f"o{chance.randrange(ORDERS)}"
            await tell(hub, shop, placed(ref, hub.world.now() + chance.randrange(9), f"{worker}/{turn}"))
        elif choice < 0.9:
            await hub.deliver.step()
        else:
            await hub.deliver.unblock()
        hub.world.move(chance.choice((0, 0.001, 0.7, 2)))


async def _rest(members: list[Hub], world: Still) -> None:
    """Until nothing is left to do; leases of others end meanwhile."""
    quiet = 0
    while quiet < 3:
        world.move(61)
        quiet = 0 if sum([await one.deliver.step() for one in members]) else quiet + 1


async def _write(hub: Hub, name: str, **params: object) -> None:
    async def work(unit: Unit) -> None:
        unit.add(name, **params)

    await hub.engine.transact(work)


async def test_an_order_that_waits_for_nothing_is_found_and_freed(database):
    async with hubs(database, 1) as (hub,):
        target = await waiting([hub], 3)
        hub.deliver.sender = script = Script()
        await stall(hub, target)
        assert await hub.deliver.step() == 0
        await hub.deliver.unblock()
        while await hub.deliver.step():
            pass
        assert len(script.posts) == 2
        assert [status for _, _, status in await deliveries(hub)] == ["skipped", "delivered", "delivered"]


async def stall(hub: Hub, target: str) -> None:
    """As a hub that died between two transactions of an older version would leave it."""
    for lane in hub.deliver.lanes.values():
        lane.forget()
    await _write(hub, "deliveries_skip", tenant="main", position=(await deliveries(hub))[0][0])
    [order] = {one for _, one, _ in await deliveries(hub)}

    async def free(unit: Unit) -> None:
        unit.add("heads_leave", [(target, order)])

    await hub.engine.transact(free)


async def test_who_frees_an_order_that_another_has_freed_already_takes_nobodys_turn(postgres_url):
    async with hubs(postgres_url, 2) as (late, quick):
        target = await waiting([late, quick], 4)
        await stall(late, target)
        stuck = await late.engine.fetch("heads_stuck", target=target, order_id="", position=0, most=9)
        await quick.deliver.unblock()
        quick.deliver.sender = script = Gated(None, asyncio.Event())
        sending = asyncio.ensure_future(quick.deliver.step())
        await script.until(2)
        await late.deliver.heads._restart(sorted(stuck))
        assert [status for _, _, status in await deliveries(late)] == [
            "skipped",
            "delivered",
            "due",
            "waiting",
        ]
        script.gates[1].set()
        await sending
        assert len(script.posts) == len(set(ids(script.posts))) == 3

"""Claims: what one process sends no other does while its lease lives, and what a dead one had is taken up after."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from hub.directory import Connection
from hub.inbound.keep import Letter
from hub.run import Hub
from hub.store.engine import Engine, Unit
from hub.store.rows import Head
from hub.world import World
from tests.outbound.desk import Script, ids
from tests.repair.shop import order
from tests.store.fleet import hubs
from tests.store.trade import Gated, deliveries, partner, placed, shops, tell, waiting


async def test_a_claim_that_was_lost_settles_nothing_and_passes_nothing_on(postgres_url):
    world = World.still()
    async with hubs(postgres_url, 2, world) as (slow, quick):
        await waiting([slow, quick], 3)
        slow.deliver.sender = late = Gated(asyncio.Event())
        quick.deliver.sender = other = Gated(asyncio.Event())
        dawdling = asyncio.ensure_future(slow.deliver.step())
        await late.until(1)
        world.move(61)
        sending = asyncio.ensure_future(quick.deliver.step())
        await other.until(1)
        late.gates[0].set()
        await dawdling
        assert [status for _, _, status in await deliveries(slow)] == ["due", "waiting", "waiting"]
        assert await slow.deliver.step() == 0
        assert len(other.posts) == 1
        other.gates[0].set()
        await sending
        while await slow.deliver.step() + await quick.deliver.step():
            pass
        assert {status for _, _, status in await deliveries(slow)} == {"delivered"}
        assert [one for one in ids(late.posts) if one in ids(other.posts)] == ids(late.posts)[:1]
        assert len(other.posts) == 3


async def test_while_a_lease_lives_nobody_else_sends(postgres_url):
    world = World.still()
    async with hubs(postgres_url, 3, world) as members:
        await waiting(members, 3)
        scripts = [Gated(asyncio.Event()) for _ in members]
        for one, script in zip(members, scripts, strict=True):
            one.deliver.sender = script
        sending = asyncio.ensure_future(members[0].deliver.step())
        await scripts[0].until(1)
        for _ in range(5):
            world.move(11)
            for one in members[1:]:
                await one.deliver.unblock()
                assert await one.deliver.step() == 0
        scripts[0].gates[0].set()
        await sending
        assert [len(one.posts) for one in scripts] == [3, 0, 0]


async def test_what_another_promoted_before_its_inserter_looked_is_sent_once(postgres_url):
    world = World.still()
    async with hubs(postgres_url, 2, world) as (teller, sender):
        await waiting([teller, sender], 1)
        (shop,) = teller.directory.all(Connection)
        world.move(61)  # the teller's lease on the first is over: the sender has it
        teller.deliver.sender = idle = Script()
        sender.deliver.sender = script = Gated(asyncio.Event(), asyncio.Event())
        sending = asyncio.ensure_future(sender.deliver.step())
        await script.until(1)

        async def promoted() -> None:
            script.gates[0].set()
            await script.until(2)

        teller.deliver.engine = Before(teller.engine, "deliveries_load", promoted)
        await tell(teller, shop, placed("o", 9, "later"))
        await teller.deliver.step()
        assert idle.posts == []
        script.gates[1].set()
        await sending
        assert {status for _, _, status in await deliveries(sender)} == {"delivered"}
        assert len(script.posts) == 2


class Before:
    """An engine before one of whose reads something happens, or (`after`) after it, before it is handed over."""

    def __init__(self, inner: Engine, name: str, happens, *, after: bool = False) -> None:
        self._inner = inner
        self._name = name
        self._happens = happens
        self._after = after

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    async def fetch(self, name: str, rows: Any = None, /, **params: Any) -> Any:
        if name == self._name and not self._after:
            await self._happens()
        found = await self._inner.fetch(name, rows, **params)
        if name == self._name and self._after:
            await self._happens()
        return found


async def test_what_ended_while_the_store_was_read_is_not_sent_again(tmp_path):
    async with hubs(f"sqlite:{tmp_path}/hub.db", 1) as (hub,):
        await waiting([hub], 2)
        hub.deliver.sender = script = Gated(asyncio.Event())
        sending = asyncio.ensure_future(hub.deliver.step())
        await script.until(1)

        async def ends() -> None:
            script.gates[0].set()
            await sending

        hub.deliver.engine = Before(hub.engine, "deliveries_due", ends, after=True)
        await hub.deliver.load()
        hub.deliver.engine = hub.engine
        await hub.deliver.step()
        assert len(script.posts) == len(set(ids(script.posts))) == 2


async def test_what_ended_while_it_was_handed_over_is_not_sent_again(database):
    """News of an order that exists is read back after its commit; by then it may have been sent."""
    async with hubs(database, 1) as (hub,):
        await waiting([hub], 1)
        hub.deliver.sender = script = Gated()
        await hub.deliver.step()
        (shop,) = hub.directory.all(Connection)
        store = hub.engine

        async def sent() -> None:
            hub.deliver.engine = store
            hub.world.move(61)
            assert await hub.deliver.step() == 1

        hub.deliver.engine = Before(store, "deliveries_load", sent, after=True)
        await tell(hub, shop, placed("o", 9, "later"))
        await hub.deliver.step()
        assert len(script.posts) == len(set(ids(script.posts))) == 2


async def test_a_message_of_a_dead_process_is_understood_by_another_after_its_lease(postgres_url):
    world = World.still()
    async with hubs(postgres_url, 2, world) as (dead, alive):
        await messages([dead, alive], 1)
        assert await alive.normalise.step() == 0, "it is the other's"
        world.move(61)
        alive.inbox.spilled = True
        assert await alive.normalise.step() == 1
        assert await statuses(alive) == ["processed"]
        alive.inbox.spilled = True
        assert await alive.normalise.step() == 0


async def test_messages_that_a_dead_process_left_are_shared_out_and_none_is_done_twice(postgres_url):
    world = World.still()
    async with hubs(postgres_url, 4, world) as (dead, *members):
        await messages([dead, *members], 40)
        world.move(61)
        for one in members:
            one.inbox.spilled = True
        done = await asyncio.gather(*(one.normalise.step() for one in members))
        assert sum(done) == 40
        assert await statuses(dead) == ["processed"] * 40


async def test_a_message_that_two_processes_understand_says_nothing_twice(postgres_url):
    world = World.still()
    async with hubs(postgres_url, 2, world) as (slow, quick):
        await partner([slow, quick])
        await messages([slow, quick], 1)
        world.move(61)
        quick.inbox.spilled = True
        assert await quick.normalise.step() == 1
        told = await deliveries(slow)
        assert await slow.normalise.step() == 1
        assert await deliveries(slow) == told != []
        facts = await slow.engine.fetch(
            "facts_page_of_order", tenant="main", order_id=told[0][1], after=0, most=9
        )
        assert len(facts) == 1


async def messages(members: list[Hub], count: int) -> None:
    """Orders of the shop that the first member has kept and nobody has understood."""
    shop = await shops(members)
    for number in range(1, count + 1):
        body = json.dumps(order(number)).encode()
        letter = Letter(
            "main", shop.id, "webhook", "orders", f"d{number}", Head(), body, members[0].world.now()
        )
        await members[0].keeper.keep(letter)
    for one in members[1:]:
        one.inbox.spilled = True


async def statuses(hub: Hub) -> list[str]:
    """What became of the messages, oldest first."""
    rows = await hub.engine.fetch("messages_list", tenant="main", after=0, connection="", status="", most=100)
    return [row[8] for row in rows]


async def test_a_lease_is_given_to_one_of_two_that_ask_at_once(postgres_url):
    async with hubs(postgres_url, 4) as members:
        await waiting(members, 1)
        members[0].world.move(61)
        now = members[0].world.now()

        def claim(name: str):
            async def work(unit: Unit) -> int:
                target = (await unit.fetch("deliveries_targets"))[0][0]
                due = {"target": target, "now": now, "most": 9, "claim": name, "until": now + 60}
                return len(await unit.fetch("deliveries_claim", **due))

            return work

        won = await asyncio.gather(*(one.engine.transact(claim(f"c{n}")) for n, one in enumerate(members)))
        assert sorted(won) == [0, 0, 0, 1]

"""Repairs take their turn: what another process writes meanwhile is seen, and no query of theirs scans a table."""

from __future__ import annotations

import asyncio
import re
import sqlite3
from importlib.resources import files

from hub.config import Config
from hub.repair.rebuild import rebuild
from hub.run import open_hub
from hub.store.statements import load, migration
from hub.world import World
from tests.engines import ADMIN, KEY
from tests.repair.shop import Shop, connect, order, registry

WALKS = {"calls_next", "events_next"}
"""One reads what three days left, on a reader; the other walks along the index of positions."""


async def test_an_order_that_another_process_turned_meanwhile_comes_with_its_document(postgres_url):
    config = Config(database=postgres_url, keys=(KEY,), admin_token=ADMIN)
    async with (
        open_hub(config, World.still(), registry()) as one,
        open_hub(config, World.still(seed=1), registry()) as other,
    ):
        shop = Shop(one, await connect(one, "corner", "corner"), await connect(one, "beacon", "beacon"))
        await shop.tell("orders", order())
        held = await shop.order()
        locked, go = asyncio.Event(), asyncio.Event()

        async def slow(unit):
            await unit.fetch("orders_lock", [(held["id"],)])
            locked.set()
            await go.wait()
            _, state = (await unit.fetch("registers_get", tenant="main", id=held["id"]))[0]
            row = (held["id"], "main", 10_000, 2, held["sequence"], held["hub_number"], "C-1", shop.corner.id, "open", "", "",
                   0, 0, "evt_1", 0, 1, 1, state)  # fmt: skip
            unit.add("orders_put", [row])
            unit.add("snapshots_put", [(held["id"], 2, b'{"number":"of the other process"}')])

        async def waiting(unit):
            leaves = await other.recorder.filing.open(unit, {}, ("main", frozenset({held["id"]})))
            return leaves[held["id"]].page

        first = asyncio.create_task(one.engine.transact(slow))
        await locked.wait()
        second = asyncio.create_task(other.engine.transact(waiting))
        while not await one.engine.fetch("registers_get", tenant="main", id=held["id"]):
            await asyncio.sleep(0)
        await until_it_waits(one)
        go.set()
        await first
        page = await second

        assert (page.version, page.doc) == (2, {"number": "of the other process"})


async def until_it_waits(hub):
    """Until a session of the server waits for a lock."""
    asked = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
    while not await hub.engine._pool.fetchval(asked):
        await asyncio.sleep(0.01)


async def test_a_dry_run_takes_the_turn_and_gives_it_back(shop):
    await shop.tell("orders", order())
    async with shop.hub.normalise.turn:
        waiting = asyncio.create_task(rebuild(shop.hub, "main"))
        await asyncio.sleep(0)

        assert not waiting.done()

    assert (await waiting).data[0].same


def test_no_query_of_repair_scans_a_table():
    base = sqlite3.connect(":memory:")
    for path in sorted(files("hub.store").joinpath("migrations").iterdir(), key=lambda one: one.name):
        if path.name.endswith(".sql"):
            base.executescript(migration(path.read_text(), "sqlite"))
    statements = load("sqlite")
    text = files("hub.store").joinpath("sql", "repair.sql").read_text()
    scanning = set()
    for name in set(re.findall(r"-- name: (\w+)", text)) - WALKS:
        sql = statements[name].sql(2)
        most = max((int(one) for one in re.findall(r"\?(\d+)", sql)), default=0)
        steps = [row[3] for row in base.execute(f"EXPLAIN QUERY PLAN {sql}", [1] * most)]
        if any(re.match(r"SCAN (?!\(|gone|\d+ CONSTANT|rows)", step) for step in steps):
            scanning.add(name)

    assert scanning == set()

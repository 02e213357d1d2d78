"""Many workers on the same orders: nobody deadlocks for good, no update is lost, every order counts without a gap."""

from __future__ import annotations

import asyncio
import random
from typing import Any

import pytest

from hub.inbound.report import Told
from tests.store.fleet import hubs
from tests.store.trade import documents, history, parcel, placed, scan, shops, tell

WORKERS, ORDERS, ROUNDS = 8, 20, 6


def seen(doc: dict[str, Any]) -> list[str]:
    """What was scanned of an order's only parcel."""
    (shipment,) = doc["shipments"]
    return [one["status"] for one in shipment["packages"][0]["tracking"]["scans"]]


async def test_eight_workers_on_twenty_hot_orders_lose_nothing_and_count_without_a_gap(database):
    async with hubs(database, WORKERS) as members:
        shop = await shops(members)
        refs = [f"hot-{n:02}" for n in range(ORDERS)]
        wanted: dict[str, set[str]] = {ref: set() for ref in refs}

        async def work(worker: int) -> None:
            chance = random.Random(worker)
            for turn in range(ROUNDS):
                chosen = chance.sample(refs, 8)
                told = [parcel(ref, f"p{worker}-{turn}-{ref}") for ref in chosen]
                for ref, fact in zip(chosen, told, strict=True):
                    wanted[ref].add(fact.ref)
                order = placed(chosen[0], worker * 100 + turn, f"{worker}/{turn}")
                await asyncio.gather(
                    tell(members[worker], shop, *told[:4]),
                    tell(members[worker], shop, order, *told[4:6]),
                    *(tell(members[worker], shop, fact) for fact in reversed(told[6:])),
                )

        await asyncio.gather(*(work(n) for n in range(WORKERS)))
        docs = await documents(members[0])
        for ref, parcels in wanted.items():
            doc = docs[ref]
            assert {one["ref"] for one in doc["shipments"]} == parcels
            events = await history(members[0], doc["id"])
            assert [one["sequence"] for one in events] == list(range(1, len(events) + 1))
            assert [one["previous"] for one in events] == [None, *(one["id"] for one in events[:-1])]
            assert events[-1]["sequence"] == doc["sequence"]
            assert [one["data"]["version"] for one in events] == sorted(
                one["data"]["version"] for one in events
            )
            facts = await members[0].engine.fetch("facts_of_order", tenant="main", order_id=doc["id"])
            assert {row[5] for row in facts if row[4] == "shipment"} == parcels


async def test_processes_that_race_for_a_new_order_end_with_one(database):
    async with hubs(database, 4) as members:
        shop = await shops(members)
        refs = [f"new-{n:02}" for n in range(25)]

        async def race(worker: int) -> list[Told]:
            own = refs if worker % 2 else refs[::-1]
            facts = [(placed(ref, worker, f"by {worker}"), parcel(ref, f"p{worker}")) for ref in own]
            told = await asyncio.gather(*(tell(members[worker], shop, *both) for both in facts))
            return [one for _, one in sorted(zip(own, told, strict=True), key=lambda pair: pair[0])]

        told = await asyncio.gather(*(race(n) for n in range(4)))
        docs = await documents(members[0])
        assert sorted(docs) == refs
        for ref, *four in zip(refs, *told, strict=True):
            assert {tuple(one.orders) for one in four} == {(docs[ref]["id"],)}
            assert docs[ref]["customer_note"] == "by 3"
            assert {one["ref"] for one in docs[ref]["shipments"]} == {"p0", "p1", "p2", "p3"}
        if members[0].engine.shared:
            assert sum(one.created for four in told for one in four) == len(refs)


async def test_the_same_fact_told_by_all_at_once_is_kept_once_and_says_nothing_twice(database):
    async with hubs(database, 6) as members:
        shop = await shops(members)
        facts = [placed("one", 1, "hello"), parcel("one", "p", "CP1"), scan("CP1")]
        await asyncio.gather(*(tell(one, shop, *facts) for one in members for _ in range(3)))
        doc = (await documents(members[0]))["one"]
        rows = await members[0].engine.fetch("facts_of_order", tenant="main", order_id=doc["id"])
        types = [one["type"] for one in await history(members[0], doc["id"])]
    assert sorted(row[4] for row in rows) == ["order", "shipment", "tracking"]
    assert len(types) == len(set(types))


@pytest.mark.parametrize("shared", [False, True], ids=["one order", "two orders in one parcel"])
async def test_scans_and_the_shipment_they_belong_to_never_miss_each_other(database, shared):
    async with hubs(database, 3) as members:
        shop = await shops(members)
        numbers = [f"CP{n:07}" for n in range(30)]
        for n, number in enumerate(numbers):
            calls = [
                tell(members[n % 3], shop, scan(number)),
                tell(members[(n + 1) % 3], shop, placed(f"o{n}"), parcel(f"o{n}", "p", number)),
                tell(members[(n + 2) % 3], shop, scan(number, "again", "delivered", 3)),
            ]
            if shared:
                calls.append(tell(members[n % 3], shop, parcel(f"x{n}", "p", number)))
            random.Random(n).shuffle(calls)
            await asyncio.gather(*calls)
        docs = await documents(members[0])
        left = await members[0].engine.fetch("facts_unmatched", tenant="main", after=0, most=100)
    for ref in [f"{letter}{n}" for n in range(30) for letter in ("ox" if shared else "o")]:
        assert seen(docs[ref]) == ["in_transit", "delivered"], ref
    assert left == []


async def test_all_parcels_at_once_are_no_deadlock(database):
    """Batches that name the same numbers in different orders, as trackers' pages do."""
    async with hubs(database, 4) as members:
        shop = await shops(members)
        numbers = [f"CP{n:07}" for n in range(20)]

        async def work(worker: int) -> None:
            own = random.Random(worker).sample(numbers, len(numbers))
            if worker == 0:
                await asyncio.gather(*(tell(members[0], shop, parcel(f"o{one}", "p", one)) for one in own))
            else:
                pages = [own[n : n + 5] for n in range(0, 20, 5)]
                scans = [[scan(one, f"{worker}", day=worker) for one in page] for page in pages]
                await asyncio.gather(*(tell(members[worker], shop, *page) for page in scans))

        await asyncio.gather(*(work(n) for n in range(4)))
        docs = await documents(members[0])
    assert {ref: seen(doc) for ref, doc in docs.items()} == {f"o{one}": ["in_transit"] * 3 for one in numbers}

"""What is kept comes back as it was, whatever it is; what is the same is kept once."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from hub.inbound.keep import Kept, Letter
from hub.run import Hub
from hub.store.engine import Poisoned, Unit
from hub.store.rows import Head
from tests.repair.shop import connect, order, parcel, scans
from tests.store.fleet import hubs
from tests.store.trade import documents

MOST = 2**63 - 1


def letter(
    shop: str, key: str, body: bytes = b"{}", topic: str = "other", tenant: str = "main", **head: Any
) -> Letter:
    """A message of a topic that is kept without being understood."""
    return Letter(tenant, shop, "webhook", topic, key, Head(**head), body, 1, "ignored")


async def kept(hub: Hub) -> list[tuple[Any, ...]]:
    """The messages there are."""
    return await hub.engine.fetch("messages_list", tenant="main", after=0, connection="", status="", most=500)


async def test_a_delivery_id_that_comes_again_is_one_message(database):
    async with hubs(database, 1) as (hub,):
        first = await hub.keeper.keep(letter("con_1", "d1", b"one"))
        again = await hub.keeper.keep(letter("con_1", "d1", b"another body, the same id"))
        assert (first.new, again.new) == (True, False)
        ((_, id_, *_),) = await kept(hub)
        assert id_ == first.id
        row = (await hub.engine.fetch("messages_get", tenant="main", id=id_))[0]
        assert bytes(row[7]) == b"one"


async def test_a_delivery_id_counts_within_its_tenant_connection_and_topic(database):
    async with hubs(database, 1) as (hub,):
        told = await asyncio.gather(
            hub.keeper.keep(letter("con_1", "d1")),
            hub.keeper.keep(letter("con_2", "d1")),
            hub.keeper.keep(letter("con_1", "d1", topic="more")),
            hub.keeper.keep(letter("con_1", "d1", tenant="other")),
            hub.keeper.keep(letter("con_1", "d1")),
        )
        assert [one.new for one in told] == [True, True, True, True, False]


async def test_of_the_same_delivery_to_all_processes_at_once_one_is_new(database):
    async with hubs(database, 6) as members:
        told: list[Kept] = await asyncio.gather(
            *(
                one.keeper.keep(letter("con_1", f"d{n}"))
                for n in range(10)
                for one in members
                for _ in range(2)
            )
        )
        assert sum(one.new for one in told) == 10
        assert len(await kept(members[0])) == 10


@pytest.mark.parametrize("poison", ["lone \ud800", "nul \0"], ids=ascii)
async def test_a_message_that_cannot_be_kept_takes_none_of_its_group_with_it(database, poison):
    async with hubs(database, 1) as (hub,):
        letters = [letter("con_1", key) for key in ("a", "b", poison, "c")]
        told = await asyncio.gather(*(hub.keeper.keep(one) for one in letters), return_exceptions=True)
        good = [one for one in told if isinstance(one, Kept)]
        if database.startswith("sqlite") and "\0" in poison:
            assert len(good) == 4
        else:
            assert isinstance(told[2], Poisoned)
            assert len(good) == 3
        assert len(await kept(hub)) == len(good)


@pytest.mark.parametrize(
    "text",
    [
        "",
        'O\'Brien "x" \\ ; -- %s $1 ?1 :name {rows}',
        "订单 № 😀 \u202e ﷽",
        "\x01\x1f\x7f\r\n\t",
        "n" * 100_000,
    ],
    ids=["empty", "quoted", "all scripts", "controls", "long"],
)
async def test_text_comes_back_as_it_was(engine, text):
    async def work(unit: Unit) -> None:
        unit.add("memories_put", [("text", text, text.encode(), 0)])

    await engine.transact(work)
    assert await engine.fetch("memories_get", owner="text", name=text, now=1) == [(text.encode(),)]


async def test_numbers_are_kept_to_sixty_three_bits_and_no_further(engine):
    async def put(unit: Unit, name: str, until: int) -> None:
        unit.add("memories_put", [("number", name, b"", until)])

    await engine.transact(lambda unit: put(unit, "most", MOST))
    assert await engine.fetch("memories_get", owner="number", name="most", now=MOST - 1) == [(b"",)]
    assert await engine.fetch("memories_get", owner="number", name="most", now=MOST) == []
    await engine.transact(lambda unit: put(unit, "least", -MOST - 1))
    for number in (2**63, -(2**63) - 1, 10**30):
        with pytest.raises(Poisoned):
            await engine.transact(lambda unit, number=number: put(unit, "too far", number))
    assert [row[0] for row in await engine.fetch("memories_all", owner="number", now=0)] == ["most"]


@pytest.mark.parametrize("size", [0, 1, 127, 128, 129, 1000])
async def test_however_many_rows_a_statement_is_given_it_runs_for_each(engine, size):
    rows = [("rows", f"{n:04}", str(n).encode(), 0) for n in range(size)]

    async def work(unit: Unit) -> Unit:
        unit.add("memories_put", rows)
        return unit

    unit = await engine.transact(work)
    assert unit.counts.get("memories_put", 0) == size
    assert await engine.fetch("memories_all", owner="rows", now=0) == [(row[1], row[2]) for row in rows]


async def test_large_bodies_are_kept_byte_for_byte(database):
    body = bytes(range(256)) * 4096 * 8
    async with hubs(database, 1) as (hub,):
        one, other, empty = await asyncio.gather(*(
            hub.keeper.keep(letter("con_1", key, part)) for key, part in (("a", body), ("b", body[::-1]), ("c", b""))
        ))  # fmt: skip
        for id_, part in ((one.id, body), (other.id, body[::-1]), (empty.id, b"")):
            row = (await hub.engine.fetch("messages_get", tenant="main", id=id_))[0]
            assert bytes(row[7]) == part


STRANGE = {
    "a NUL in the number": order(1, name="C\x00-1"),
    "a NUL in the id": order(1, id="70\x0000001"),
    "a NUL in a note and a name": order(1, note="ring\x00twice", customer={"id": "c\x00", "name": "Il\x00ka", "email": "i\x00@b.example"}),
    "an id beyond a float": order(1, id=2**53 + 1),
    "an id beyond 63 bits": order(1, id=2**80),
    "a year that no clock counts": order(1, updated="9999-12-31T23:59:59Z"),
    "a time before all clocks": order(1, updated="0001-01-01T00:00:00Z"),
}  # fmt: skip


@pytest.mark.parametrize("name", STRANGE)
async def test_what_shops_send_is_kept_alike_on_both_engines(database, name):
    async with hubs(database, 1) as (hub,):
        shop = await connect(hub, "corner", "corner")
        for key, body in (("d1", STRANGE[name]), ("d2", order(2))):
            await hub.keeper.keep(
                Letter("main", shop.id, "webhook", "orders", key, Head(), json.dumps(body).encode(), 1)
            )
        while await hub.normalise.step():
            pass
        assert [row[8] for row in await kept(hub)] == ["processed", "processed"]
        docs = await documents(hub)
        assert len(docs) == 2
        assert "\0" not in json.dumps(docs, ensure_ascii=False)
        assert "\\u0000" not in json.dumps(docs)


async def test_a_parcel_number_with_a_nul_finds_its_scans(database):
    async with hubs(database, 1) as (hub,):
        shop, tracker = await connect(hub, "corner", "corner"), await connect(hub, "beacon", "beacon")
        said = [
            (tracker, "scans", scans("in_transit", tracking="CP\x007")),
            (shop, "parcels", parcel(1, tracking="CP\x007")),
            (tracker, "scans", scans("in_transit", "delivered", tracking="CP7")),
        ]
        for n, (who, topic, body) in enumerate(said):
            await hub.keeper.keep(
                Letter("main", who.id, "webhook", topic, f"d{n}", Head(), json.dumps(body).encode(), n)
            )
        while await hub.normalise.step():
            pass
        assert [row[8] for row in await kept(hub)] == ["processed"] * 3
        (doc,) = (await documents(hub)).values()
        assert doc["shipments"][0]["tracking"]["status"] == "delivered"


async def test_a_lone_surrogate_in_a_body_is_read_and_its_bytes_are_kept(database):
    async with hubs(database, 1) as (hub,):
        shop = await connect(hub, "corner", "corner")
        bodies = [json.dumps(order(1)), json.dumps(order(2, note="lone \ud800")), json.dumps(order(3))]
        for n, body in enumerate(bodies):
            await hub.keeper.keep(
                Letter("main", shop.id, "webhook", "orders", f"d{n}", Head(), body.encode(), n)
            )
        while await hub.normalise.step():
            pass
        rows = await kept(hub)
        assert [row[8] for row in rows] == ["processed"] * 3
        row = (await hub.engine.fetch("messages_get", tenant="main", id=rows[1][1]))[0]
        assert bytes(row[7]) == bodies[1].encode()

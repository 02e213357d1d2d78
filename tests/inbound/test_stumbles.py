"""What goes wrong in one place stays there: a reader with a bug, a store that is away while an account is learned."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import httpx
import msgspec
import pytest

from hub.contract import Context, Conversation, Fact, Page, Request, body
from hub.contract.message import Message
from hub.directory import Connection
from hub.inbound.inbox import Inbox
from hub.inbound.keep import Letter
from hub.run import Hub
from hub.store.engine import Unavailable
from hub.store.rows import Arrival, Head
from tests.inbound.test_hints import CLAIM, DEPOT, TRUTH, DepotSettings, connect, depot, statuses as told

__all__ = ["depot"]


def stumble(message: Message) -> Iterator[Fact]:
    """A reader with a bug."""
    doc = message.json()
    yield Fact(subject="tracking", ref=doc["ref"], doc={"number": doc["number"]}, full=frozenset({"*"}))


BUGGY = msgspec.structs.replace(DEPOT, reads={"parcel": stumble}, fetch=None, account=body("depot"))


async def push(hub: Hub, connection: Connection, content: bytes) -> None:
    """A message, durable."""
    await hub.keeper.keep(Letter(
        tenant="main", connection=connection.id, transport="webhook", topic="parcel", key=hub.world.new_id("k"),
        head=Head(), body=content, received_at=hub.world.now(),
    ))  # fmt: skip


async def statuses(hub: Hub) -> list[str]:
    rows = await hub.engine.fetch("messages_list", tenant="main", after=0, connection="", status="", most=9)
    return [row[8] for row in rows]


@pytest.mark.parametrize("depot", [BUGGY], indirect=True)
async def test_a_reader_that_stumbles_over_one_message_holds_up_no_other(depot: Hub) -> None:
    one = await connect(depot, DepotSettings())
    await push(depot, one, b'{"ref": "P-1"}')
    await push(depot, one, b'{"ref": "P-2", "number": "1Z999AA10123456784"}')
    await depot.settle()

    assert await statuses(depot) == ["failed", "processed"]
    (trouble,) = await depot.engine.fetch("exceptions_list", tenant="main", after=0, state="open", most=9)
    assert b"KeyError" in bytes(trouble[8])


@pytest.mark.parametrize("depot", [BUGGY], indirect=True)
@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
async def test_an_account_that_could_not_be_stored_is_learned_from_the_next_message(
    depot: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = await connect(depot, DepotSettings())
    await push(depot, one, b'{"ref": "P-1", "number": "1Z999AA10123456784", "depot": "north"}')
    transact = depot.engine.transact

    async def away(_: Any) -> None:
        raise Unavailable("the disk is full")

    monkeypatch.setattr(depot.engine, "transact", away)
    with pytest.raises(Unavailable):
        await depot.normalise.step()
    monkeypatch.setattr(depot.engine, "transact", transact)
    held = depot.directory.get(Connection, one.id)
    assert held is not None
    assert not held.account, "nobody files under an account that is not durable"

    depot.inbox.spilled = True
    await depot.settle()
    held = depot.directory.get(Connection, one.id)
    assert held is not None
    assert held.account == "north"
    assert await statuses(depot) == ["processed"]


@pytest.mark.parametrize("depot", [BUGGY], indirect=True)
@pytest.mark.parametrize("database", ["postgres"], indirect=True)
async def test_what_could_not_be_recorded_while_the_store_was_away_waits_for_no_lease(
    depot: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = await connect(depot, DepotSettings())
    for n in range(3):
        await push(depot, one, b'{"ref": "P-%d", "number": "1Z999AA10123456784"}' % n)

    async def away(_: Any) -> None:
        raise Unavailable("the server is away")

    with monkeypatch.context() as patch:
        patch.setattr(depot.engine, "transact", away)
        with pytest.raises(Unavailable):
            await depot.normalise.step()
    await depot.settle()

    assert await statuses(depot) == ["processed"] * 3


async def test_a_hint_is_kept_until_the_far_side_has_answered(depot: Hub) -> None:
    one = await connect(depot, DepotSettings(api_key="k"))
    await depot.converser.client.aclose()
    down = [True]
    depot.converser.client = httpx.AsyncClient(transport=httpx.MockTransport(
        lambda _: httpx.Response(503) if down[0] else httpx.Response(200, content=TRUTH)
    ))  # fmt: skip
    await push(depot, one, CLAIM)
    await depot.settle()
    assert await depot.sweeper.step() == 0
    assert await depot.sweeper.step() == 0, "not at once again"

    down[0] = False
    depot.world.move(61)  # type: ignore[attr-defined]
    assert await depot.sweeper.step() == 1
    assert await depot.sweeper.step() == 0
    await depot.settle()
    assert await told(depot) == ["in_transit"]


def slow(ctx: Context[Any], cursor: str) -> Conversation[None]:
    """A far side of which one account hangs and one has a bug."""
    if ctx.account == "buggy":
        raise KeyError("a bug")
    answer = yield Request(url=f"https://{ctx.account}.example/parcels")
    assert answer is not None
    yield Page(topic="parcel", body=answer.body)


@pytest.mark.parametrize(
    "depot", [msgspec.structs.replace(DEPOT, poll=slow, fetch=None, needs=())], indirect=True
)
@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
async def test_a_source_that_hangs_or_stumbles_delays_the_sweep_of_no_other(depot: Hub) -> None:
    await depot.converser.client.aclose()
    for number, account in enumerate(("buggy", "hangs", "well")):
        one = Connection(id=f"con_{number}", name=account, channel="depot", key=f"k{number}", account=account)
        await depot.engine.transact(lambda unit, one=one: depot.directory.put(unit, one, 1))  # type: ignore[misc]
    await depot.directory.refresh()
    gate = asyncio.Event()

    async def answer(request: httpx.Request) -> httpx.Response:
        if request.url.host == "hangs.example":
            await gate.wait()
        return httpx.Response(200, content=TRUTH)

    depot.converser.client = httpx.AsyncClient(transport=httpx.MockTransport(answer))
    await depot.sweeper.begin()
    while not len(depot.inbox):
        await asyncio.sleep(0.01)
    assert depot.inbox.take(9)[0].connection == "con_2"
    while list(depot.sweeper._running) != ["con_1"]:
        await asyncio.sleep(0.01)

    gate.set()
    assert await depot.sweeper.step() == 1


def test_the_inbox_leaves_to_the_store_what_would_fill_memory() -> None:
    inbox = Inbox(most=4, most_bytes=250)
    inbox.spilled = False
    large = [Arrival(n, f"msg_{n}", "main", "con", "webhook", "t", Head(), bytes(100), 0) for n in range(5)]
    inbox.put(large)
    assert inbox.spilled
    assert [one.position for one in inbox.take(9)] == [0, 1, 2]

    inbox.done(large[:3])
    inbox.put(large[3:])
    assert [one.position for one in inbox.take(9)] == [3, 4], "what was taken makes room"

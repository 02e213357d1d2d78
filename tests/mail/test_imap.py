"""A mailbox read by IMAP, at a real Dovecot: whatever the line and the server do, each letter comes in once."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import msgspec
import pytest

from hub.config import Config
from hub.contract.errors import HubError
from hub.directory import Connection
from hub.inbound.mail import imap
from tests.mail.dovecot import DOVECOT, Server, Wire, dovecot, wire
from tests.mail.village import BOX, Village, mail, village as opened

pytestmark = [
    pytest.mark.skipif(not DOVECOT, reason="Dovecot is not installed: apt-get install dovecot-imapd"),
    pytest.mark.parametrize("database", ["sqlite"], indirect=True),
]


@dataclass
class Box:
    """A hub with a mailbox at a Dovecot, and the wire between them."""

    village: Village
    server: Server
    wire: Wire

    async def collect(self) -> int:
        return await self.village.hub.collector.collect(self.village.box)

    async def count(self) -> int:
        return len(await self.village.town.messages())

    async def until(self, holds: Callable[[], Awaitable[bool]]) -> None:
        async with asyncio.timeout(30):
            while not await holds():
                await asyncio.sleep(0.02)

    async def has(self, count: int) -> None:
        async def holds() -> bool:
            return await self.count() >= count

        await self.until(holds)

    async def set(self, **settings: Any) -> None:
        self.village.box.settings = {**self.village.box.settings, **settings}
        await self.village.town.put(self.village.box)
        found = self.village.hub.directory.get(Connection, self.village.box.id)
        assert found is not None
        self.village.box = found


@pytest.fixture
async def box(config: Config) -> AsyncIterator[Box]:
    config = msgspec.structs.replace(config, allow_private=("127.0.0.1/32",))
    async with contextlib.AsyncExitStack() as stack:
        server = await stack.enter_async_context(dovecot())
        cable = await stack.enter_async_context(wire(server.port))
        settings = {"provider": "imap", "host": "127.0.0.1", "port": cable.port, "tls": "none", "username": "ada",
                    "password": "secret"}  # fmt: skip
        one = await stack.enter_async_context(opened(config, **settings))
        stack.push_async_callback(one.hub.collector.stop)
        yield Box(one, server, cable)


async def test_letters_come_in_once_to_the_byte_and_are_marked_when_they_are_durable(box: Box):
    raws = [mail(number=str(n)) for n in range(3)]
    for raw in raws:
        box.server.deliver(raw)

    assert [await box.collect(), await box.collect()] == [3, 0]
    rows = await box.village.town.messages()
    bodies = [
        bytes((await box.village.hub.engine.fetch("messages_get", tenant="main", id=row[1]))[0][7])
        for row in rows
    ]
    assert bodies == raws
    assert all(name.endswith("S") for name in box.server.names("cur"))


async def test_only_what_is_newer_is_read_the_next_time(box: Box):
    box.server.deliver(mail(number="1"))
    await box.collect()
    box.server.deliver(mail(number="2"))

    assert await box.collect() == 1


@pytest.mark.parametrize("unseen", [0, 1])
async def test_what_somebody_had_read_before_we_came_is_never_read(box: Box, unseen: int):
    for number in range(unseen):
        box.server.deliver(mail(number=str(number)))
    for number in ("8", "9"):
        box.server.deliver(mail(number=number), flags="S")

    assert [await box.collect(), await box.collect()] == [unseen, 0]
    box.server.deliver(mail(number="10"))
    assert await box.collect() == 1


async def test_a_box_with_thousands_of_letters_that_nobody_has_seen_is_read(database: str):
    told = b"* SEARCH " + b" ".join(b"%d" % one for one in range(100_000, 130_000))
    reader = asyncio.StreamReader(limit=imap._LINE)
    reader.feed_data(told + b"\r\n")

    assert await imap.Line(reader, Any, most=1)._answer() == [told]  # type: ignore[arg-type]


async def test_a_letter_is_moved_where_that_is_wanted(box: Box):
    await box.set(done="move", move_to="Orders")
    box.server.deliver(mail())

    assert await box.collect() == 1
    moved = [*box.server.names(".Orders", "cur"), *box.server.names(".Orders", "new")]
    assert ([*box.server.names("new"), *box.server.names("cur")], len(moved)) == ([], 1)


async def test_a_letter_that_is_not_durable_is_neither_marked_nor_passed_over(box: Box):
    keep = box.village.hub.keeper.keep
    box.server.deliver(mail())

    async def away(letter: Any) -> Any:
        raise imap.Lost("the disk is full")

    box.village.hub.keeper.keep = away
    with pytest.raises(imap.Lost):
        await box.collect()
    box.village.hub.keeper.keep = keep

    assert not any("S" in name.partition(",")[2] for name in box.server.names("cur"))
    assert await box.collect() == 1


async def test_when_the_server_numbers_its_letters_anew_none_comes_in_twice_and_none_is_missed(box: Box):
    for number in ("1", "2"):
        box.server.deliver(mail(number=number))
    await box.collect()
    box.server.renumber()
    box.server.deliver(mail(number="3"))

    assert await box.collect() == 1
    assert await box.count() == 3
    box.server.deliver(mail(number="4"))
    assert await box.collect() == 1


async def test_idle_tells_of_a_letter_at_once_and_a_cut_line_is_made_again(box: Box):
    box.village.hub.collector.begin()
    box.server.deliver(mail(number="1"))
    await box.has(1)
    box.wire.cut()
    box.server.deliver(mail(number="2"))
    await box.has(2)

    box.server.deliver(mail(number="3"))
    await box.has(3)
    assert box.wire.made >= 2


async def test_an_idle_that_died_silently_is_noticed_and_the_letter_comes_in(box: Box):
    box.village.hub.collector.patience = 1.0
    box.village.hub.collector.idle = 0.3
    box.village.hub.collector.begin()
    box.server.deliver(mail(number="1"))
    await box.has(1)
    box.wire.dead = True
    box.server.deliver(mail(number="2"))
    made = box.wire.made

    async def again() -> bool:
        return box.wire.made > made

    await box.until(again)
    box.wire.dead = False
    await box.has(2)


async def test_what_keeps_us_out_stands_in_the_exceptions_until_we_are_in(box: Box):
    await box.set(password={"sealed": box.village.hub.vault.seal("wrong", box.village.box.id)})
    box.village.hub.collector.begin()

    async def told() -> bool:
        return any("cannot be read" in one["title"] for one in await box.village.town.exceptions())

    await box.until(told)
    await box.set(password={"sealed": box.village.hub.vault.seal("secret", box.village.box.id)})
    box.server.deliver(mail())
    box.village.hub.collector.begin()
    await box.has(1)

    async def well() -> bool:
        return await box.village.town.exceptions() == []

    await box.until(well)


async def test_a_letter_that_is_too_large_is_named_and_holds_up_no_other(
    box: Box, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("hub.inbound.mail.collect._MOST", 5_000)
    box.server.deliver(mail(number="1", text="x" * 70 + ("\r\n" + "y" * 70) * 100))
    box.server.deliver(mail(number="2"))

    assert await box.collect() == 1
    (exception,) = await box.village.town.exceptions()
    assert "bytes and is left where it is" in exception["title"]


async def test_an_address_that_the_guard_forbids_is_not_dialled(box: Box):
    collector = box.village.hub.collector
    collector.judge = lambda address: "it is private"

    with pytest.raises(HubError, match="not allowed"):
        await box.collect()
    assert box.wire.made == 0


async def test_the_letter_is_judged_by_what_its_own_server_said_of_it(box: Box):
    await box.set(authserv_id="mx.hub.example")
    await box.village.partner()
    honest = b"Authentication-Results: mx.hub.example; dmarc=pass header.from=lamps.example\r\n" + mail(
        number="1"
    )
    forged = b"Authentication-Results: mx.evil.example; dmarc=pass\r\n" + honest.replace(
        b"<1@", b"<2@"
    ).replace(b"20 x", b"21 x")
    box.server.deliver(honest)
    box.server.deliver(forged)
    await box.collect()
    await box.village.hub.post.step()

    assert [row[8] for row in await box.village.town.messages()] == ["processed", "quarantined"]
    assert BOX in honest.decode()

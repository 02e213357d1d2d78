"""Names are looked up beside each other: a name whose server does not answer keeps no other waiting."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from aiohttp import web

from hub.outbound.guard import Guard
from hub.outbound.names import SystemNames
from hub.outbound.sender import Post
from tests.outbound.receivers import sender, served


class Silent:
    """The system's lookup, in which names under `hangs.example` hang until it is `free`; all others are this machine."""

    def __init__(self) -> None:
        self.free = threading.Event()
        self.hanging = threading.Semaphore(0)
        self.asked = 0

    async def hung(self) -> bool:
        """Whether one more lookup hangs, soon."""
        async with asyncio.timeout(20):
            while not self.hanging.acquire(blocking=False):
                await asyncio.sleep(0.005)
        return True

    def __call__(self, host: str, port: int, *_: Any, **__: Any) -> list[Any]:
        self.asked += 1
        if host.endswith("hangs.example"):
            self.hanging.release()
            self.free.wait()
            raise socket.gaierror(socket.EAI_AGAIN, "no server answered")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]


@pytest.fixture
def silent(monkeypatch: pytest.MonkeyPatch) -> Iterator[Silent]:
    one = Silent()
    monkeypatch.setattr(socket, "getaddrinfo", one)
    yield one
    one.free.set()


async def test_ten_names_that_hang_do_not_delay_the_eleventh(silent: Silent):
    async def app(_: web.Request) -> web.Response:
        return web.Response(status=204)

    async with served(app) as url, sender() as send:
        port = url.rpartition(":")[2]
        stuck = [
            asyncio.create_task(send.send(Post(url=f"http://n{n}.hangs.example:{port}/", timeout=60.0)))
            for n in range(10)
        ]
        for _ in range(6):  # as many as the loop's own pool would let hang
            assert await silent.hung()
        async with asyncio.timeout(20):
            answer = await send.send(Post(url=f"http://partner.example:{port}/", timeout=10.0))
        assert answer.status == 204
        assert not any(one.done() for one in stuck)

        silent.free.set()
        assert {one.error for one in await asyncio.gather(*stuck)} == {"dns"}


async def test_the_guard_judges_what_the_system_says(silent: Silent):
    async with sender(Guard()) as send:
        answer = await send.send(Post(url="https://partner.example/", timeout=10.0))

    assert (answer.error, silent.asked) == ("blocked", 1)


async def test_no_more_than_so_many_hang_at_once_and_who_went_away_still_counts(silent: Silent):
    names = SystemNames(most=2)
    stuck = [asyncio.create_task(names.resolve(f"n{n}.hangs.example")) for n in range(2)]
    for _ in stuck:
        assert await silent.hung()
    for one in stuck:
        one.cancel()
    await asyncio.gather(*stuck, return_exceptions=True)
    third = asyncio.create_task(names.resolve("partner.example", 443))
    for _ in range(10):
        await asyncio.sleep(0)
    assert (silent.asked, third.done()) == (2, False)

    silent.free.set()
    (found,) = await third
    assert (found["host"], found["port"], found["family"]) == ("127.0.0.1", 443, socket.AF_INET)


def test_the_end_of_a_loop_waits_for_no_lookup(silent: Silent):
    async def ask() -> None:
        async with asyncio.timeout(0.05):
            await SystemNames().resolve("n.hangs.example")

    with pytest.raises(TimeoutError):
        asyncio.run(ask())

    assert not silent.free.is_set()
    silent.free.set()
    for thread in threading.enumerate():
        if thread.name == "orderhub-name":
            assert thread.daemon
            thread.join(10)


async def test_the_names_of_this_machine_are_found_as_ever():
    found = await SystemNames().resolve("localhost", 80, socket.AF_INET)

    assert {(one["hostname"], one["host"], one["port"]) for one in found} == {("localhost", "127.0.0.1", 80)}

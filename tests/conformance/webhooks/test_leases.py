"""Several processes over one store: what one of them is sending no other sends, for as long as that may take."""

from __future__ import annotations

import asyncio
import os
import signal
from collections import Counter

import pytest

from tests.conformance.webhooks.conftest import House, Stage, until
from tests.conformance.webhooks.far import Hook, receiver

HURRY = 6.0
"""A lease of a minute is over in ten seconds, the longest timeout in five."""
TIMEOUT = 30.0
LEASES = 120.0

pytestmark = pytest.mark.parametrize("database", ["postgres"], indirect=True)


async def test_a_receiver_so_slow_that_leases_end_meanwhile_is_sent_each_webhook_once_by_two_processes(
    stage: Stage,
) -> None:
    one, other = await stage.hub(speed=HURRY), await stage.hub(speed=HURRY)
    async with receiver(delay=0.6 * TIMEOUT / HURRY) as far:
        endpoint = await one.endpoint(far.url, timeout=TIMEOUT, concurrency=2)
        for n in range(4):
            await asyncio.gather(one.order(f"one-{n}"), other.order(f"other-{n}"))
        await until(lambda: len(far.taken) == 8, "eight webhooks, two at a time", LEASES)

        async def settled() -> bool:
            return await one.statuses(endpoint) == ["delivered"] * 8

        await until(settled, "all of it to be settled")
        begun, ended = (int(far.got[place].headers["webhook-timestamp"]) for place in (0, -1))
        assert ended - begun + 0.6 * TIMEOUT > 60, "a lease was over before the last was answered"
        assert set(Counter(hook.id for hook in far.got).values()) == {1}
        assert far.most <= 2, "the endpoint's concurrency holds for both of them together"


async def test_what_a_frozen_process_was_sending_is_sent_again_when_its_lease_is_over_and_once_only(
    stage: Stage,
) -> None:
    frozen = await stage.hub(speed=HURRY)
    thaw = asyncio.Event()

    def number(hook: Hook) -> str:
        return str(hook.event["data"]["number"])

    async with receiver() as far:
        far.wait = lambda n: thaw.wait() if n == 0 else asyncio.sleep(0)
        endpoint = await frozen.endpoint(far.url, timeout=TIMEOUT)
        await frozen.order("frozen")
        await until(lambda: far.got, "an attempt")
        os.kill(pid(frozen), signal.SIGSTOP)
        try:
            other = await stage.hub(speed=HURRY)
            await other.order("frozen")
            await other.order("free")
            await until(lambda: len(far.taken) == 3, "what the frozen one held, and what came after", LEASES)
        finally:
            os.kill(pid(frozen), signal.SIGCONT)
        thaw.set()
        await frozen.order("thawed")
        await until(lambda: "thawed" in map(number, far.taken), "the one that was frozen to go on")

        async def settled() -> bool:
            return await other.statuses(endpoint) == ["delivered"] * 4

        await until(settled, "all of it to be settled")
        first, again = (hook for hook in far.got if hook.id == far.got[0].id)
        assert first.body == again.body
        gap = int(again.headers["webhook-timestamp"]) - int(first.headers["webhook-timestamp"])
        assert gap >= TIMEOUT, "not while the first attempt might still have been under way"
        others = [hook.id for hook in far.got if hook.id != first.id]
        assert len(others) == len(set(others)) == 3


def pid(house: House) -> int:
    """The hub's."""
    assert house.process is not None
    assert house.process.running is not None
    return house.process.running.pid

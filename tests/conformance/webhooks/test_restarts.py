"""What the hub owes when its process dies: everything it has accepted, under the same ids, in the same order."""

from __future__ import annotations

import asyncio

from aiohttp import web

from tests.conformance.webhooks.conftest import House, until
from tests.conformance.webhooks.far import always, first, receiver

LEASES = 120.0
"""Seconds for what a dead process had claimed to be anyone's again."""


async def test_what_was_accepted_before_a_kill_is_delivered_after_it(mortal: House) -> None:
    async with receiver(delay=0.3) as far:
        endpoint = await mortal.endpoint(far.url, concurrency=2)
        await asyncio.gather(*(mortal.order(str(n)) for n in range(30)))
        await mortal.restart()
        await until(lambda: len(set(far.ids())) == 30, "thirty orders", LEASES)

        async def settled() -> bool:
            return set(await mortal.statuses(endpoint)) == {"delivered"}

        await until(settled, "all of it to be settled", LEASES)
        events = {one["event"] for one in await mortal.deliveries(endpoint)}
        assert set(far.ids()) == events, "no event has two ids"


async def test_a_kill_between_the_attempt_and_its_settling_repeats_the_same_webhook(mortal: House) -> None:
    killed = asyncio.Event()

    def answers(n: int) -> web.Response:
        return web.Response()

    async with receiver(answers, delay=1.0) as far:
        await mortal.endpoint(far.url)
        await mortal.order()
        await until(lambda: far.got, "the attempt")
        await mortal.restart()
        killed.set()
        await until(lambda: len(far.got) >= 2, "the same again", LEASES)

        assert len({hook.id for hook in far.got}) == 1
        assert len({hook.body for hook in far.got}) == 1


async def test_the_order_of_an_order_outlives_a_kill(mortal: House) -> None:
    async with receiver(first(1, 500)) as far:
        endpoint = await mortal.endpoint(far.url, schedule=[0, 2, 2, 2, 2])
        for _ in range(5):
            await mortal.order("one")
        await mortal.restart()
        await until(lambda: len(set(far.ids())) == 5, "five versions", LEASES)

        acknowledged = list(dict.fromkeys(far.ids()))
        told = [one["event"] for one in await mortal.deliveries(endpoint)]
        assert acknowledged == told


async def test_a_replay_of_ten_thousand_and_one_goes_on_after_a_kill(mortal: House) -> None:
    await mortal.orders(10_001)
    async with receiver() as far:
        endpoint = await mortal.endpoint(far.url, concurrency=64)
        job = await mortal.ask(
            "POST",
            f"/v1/endpoints/{endpoint['id']}/replay",
            {"since": "2020-01-01T00:00:00Z", "missing": True},
        )
        await until(lambda: len(far.taken) > 200, "the replay to begin", LEASES)
        await mortal.restart()
        await until(lambda: len(set(far.ids())) == 10_001, "all of it", 600.0)

        async def done() -> bool:
            return (await mortal.ask("GET", f"/v1/jobs/{job['id']}"))["state"] == "done"

        await until(done, "the end of the job", LEASES)
        assert {hook.headers["orderhub-replay"] for hook in far.taken} == {"replay"}


async def test_a_circuit_stays_open_over_a_restart(mortal: House) -> None:
    async with receiver(always(503)) as far:
        await mortal.endpoint(far.url, concurrency=1)
        for n in range(8):
            await mortal.order(str(n))
        await until(lambda: len(far.got) >= 5, "five failures")
        await asyncio.sleep(1)
        before = len(far.got)
        await mortal.restart()
        await asyncio.sleep(3)

        assert len(far.got) <= before + 2, "a dead partner is not hammered by a hub that starts"


async def test_failures_before_a_kill_count_towards_disabling_after_it_and_what_was_held_comes_in_order(
    mortal: House,
) -> None:
    well = False

    def answers(_: int) -> web.Response:
        return web.Response(status=200 if well else 500)

    async with receiver(answers) as far, receiver() as neighbour:
        await mortal.endpoint(neighbour.url, events=["endpoint.disabled"], filter="")
        endpoint = await mortal.endpoint(far.url, schedule=[0, 3600], disable_after=2, concurrency=1)
        path = f"/v1/endpoints/{endpoint['id']}"

        async def tried(count: int) -> bool:
            return sum(one["attempts"] for one in await mortal.deliveries(endpoint)) == count

        async def die(slots: int) -> None:
            """Killed and started; a dead process has its slots for some seconds yet, so that there is one more."""
            await mortal.restart()
            await mortal.ask("PATCH", path, {"concurrency": slots})

        for _ in range(3):
            await mortal.order("one")
        await until(lambda: tried(1), "a failure before the kill")
        await die(2)
        assert (await mortal.ask("GET", path))["status"] == "active", "one failure is no reason"
        await asyncio.sleep(2)
        await mortal.order("two")
        await until(lambda: tried(2), "a failure after the kill", LEASES)
        await die(3)

        async def disabled() -> bool:
            return (await mortal.ask("GET", path))["status"] == "disabled"

        await until(disabled, "what the dead processes saw to be enough")
        await mortal.order("two")

        async def held() -> bool:
            return await mortal.statuses(endpoint) == ["held"] * 5

        await until(held, "what it is owed to be held")
        open_ = (await mortal.ask("GET", "/v1/exceptions?state=open&limit=500"))["data"]
        assert [one for one in open_ if "is disabled" in one["title"] and endpoint["name"] in one["title"]]
        await until(
            lambda: endpoint["id"] in [one.event["data"]["id"] for one in neighbour.taken],
            "the neighbour to be told",
            LEASES,
        )
        assert {one.event["type"] for one in neighbour.taken} == {"endpoint.disabled"}

        well = True
        await mortal.ask("POST", f"{path}/enable", {})
        await until(lambda: len(far.taken) == 5, "what was held", LEASES)
        for number in ("one", "two"):
            sequences = [
                hook.event["sequence"] for hook in far.taken if hook.event["data"]["number"] == number
            ]
            assert sequences == sorted(sequences)

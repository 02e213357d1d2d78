"""A partner that is down for longer than any schedule, and back: it has everything, in order, and no dead letter."""

from __future__ import annotations

from collections import defaultdict

from aiohttp import web

from tests.conformance.webhooks.conftest import Stage, until
from tests.conformance.webhooks.far import Receiver, receiver

HURRY = 12.0
"""A probe a minute is one in five seconds."""


def sequences(far: Receiver) -> dict[str, list[int]]:
    """Of each order, in the order in which they were taken."""
    found: dict[str, list[int]] = defaultdict(list)
    for hook in far.taken:
        found[hook.event["data"]["number"]].append(hook.event["sequence"])
    return dict(found)


async def test_a_partner_that_was_down_gets_all_when_it_is_back_in_order_and_without_a_dead_letter(
    stage: Stage,
) -> None:
    house = await stage.hub(speed=HURRY)
    back = False

    def answers(_: int) -> web.Response:
        return web.Response(status=200 if back else 503)

    async with receiver(answers) as far, receiver() as neighbour:
        endpoint = await house.endpoint(far.url, schedule=[0, 1, 1], concurrency=1)
        await house.endpoint(neighbour.url)
        for _ in range(4):
            for number in ("A", "B", "C", "D", "E"):
                await house.order(number)
        await until(lambda: len(neighbour.taken) == 20, "who is beside it and well")
        await until(lambda: len(far.got) >= 5, "five failures")
        assert "dead" not in await house.statuses(endpoint)
        asked = len(far.got)
        back = True
        await until(lambda: len(far.taken) == 20, "all of it")

        async def settled() -> bool:
            return await house.statuses(endpoint) == ["delivered"] * 20

        await until(settled, "its settling")
        assert asked <= 6, "five failures and at most a probe: who is down is not hammered"
        assert len(set(far.ids())) == len(far.taken) == 20
        assert sequences(far) == sequences(neighbour)
        assert all(found == sorted(found) for found in sequences(far).values())
        assert len(neighbour.got) == 20, "the outage of one sends nothing to the other again"

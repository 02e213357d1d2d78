"""Names that change their mind: what a hub may call is decided by the address it dials, not by one it heard of before.

The network of these tests is 127.0.0.0/8: 127.0.0.2 is what the hub may call, 127.0.0.1 what it may not."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest
from aiohttp import web

from tests.conformance.webhooks.conftest import House, Stage, until
from tests.conformance.webhooks.far import names, receiver, sink

ALLOWED, REFUSED = "127.0.0.2", "127.0.0.1"
HURRY = 6.0
"""An answer is kept for ten seconds of the hub's."""


def closing(status: int) -> web.Response:
    """An answer after which there is no connection to use again."""
    response = web.Response(status=status)
    response.force_close()
    return response


async def attempts(house: House, delivery: dict[str, str]) -> list[str]:
    """What came of each."""
    found = await house.ask("GET", f"/v1/deliveries/{delivery['id']}")
    return [one["outcome"] for one in found["log"]]


async def test_a_name_that_turns_to_a_forbidden_address_between_check_and_connect_is_never_called_there(
    stage: Stage,
) -> None:
    async with (
        names([ALLOWED], [REFUSED], [ALLOWED]) as server,
        receiver(lambda n: closing(200 if n else 500), host=ALLOWED) as far,
    ):
        port = urlsplit(far.url).port or 0
        house = await stage.hub(allow_private=[f"{ALLOWED}/32"], names=server.address, speed=HURRY)
        async with sink(port) as callers:
            endpoint = await house.endpoint(f"http://turns.example:{port}/hooks", schedule=[0, 11, 11, 11])
            await house.order()
            await until(lambda: far.taken, "an attempt after the name has turned back")

            async def delivered() -> bool:
                return await house.statuses(endpoint) == ["delivered"]

            await until(delivered, "its settling")
            [delivery] = await house.deliveries(endpoint)
            outcomes = await attempts(house, delivery)

            assert callers == []
            assert outcomes == ["500", "blocked", "200"]
            assert server.asked == 3, "one question for each connection: what was judged is what is dialled"


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
async def test_a_name_with_one_forbidden_address_among_others_is_not_called_at_all(stage: Stage) -> None:
    async with names([ALLOWED, REFUSED]) as server, receiver(host=ALLOWED) as far:
        port = urlsplit(far.url).port or 0
        house = await stage.hub(allow_private=[f"{ALLOWED}/32"], names=server.address)
        async with sink(port) as callers:
            endpoint = await house.endpoint(f"http://both.example:{port}/hooks", schedule=[0, 3600])
            await house.order()

            async def tried() -> bool:
                return bool((await house.deliveries(endpoint))[0]["attempts"])

            await until(tried, "an attempt")
            [delivery] = await house.deliveries(endpoint)

            assert await attempts(house, delivery) == ["blocked"]
            assert (callers, far.got) == ([], [])

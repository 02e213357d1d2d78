"""A day in balance: what the source has is here and acknowledged, and each gap has its reason."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime

import msgspec
import pytest

from hub.config import Config
from hub.directory import Connection
from hub.repair.survey.balance import Balance, balance, day_of
from hub.world import World
from tests.path.corner import Corner
from tests.repair.source import Source, readable
from tests.repair.test_surveys import SECOND, run, source, world


@pytest.fixture
async def corner(config: Config) -> AsyncIterator[Corner]:
    async with readable(config, World.still(time.time_ns() // 1000), Source()) as one:
        yield one


async def today(corner: Corner) -> Balance:
    day = datetime.fromtimestamp((world(corner).now() - 30 * SECOND) / SECOND, UTC).date()
    return await balance(corner.town.hub, corner.connection, day_of(corner.connection, day))


async def test_a_day_on_which_everything_arrived_is_balanced(corner: Corner) -> None:
    await corner.town.partner(events=["order.created"])
    for number in range(3):
        source(corner).put(f"O{number}", world(corner).now() - 30 * SECOND)
    await run(corner, "backfill", emit="changes")
    found = await today(corner)

    assert (found.source, found.here, found.endpoints[0].acknowledged) == (3, 3, 3)
    assert found.balanced


async def test_every_gap_is_named_with_its_reason(corner: Corner) -> None:
    hub, shop = corner.town.hub, source(corner)
    partner = await corner.town.partner(events=["order.created"], name="erp", schedule=[0])
    picky = await corner.town.partner(events=["order.created"], name="picky", filter="data.number == 'none'")
    at = world(corner).now() - 30 * SECOND
    shop.put("O1", at)
    partner.answers[:] = [410]
    await run(corner, "backfill", emit="changes")
    shop.put("O2", at)
    shop.orders["BAD"] = {"doc": {"ref": "BAD"}, "at": at, "subject": "order", "placed": "?"}
    del shop.orders["BAD"]["subject"]
    found = await today(corner)

    assert (found.source, found.here, found.balanced) == (2, 1, False)
    assert [(gap.ref, "no message told of it" in gap.reason) for gap in found.missing_here] == [("O2", True)]
    assert [gap.ref for gap in found.unread] == ["BAD"]
    by = {one.endpoint: one for one in found.endpoints}
    assert (by["erp"].acknowledged, [gap.ref for gap in by["erp"].missing]) == (0, ["O1"])
    assert by["picky"].excluded == {"filtered": 1}
    assert picky.got == []

    del shop.orders["O1"], shop.orders["BAD"]
    assert [gap.ref for gap in (await today(corner)).missing_there] == ["O1"]
    assert hub.engine.dialect


async def test_what_was_observed_was_for_nobody(corner: Corner) -> None:
    partner = await corner.town.partner(events=["order.created"])
    await corner.town.put(msgspec.structs.replace(corner.connection, mode="observe"))
    source(corner).put("O1", world(corner).now() - 30 * SECOND)
    await run(corner, "backfill", emit="changes")

    found = await today(corner)
    assert (found.here, found.endpoints[0].excluded, found.balanced) == (1, {"silent": 1}, True)
    assert partner.told() == []


def test_a_day_is_one_of_the_connections_own_time_zone() -> None:
    one = Connection(id="con_1", name="x", channel="corner", key="k", time_zone="Asia/Shanghai")
    day = day_of(one, date(2027, 1, 10))
    assert (day.until - day.since, day.since) == (86_400 * SECOND, 1_799_510_400 * SECOND)

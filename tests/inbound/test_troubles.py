"""What is in trouble is known in memory where one process is alone: all of it, and nothing that is well again."""

from __future__ import annotations

import asyncio

import pytest

from hub.run import open_hub
from hub.troubles import Trouble, cause
from hub.world import World


def troubles(*subjects, kind="x"):
    return [
        Trouble(tenant="main", cause=cause(kind), subject=one, title="it cannot be read") for one in subjects
    ]


async def opened(hub, *subjects, kind="x"):
    await hub.engine.transact(lambda unit: hub.troubles.open(unit, troubles(*subjects, kind=kind)))


async def cleared(hub, *subjects):
    await hub.engine.transact(lambda unit: hub.troubles.clear(unit, subjects))


async def states(hub):
    rows = await hub.engine.fetch("exceptions_list", tenant="main", after=0, state="", most=99)
    return [row[3] for row in rows]


def remembered(hub):
    return len(hub.troubles._known or ())


class Down(Exception):
    """Something after it fails."""


async def failing(hub, *steps):
    async def work(unit):
        for step in steps:
            await step(unit)
        raise Down

    with pytest.raises(Down):
        await hub.engine.transact(work)


async def test_what_was_in_trouble_once_is_not_remembered_for_ever(hub):
    for n in range(20):
        subjects = [f"dlv_{n}_{m}" for m in range(10)]
        await opened(hub, *subjects)
        await cleared(hub, *subjects, "dlv_that_was_never_in_trouble")

    assert remembered(hub) == 0
    assert await states(hub) == ["closed"] * 20


async def test_a_unit_that_fails_leaves_in_trouble_what_it_cleared_and_well_what_it_opened(hub):
    await opened(hub, "msg_1")
    known = remembered(hub)
    await failing(hub, lambda unit: hub.troubles.clear(unit, ["msg_1"]))
    assert await states(hub) == ["open"]
    await cleared(hub, "msg_1")
    assert await states(hub) == ["closed"]

    await failing(hub, lambda unit: hub.troubles.open(unit, troubles("msg_2", "msg_3")))
    assert remembered(hub) == known - bool(known)
    await opened(hub, "msg_2")
    await failing(hub, lambda unit: hub.troubles.open(unit, troubles("msg_2", kind="y")))
    await cleared(hub, "msg_2")
    assert await states(hub) == ["closed", "closed"]


async def test_what_is_cleared_and_opened_in_one_unit_is_in_trouble(hub):
    await opened(hub, "msg_1")

    async def work(unit):
        await hub.troubles.clear(unit, ["msg_1"])
        await hub.troubles.open(unit, troubles("msg_1", kind="y"))

    await hub.engine.transact(work)
    assert sorted(await states(hub)) == ["closed", "open"]
    await cleared(hub, "msg_1")
    assert await states(hub) == ["closed", "closed"]


@pytest.mark.parametrize("before", [True, False])
async def test_what_is_just_being_opened_while_another_clears_it_can_be_cleared_later(hub, before):
    if before:
        await cleared(hub, "msg_0")
    begun, go = asyncio.Event(), asyncio.Event()

    async def slow(unit):
        await hub.troubles.open(unit, troubles("msg_1"))
        begun.set()
        await go.wait()

    opening = asyncio.create_task(hub.engine.transact(slow))
    await begun.wait()
    await cleared(hub, "msg_1")
    go.set()
    await opening
    assert await states(hub) == ["open"]
    await cleared(hub, "msg_1")

    assert await states(hub) == ["closed"]
    assert remembered(hub) == 0


async def test_what_a_person_closed_is_not_remembered_either(hub):
    await opened(hub, *(f"msg_{n}" for n in range(50)))
    await opened(hub, "msg_0", kind="y")

    async def close(unit):
        hub.troubles.drop(unit, "main", cause("x"))

    await hub.engine.transact(close)
    await cleared(hub, "msg_60")
    assert remembered(hub) == (0 if hub.engine.shared else 1)

    await cleared(hub, "msg_0")
    assert "closed" in await states(hub)
    assert await hub.engine.fetch("troubles_subjects") == []


async def test_what_is_in_trouble_is_known_after_a_restart(config):
    async with open_hub(config, World.still()) as hub:
        await opened(hub, "msg_1")
    async with open_hub(config, World.still(1_800_000_000_000_000)) as hub:
        await cleared(hub, "msg_1")
        assert await states(hub) == ["closed"]

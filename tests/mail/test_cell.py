"""The cell: what blows up in it takes nobody with it."""

from __future__ import annotations

import asyncio
import gc
import os
import time
from collections.abc import AsyncIterator
from multiprocessing.connection import Connection as Pipe
from pathlib import Path
from typing import Any

import pytest

from hub.contract.errors import Place, Unreadable
from hub.inbound.mail.cell import Blown, Bounds, Cell


@pytest.fixture
async def cell() -> AsyncIterator[Cell]:
    one = Cell(size=1, bounds=Bounds(memory=512 << 20, cpu=1, wall=30.0))
    yield one
    one.close()


def double(number: int) -> int:
    return 2 * number


def who() -> int:
    return os.getpid()


def hungry() -> int:
    return len(bytearray(2 << 30))


def busy() -> None:
    while True:
        pass


def idle(seconds: float) -> None:
    time.sleep(seconds)


def deep(level: int = 0) -> int:
    return deep(level + 1)


def dying() -> None:
    os._exit(7)


def confused() -> None:
    raise Unreadable("row 3 is no row", place=Place(field="rows[3]"))


def broken() -> None:
    raise KeyError("colour")


class Gift:
    """What leaves a file behind where it is unpickled."""

    def __init__(self, path: str) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (Path(self.path),)


def its_pipe() -> Pipe:
    [one] = [found for found in gc.get_objects() if isinstance(found, Pipe)]
    return one


def gives(path: str) -> int:
    its_pipe().send(("done", Gift(path)))
    return 1


def stops_in_the_middle() -> int:
    os.write(its_pipe().fileno(), (1000).to_bytes(4, "big") + b"half")
    time.sleep(60)
    return 1


def floods() -> int:
    its_pipe().send_bytes(bytes(2 << 20))
    return 1


def lies() -> int:
    return "no number"  # type: ignore[return-value]


async def test_a_function_runs_in_another_process_which_is_used_again(cell: Cell):
    first, second = await cell.run(who), await cell.run(who)

    assert await cell.run(double, 21) == 42
    assert first == second != os.getpid()


@pytest.mark.parametrize("work", [hungry, busy, deep, dying])
async def test_what_goes_past_a_limit_is_told_and_the_next_call_finds_a_child(cell: Cell, work):
    with pytest.raises(Blown):
        await cell.run(work)

    assert await cell.run(double, 4) == 8


async def test_what_hangs_is_killed(cell: Cell):
    hasty = Cell(size=1, bounds=Bounds(wall=3.0))
    try:
        await hasty.run(double, 1)
        with pytest.raises(Blown, match="seconds"):
            await hasty.run(idle, 60.0)
        assert await hasty.run(double, 4) == 8
    finally:
        hasty.close()


async def test_a_fault_of_the_letter_keeps_its_place_and_one_of_ours_is_named(cell: Cell):
    with pytest.raises(Unreadable, match="row 3 is no row") as told:
        await cell.run(confused)
    with pytest.raises(Unreadable, match="KeyError"):
        await cell.run(broken)

    assert told.value.place.field == "rows[3]"


async def test_whoever_gives_up_waiting_leaves_no_child_behind(cell: Cell):
    await cell.run(double, 1)
    task = asyncio.ensure_future(cell.run(idle, 60.0))
    while cell._free:
        await asyncio.sleep(0)
    (child,) = cell._children()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert not child.is_alive()


async def test_a_child_that_was_taken_over_cannot_make_the_hub_open_a_pickle(cell: Cell, tmp_path: Path):
    with pytest.raises(Blown, match="makes no sense"):
        await cell.run(gives, str(tmp_path / "opened"))

    assert list(tmp_path.iterdir()) == []
    assert await cell.run(double, 4) == 8


async def test_an_answer_of_another_type_than_declared_or_too_long_is_none(cell: Cell):
    small = Cell(size=1, bounds=Bounds(answer=1 << 20))
    try:
        with pytest.raises(Blown):
            await small.run(floods)
        with pytest.raises(Blown, match="makes no sense"):
            await small.run(lies)
        assert await small.run(double, 4) == 8
    finally:
        small.close()


async def test_an_answer_that_stops_in_the_middle_is_given_up(cell: Cell):
    hasty = Cell(size=1, bounds=Bounds(wall=3.0))
    try:
        with pytest.raises(Blown, match="seconds"):
            await hasty.run(stops_in_the_middle)
        assert await hasty.run(double, 4) == 8
    finally:
        hasty.close()

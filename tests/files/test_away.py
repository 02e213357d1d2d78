"""What was read is put away, and nothing else: not a file that came in its place at that moment."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from hub.files.folder import FolderShelf
from tests.files.test_watch import connect, look, names, numbers, rows
from tests.path.town import Town


def swapped(monkeypatch, kind: type, file: Path, text: str) -> None:
    """Another file of the same name, size and time lies there the moment before the first is moved."""
    plain, left = kind.move, [1]

    async def move(self, *given: Any) -> str:
        if left:
            left.pop()
            about = file.stat()
            fresh = file.with_name(".fresh")
            fresh.write_text(text)
            os.utime(fresh, ns=(about.st_atime_ns, about.st_mtime_ns))
            assert fresh.stat().st_size == about.st_size
            fresh.replace(file)
        return await plain(self, *given)

    monkeypatch.setattr(kind, "move", move)


async def test_a_file_put_in_the_place_of_another_as_that_is_taken_is_taken_itself(
    town: Town, inbox: Path, monkeypatch
):
    await connect(town, inbox)
    (inbox / "a.csv").write_text(rows("1"))
    swapped(monkeypatch, FolderShelf, inbox / "a.csv", rows("2"))
    await look(town)
    assert names(inbox) == ["a.csv"]
    await look(town)

    assert await numbers(town) == ["1", "2"]
    assert names(inbox) == ["done/a.csv"]
    assert await town.exceptions() == []


async def test_a_file_put_in_the_place_of_one_that_cannot_be_read_is_not_put_aside_with_it(
    town: Town, inbox: Path, monkeypatch
):
    await connect(town, inbox)
    good = rows("1")
    (inbox / "a.csv").write_text("x" * len(good))
    swapped(monkeypatch, FolderShelf, inbox / "a.csv", good)
    await look(town, times=4)

    assert await numbers(town) == ["1"]
    assert names(inbox) == ["done/a.csv"]
    assert await town.exceptions() == []


async def test_what_a_dead_process_left_aside_comes_back_beside_a_new_file_of_its_name(
    town: Town, inbox: Path
):
    await connect(town, inbox)
    (inbox / "taking").mkdir()
    (inbox / "taking" / "a.csv").write_text(rows("1"))
    (inbox / "a.csv").write_text(rows("2"))
    await look(town, times=1)
    town.hub.world.move(300)
    await look(town, times=3)

    assert await numbers(town) == ["1", "2"]
    assert names(inbox) == ["done/a.1.csv", "done/a.csv"]

"""A shelf: a place with files in it, and what may be done there."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from pathlib import PurePosixPath
from typing import IO, Protocol

import msgspec

from hub.contract.errors import Refused

Address = Callable[[str, int], Awaitable[str]]
"""The address at which a host may be spoken to; Refused where it may not, Postponed where it has none."""


class Entry(msgspec.Struct, frozen=True):
    """A file as it is listed: its name, its bytes, when it was last written; its `node` where the place can tell one
    file from another that has its name."""

    name: str
    size: int
    changed: float
    node: str = ""


class Shelf(Protocol):
    """A place with files, and folders beside them. All raise Postponed where the place cannot be reached now, Refused
    where it says no. A folder is "" for the shelf itself."""

    async def entries(self, folder: str = "") -> list[Entry]: ...

    def open(self, name: str, folder: str = "") -> AbstractAsyncContextManager[IO[bytes]]: ...

    async def move(self, name: str, folder: str, out_of: str = "") -> str: ...

    async def put(self, name: str, body: bytes) -> None: ...


def plain_name(name: str) -> str:
    """A name that is a file's in its own folder, and no path; Refused where it is none."""
    if not name or name in (".", "..") or "/" in name or "\\" in name or "\0" in name or len(name) > 200:
        raise Refused(f"{name!r} is no name of a file")
    return name


def another(name: str, turn: int) -> str:
    """The name for the so-many-th of this name."""
    path = PurePosixPath(name)
    return f"{path.stem}.{turn}{path.suffix}" if turn else name

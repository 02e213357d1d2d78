"""A shelf: a place with files in it, and what may be done there."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import IO, Protocol

import msgspec

from hub.contract.errors import Misconfigured, Refused
from hub.contract.files import Folder, Place

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


@dataclass(frozen=True, slots=True)
class Shelves:
    """Finds the shelf of a place."""

    address: Address

    @contextlib.asynccontextmanager
    async def at(self, place: Place) -> AsyncIterator[Shelf]:
        """The shelf, while the block lasts."""
        if isinstance(place, Folder):
            from hub.files.folder import FolderShelf  # noqa: PLC0415  likewise

            yield FolderShelf(place.path)
            return
        try:
            from hub.files.sftp import sftp_shelf  # noqa: PLC0415  asyncssh is an extra
        except ImportError as error:
            raise Misconfigured("SFTP needs `pip install 'orderhub[sftp]'`") from error
        async with sftp_shelf(place, self.address) as shelf:
            yield shelf


def plain_name(name: str) -> str:
    """A name that is a file's in its own folder, and no path; Refused where it is none."""
    if not name or name in (".", "..") or "/" in name or "\\" in name or "\0" in name or len(name) > 200:
        raise Refused(f"{name!r} is no name of a file")
    return name


def another(name: str, turn: int) -> str:
    """The name for the so-many-th of this name."""
    path = PurePosixPath(name)
    return f"{path.stem}.{turn}{path.suffix}" if turn else name

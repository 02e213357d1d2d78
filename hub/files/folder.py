"""A folder of this machine as a shelf."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, TypeVar

from hub.contract.errors import Postponed
from hub.files.shelf import Entry, another, plain_name

T = TypeVar("T")
_MOST = 10_000


@dataclass(frozen=True, slots=True)
class FolderShelf:
    """Files in a folder; links are passed over."""

    path: str

    async def entries(self) -> list[Entry]:
        """The files in it, in no order."""
        return await _there(self._list)

    def _list(self) -> list[Entry]:
        found = []
        with os.scandir(self.path) as entries:
            for one in entries:
                with contextlib.suppress(FileNotFoundError):  # moved away while we look
                    if one.is_file(follow_symlinks=False):
                        about = one.stat(follow_symlinks=False)
                        found.append(Entry(one.name, about.st_size, about.st_mtime))
                if len(found) >= _MOST:
                    break
        return found

    @contextlib.asynccontextmanager
    async def open(self, name: str) -> AsyncIterator[IO[bytes]]:
        """A file to be read."""
        flags = os.O_RDONLY | os.O_NOFOLLOW
        number = await _there(os.open, Path(self.path, plain_name(name)), flags)
        with os.fdopen(number, "rb") as file:
            yield file

    async def move(self, name: str, folder: str) -> str:
        """Put a file into a folder beside it, under another name where its own is taken; the name it got."""
        return await _there(self._move, plain_name(name), folder)

    def _move(self, name: str, folder: str) -> str:
        beside = Path(self.path, folder)
        beside.mkdir(exist_ok=True)
        turn = 0
        while (beside / another(name, turn)).exists():
            turn += 1
        Path(self.path, name).rename(beside / another(name, turn))
        return another(name, turn)

    async def put(self, name: str, body: bytes) -> None:
        """A file of this name, durable, in the place of any other of it."""
        await _there(self._put, plain_name(name), body)

    def _put(self, name: str, body: bytes) -> None:
        part = Path(self.path, f".{name}.part")
        with part.open("wb") as file:
            file.write(body)
            file.flush()
            os.fsync(file.fileno())
        part.replace(Path(self.path, name))
        folder = os.open(self.path, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


async def _there(do: Callable[..., T], *args: Any) -> T:
    try:
        return await asyncio.to_thread(do, *args)
    except OSError as error:
        raise Postponed(f"{error.filename or ''}: {error.strerror or error}") from error

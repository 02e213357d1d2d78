"""A folder of this machine as a shelf."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, TypeVar

from hub.contract.errors import Postponed
from hub.files.shelf import Entry, another, plain_name

T = TypeVar("T")
_MOST = 10_000
_NO_LINKS = frozenset({errno.EPERM, errno.ENOTSUP, errno.ENOSYS, errno.EMLINK})


@dataclass(frozen=True, slots=True)
class FolderShelf:
    """Files in a folder; links are passed over."""

    path: str

    async def entries(self, folder: str = "") -> list[Entry]:
        """The files in it, in no order; none in a folder that there is not."""
        return await _there(self._list, folder)

    def _list(self, folder: str) -> list[Entry]:
        found: list[Entry] = []
        if folder and not Path(self.path, folder).is_dir():
            return found
        with os.scandir(Path(self.path, folder)) as entries:
            for one in entries:
                with contextlib.suppress(FileNotFoundError):  # moved away while we look
                    if one.is_file(follow_symlinks=False):
                        about = one.stat(follow_symlinks=False)
                        node = f"{about.st_dev}:{about.st_ino}"
                        found.append(Entry(one.name, about.st_size, about.st_mtime, node))
                if len(found) >= _MOST:
                    break
        return found

    @contextlib.asynccontextmanager
    async def open(self, name: str, folder: str = "") -> AsyncIterator[IO[bytes]]:
        """A file to be read."""
        flags = os.O_RDONLY | os.O_NOFOLLOW
        number = await _there(os.open, Path(self.path, folder, plain_name(name)), flags)
        with os.fdopen(number, "rb") as file:
            yield file

    async def move(self, name: str, folder: str, out_of: str = "") -> str:
        """Put a file into a folder, under another name where its own is taken, and in the place of no other; the name
        it got."""
        return await _there(self._move, plain_name(name), folder, out_of)

    def _move(self, name: str, folder: str, out_of: str) -> str:
        source, beside = Path(self.path, out_of, name), Path(self.path, folder)
        if folder:
            beside.mkdir(exist_ok=True)
        turn = 0
        while not _moved(source, beside / another(name, turn), private=bool(out_of)):
            turn += 1
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


def _moved(source: Path, target: Path, *, private: bool) -> bool:
    """Whether it is moved; not in the place of another. Out of a folder where nobody else writes (`private`) not even
    of one that comes this moment; elsewhere two names for one file would not do, since the old one may be given anew."""
    if target.exists():
        return False
    if private:
        try:
            os.link(source, target, follow_symlinks=False)
        except FileExistsError:
            return False
        except OSError as error:
            if error.errno not in _NO_LINKS:
                raise
        else:
            source.unlink()
            return True
    source.rename(target)
    return True


async def _there(do: Callable[..., T], *args: Any) -> T:
    try:
        return await asyncio.to_thread(do, *args)
    except OSError as error:
        raise Postponed(f"{error.filename or ''}: {error.strerror or error}") from error

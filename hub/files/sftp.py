"""A folder of an SFTP server as a shelf. Nobody but the holder of the told host key is spoken to."""

from __future__ import annotations

import asyncio
import contextlib
import tempfile
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from stat import S_ISREG
from typing import IO, cast

import asyncssh

from hub.contract.errors import HubError, Misconfigured, Postponed, Refused
from hub.contract.files import Sftp
from hub.files.shelf import Address, Entry, another, plain_name

_CHUNK = 1 << 18
_MOST = 10_000
_WAIT = 20.0
_SPOOL = 1 << 22


@contextlib.asynccontextmanager
async def sftp_shelf(place: Sftp, address: Address) -> AsyncIterator[SftpShelf]:
    """The shelf, with the connection that it needs."""
    with _told(place):
        host = await address(place.host, place.port)
        async with asyncssh.connect(
            host, place.port, username=place.user, config=[], agent_path=None,
            known_hosts=([_public(place.host_key)], [], []), password=place.password or None,
            client_keys=[_private(place.private_key)] if place.private_key else None,
            connect_timeout=_WAIT, login_timeout=_WAIT, keepalive_interval=15,
        ) as line, line.start_sftp_client() as sftp:  # fmt: skip
            yield SftpShelf(sftp, place.path.rstrip("/") or "/")


@dataclass(frozen=True, slots=True)
class SftpShelf:
    """Files in a folder of the server."""

    sftp: asyncssh.SFTPClient
    path: str

    async def entries(self, folder: str = "") -> list[Entry]:
        """The files in it, in no order; none in a folder that there is not."""
        found: list[Entry] = []
        try:
            async for one in self.sftp.scandir(self._in(folder)):
                about = one.attrs
                kind = about.permissions
                if kind is not None and S_ISREG(kind) and len(found) < _MOST:
                    found.append(Entry(str(one.filename), about.size or 0, float(about.mtime or 0)))
        except asyncssh.SFTPNoSuchFile:
            if not folder:
                raise
        return found

    @contextlib.asynccontextmanager
    async def open(self, name: str, folder: str = "") -> AsyncIterator[IO[bytes]]:
        """A file to be read, fetched whole first."""
        with tempfile.SpooledTemporaryFile(_SPOOL) as spool:
            write: Callable[[bytes], int] = spool.write
            async with self.sftp.open(self._at(name, folder), "rb") as far:
                while chunk := cast("bytes", await far.read(_CHUNK)):
                    await asyncio.to_thread(write, chunk)
            spool.seek(0)
            yield spool

    async def move(self, name: str, folder: str, out_of: str = "") -> str:
        """Put a file into a folder, under another name where its own is taken; the name it got."""
        if folder:
            await self.sftp.makedirs(self._in(folder), exist_ok=True)
        source, turn = self._at(name, out_of), 0
        while await self.sftp.exists(f"{self._in(folder)}/{another(name, turn)}"):
            turn += 1
        await self.sftp.rename(source, f"{self._in(folder)}/{another(name, turn)}")
        return another(name, turn)

    async def put(self, name: str, body: bytes) -> None:
        """A file of this name, in the place of any other of it."""
        part = self._at(f".{name}.part")
        async with self.sftp.open(part, "wb") as far:
            await far.write(body)
        try:
            await self.sftp.posix_rename(part, self._at(name))
        except (
            asyncssh.SFTPOpUnsupported
        ):  # a server of the old protocol: what it has of this name goes first
            with contextlib.suppress(asyncssh.SFTPNoSuchFile):
                await self.sftp.remove(self._at(name))
            await self.sftp.rename(part, self._at(name))

    def _in(self, folder: str) -> str:
        return f"{self.path}/{folder}" if folder else self.path

    def _at(self, name: str, folder: str = "") -> str:
        return f"{self._in(folder)}/{plain_name(name)}"


@contextlib.contextmanager
def _told(place: Sftp):  # type: ignore[no-untyped-def]  # noqa: ANN202
    """Their errors as ours: a wrong host key or password is a no, the rest is for later."""
    try:
        yield
    except HubError:
        raise
    except (asyncssh.HostKeyNotVerifiable, asyncssh.PermissionDenied, asyncssh.KeyExchangeFailed) as error:
        raise Refused(f"sftp {place.host}: {error.reason}") from error
    except asyncssh.SFTPError as error:
        raise Postponed(f"sftp {place.host}: {error.reason or type(error).__name__}") from error
    except (asyncssh.Error, OSError, TimeoutError) as error:
        raise Postponed(f"sftp {place.host}: {error or type(error).__name__}") from error


def _public(text: str) -> asyncssh.SSHKey:
    try:
        return asyncssh.import_public_key(text)
    except (asyncssh.KeyImportError, ValueError) as error:
        raise Misconfigured(f"sftp_host_key: not a public key like `ssh-ed25519 AAAA…`: {error}") from error


def _private(text: str) -> asyncssh.SSHKey:
    try:
        return asyncssh.import_private_key(text)
    except (asyncssh.KeyImportError, ValueError) as error:
        raise Misconfigured(f"sftp_private_key: not a private key: {error}") from error

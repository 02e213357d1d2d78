"""Shelves: which shelf a place is, a folder of this machine or one that is spoken to by SFTP."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass

from hub.contract.errors import Misconfigured
from hub.contract.files import Folder, Place
from hub.files.folder import FolderShelf
from hub.files.shelf import Address, Shelf


@dataclass(frozen=True, slots=True)
class Shelves:
    """Finds the shelf of a place."""

    address: Address

    @contextlib.asynccontextmanager
    async def at(self, place: Place) -> AsyncIterator[Shelf]:
        """The shelf, while the block lasts."""
        if isinstance(place, Folder):
            yield FolderShelf(place.path)
            return
        try:
            from hub.files.sftp import sftp_shelf  # noqa: PLC0415  asyncssh is an extra
        except ImportError as error:
            raise Misconfigured("SFTP needs `pip install 'orderhub[sftp]'`") from error
        async with sftp_shelf(place, self.address) as shelf:
            yield shelf

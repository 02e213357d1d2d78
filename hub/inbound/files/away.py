"""Putting a file away: out of its shelf for good, where it still is what was read.

Whoever writes to a shelf may put another file in the place of the one that we have read. So it is set aside first,
where nobody writes, and then compared; another than was read goes back, and is looked at as any other. What a process
that died has left aside goes back too.
"""

from __future__ import annotations

import asyncio
import hashlib
from dataclasses import dataclass, field
from typing import IO

import msgspec

from hub.files.shelf import Entry, Shelf
from hub.store.engine import Engine
from hub.world import World

ASIDE = "taking"
_PATIENCE = 300_000_000
_CHUNK = 1 << 20


async def put_away(shelf: Shelf, entry: Entry, folder: str, digest: str) -> bool:
    """Move what was read, of this entry and with this digest, into a folder; False where it is another by now."""
    name = await shelf.move(entry.name, ASIDE)
    same = await _same(shelf, entry, name, digest)
    await shelf.move(name, folder if same else "", ASIDE)
    return same


async def _same(shelf: Shelf, entry: Entry, name: str, digest: str) -> bool:
    """By what the shelf says of it, where it can tell one file from another; else by all its bytes."""
    there = next((one for one in await shelf.entries(ASIDE) if one.name == name), None)
    if there and there.node and msgspec.structs.replace(there, name=entry.name) == entry:
        return True
    async with shelf.open(name, ASIDE) as file:
        return await asyncio.to_thread(digest_of, file) == digest


def digest_of(file: IO[bytes]) -> str:
    """The hash of all that stands in a file, which is left at its start."""
    found = hashlib.sha256()
    while chunk := file.read(_CHUNK):
        found.update(chunk)
    file.seek(0)
    return found.hexdigest()


@dataclass(slots=True)
class Stranded:
    """Finds what was left aside: at once where this process alone looks at shelves, else when it has lain there for
    longer than another would need."""

    engine: Engine
    world: World
    _since: dict[tuple[str, Entry], int] = field(default_factory=dict)

    async def back(self, connection: str, shelf: Shelf) -> None:
        """Let it lie in the shelf again."""
        now = self.world.now()
        there = {(connection, one) for one in await shelf.entries(ASIDE)}
        known = {key: at for key, at in self._since.items() if key[0] != connection or key in there}
        self._since = known | {key: known.get(key, now) for key in there}
        patience = _PATIENCE if self.engine.shared else 0
        for _, one in sorted(
            (key for key in there if now - self._since[key] >= patience), key=lambda key: key[1].name
        ):
            await shelf.move(one.name, "", ASIDE)

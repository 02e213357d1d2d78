"""A hub that takes a folder's files and ends its own process at a named place: `python -m tests.files.doomed …`."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from typing import Any

from hub.contract.given import read_settings
from hub.directory import seal_settings
from hub.files import folder
from hub.inbound.files import cut, take, watch
from hub.run import Hub, open_hub
from hub.store.engine import Unit
from hub.things import Connection
from hub.world import World
from tests.engines import KEY, Config

PLACES = {
    "a batch is durable and not remembered": (take.Taker, "_remember", "before", 2),
    "a batch is remembered and the next is not cut": (take.Taker, "_remember", "after", 2),
    "all is remembered and the file is not moved": (folder.FolderShelf, "move", "before", 1),
    "the file is set aside and not compared": (folder.FolderShelf, "move", "after", 1),
    "the file is moved and nothing more": (folder.FolderShelf, "move", "after", 2),
}
"""Place → whose verb, before or after it, the so many-th time."""


def lay(place: str) -> None:
    """Lay the trap."""
    kind, verb, side, turns = PLACES[place]
    plain, left = getattr(kind, verb), [turns]

    def step() -> None:
        left[0] -= 1
        if not left[0]:
            os.kill(os.getpid(), signal.SIGKILL)

    async def trapped(self: Any, *given: Any) -> Any:
        if side == "before":
            step()
        found = await plain(self, *given)
        if side == "after":
            step()
        return found

    setattr(kind, verb, trapped)


async def connected(hub: Hub, inbox: str) -> None:
    """The connection that looks into the folder, if it is not there yet."""
    if hub.directory.all(Connection):
        return
    settings = read_settings(hub.registry.channel("csv").settings, {"folder": inbox})
    one = Connection(id=hub.world.new_id("con"), name="desk", channel="csv", key="k",
                     settings=seal_settings(settings, hub.vault, "con"))  # fmt: skip

    async def work(unit: Unit) -> None:
        await hub.directory.put(unit, one, hub.world.now())

    await hub.engine.transact(work)
    await hub.directory.refresh()


async def live(database: str, inbox: str) -> None:
    """Look until the folder is empty."""
    config = Config(database=database, keys=(KEY,))
    async with open_hub(config, World.still(int(sys.argv[4]))) as hub:
        await connected(hub, inbox)
        for _ in range(4):
            hub.world.move(watch.EVERY / 1_000_000)
            await hub.watcher.step()
            await hub.settle()
            hub.world.move(300)  # what another process may have set aside is left to it for so long


if __name__ == "__main__":
    cut.ORDERS = 2
    if sys.argv[3]:
        lay(sys.argv[3])
    asyncio.run(live(sys.argv[1], sys.argv[2]))

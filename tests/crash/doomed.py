"""A hub that ends its own process at a named place, or lives ahead of the clock: `python -m tests.crash.doomed JSON`.

Nothing of the hub is patched: a stage is a value, and one of the things it was given is wrapped.
"""

from __future__ import annotations

import asyncio
import inspect
import json
import os
import signal
import sys
from collections.abc import Callable
from typing import Any

from hub.config import from_environment
from hub.run import Hub
from hub.serve import serve
from hub.world import World

PLACES = {
    "a message is not kept yet": ("intake", "keeper", "keep", "before"),
    "a message is kept and not answered": ("intake", "keeper", "keep", "after"),
    "facts are folded and not committed": ("normalise", "recorder", "record", "after"),
    "an order is committed and not handed over": ("normalise", "hand", "__call__", "before"),
    "an event is about to be sent": ("deliver", "sender", "send", "before"),
    "an event is sent and not settled": ("deliver", "settler", "settle", "before"),
    "an event is settled and the next one waits": ("deliver", "settler", "settle", "after"),
}
"""Place → the stage, what it was given, the verb of that, and whether the process dies before or after it."""


class Trap:
    """Kills this process without a warning, the so many-th time that it is stepped on."""

    def __init__(self, after: int) -> None:
        self._left = after

    def step(self) -> None:
        self._left -= 1
        if self._left <= 0:
            os.kill(os.getpid(), signal.SIGKILL)


class Trapped:
    """Something that a stage was given, with a trap before or after one of its verbs."""

    def __init__(self, inner: Any, verb: str, side: str, trap: Trap) -> None:
        self._inner = inner
        self._verb = verb
        self._before = trap.step if side == "before" else _nothing
        self._after = trap.step if side == "after" else _nothing

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._inner, name)
        return self._around(found) if name == self._verb else found

    def __call__(self, *given: Any) -> Any:
        return self._around(self._inner)(*given)

    def _around(self, verb: Callable[..., Any]) -> Callable[..., Any]:
        def trapped(*given: Any, **named: Any) -> Any:
            self._before()
            result = verb(*given, **named)
            if inspect.isawaitable(result):
                return self._later(result)
            self._after()
            return result

        return trapped

    async def _later(self, result: Any) -> Any:
        found = await result
        self._after()
        return found


def _nothing() -> None:
    """Where there is no trap."""


def set_trap(hub: Hub, place: str, after: int) -> None:
    """Wrap what the place names."""
    stage, given, verb, side = PLACES[place]
    owner = getattr(hub, stage)
    setattr(owner, given, Trapped(getattr(owner, given), verb, side, Trap(after)))


def ahead(seconds: float) -> World:
    """The world outside, so much later."""
    real = World.real()
    return World(lambda: real.now() + int(seconds * 1_000_000), real.new_id, real.sleep, real.chance)


def main() -> None:
    told = json.loads(sys.argv[1])
    config = from_environment(database=told["database"], port=told["port"], allow_private=("127.0.0.1/32",))

    def ready(hub: Hub) -> None:
        if told["trap"]:
            set_trap(hub, told["trap"], told["after"])
        print("listening", flush=True)  # noqa: T201  whoever started it waits for a line

    asyncio.run(serve(config, ready, world=ahead(told["ahead"])))


if __name__ == "__main__":
    main()

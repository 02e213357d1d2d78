"""The cell: pure functions run in child processes with limits, which may blow up in the hub's place.

A child has an end to its memory (RLIMIT_AS), its processor time (RLIMIT_CPU) and its open files; the parent
gives it a time on the wall. One that dies, hangs or answers nonsense is killed and replaced; whoever waited is
told `Blown`, and the next call finds a fresh child. Children start by `spawn`: no lock, thread, socket or secret
of the hub is inherited.
"""

from __future__ import annotations

import asyncio
import contextlib
import multiprocessing
import resource
import signal
from collections.abc import Callable
from dataclasses import dataclass, field
from multiprocessing.connection import Connection as Pipe
from typing import Any, TypeVar

import structlog

from hub.contract.errors import Postponed, Rejected, Unreadable

T = TypeVar("T")
log = structlog.get_logger("orderhub.cell")
_SPAWN = multiprocessing.get_context("spawn")
_TURNS = 500
_START = 60.0


class Blown(Rejected):
    """What was run went past a limit, or took its process with it."""

    status = 422


@dataclass(frozen=True, slots=True)
class Bounds:
    """The limits of a child: bytes of memory, seconds of processor time a call, seconds on the wall a call."""

    memory: int = 1 << 30
    cpu: int = 15
    wall: float = 20.0


@dataclass(slots=True)
class Child:
    """One child process, its end of the pipe, and how often it was used."""

    process: Any
    pipe: Pipe
    turns: int = 0


@dataclass(slots=True)
class Cell:
    """A few children, started when they are first needed; `run` waits for a free one."""

    size: int = 2
    bounds: Bounds = Bounds()
    _free: list[Child] = field(default_factory=list)
    _room: asyncio.Semaphore = field(init=False)
    _living: list[Child] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._room = asyncio.Semaphore(self.size)

    async def run(self, work: Callable[..., T], *args: Any) -> T:
        """What `work` returns, run in a child: a function of a module, values that can be pickled. Raises Blown
        where it goes past a limit, Unreadable where the work said so."""
        async with self._room:
            child = self._free.pop() if self._free else await self._started()
            try:
                done = await asyncio.to_thread(_ask, child, (work, args), self.bounds.wall)
            except BaseException:
                self._end(child)
                raise
            child.turns += 1
            if child.turns >= _TURNS:
                self._end(child)
            else:
                self._free.append(child)
        answer: T = _answer(done)
        return answer

    def close(self) -> None:
        """End all children, those at work too."""
        self._free.clear()
        for child in [*self._living]:
            self._end(child)

    async def _started(self) -> Child:
        """A new child; where nobody waits for it any more, it is kept for the next."""
        starting = asyncio.ensure_future(asyncio.to_thread(self._start))
        try:
            return await asyncio.shield(starting)
        except asyncio.CancelledError:
            starting.add_done_callback(self._spare)
            raise

    def _spare(self, started: asyncio.Future[Child]) -> None:
        if not started.cancelled() and started.exception() is None:
            self._free.append(started.result())

    def _start(self) -> Child:
        ours, theirs = _SPAWN.Pipe()
        process = _SPAWN.Process(target=live, args=(theirs, self.bounds), daemon=True, name="orderhub-cell")
        process.start()
        theirs.close()
        child = Child(process, ours)
        self._living.append(child)
        try:
            _ask(child, (_ready, ()), _START)
        except Blown as error:
            self._end(child)
            raise Postponed("a cell could not be started") from error
        return child

    def _children(self) -> list[Any]:
        return [one.process for one in self._living]

    def _end(self, child: Child) -> None:
        if child in self._living:
            self._living.remove(child)
        child.process.kill()  # its pipe is closed by whoever still waits at it
        child.process.join(5)


def live(pipe: Pipe, bounds: Bounds) -> None:
    """A child's life: take a call, answer it, until the pipe ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's business, which ends its children
    resource.setrlimit(resource.RLIMIT_AS, (bounds.memory, bounds.memory))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
    with contextlib.suppress(EOFError, OSError, KeyboardInterrupt):
        while True:
            work, args = pipe.recv()
            _more_time(bounds.cpu)
            pipe.send(_done(work, args))


def _ready() -> bool:
    return True


def _more_time(seconds: int) -> None:
    used = resource.getrusage(resource.RUSAGE_SELF)
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (int(used.ru_utime + used.ru_stime) + 1 + seconds, hard))


def _done(work: Callable[..., Any], args: tuple[Any, ...]) -> tuple[str, Any]:
    try:
        return "done", work(*args)
    except Unreadable as error:
        return "unreadable", (error.reason, error.place)
    except MemoryError:
        return "blown", "it needs more memory than it may have"
    except RecursionError:
        return "blown", "it is nested too deeply"
    except Exception as error:  # noqa: BLE001  told to the one who asked, who names the letter
        return "broken", f"{type(error).__name__}: {error}"


def _ask(child: Child, call: tuple[Any, ...], wall: float) -> tuple[str, Any]:
    try:
        child.pipe.send(call)
        if not child.pipe.poll(wall):
            raise Blown(f"reading it took more than {wall:g} seconds")
        answer: tuple[str, Any] = child.pipe.recv()
    except (EOFError, OSError) as error:
        raise Blown("reading it went past its limits") from error
    return answer


def _answer(done: tuple[str, Any]) -> Any:
    kind, value = done
    if kind == "done":
        return value
    if kind == "unreadable":
        raise Unreadable(value[0], place=value[1])
    if kind == "blown":
        raise Blown(value)
    log.error("a reader stumbled in its cell", error=value)
    raise Unreadable(f"its reader stumbled over it ({value}): a fault of the hub")

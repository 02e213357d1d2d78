"""The cell: pure functions run in child processes with limits, which may blow up in the hub's place.

A child has an end to its memory (RLIMIT_AS), its processor time (RLIMIT_CPU) and its open files; the parent
gives it a time on the wall. One that dies, hangs or answers nonsense is killed and replaced; whoever waited is
told `Blown`, and the next call finds a fresh child. Children start by `spawn`: no lock, thread, socket or secret
of the hub is inherited. A child is not believed either: see `answers`.
"""

from __future__ import annotations

import asyncio
import contextlib
import multiprocessing
import resource
import signal
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from multiprocessing.connection import Connection as Pipe
from typing import Any, TypeVar

import structlog

from hub.contract.errors import Place, Postponed, Rejected, Unreadable
from hub.inbound.mail import answers
from hub.inbound.mail.answers import Answer

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
    """The limits of a child: bytes of memory, seconds of processor time a call, seconds on the wall a call, bytes of
    an answer."""

    memory: int = 1 << 30
    cpu: int = 15
    wall: float = 20.0
    answer: int = 32 << 20


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
        """What `work` returns, run in a child: a function of a module that says what it returns, given values that
        can be pickled. Raises Blown where it goes past a limit, Unreadable where the work said so."""
        async with self._room:
            child = self._free.pop() if self._free else await self._started()
            try:
                done, found = await asyncio.to_thread(
                    _ask, child, (work, args), self.bounds, self.bounds.wall
                )
            except BaseException:
                self._end(child)
                raise
            child.turns += 1
            if child.turns >= _TURNS:
                self._end(child)
            else:
                self._free.append(child)
        _judge(done)
        told: T = found
        return told

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
            _ask(child, (_ready, ()), self.bounds, _START)
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
            pipe.send_bytes(answers.answer(work, args))


def _ready() -> bool:
    return True


def _more_time(seconds: int) -> None:
    used = resource.getrusage(resource.RUSAGE_SELF)
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (int(used.ru_utime + used.ru_stime) + 1 + seconds, hard))


def _ask(
    child: Child, call: tuple[Callable[..., Any], tuple[Any, ...]], bounds: Bounds, wall: float
) -> tuple[Answer, Any]:
    """A child's answer, with its value where there is one; Blown where it gives none that can be believed."""
    late = threading.Event()
    watch = threading.Timer(wall, _hang_up, (child.pipe, late))
    watch.start()
    try:
        child.pipe.send(call)
        told = answers.understood(child.pipe.recv_bytes(bounds.answer))
        return told, answers.value(told, call[0]) if told.kind == "done" else None
    except (EOFError, OSError) as error:
        reason = f"took more than {wall:g} seconds" if late.is_set() else "went past its limits"
        raise Blown(f"reading it {reason}") from error
    except ValueError as error:
        raise Blown("what its reader answered makes no sense") from error
    finally:
        watch.cancel()
        watch.join()


def _hang_up(pipe: Pipe, late: threading.Event) -> None:
    """Wake whoever waits at a pipe: a child may stop in the middle of its answer, or not listen at all."""
    late.set()
    with contextlib.suppress(OSError), socket.socket(fileno=pipe.fileno()) as line:
        try:
            line.shutdown(socket.SHUT_RDWR)
        finally:
            line.detach()


def _judge(told: Answer) -> None:
    if told.kind == "unreadable":
        raise Unreadable(told.reason, place=Place(file=told.file, field=told.field, value=told.shown))
    if told.kind == "blown":
        raise Blown(told.reason)
    if told.kind == "broken":
        log.error("a reader stumbled in its cell", error=told.reason)
        raise Unreadable(f"its reader stumbled over it ({told.reason}): a fault of the hub")

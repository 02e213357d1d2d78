"""One hub as several processes behind one port; the store is their only link."""

from __future__ import annotations

import contextlib
import multiprocessing
import multiprocessing.connection
import os
import signal
import socket
import threading
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from typing import TYPE_CHECKING

import structlog

from hub.config import Config
from hub.contract.errors import HubError

if TYPE_CHECKING:
    from hub.run import Hub

_SPAWN = multiprocessing.get_context("spawn")
_PATIENCE = 60.0
_CALM = 1.0
_WELL = (0, -signal.SIGTERM)
"""How a process ends that was told to: in order, or, where it was only just starting, by the signal itself."""
log = structlog.get_logger("orderhub")


def run_one(config: Config, listener: socket.socket, ready: Callable[[Hub], None]) -> None:
    """The hub in this process, until it is told to stop."""
    import uvloop

    from hub.serve import serve

    uvloop.run(serve(config, ready, [listener]))


class Fleet:
    """Several processes of one configuration; the first makes the schema and the token, then the others start."""

    def __init__(self, config: Config, listener: socket.socket, count: int) -> None:
        self._config = config
        self._listener = listener
        self._count = count
        self._members: list[SpawnProcess] = []
        self._stopped = False
        self._heard, self._ready = _SPAWN.Pipe(duplex=False)

    def run(self) -> None:
        """Keep them running until SIGTERM or SIGINT; one that ends is started again."""
        for name in (signal.SIGTERM, signal.SIGINT):
            signal.signal(name, lambda *_: self.stop())
        self._members = [self._start()]
        if self._awaits(self._members[0]):
            self._members += [self._start() for _ in range(1, self._count)]
            while not self._stopped:
                self._look_after()
        self._end()

    def stop(self) -> None:
        """Ask all of them to finish what is under way."""
        self._stopped = True
        for member in self._members:
            if member.is_alive():
                member.terminate()

    def _start(self) -> SpawnProcess:
        ready = None if self._members else self._ready
        member = _SPAWN.Process(target=_member, args=(self._config, self._listener, ready), daemon=False)
        member.start()
        return member

    def _awaits(self, member: SpawnProcess) -> bool:
        until = time.monotonic() + _PATIENCE
        while member.is_alive() and not self._stopped and time.monotonic() < until:
            if self._heard.poll(0.1):
                return True
        return False

    def _look_after(self) -> None:
        multiprocessing.connection.wait([member.sentinel for member in self._members], timeout=_CALM)
        for place, member in enumerate(self._members):
            if not member.is_alive() and not self._stopped:
                log.error("a process of the hub ended; another one is started", code=member.exitcode)
                time.sleep(_CALM)
                self._members[place] = self._start()

    def _end(self) -> None:
        failed = not self._stopped
        self.stop()
        for member in self._members:
            member.join(_PATIENCE)
            if member.is_alive():
                member.kill()
        if failed or any(member.exitcode not in _WELL for member in self._members):
            raise SystemExit(1)


def _member(config: Config, listener: socket.socket, started: Connection | None) -> None:
    from hub.cli.failures import give_up
    from hub.cli.greeting import announce
    from hub.cli.logs import to_stderr

    to_stderr()
    threading.Thread(target=_end_with_parent, daemon=True).start()

    def ready(hub: Hub) -> None:
        if started is None:
            return
        announce(config)(hub)
        with contextlib.suppress(BrokenPipeError):
            started.send(True)

    try:
        run_one(config, listener, ready)
    except HubError as error:
        give_up(error)


def _end_with_parent() -> None:
    """A fleet that was killed cannot stop its members, and who takes its place wants the port."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os.kill(os.getpid(), signal.SIGTERM)

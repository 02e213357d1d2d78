"""Who runs in the demo: the far sides as servers of this process, the hub as a process of its own."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, MutableMapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import uvicorn

from hub.contract.errors import Misconfigured

App = Callable[[MutableMapping[str, Any], Any, Any], Awaitable[None]]
HOME = "127.0.0.1"
_PATIENCE = 60.0
_LOOK = 0.05


class _Server(uvicorn.Server):
    """A server that leaves the signals to the demo."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Nothing to capture."""
        yield


@contextlib.asynccontextmanager
async def hosted(app: App) -> AsyncIterator[str]:
    """The address of an ASGI application that is served on a free port of this machine."""
    with socket.socket() as listener:
        listener.bind((HOME, 0))
        listener.listen(128)
        server = _Server(uvicorn.Config(app, lifespan="off", log_level="error", access_log=False))
        running = asyncio.ensure_future(server.serve([listener]))
        try:
            yield f"http://{HOME}:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            await running


class Run(msgspec.Struct):
    """What a hub writes beside its database: where it is, and the token that it has just made."""

    url: str
    token: str = ""


@dataclass(frozen=True, slots=True)
class Running:
    """A hub that runs: its address and token, its folder and its log."""

    url: str
    token: str
    folder: Path
    log: Path
    process: asyncio.subprocess.Process


@contextlib.asynccontextmanager
async def hub_process(folder: Path, port: int = 0) -> AsyncIterator[Running]:
    """A real hub on a new SQLite file in this folder; stopped in order when the block ends."""
    database, log = folder / "demo.db", folder / "hub.log"
    command = [sys.executable, "-m", "hub", "serve", "--database", f"sqlite:{database}", "--host", HOME]
    command += ["--port", str(port), "--allow-private", f"{HOME}/32"]
    with log.open("wb") as out:
        process = await asyncio.create_subprocess_exec(*command, stdout=out, stderr=out, env=_environment())
    try:
        run = await _awaited(process, Path(f"{database}.run"), log)
        yield Running(run.url, run.token, folder, log, process)
    finally:
        await _stop(process)


async def _awaited(process: asyncio.subprocess.Process, file: Path, log: Path) -> Run:
    clock = asyncio.get_running_loop()
    until = clock.time() + _PATIENCE
    while (run := _run(file)) is None:
        if process.returncode is not None or clock.time() > until:
            raise Misconfigured(f"the hub did not start:\n{told(log)}")
        await asyncio.sleep(_LOOK)
    return run


def _run(file: Path) -> Run | None:
    return msgspec.json.decode(file.read_bytes(), type=Run) if file.exists() else None


def told(log: Path) -> str:
    """What a hub has written into its log."""
    return log.read_text(errors="replace").strip()


async def _stop(process: asyncio.subprocess.Process) -> None:
    with contextlib.suppress(ProcessLookupError):
        process.terminate()
    try:
        await asyncio.wait_for(process.wait(), 20)
    except TimeoutError:
        process.kill()
        await process.wait()


def _environment() -> dict[str, str]:
    """Ours, without what may speak of another hub, so that the demo touches none."""
    return {name: value for name, value in os.environ.items() if not name.startswith("ORDERHUB_")}

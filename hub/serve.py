"""Serving: the stages run, the HTTP server stands in front, SIGTERM drains."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import signal
import socket
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from types import FrameType

import structlog
import uvicorn

from hub.config import Config
from hub.http.app import build
from hub.run import Hub, open_hub, reread_mappings
from hub.store.engine import Unavailable
from hub.world import World

log = structlog.get_logger("orderhub")

_SWITCH = 0.0005
_GARBAGE = (50_000, 20, 50)
_BACKSTOP = 15.0
_DRAIN = 10.0
_ERRANDS = 30.0
_PULSE = 30.0
_JOBS = 0.5
_CLOCK = 30.0
_PAUSE = 0.2
_SWEEP = 600.0


async def serve(
    config: Config, ready: Callable[[Hub], None] | None = None, sockets: list[socket.socket] | None = None,
    world: World | None = None,
) -> None:  # fmt: skip
    """Run until SIGTERM or SIGINT, then finish what is under way. `sockets` listen already, else it binds one."""
    tune()
    async with open_hub(config, world) as hub, stages(hub), doors(hub):
        server = Server(uvicorn.Config(
            build(hub), host=config.host, port=config.port, log_level="warning", access_log=False, lifespan="off",
            timeout_graceful_shutdown=5, server_header=False, date_header=False,
        ), hub, ready)  # fmt: skip
        await server.serve(sockets)
        await drain(hub)


def tune() -> None:
    """What a process that serves wants of the interpreter.

    The SQLite writer gives up the GIL at every step and must get it back soon. Orders are short-lived trees
    without cycles: the collector looks at them seldom, and never again at what was there at the start.
    """
    sys.setswitchinterval(_SWITCH)
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_GARBAGE)


class Server(uvicorn.Server):
    """uvicorn that tells when it listens, with the port it got."""

    def __init__(self, config: uvicorn.Config, hub: Hub, ready: Callable[[Hub], None] | None) -> None:
        super().__init__(config)
        self._hub = hub
        self._ready = ready

    async def startup(self, sockets: list[object] | None = None) -> None:  # type: ignore[override]
        """Listen, then tell."""
        await super().startup(sockets)  # type: ignore[arg-type]
        if self._ready and self.servers:
            self._ready(self._hub)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Stop taking requests. uvicorn would raise the signal again when it is done, and end the process
        before the hub has drained; a second Ctrl-C does not wait for requests under way."""
        self.force_exit = self.should_exit and sig == signal.SIGINT
        self.should_exit = True

    @property
    def port(self) -> int:
        """The port it listens on."""
        port: int = self.servers[0].sockets[0].getsockname()[1]
        return port


@contextlib.asynccontextmanager
async def stages(hub: Hub) -> AsyncIterator[list[asyncio.Task[None]]]:
    """The stages of this process's roles, each in a loop of its own, restarted when one breaks."""
    roles = hub.config.roles
    running: list[Awaitable[None]] = [loop("directory", hub, directory_turn), loop("bell", hub, bell_turn)]
    running += [loop("clock", hub, clock_turn)]
    if "inbound" in roles:
        running += [loop("normalise", hub, normalise_turn), loop("sweep", hub, sweep_turn)]
        running += [loop("post", hub, post_turn), loop("collect", hub, collect_turn)]
        running += [loop("files", hub, files_turn), loop("pulse", hub, pulse_turn)]
        running += [loop("errands", hub, errands_turn), loop("retention", hub, retention_turn)]
        running += [loop("refusals", hub, refusals_turn)]
    if "outbound" in roles:
        running += [loop("deliver", hub, lambda one: one.deliver.run()), loop("heads", hub, heads_turn)]
        running += [loop("alerts", hub, alerts_turn), loop("health", hub, health_turn)]
    running += [loop("leases", hub, leases_turn)]
    running += [loop("jobs", hub, jobs_turn), loop("doubts", hub, doubts_turn)]
    tasks = [asyncio.ensure_future(one) for one in running]
    try:
        yield tasks
    finally:
        hub.sweeper.stop()
        hub.watcher.stop()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        with contextlib.suppress(Unavailable):
            await hub.deliver.leave()  # what a stage had told, or was claiming, when it was ended
        await hub.collector.stop()


@contextlib.asynccontextmanager
async def doors(hub: Hub) -> AsyncIterator[None]:
    """The SMTP and LMTP servers, where they are wanted; a process that takes nothing in opens none."""
    config = hub.config
    wanted = [(config.smtp, False), (config.lmtp, True)] if "inbound" in config.roles else []
    async with contextlib.AsyncExitStack() as stack:
        for where, lmtp in wanted:
            if where:
                from hub.inbound.mail.smtp import Door, certificate, listening  # noqa: PLC0415  aiosmtpd is an extra

                door = Door(hub.directory, hub.keeper, hub.vault, hub.metrics, hub.world, lmtp=lmtp)
                trust = certificate(config.smtp_cert, config.smtp_key)
                await stack.enter_async_context(listening(door, where, trust=trust, shared=hub.engine.shared))
        yield


async def loop(name: str, hub: Hub, turn: Callable[[Hub], Awaitable[None]]) -> None:
    """A stage for ever: what breaks it is told, and it goes on."""
    while True:
        try:
            await turn(hub)
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is None or task.cancelling():
                raise
            log.exception("what a stage waited for was cancelled; it goes on", stage=name)
        except Exception:  # a bug or a store that is away: the rows are kept, the stage goes on
            log.exception("a stage stumbled; it goes on in a second", stage=name)
            await asyncio.sleep(1.0)


async def normalise_turn(hub: Hub) -> None:
    """Understand what waits, else wait for news."""
    if not await hub.normalise.step():
        await hub.inbox.wait(1.0)


async def post_turn(hub: Hub) -> None:
    """Judge and read the letters that wait, else wait for news."""
    if not await hub.post.step():
        await hub.post.inbox.wait(1.0)


async def collect_turn(hub: Hub) -> None:
    """Watch the mailboxes that are to be read by IMAP."""
    hub.collector.begin()
    await asyncio.sleep(1.0)


async def sweep_turn(hub: Hub) -> None:
    """Begin the sweeps that are due; look into the store for messages that memory lost."""
    await hub.sweeper.begin()
    hub.inbox.spilled = True
    await asyncio.sleep(1.0)


async def files_turn(hub: Hub) -> None:
    """Begin the looks at shelves that are due."""
    hub.watcher.begin()
    await asyncio.sleep(1.0)


async def pulse_turn(hub: Hub) -> None:
    """Count what is pushed, and hear who is silent."""
    await asyncio.sleep(0 if await hub.sweeper.listen() else _PULSE)


async def errands_turn(hub: Hub) -> None:
    """Do what messages asked for beyond facts, else wait for news."""
    if not await hub.errands.step():
        await hub.errands.wait(_ERRANDS)


async def jobs_turn(hub: Hub) -> None:
    """Go on with jobs, else wait until one may."""
    if not await hub.jobs.step():
        await hub.jobs.wait(_JOBS)


async def retention_turn(hub: Hub) -> None:
    """Make room, a small batch at a time while there is something to drop."""
    await asyncio.sleep(_PAUSE if await hub.retention.step() else _SWEEP)


async def heads_turn(hub: Hub) -> None:
    """Free orders whose head has blocked for too long, and any that wait for nothing."""
    await asyncio.sleep(1.0 if await hub.deliver.unblock() else _BACKSTOP)


async def health_turn(hub: Hub) -> None:
    """Tell of endpoints that do nothing but fail, and of those that are well again."""
    await hub.health.step()
    await asyncio.sleep(_BACKSTOP)


async def doubts_turn(hub: Hub) -> None:
    """Tell of filters that could not judge what happened."""
    await hub.doubts.step()
    await asyncio.sleep(_BACKSTOP)


async def refusals_turn(hub: Hub) -> None:
    """Tell of connections that believe nothing that is pushed to them."""
    await hub.refusals.step()
    await asyncio.sleep(_BACKSTOP)


async def leases_turn(hub: Hub) -> None:
    """Renew what is under way, well before anyone else may take it."""
    await hub.deliver.renew()
    await hub.jobs.renew()
    await hub.voice.renew()
    await hub.post.renew()
    await asyncio.sleep(_BACKSTOP)


async def alerts_turn(hub: Hub) -> None:
    """Tell what opened and closed, and whom it concerns; when the store is away, say so from memory."""
    rung = hub.engine.bell.count("exceptions")
    try:
        while await hub.watch.step():
            continue
        if not hub.deliver.held:
            await hub.voice.step()
        hub.voice.well()
    except Unavailable as error:
        if not hub.deliver.held:
            await hub.voice.storeless(error)
    await hub.engine.bell.after("exceptions", rung, 1.0)


async def directory_turn(hub: Hub) -> None:
    """See what other processes changed."""
    rung = hub.engine.bell.count("things")
    await hub.directory.refresh()
    await reread_mappings(hub)
    await hub.engine.bell.after("things", rung, 1.0)


async def bell_turn(hub: Hub) -> None:
    """Hear what other processes have committed, until the connection breaks; then on a new one."""
    await hub.engine.listen()


async def clock_turn(hub: Hub) -> None:
    """Keep to the store's clock."""
    await hub.skew.measure(hub.engine.moment)
    await asyncio.sleep(_CLOCK)


async def drain(hub: Hub) -> None:
    """Understand what was accepted, let attempts under way end."""
    while await hub.normalise.step():
        continue
    await hub.doubts.step()
    await hub.deliver.drain(_DRAIN)

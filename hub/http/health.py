"""Whether the hub lives, whether it is ready, what it counts."""

from __future__ import annotations

import contextlib

import msgspec
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

import hub as product
from hub.http.ask import Answer, Ask
from hub.http.problems import Problem
from hub.http.table import Op
from hub.store.engine import Unavailable


class Health(msgspec.Struct):
    """The process answers."""

    status: str
    version: str


class Ready(msgspec.Struct):
    """The store answers, and everything is wired; `inbox` messages wait to be understood."""

    status: str
    store: str
    roles: list[str]
    inbox: int


async def alive(ask: Ask) -> Health:
    """The process runs: asks nothing else."""
    return Health("ok", product.__version__)


async def ready(ask: Ask) -> Ready:
    """The store can be read, this process can work."""
    try:
        await ask.hub.engine.fetch("things_revision")
    except Unavailable as error:
        raise Problem(
            503, "unavailable", f"the store does not answer: {error}", headers={"retry-after": "5"}
        ) from error
    return Ready("ready", ask.hub.engine.dialect, sorted(ask.hub.config.roles), len(ask.hub.inbox))


async def metrics(ask: Ask) -> Answer:
    """What is counted, for Prometheus."""
    hub = ask.hub
    hub.metrics.inbox.set(len(hub.inbox))
    hub.metrics.ready.set(sum(len(lane.ready) for lane in hub.deliver.lanes.values()))
    with contextlib.suppress(Unavailable):  # what memory knows is told though the store is away
        await hub.gauges.read()
    return Answer(value=generate_latest(hub.metrics.registry), media=CONTENT_TYPE_LATEST)


OPS = (
    Op(method="GET", path="/healthz", summary="Liveness", handle=alive, scope=None, gives=Health),
    Op(method="GET", path="/readyz", summary="Readiness", handle=ready, scope=None, gives=Ready),
    Op(
        method="GET",
        path="/metrics",
        summary="Prometheus metrics",
        handle=metrics,
        scope=None,
        media="text/plain",
    ),
)

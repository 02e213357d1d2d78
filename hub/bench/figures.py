"""The figures, each measured alone: mapping, intake, normalising, the whole path, memory."""

from __future__ import annotations

import asyncio
import contextlib
import resource
import time
from collections.abc import AsyncIterator, Sequence
from typing import Any

import msgspec
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from hub.bench.child import Child, run_in_child
from hub.bench.sink import Sink, start_sink
from hub.bench.workload import CHANNEL, Workload, workload
from hub.config import Config
from hub.directory import Connection, Endpoint, seal_settings
from hub.outbound.signing import new_secret
from hub.registry import load_registry
from hub.run import Hub, open_hub
from hub.serve import stages, tune
from hub.store.engine import Unit


class Figure(msgspec.Struct):
    """One line of the table."""

    name: str
    value: float
    unit: str
    goal: str = ""
    ratio: float | None = None
    of: str = ""


def mapping_figures(seconds: float = 1.0) -> list[Figure]:
    """Decode and map a 10-line order, against decoding the same bytes with a general parser."""
    load = workload(load_registry(), lines=10)
    message = load.signed(1)
    registry, name = load.registry, _mapping_name(load)
    compiled = registry.mapping(name)
    ours = _each(lambda: compiled.facts(message), seconds)
    parser = _parser()
    theirs = _each(lambda: parser(message.body), seconds)
    whole = f"{len(message.body)} bytes"
    return [
        Figure(f"parse a 10-line order ({parser.__module__}, {whole})", theirs * 1e6, "µs"),
        Figure("decode and map it", ours * 1e6, "µs", "≤ 3 × parse", ours / theirs, "parse"),
    ]


def _mapping_name(load: Workload) -> str:
    """The first mapping of the channel that aims at an order."""
    names = sorted(name for name in load.registry.texts if name.startswith(f"{CHANNEL}.order"))
    return names[0]


def _parser() -> Any:
    try:
        import orjson  # noqa: PLC0415  only where it is installed
    except ImportError:
        return msgspec.json.decode
    return orjson.loads


def _each(work: Any, seconds: float) -> float:
    """Seconds for one, the best of five rounds."""
    best = float("inf")
    for _ in range(5):
        rounds, begun = 0, time.perf_counter()
        while time.perf_counter() - begun < seconds / 5:
            work()
            rounds += 1
        best = min(best, (time.perf_counter() - begun) / rounds)
    return best


@contextlib.asynccontextmanager
async def hub_for(
    database: str, keys: tuple[bytes, ...], sink: int | None, registry: Any = None,
    endpoints: Sequence[Endpoint] | None = None,
) -> AsyncIterator[Hub]:  # fmt: skip
    """A hub with one connection of the bench's channel, and these endpoints, or one that wants `order.created`."""
    tune()
    config = Config(database=database, keys=keys, allow_private=("127.0.0.1/32",))
    async with open_hub(config, registry=registry) as hub:
        load = workload(hub.registry)

        async def make(unit: Unit) -> None:
            now = hub.world.now()
            connection = Connection(
                id=hub.world.new_id("con"),
                name="bench",
                channel=CHANNEL,
                key="bench",
                account="bench.example",
                sweep=False,
            )
            connection.settings = seal_settings(load.settings, hub.vault, connection.id)
            await hub.directory.put(unit, connection, now)
            for endpoint in [wanting(sink)] if endpoints is None and sink is not None else endpoints or ():
                endpoint.id = hub.world.new_id("end")
                endpoint.secrets = [{"sealed": hub.vault.seal(new_secret(), endpoint.id)}]
                await hub.directory.put(unit, endpoint, now)

        if hub.directory.get(Connection, "bench") is None:
            await hub.engine.transact(make)
            await hub.directory.refresh()
        yield hub


def wanting(port: int, name: str = "sink", fields: Sequence[str] = ()) -> Endpoint:
    """An endpoint on this machine that wants `order.created`, whole or these fields of it."""
    return Endpoint(id="", name=name, url=f"http://127.0.0.1:{port}/{name}", concurrency=32, events=["order.created"],
                    include_test=True, fields=list(fields))  # fmt: skip


@contextlib.asynccontextmanager
async def listening(app: Any) -> AsyncIterator[int]:
    """The app behind uvicorn on a free port."""
    config = uvicorn.Config(app, port=0, log_level="warning", access_log=False, lifespan="off", server_header=False,
                            date_header=False)  # fmt: skip
    server = uvicorn.Server(config)
    task = asyncio.ensure_future(server.serve())
    while not server.started:  # noqa: ASYNC110  uvicorn tells it by this flag alone
        await asyncio.sleep(0.01)
    try:
        yield server.servers[0].sockets[0].getsockname()[1]
    finally:
        server.should_exit = True
        await task


async def intake_figures(database: str, keys: tuple[bytes, ...], seconds: float) -> list[Figure]:
    """Signed orders made durable, stages at rest, against a bare Starlette that reads the same bodies."""

    async def echo(request: Request) -> PlainTextResponse:
        return PlainTextResponse(str(len(await request.body())), 202)

    async with listening(Starlette(routes=[Route("/in/bench", echo, methods=["POST"])])) as port:
        bare = await _rate(port, seconds)
    async with hub_for(database, keys, None) as hub, listening(hub.intake) as port:
        hub.inbox.most = 0
        ours = await _rate(port, seconds)
    return [
        Figure("bare Starlette, the same bodies", bare, "/s"),
        Figure("intake: signed order, durable", ours, "/s", "≥ 0.3 × Starlette", ours / bare, "Starlette"),
    ]


async def _rate(port: int, seconds: float) -> float:
    done, took, _ = await run_in_child(Child("closed", port, seconds=seconds, connections=64))
    return float(done / took)


async def normalise_figures(database: str, keys: tuple[bytes, ...], count_: int) -> list[Figure]:
    """Messages at hand turned into orders, facts, events and deliveries, committed; nothing goes out."""
    async with hub_for(database, keys, 9) as hub, listening(hub.intake) as port:
        await run_in_child(Child("count", port, count=count_, connections=64))
        begun = time.perf_counter()
        done = 0
        while step := await hub.normalise.step():
            done += step
        took = time.perf_counter() - begun
        size = (await hub.engine.fetch("bench_events"))[0][0]
    return [Figure("normalise: map, fold, order + event + delivery committed", done / took, "/s", "≥ 4,000/s"),
            Figure("events per order", size / max(done, 1), "")]  # fmt: skip


async def path_figures(database: str, keys: tuple[bytes, ...], seconds: float) -> list[Figure]:
    """Orders in, signed webhooks received and settled: at saturation, and in an open loop."""
    sink = start_sink()
    out: list[Figure] = []
    try:
        async with hub_for(database, keys, sink.port) as hub, stages(hub), listening(hub.intake) as port:
            await run_in_child(Child("count", port, count=500, connections=16))
            await drained(hub, sink, 500)
            for rate in (200, 1000):
                out += await _opened(port, sink, hub, rate, seconds)
            cpu = time.process_time()
            done, _, begun = await run_in_child(Child("closed", port, seconds=seconds, connections=64))
            await drained(hub, sink, done)
            seen = sink.take()
            took = max(moment for moment, _ in seen) - begun
            cpu = time.process_time() - cpu
            out.append(Figure("whole path, sustained", len(seen) / took, "/s", "≥ 2,000/s"))
            out.append(Figure("CPU per 1,000 orders", cpu / len(seen) * 1000, "s"))
            out.append(
                Figure(
                    "RSS at most", resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, "MB", "< 150 MB"
                )
            )
    finally:
        sink.close()
    return out


async def _opened(port: int, sink: Sink, hub: Hub, rate: int, seconds: float) -> list[Figure]:
    sink.take()
    answers = await run_in_child(Child("open", port, seconds=seconds, rate=rate))
    await drained(hub, sink, len(answers))
    taken = sorted(seconds for _, seconds in sink.take())
    goal = {200: "p95 < 10 ms", 1000: "p95 < 25 ms"}[rate]
    return [
        Figure(f"accept, {rate}/s: p95", at(sorted(answers), 0.95) * 1000, "ms"),
        Figure(f"sent to received, {rate}/s: p50", at(taken, 0.5) * 1000, "ms"),
        Figure(f"sent to received, {rate}/s: p95", at(taken, 0.95) * 1000, "ms", goal),
        Figure(f"sent to received, {rate}/s: p99", at(taken, 0.99) * 1000, "ms"),
    ]


def at(values: list[float], share: float) -> float:
    """The value below which this share of sorted values lies."""
    return values[min(len(values) - 1, int(len(values) * share))] if values else float("nan")


async def drained(hub: Hub, sink: Sink, wanted: int) -> None:
    """Until the sink saw them all and nothing waits."""
    for _ in range(600):
        if sink.count() >= wanted and not len(hub.inbox):
            return
        await asyncio.sleep(0.1)

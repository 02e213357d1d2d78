"""Deliveries under many conditions: endpoints, bodies, slow receivers, rates; and beside an endpoint that is dead.

Each condition has a store, a hub and a receiver of its own. The loop is open: orders are sent at their rate,
whatever the answers do, and every latency counts from the moment when the order was due to be sent.
"""

from __future__ import annotations

import resource
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec

from hub.bench.child import Child, run_in_child
from hub.bench.figures import at, drained, hub_for, listening, wanting
from hub.bench.sink import Sink, start_sink
from hub.directory import Endpoint
from hub.run import Hub
from hub.serve import stages
from hub.store.engine import Unit

SMALL, LARGE = 500, 7000
WAITING = 100_000
_DEAD_PORT = 9
_BATCH = 2000
_SETTLED = 1.5


class Condition(msgspec.Struct, frozen=True, kw_only=True):
    """How many endpoints, bodies of about how many bytes, a receiver that answers after so many seconds, orders a
    second; `dead` deliveries wait for an endpoint besides, at whose address nobody is."""

    endpoints: int = 1
    size: int = LARGE
    delay: float = 0.0
    rate: float = 200.0
    dead: int = 0


class Measured(msgspec.Struct, kw_only=True):
    """What came of a condition: milliseconds of p50, p95 and p99 until it was accepted and until it was received,
    deliveries a second, seconds of CPU per 1,000 deliveries, megabytes of memory, bytes of a body."""

    condition: Condition
    accepted: tuple[float, float, float]
    received: tuple[float, float, float]
    per_second: float
    cpu: float
    rss: float
    body: int


def conditions() -> Iterator[Condition]:
    """What is measured: every rate with both bodies and both receivers, then several endpoints."""
    for delay in (0.0, 0.05):
        for size in (SMALL, LARGE):
            for rate in (50.0, 200.0, 500.0, 1000.0):
                yield Condition(size=size, delay=delay, rate=rate)
    for rate in (50.0, 200.0):
        yield Condition(endpoints=3, rate=rate)
    for rate in (1.0, 5.0):
        yield Condition(endpoints=100, rate=rate)


def beside_the_dead() -> tuple[Condition, Condition]:
    """The same load without and with a hundred thousand deliveries that wait for an endpoint which is gone."""
    return Condition(rate=200.0), Condition(rate=200.0, dead=WAITING)


async def measure(store: str, keys: tuple[bytes, ...], condition: Condition, seconds: float) -> Measured:
    """One condition, measured for so many seconds."""
    sink = start_sink(condition.delay)
    try:
        fields = ("number", "customer_note") if condition.size == SMALL else ()
        wanted = [wanting(sink.port, f"sink-{n}", fields) for n in range(condition.endpoints)]
        gone = [wanting(_DEAD_PORT, "gone")] if condition.dead else []
        async with hub_for(store, keys, None, endpoints=[*wanted, *gone]) as hub:
            await _bury(hub, condition.dead)
            async with stages(hub), listening(hub.intake) as port:
                await _warm(hub, sink, port, condition)
                return await _measured(hub, sink, port, condition, seconds)
    finally:
        sink.close()


async def _warm(hub: Hub, sink: Sink, port: int, condition: Condition) -> None:
    """The connections are open and the dead endpoint's circuit knows."""
    await run_in_child(
        Child("open", port, seconds=_SETTLED, rate=min(condition.rate, 50.0), size=_padded(condition))
    )
    await drained(hub, sink, int(_SETTLED * min(condition.rate, 50.0)) * condition.endpoints)
    sink.take()


async def _measured(hub: Hub, sink: Sink, port: int, condition: Condition, seconds: float) -> Measured:
    cpu, begun = time.process_time(), time.time()
    child = Child("open", port, seconds=seconds, rate=condition.rate, size=_padded(condition))
    answers = await run_in_child(child)
    await drained(hub, sink, len(answers) * condition.endpoints)
    cpu = time.process_time() - cpu
    seen = sink.take()
    first = min((moment - took for moment, took in seen), default=begun)
    last = max((moment for moment, _ in seen), default=begun)
    return Measured(
        condition=condition,
        accepted=_three(sorted(answers)),
        received=_three(sorted(took for _, took in seen)),
        per_second=len(seen) / max(last - first, 0.001),
        cpu=cpu / max(len(seen), 1) * 1000,
        rss=_memory(),
        body=sink.size(),
    )


def _memory() -> float:
    """Megabytes of this process now; where the system does not tell, the most it ever had."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return pages * resource.getpagesize() / (1 << 20)


def _padded(condition: Condition) -> int:
    """The bytes of an incoming order whose webhook has about the condition's."""
    return LARGE + 900 if condition.size == LARGE else 2000


def _three(values: list[float]) -> tuple[float, float, float]:
    p50, p95, p99 = (at(values, share) * 1000 for share in (0.5, 0.95, 0.99))
    return p50, p95, p99


async def _bury(hub: Hub, count: int) -> None:
    """So many deliveries of as many orders that are due at the endpoint which is gone."""
    gone = hub.directory.get(Endpoint, "gone")
    for begun in range(0, count if gone else 0, _BATCH):
        numbers = range(begun, min(begun + _BATCH, count))
        await hub.engine.transact(_batch(hub, gone.id if gone else "", numbers))


def _batch(hub: Hub, target: str, numbers: range) -> Callable[[Unit], Any]:
    now = hub.world.now()

    async def work(unit: Unit) -> None:
        first = await unit.positions(2 * len(numbers))
        events, deliveries = [], []
        for n, number in enumerate(numbers):
            id_, order = f"evt_dead_{number}", f"ord_dead_{number}"
            events.append((first + n, id_, "main", order, 1, "order.created", 0, 0, now, b'{"data":{}}', 0))
            place = first + len(numbers) + n
            deliveries.append((place, "main", target, id_, order, "due", 0, now, "", "first", "full", "", 0))
        unit.add("events_add", events)
        unit.add("deliveries_add", deliveries)

    return work

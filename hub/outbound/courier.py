"""The courier: takes one delivery to who is to get it, and judges what came of it.

To an endpoint by post, to a connection by a write of its channel, to a person by a notice. A fault that nobody
foresaw counts like any other failure; only a store that is away is nobody's verdict.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from hub.directory import Connection, Directory, Endpoint
from hub.outbound.entries import stumbled
from hub.outbound.postman import Postman
from hub.outbound.sender import Answer
from hub.outbound.settle import Tried
from hub.outbound.spans import Spans
from hub.outbound.verdict import judge
from hub.store.engine import Unavailable
from hub.store.rows import PLAIN, Due
from hub.world import World

_WRITES = (0, 5, 30, 300, 1800, 7200, 18_000, 36_000)

Writer = Callable[[Due, Connection, str], Awaitable[tuple[Answer, bytes]]]
"""Runs a write's conversation: what a receiver would have answered, and its log."""
Speaker = Callable[[Due], Awaitable[tuple[Answer, bytes]]]
"""Says a notice to a person, and tells the same."""


@dataclass(slots=True)
class Courier:
    """Makes attempts, each in a span of the trace that its message began where there are `traces`."""

    directory: Directory
    postman: Postman
    write: Writer
    say: Speaker
    world: World
    traces: Spans | None = None

    async def take(self, one: Due, *, circuit_open: bool) -> Tried:
        """One attempt, from signing to its verdict; raises Unavailable."""
        traces = self.traces
        if traces is None:
            return await self._take(one, circuit_open)
        with traces.span(one, await traces.parent(one)):
            return await self._take(one, circuit_open)

    async def _take(self, one: Due, circuit_open: bool) -> Tried:
        at = self.world.now()
        endpoint = self.directory.by_id(Endpoint, one.target)
        if endpoint is None and "/" not in one.target:  # another process may just have made it
            await self.directory.refresh()
            endpoint = self.directory.by_id(Endpoint, one.target)
        try:
            answer, entry = await (self.postman.post(endpoint, one, at) if endpoint else self._write(one))
        except Unavailable:
            raise
        except Exception as error:  # noqa: BLE001  told, and tried again by its schedule
            answer, entry = stumbled(one, error, posted=endpoint is not None)
        schedule, name = (endpoint.schedule, endpoint.name) if endpoint else (_WRITES, one.target)
        verdict = judge(
            answer.status, answer.error, answer.retry_after, attempts=one.attempts, schedule=schedule,
            circuit_open=circuit_open, now=self.world.now(), chance=self.world.chance(), accepted=answer.accepted,
        )  # fmt: skip
        return Tried(one, verdict, at, entry, name)

    async def _write(self, one: Due) -> tuple[Answer, bytes]:
        connection, _, name = one.target.partition("/")
        if name == "notice":
            return await self.say(one)
        found = self.directory.by_id(Connection, connection)
        if found is None:
            what = "connection" if name else "endpoint"
            return Answer(status=410), PLAIN.encode({"error": f"the {what} is gone"})
        return await self.write(one, found, name)

"""A store that goes away and comes back: nothing that was accepted is lost, and nobody has to start anything again."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import resource
import signal
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

import httpx
import pytest
import standardwebhooks

from tests.conformance.webhooks.conftest import House, Stage, until
from tests.conformance.webhooks.far import Receiver, receiver
from tests.engines import fresh_database, in_memory, own_server

ORDERS = 90
SECRET = "whsec_" + base64.b64encode(bytes(range(24))).decode()


class Store(Protocol):
    """What a hub writes to."""

    def leave(self) -> None:
        """Nothing can be written any more."""

    def come(self) -> None:
        """It can, as before."""


@dataclass
class Server:
    """PostgreSQL, of the test's own: killed, and started again on what it had on disk."""

    server: Any

    def leave(self) -> None:
        info = self.server.get_postmaster_info()
        os.kill(info.pid, signal.SIGQUIT)  # `pg_ctl stop -m immediate`
        info.process.wait(30)

    def come(self) -> None:
        self.server.ensure_postgres_running()


@dataclass
class Disk:
    """The disk of a hub over SQLite, which is full for a while: no file can take another byte, the log neither."""

    house: House
    before: tuple[int, int] = (0, 0)

    @property
    def pid(self) -> int:
        assert self.house.process is not None
        assert self.house.process.running is not None
        return self.house.process.running.pid

    def leave(self) -> None:
        self.before = resource.prlimit(self.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(self.pid, resource.RLIMIT_FSIZE, (0, self.before[1]))

    def come(self) -> None:
        resource.prlimit(self.pid, resource.RLIMIT_FSIZE, self.before)


@pytest.fixture
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A store that may be taken away: nobody else's."""
    if request.param == "sqlite":
        yield f"sqlite:{tmp_path}/hub.db"
        return
    request.node.server = server = own_server(tempfile.mkdtemp(prefix="orderhub-away-", dir=in_memory()))
    try:
        with fresh_database(server.get_uri()) as url:
            yield url
    finally:
        server.cleanup()


@dataclass
class Sender:
    """A shop that says each order until it is accepted, as platforms do."""

    http: httpx.AsyncClient
    path: str
    tag: str
    waiting: list[int] = field(default_factory=lambda: list(range(ORDERS)))
    answers: list[tuple[int, int]] = field(default_factory=list)

    @property
    def accepted(self) -> int:
        return len({number for number, status in self.answers if 200 <= status < 300})

    async def talk(self) -> None:
        """Until all of it is accepted, some at a time."""
        await asyncio.gather(*(self._line() for _ in range(4)))

    async def _line(self) -> None:
        while self.waiting:
            number = self.waiting.pop(0)
            status = await self.say(number)
            self.answers.append((number, status))
            if not 200 <= status < 300:
                self.waiting.append(number)
            await asyncio.sleep(0.05)

    async def say(self, number: int) -> int:
        """One push, signed; the status of its answer."""
        doc = {
            "ref": f"{self.tag}-{number}",
            "number": str(number),
            "customer_note": self.tag,
            "currency": "EUR",
        }
        body = json.dumps({"type": "orders", "data": doc})
        now = datetime.now(UTC)
        name = f"msg_{self.tag}_{number}"
        headers = {
            "webhook-id": name, "webhook-timestamp": str(int(now.timestamp())), "content-type": "application/json",
            "webhook-signature": standardwebhooks.Webhook(SECRET).sign(name, now, body),
        }  # fmt: skip
        return (await self.http.post(self.path, content=body, headers=headers)).status_code


@asynccontextmanager
async def shop(house: House) -> AsyncIterator[Sender]:
    """A connection of the hub's, and who pushes to it."""
    wish = {
        "name": house.tag,
        "channel": "generic",
        "settings": {"webhook_secret": SECRET, "topic": "body:type"},
    }
    made = await house.ask("POST", "/v1/connections", wish)
    yield Sender(house.http, httpx.URL(made["intake_url"]).path, house.tag)


def refs(far: Receiver) -> dict[str, set[str]]:
    """The ids that it was told each order under."""
    found: dict[str, set[str]] = {}
    for hook in far.taken:
        found.setdefault(hook.event["data"]["ref"], set()).add(hook.id)
    return found


@pytest.mark.parametrize("database", ["sqlite", "postgres"], indirect=True)
async def test_a_store_that_goes_away_and_comes_back_loses_nothing_and_needs_no_restart(
    stage: Stage, request: pytest.FixtureRequest
) -> None:
    house = await stage.hub()
    store: Store = Disk(house) if stage.database.startswith("sqlite:") else Server(request.node.server)
    async with receiver(delay=0.05) as far, shop(house) as sender:
        endpoint = await house.endpoint(far.url, events=["order.created"], schedule=[0] + [1] * 20)
        talking = asyncio.ensure_future(sender.talk())
        await until(lambda: len(far.taken) >= 15, "the flow to begin")
        await asyncio.to_thread(store.leave)
        begun, refused = len(sender.answers), sender.accepted
        # Of what was asked before, four answers may still be on their way.
        await until(lambda: len(sender.answers) >= begun + 16, "answers without a store")
        meanwhile = [status for _, status in sender.answers[begun + 4 :]]
        assert set(meanwhile) == {503}, "never 200-and-drop"
        assert sender.accepted <= refused + 4
        api = await house.say("POST", "/v1/orders", {"ref": "no", "number": "no", "channel": "phone"})
        assert api.status_code == 503, api.text
        assert (await house.say("GET", "/healthz")).status_code == 200

        await asyncio.to_thread(store.come)
        await asyncio.wait_for(talking, 60)
        await until(lambda: len(refs(far)) == ORDERS, "every order that was accepted")

        async def settled() -> bool:
            return await house.statuses(endpoint) == ["delivered"] * ORDERS

        await until(settled, "all of it to be settled")
        assert {len(ids) for ids in refs(far).values()} == {1}, "no order was told under two ids"
        assert set().union(*refs(far).values()) == {one["event"] for one in await house.deliveries(endpoint)}
        assert (await house.say("GET", "/readyz")).status_code == 200
        assert house.process is not None
        assert house.process.running is not None
        assert house.process.running.poll() is None, "the process that went through it is the one that began"

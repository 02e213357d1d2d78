"""A hub as a partner's engineer sees it: an address and a token; and, where the suite may, its process."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import secrets
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.crash.process import free_port
from tests.engines import fresh_database

ROOT = Path(__file__).resolve().parents[3]
PATIENCE = 45.0
TOKEN = "oh_a_token_of_the_conformance_suite"


@dataclass
class Process:
    """The hub's process, where the suite may end it."""

    command: list[str]
    environment: dict[str, str]
    log: Path
    ready: str
    running: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Until it answers."""
        with self.log.open("ab") as log:
            self.running = subprocess.Popen(
                self.command, cwd=ROOT, env=self.environment, stdout=log, stderr=log, stdin=subprocess.DEVNULL
            )
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            try:
                if httpx.get(f"{self.ready}/readyz", timeout=2).status_code == 200:
                    return
            except httpx.HTTPError:
                pass
            if self.running.poll() is not None:
                break
            time.sleep(0.05)
        raise AssertionError(f"the hub did not start:\n{self.log.read_text(errors='replace')[-4000:]}")

    def kill(self) -> None:
        """Without a warning."""
        assert self.running is not None
        os.kill(self.running.pid, signal.SIGKILL)
        self.running.wait(PATIENCE)

    def stop(self) -> int:
        """As a supervisor does."""
        assert self.running is not None
        self.running.terminate()
        return self.running.wait(PATIENCE)


@dataclass
class House:
    """The hub that is asked, and what a test made there. `tag` marks a test's own orders."""

    http: httpx.AsyncClient
    tag: str
    process: Process | None
    made: list[str] = field(default_factory=list)
    count: int = 0

    async def say(self, method: str, path: str, body: Any = None, **headers: str) -> httpx.Response:
        """One request."""
        return await self.http.request(method, path, json=body, headers=headers or None)

    async def ask(self, method: str, path: str, body: Any = None) -> Any:
        """One request that has to succeed."""
        answer = await self.say(method, path, body)
        assert answer.is_success, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json() if answer.content else None

    async def endpoint(self, url: str, **more: Any) -> dict[str, Any]:
        """An endpoint that hears of the test's orders only, and is tried again at once."""
        wish = {"url": url, "name": f"{self.tag}-{len(self.made)}", "events": ["order.created", "order.updated"],
                "filter": f"data.customer_note == '{self.tag}'", "schedule": [0, 1, 1, 1, 1], **more}  # fmt: skip
        made: dict[str, Any] = await self.ask("POST", "/v1/endpoints", wish)
        self.made.append(made["id"])
        return made

    async def order(self, ref: str = "", **more: Any) -> str:
        """An order's next version; its id."""
        self.count += 1
        doc = {"ref": f"{self.tag}-{ref or self.count}", "number": ref or str(self.count), "customer_note": self.tag,
               "channel": "phone", "currency": "EUR", "tags": [str(self.count)], **more}  # fmt: skip
        told = await self.ask("POST", "/v1/orders", doc)
        order: str = told["data"][0]["order"]
        return order

    async def orders(self, count: int) -> None:
        """So many orders, by the hundreds."""
        for begun in range(0, count, 500):
            rows = [
                {"ref": f"{self.tag}-m{n}", "number": str(n), "customer_note": self.tag, "channel": "phone"}
                for n in range(begun, min(begun + 500, count))
            ]
            await self.ask("POST", "/v1/orders", rows)

    async def deliveries(self, endpoint: dict[str, Any], **filters: str) -> list[dict[str, Any]]:
        """All of an endpoint's, oldest first."""
        out: list[dict[str, Any]] = []
        after = ""
        while True:
            page = await self.http.get(
                f"/v1/endpoints/{endpoint['id']}/deliveries",
                params={**filters, "limit": 500, "after": after or "0"},
            )
            assert page.status_code == 200, page.text
            out += page.json()["data"]
            after = page.json()["next"]
            if after is None:
                return out

    async def statuses(self, endpoint: dict[str, Any]) -> list[str]:
        """Of all of its deliveries."""
        return [one["status"] for one in await self.deliveries(endpoint)]

    async def restart(self) -> None:
        """Killed, and started again."""
        assert self.process is not None
        await asyncio.to_thread(self.process.kill)
        await asyncio.to_thread(self.process.start)


async def until(true: Callable[[], Any], why: str, seconds: float = PATIENCE) -> None:
    """Wait for something that another process does."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = true()
        if asyncio.iscoroutine(found):
            found = await found
        if found:
            return
        await asyncio.sleep(0.05)
    raise AssertionError(f"not within {seconds:g} s: {why}")


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def process(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Process | str]:
    """The hub's process: of each engine in turn, or the one that the command line names (its address, where the suite
    may not touch it)."""
    url, command = request.config.getoption("--base-url"), request.config.getoption("--hub-command")
    if url:
        if request.param != "sqlite":
            pytest.skip("the hub of --base-url has an engine of its own")
        if not command:
            yield str(url)
            return
    folder = tmp_path_factory.mktemp("hub")
    if request.param == "sqlite":
        yield from _running(url, command, f"sqlite:{folder / 'hub.db'}", folder)
        return
    with fresh_database(request.getfixturevalue("postgres_server")) as database:
        yield from _running(url, command, database, folder)


def _running(url: str, command: str, database: str, folder: Path) -> Iterator[Process]:
    port = free_port()
    words = shlex.split(command) or serving(database, port)
    one = Process(words, environment(folder), folder / "hub.log", url or f"http://127.0.0.1:{port}")
    one.start()
    try:
        yield one
    finally:
        if one.running is not None and one.running.poll() is None:
            one.stop()


def serving(database: str, port: int) -> list[str]:
    """The command of a hub over this database."""
    words = ["-m", "hub", "serve", "--database", database, "--port", str(port)]
    return [sys.executable, *words, "--allow-private", "127.0.0.1/32"]


def environment(folder: Path) -> dict[str, str]:
    """Ours, with what a hub is told by it, and with compiled modules kept beside the folder for the next start."""
    ours = {
        name: value for name, value in os.environ.items() if not name.startswith(("ORDERHUB_", "PYTHONDONT"))
    }
    key = base64.b64encode(bytes(range(32))).decode()
    told = {"ORDERHUB_KEY": key, "ORDERHUB_ADMIN_TOKEN": TOKEN}
    return {**ours, **told, "PYTHONPYCACHEPREFIX": str(folder.parent / "compiled")}


@pytest.fixture
async def house(process: Process | str, request: pytest.FixtureRequest) -> AsyncIterator[House]:
    """A client of the hub; what the test made there is removed again."""
    url = process if isinstance(process, str) else process.ready
    async with client(url, request.config.getoption("--token") or TOKEN) as http:
        one = House(http, f"t{secrets.token_hex(5)}", None if isinstance(process, str) else process)
        yield one
        for id_ in one.made:
            await http.delete(f"/v1/endpoints/{id_}")


def client(url: str, token: str = TOKEN) -> httpx.AsyncClient:
    """Speaks to a hub as its operator."""
    return httpx.AsyncClient(
        base_url=url, headers={"authorization": f"Bearer {token}"}, timeout=60, trust_env=False
    )


@dataclass
class Stage:
    """A database of the test's own, and the hubs over it: as many as it wants, in the world that it wants."""

    database: str
    folder: Path
    stack: AsyncExitStack
    began: int = field(default_factory=time.time_ns)
    hubs: list[Process] = field(default_factory=list)
    tag: str = field(default_factory=lambda: f"t{secrets.token_hex(5)}")

    async def hub(self, **world: Any) -> House:
        """One more: as `orderhub serve` runs it, or in a world of the suite's (`staged`)."""
        port = free_port()
        told = {
            "database": self.database,
            "port": port,
            "allow_private": ["127.0.0.1/32"],
            "began": self.began,
            **world,
        }
        staged = [sys.executable, "-m", "tests.conformance.webhooks.staged", json.dumps(told)]
        words = staged if world else serving(self.database, port)
        log = self.folder / f"hub-{len(self.hubs)}.log"
        one = Process(words, environment(self.folder), log, f"http://127.0.0.1:{port}")
        self.hubs.append(one)
        await asyncio.to_thread(one.start)
        http = await self.stack.enter_async_context(client(one.ready))
        return House(http, self.tag, one, count=1000 * len(self.hubs))


@pytest.fixture
async def stage(request: pytest.FixtureRequest, database: str, tmp_path: Path) -> AsyncIterator[Stage]:
    """Hubs of the test's own, on each engine in turn."""
    if request.config.getoption("--base-url"):
        pytest.skip("the test needs a world of its own around the hub")
    async with AsyncExitStack() as stack:
        one = Stage(database, tmp_path, stack)
        try:
            yield one
        finally:
            for hub in one.hubs:
                if hub.running is not None and hub.running.poll() is None:
                    hub.kill()


@pytest.fixture
def mortal(house: House) -> House:
    """A hub whose process may be killed."""
    if house.process is None:
        pytest.skip("the suite may not kill the hub: start it with --hub-command")
    return house

"""The hub as a process of its own: started, killed without a warning, or told to stop."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import signal
import socket
import sys
from dataclasses import dataclass, field
from pathlib import Path

from hub.config import Config
from hub.directory import Connection, Endpoint, seal_settings
from hub.outbound.signing import new_secret
from hub.run import open_hub
from hub.store.engine import Unit
from tests.crash.shop import CHANNEL, KEY, Shop

ROOT = Path(__file__).resolve().parents[2]
VAULT = bytes(range(32))
ADMIN = "oh_admin_token_of_the_tests"
LEASE = 61
_PATIENCE = 30.0


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


async def prepare(database: str, shop: Shop, url: str, secret: str) -> None:
    """A database with one connection and one endpoint that wants everything at once, again and again."""
    async with open_hub(config(database)) as hub:

        async def work(unit: Unit) -> None:
            now = hub.world.now()
            door = Connection(id=hub.world.new_id("con"), name="shop", channel=CHANNEL, key=KEY, sweep=False)
            door.settings = seal_settings(shop.settings, hub.vault, door.id)
            end = Endpoint(
                id=hub.world.new_id("end"), name="partner", url=url, schedule=[0] * 40, timeout=5.0
            )
            end.secrets = [{"sealed": hub.vault.seal(secret, end.id)}]
            await hub.directory.put(unit, door, now)
            await hub.directory.put(unit, end, now)

        await hub.engine.transact(work)


def config(database: str) -> Config:
    keys = () if database.startswith("sqlite:") else (VAULT,)
    return Config(database=database, keys=keys, allow_private=("127.0.0.1/32",))


@dataclass
class Hub:
    """A hub over a database. On SQLite it is `orderhub serve`. On PostgreSQL, where a dead process's rows are
    its own until their lease is over, each start finds the clock so much further on that it is."""

    database: str
    folder: Path
    port: int = field(default_factory=free_port)
    lease: int = LEASE
    ahead: int = 0
    _process: asyncio.subprocess.Process | None = None

    @property
    def log(self) -> Path:
        return self.folder / "hub.log"

    async def start(self, trap: str = "", after: int = 1) -> None:
        """Until it listens; `trap` is a place of the code where it dies, the so many-th time that it gets there."""
        await self.launch(trap, after)
        assert self._process is not None
        assert self._process.stdout is not None
        line = await asyncio.wait_for(self._process.stdout.readline(), _PATIENCE)
        assert line, f"the hub did not start:\n{self.said()}"

    async def launch(self, trap: str = "", after: int = 1) -> None:
        """Without waiting for it."""
        with self.log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable, *self._command(trap, after), cwd=ROOT, env=self._environment(),
                stdout=asyncio.subprocess.PIPE, stderr=log,
            )  # fmt: skip

    def _command(self, trap: str, after: int) -> list[str]:
        shared = not self.database.startswith("sqlite:")
        if not shared and not trap:
            command = ["-m", "hub", "serve", "--database", self.database, "--port", str(self.port)]
            return [*command, "--allow-private", "127.0.0.1/32"]
        told = {
            "database": self.database,
            "port": self.port,
            "ahead": self.ahead * shared,
            "trap": trap,
            "after": after,
        }
        return ["-m", "tests.crash.doomed", json.dumps(told)]

    def _environment(self) -> dict[str, str]:
        """Ours, with compiled modules kept between the starts; the key stands beside a SQLite file."""
        ours = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("ORDERHUB_", "PYTHONDONT"))
        }
        ours["PYTHONPYCACHEPREFIX"] = str(self.folder.parent / "compiled")
        ours["ORDERHUB_ADMIN_TOKEN"] = ADMIN
        if not self.database.startswith("sqlite:"):
            ours["ORDERHUB_KEY"] = base64.b64encode(VAULT).decode()
        return ours

    @property
    def runs(self) -> bool:
        return self._process is not None and self._process.returncode is None

    async def kill(self) -> None:
        """Without a warning."""
        if self._process is not None and self.runs:
            os.kill(self._process.pid, signal.SIGKILL)
            await self.ended()

    async def stop(self) -> int:
        """As a supervisor does; its exit code."""
        assert self._process is not None
        self._process.terminate()
        return await self.ended()

    async def ended(self) -> int:
        """Its exit code, once it is no more; it is started again when its leases are over."""
        assert self._process is not None
        code = await asyncio.wait_for(self._process.wait(), _PATIENCE)
        self.ahead += self.lease
        return code

    def said(self) -> str:
        """The end of what it logged."""
        return self.log.read_text(errors="replace")[-6000:] if self.log.exists() else ""


def secret() -> str:
    return new_secret()

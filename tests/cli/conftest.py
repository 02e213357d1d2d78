"""A real hub in a process of its own, and the command line as it is typed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from hub.cli.app import main
from hub.registry import load_registry

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Said:
    """What a command said, and the code that it ended with."""

    code: int
    out: str
    err: str

    def json(self) -> Any:
        return json.loads(self.out)

    def lines(self) -> list[Any]:
        return [json.loads(line) for line in self.out.splitlines()]


@dataclass(frozen=True)
class Served:
    """A hub that runs."""

    url: str
    token: str
    folder: Path
    greeting: str
    process: subprocess.Popen[bytes]


def plain_environment(**more: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ORDERHUB_")}
    return {**kept, "PYTHONPATH": str(ROOT), "COLUMNS": "120", **more}


def start(folder: Path, *args: str, **environment: str) -> Served:
    """Serve a hub on a new SQLite file in this folder, on a free port."""
    log = folder / "serve.log"
    command = [sys.executable, "-m", "hub", "serve", "--port", "0", "--allow-private", "127.0.0.1/32", *args]
    with log.open("wb") as out:
        process = subprocess.Popen(
            command, cwd=folder, env=plain_environment(**environment), stdout=out, stderr=out
        )
    file = folder / "orderhub.db.run"
    until = time.monotonic() + 60
    while not (file.exists() and "orderhub" in log.read_text()):
        assert process.poll() is None, log.read_text()
        assert time.monotonic() < until, log.read_text()
        time.sleep(0.05)
    told = json.loads(file.read_text())
    return Served(told["url"], told.get("token", ""), folder, log.read_text(), process)


def stop(served: Served) -> int:
    served.process.terminate()
    return served.process.wait(30)


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    hub = start(tmp_path_factory.mktemp("hub"))
    yield hub
    stop(hub)


@pytest.fixture
def orderhub(monkeypatch, capsys):
    """Runs a command in this process as `main` runs it: `orderhub("orders", "list")`."""
    for name in list(os.environ):
        if name.startswith("ORDERHUB_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("COLUMNS", "120")

    def run(*args: str) -> Said:
        monkeypatch.setattr(sys, "argv", ["orderhub", *args])
        capsys.readouterr()
        code: Any = 0
        try:
            main()
        except SystemExit as end:
            code = end.code or 0
        said = capsys.readouterr()
        return Said(int(code), said.out, said.err)

    return run


@pytest.fixture
def at_hub(served, orderhub, monkeypatch):
    """The same, at a hub that runs."""
    monkeypatch.setenv("ORDERHUB_URL", served.url)
    monkeypatch.setenv("ORDERHUB_TOKEN", served.token)
    return orderhub


@pytest.fixture
def shop(at_hub, tmp_path):
    """A connection `sim` of a shop that has the secrets of its samples."""
    secrets = load_registry().samples("shopify").settings
    lines = ['[[connections]]\nname = "sim"\nchannel = "shopify"\n[connections.settings]']
    lines += [f'{key} = "{secrets[key]}"' for key in ("webhook_secret", "client_secret")]
    file = tmp_path / "sim.toml"
    file.write_text("\n".join(lines))
    assert at_hub("apply", str(file), "--yes").code == 0


def until(look):
    """What `look` finds in another process, as soon as it finds something."""
    end = time.monotonic() + 30
    while not (found := look()):
        assert time.monotonic() < end, "nothing came of it"
        time.sleep(0.05)
    return found

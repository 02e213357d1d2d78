"""Several processes of one hub behind one port, on PostgreSQL."""

from __future__ import annotations

import base64
import os
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from tests.cli.conftest import plain_environment, until

KEY = base64.b64encode(bytes(range(32))).decode()


@pytest.fixture
def fleet(postgres_url, tmp_path):
    """Two processes, with where they are."""
    command = [
        sys.executable,
        "-m",
        "hub",
        "serve",
        "--database",
        postgres_url,
        "--port",
        "0",
        "--processes",
        "2",
    ]
    environment = plain_environment(ORDERHUB_KEY=KEY, ORDERHUB_ADMIN_TOKEN="oh_of_the_fleet")
    log = tmp_path / "fleet.log"
    with log.open("wb") as out:
        running = subprocess.Popen(command, env=environment, stdout=out, stderr=out, cwd=tmp_path)
    until(lambda: "Next:" in log.read_text() or running.poll() is not None)
    assert running.poll() is None, log.read_text()
    until(lambda: len(members(running)) == 2)
    yield running, log.read_text().split(" on ")[1].split()[0], log
    running.terminate()
    assert running.wait(60) == 0, log.read_text()


def members(running) -> list[int]:
    """The processes of the fleet, apart from Python's own tracker of resources."""
    children = Path(f"/proc/{running.pid}/task/{running.pid}/children").read_text().split()
    return [int(one) for one in children if b"spawn_main" in Path(f"/proc/{one}/cmdline").read_bytes()]


def test_two_processes_answer_at_one_port_and_one_that_dies_is_replaced(fleet):
    running, url, log = fleet
    headers = {"authorization": "Bearer oh_of_the_fleet"}
    assert httpx.get(f"{url}/v1/connections", headers=headers).status_code == 200
    assert log.read_text().count("orderhub 0.") == 1

    lost = members(running)[0]
    os.kill(lost, signal.SIGKILL)

    until(lambda: len(members(running)) == 2 and lost not in members(running))
    until(lambda: httpx.get(f"{url}/readyz").status_code == 200)
    assert "another one is started" in log.read_text()


def test_what_one_process_makes_the_other_knows(fleet):
    _, url, _ = fleet
    headers = {"authorization": "Bearer oh_of_the_fleet"}
    made = httpx.post(f"{url}/v1/partners", headers=headers, json={"name": "Nord"})

    assert made.status_code == 201
    for _ in range(20):
        until(lambda: httpx.get(f"{url}/v1/partners/Nord", headers=headers).status_code == 200)


def test_a_fleet_without_its_key_does_not_start(postgres_url, tmp_path):
    said = subprocess.run(
        [sys.executable, "-m", "hub", "serve", "--database", postgres_url, "--processes", "2"], env=plain_environment(),
        cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip

    assert said.returncode == 1
    assert "ORDERHUB_KEY: PostgreSQL needs one" in said.stderr

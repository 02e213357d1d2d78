"""A fleet whose parent is killed leaves nobody behind: its successor finds the port free."""

from __future__ import annotations

import asyncio
import base64
import os
import socket
import sys
from pathlib import Path

from tests.crash.process import ROOT, VAULT, free_port


async def test_the_members_of_a_fleet_end_when_their_parent_is_killed(postgres_url: str, tmp_path: Path):
    port = free_port()
    with (tmp_path / "log").open("wb") as log:
        parent = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "hub", "serve", "--database", postgres_url, "--port", str(port), "--processes", "2",
            env={**os.environ, "ORDERHUB_KEY": base64.b64encode(VAULT).decode()}, cwd=ROOT,
            stdout=asyncio.subprocess.PIPE, stderr=log,
        )  # fmt: skip
    assert parent.stdout is not None
    said = await asyncio.wait_for(parent.stdout.readline(), 30)
    assert said, (tmp_path / "log").read_text()
    assert not _free(port)
    parent.kill()
    await asyncio.wait_for(parent.wait(), 30)
    for _ in range(200):
        if _free(port):
            break
        await asyncio.sleep(0.05)

    assert _free(port), (tmp_path / "log").read_text()


def _free(port: int) -> bool:
    with socket.socket() as one:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            one.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True

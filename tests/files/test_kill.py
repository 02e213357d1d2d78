"""The process that takes a file is killed where it hurts; the next one loses nothing and doubles nothing."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from hub.config import Config
from hub.run import open_hub
from hub.world import World
from tests.cli.conftest import ROOT, plain_environment
from tests.engines import KEY
from tests.files.doomed import PLACES
from tests.files.test_watch import names, rows

START = 1_770_000_000_000_000


def run(database: str, inbox: Path, place: str, start: int) -> int:
    command = [sys.executable, "-m", "tests.files.doomed", database, str(inbox), place, str(start)]
    done = subprocess.run(
        command, cwd=ROOT, env=plain_environment(), capture_output=True, timeout=120, check=False
    )
    assert done.returncode in (0, -signal.SIGKILL), done.stderr.decode()
    return done.returncode


@pytest.mark.parametrize("place", PLACES)
async def test_a_file_is_taken_once_wherever_the_process_is_killed(database: str, inbox: Path, place: str):
    (inbox / "a.csv").write_text(rows("1", "2", "3", "4", "5", "6", "7"))

    assert run(database, inbox, place, START) == -signal.SIGKILL
    assert run(database, inbox, "", START + 3_600_000_000) == 0

    assert names(inbox) == ["done/a.csv"]
    async with open_hub(Config(database=database, keys=(KEY,)), World.still(START + 7_200_000_000)) as hub:
        found = await hub.engine.fetch(
            "orders_list", tenant="main", after=0, state="", connection="", updated_after=0, most=100
        )
        messages = await hub.engine.fetch(
            "messages_list", tenant="main", after=0, connection="", status="", most=100
        )
    assert sorted(msgspec.json.decode(row[10])["number"] for row in found) == list("1234567")
    assert [row[8] for row in messages] == ["processed"] * 4

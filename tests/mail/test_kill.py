"""Killed between DATA and the answer, the hub loses no letter that it answered, and keeps none twice."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import smtplib
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from hub.config import Config
from hub.directory import Connection
from hub.run import open_hub
from hub.store.engine import Unit
from tests.crash.process import ROOT, free_port
from tests.mail.village import BOX, mail


async def prepare(database: str) -> None:
    async with open_hub(Config(database=database)) as hub:

        async def work(unit: Unit) -> None:
            box = Connection(
                id="con_box", name="orders", channel="email", key="key-box", settings={"address": BOX}
            )
            await hub.directory.put(unit, box, hub.world.now())

        await hub.engine.transact(work)


@contextlib.asynccontextmanager
async def running(database: str, port: int, place: str) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.mail.doomed", database, f"127.0.0.1:{port}", place,
        cwd=ROOT, stdout=asyncio.subprocess.PIPE, env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    try:
        assert process.stdout is not None
        assert (await asyncio.wait_for(process.stdout.readline(), 60)).startswith(b"ready")
        yield process
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
        await process.wait()


def send(port: int, number: str) -> None:
    with smtplib.SMTP("127.0.0.1", port, timeout=30) as client:
        client.sendmail("ada@lamps.example", [BOX], mail(number=number))


@pytest.mark.parametrize("place", ["before", "after"])
async def test_killed_between_data_and_250_no_letter_is_lost_or_doubled(tmp_path: Path, place: str):
    database, port = f"sqlite:{tmp_path}/hub.db", free_port()
    await prepare(database)

    async with running(database, port, "never"):
        await asyncio.to_thread(send, port, "answered")
    async with running(database, port, place) as process:
        with pytest.raises((smtplib.SMTPServerDisconnected, ConnectionError)):
            await asyncio.to_thread(send, port, "unanswered")
        assert await asyncio.wait_for(process.wait(), 30) == -signal.SIGKILL
    async with running(database, port, "never"):
        await asyncio.to_thread(send, port, "unanswered")

    async with open_hub(Config(database=database)) as hub:
        rows = await hub.engine.fetch(
            "messages_list", tenant="main", after=0, connection="", status="", most=10
        )
        bodies = [
            bytes((await hub.engine.fetch("messages_get", tenant="main", id=row[1]))[0][7]) for row in rows
        ]
    assert bodies == [mail(number="answered"), mail(number="unanswered")]

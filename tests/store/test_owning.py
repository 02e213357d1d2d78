"""One hub owns a SQLite file, and a database opens only to the keys that it was written with."""

from __future__ import annotations

import base64
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from hub.config import Config
from hub.contract.errors import Misconfigured
from hub.registry import Registry
from hub.run import open_hub
from hub.store.sqlite import SQLite
from hub.vault import Locked, Vault
from tests.engines import ADMIN, KEY

OTHER = bytes(reversed(range(32)))
HOLD = """
import asyncio, sys
from hub.store.sqlite import SQLite

async def hold():
    engine = SQLite(sys.argv[1])
    await engine.open()
    print("mine", flush=True)
    await asyncio.Event().wait()

asyncio.run(hold())
"""
NONE = Registry(channels={}, packages={}, texts={})


async def opened(database: str, *keys: bytes) -> str:
    """Opens a hub and closes it; what its canary is."""
    async with open_hub(Config(database=database, keys=keys, admin_token=ADMIN), registry=NONE) as hub:
        rows = await hub.engine.fetch("meta_get", name="canary")
        return str(rows[0][0])


async def test_a_file_has_one_owner_and_the_second_is_told_who(tmp_path):
    first = SQLite(f"{tmp_path}/hub.db")
    await first.open()
    with pytest.raises(Misconfigured, match=rf"hub\.db is in use by process {os.getpid()}.*PostgreSQL"):
        await SQLite(f"{tmp_path}/hub.db").open()
    await first.close()
    await first.open()  # given back
    await first.close()


async def test_another_process_is_told_who_owns_the_file_and_gets_it_when_the_owner_dies(tmp_path):
    owner = subprocess.Popen(
        [sys.executable, "-c", HOLD, f"{tmp_path}/hub.db"],
        stdout=subprocess.PIPE,
        cwd=Path(__file__).parents[2],
    )
    engine = SQLite(f"{tmp_path}/hub.db")
    try:
        assert owner.stdout.readline() == b"mine\n"
        with pytest.raises(Misconfigured, match=f"in use by process {owner.pid}"):
            await engine.open()
    finally:
        owner.kill()
        owner.communicate()
    await engine.open()
    await engine.close()


async def test_what_is_no_database_is_refused_in_a_sentence(tmp_path):
    (tmp_path / "hub.db").write_bytes(b"This is a shopping list, not a database. " * 100)
    for _ in range(2):  # and what was refused holds on to nothing
        with pytest.raises(Misconfigured, match=r"hub\.db cannot be opened: file is not a database"):
            await SQLite(f"{tmp_path}/hub.db").open()
    (tmp_path / "file").write_text("")
    with pytest.raises(Misconfigured, match="cannot be opened"):
        await SQLite(f"{tmp_path}/file/hub.db").open()


async def test_a_server_that_is_not_there_is_refused_in_a_sentence(tmp_path):
    with pytest.raises(Misconfigured, match="cannot reach the database"):
        await opened(f"postgresql://nobody@/none?host={tmp_path}", KEY)


async def test_a_database_opens_only_to_its_own_keys(database):
    canary = await opened(database, KEY)
    assert canary.startswith("v1.")
    assert "orderhub" not in canary
    with pytest.raises(Misconfigured, match="ORDERHUB_KEY does not fit this database"):
        await opened(database, OTHER)
    assert await opened(database, KEY) == canary


async def test_a_key_in_rotation_opens_what_the_old_one_wrote(database):
    canary = await opened(database, KEY)
    assert await opened(database, OTHER, KEY) == canary


async def test_postgresql_is_never_given_a_key_that_nobody_keeps(postgres_url, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(Misconfigured, match="ORDERHUB_KEY"):
        await opened(postgres_url)
    assert list(tmp_path.iterdir()) == []


async def test_a_key_is_made_beside_the_file_for_an_empty_database_only(tmp_path):
    database, key = f"sqlite:{tmp_path}/hub.db", tmp_path / "hub.db.key"
    canary = await opened(database)
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    made = base64.b64decode(key.read_text())
    assert len(made) == 32
    assert await opened(database) == canary
    assert await opened(database, made) == canary
    key.unlink()
    with pytest.raises(Misconfigured, match=r"hub\.db\.key is missing and the database is not empty"):
        await opened(database)
    assert not key.exists()


async def test_a_key_that_others_can_read_is_refused(tmp_path):
    database, key = f"sqlite:{tmp_path}/hub.db", tmp_path / "hub.db.key"
    await opened(database)
    key.chmod(0o644)
    with pytest.raises(Misconfigured, match="chmod 600"):
        await opened(database)


@pytest.mark.parametrize("text", ["", "not base64!", base64.b64encode(b"short").decode()])
async def test_a_key_file_that_holds_no_key_is_refused_in_a_sentence(tmp_path, text):
    key = tmp_path / "hub.db.key"
    key.write_text(text)
    key.chmod(0o600)
    with pytest.raises(Misconfigured, match=r"hub\.db\.key does not hold a key"):
        await opened(f"sqlite:{tmp_path}/hub.db")


def test_a_secret_opens_only_in_the_row_that_it_was_sealed_for():
    vault = Vault((KEY,))
    sealed = vault.seal("shpss_secret", "con_1")
    assert vault.open(sealed, "con_1") == "shpss_secret"
    with pytest.raises(Locked, match="con_2"):
        vault.open(sealed, "con_2")
    with pytest.raises(Locked, match="con_1"):
        Vault((OTHER,)).open(sealed, "con_1")

"""An SFTP server of its own: files come in from it and go out to it, and nobody but the told server is spoken to."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

import asyncssh
import pytest

from hub.files.sftp import SftpShelf
from tests.files.test_away import swapped
from tests.files.test_watch import look, names, numbers, rows
from tests.path.town import Town

HOST_KEY = asyncssh.generate_private_key("ssh-ed25519")
OUR_KEY = asyncssh.generate_private_key("ssh-ed25519")


class Door(asyncssh.SSHServer):
    """Lets in the warehouse, by its password or its key."""

    def password_auth_supported(self) -> bool:
        return True

    def validate_password(self, username: str, password: str) -> bool:
        return (username, password) == ("warehouse", "s3cret")

    def public_key_auth_supported(self) -> bool:
        return True

    def validate_public_key(self, username: str, key: Any) -> bool:
        return key.public_data == OUR_KEY.public_data


@contextlib.asynccontextmanager
async def server(root: Path):
    def at_root(channel: Any) -> asyncssh.SFTPServer:
        return asyncssh.SFTPServer(channel, chroot=str(root).encode())

    async with await asyncssh.listen(
        "127.0.0.1", 0, server_factory=Door, server_host_keys=[HOST_KEY], sftp_factory=at_root
    ) as listener:
        yield listener.get_port()


def public(key: Any) -> str:
    return key.export_public_key().decode().strip()


def settings(port: int, **more: Any) -> dict[str, Any]:
    told = {
        "sftp_host": "127.0.0.1",
        "sftp_port": port,
        "sftp_user": "warehouse",
        "sftp_host_key": public(HOST_KEY),
    }
    return {**told, "sftp_password": "s3cret", **more}


@pytest.fixture
def far(tmp_path: Path) -> Path:
    for name in ("in", "out"):
        (tmp_path / "far" / name).mkdir(parents=True)
    return tmp_path / "far"


async def test_a_file_of_the_server_becomes_orders_and_is_moved_away_there(town: Town, far: Path):
    async with server(far) as port:
        await town.connect("csv", settings=settings(port, sftp_path="/in"), sweep=True)
        (far / "in" / "a.csv").write_bytes("订单号,商品编码,币种\n一,茶,CNY\n二,茶,CNY\n".encode("gbk"))
        (far / "in" / "b.csv.part").write_text(rows("3"))
        await look(town)

    assert await numbers(town) == ["一", "二"]
    assert names(far / "in") == ["b.csv.part", "done/a.csv"]
    assert await town.exceptions() == []


async def test_a_file_of_the_same_name_size_and_time_is_taken_itself_there_too(
    town: Town, far: Path, monkeypatch
):
    async with server(far) as port:
        await town.connect("csv", settings=settings(port, sftp_path="/in"), sweep=True)
        (far / "in" / "a.csv").write_text(rows("1"))
        swapped(monkeypatch, SftpShelf, far / "in" / "a.csv", rows("2"))
        await look(town)
        assert names(far / "in") == ["a.csv"]
        await look(town)

    assert await numbers(town) == ["1", "2"]
    assert names(far / "in") == ["done/a.csv"]


async def test_our_key_opens_the_door_as_the_password_does(town: Town, far: Path):
    key = OUR_KEY.export_private_key().decode()
    async with server(far) as port:
        told = settings(port, sftp_path="/in", sftp_private_key=key)
        del told["sftp_password"]
        await town.connect("csv", settings=told, sweep=True)
        (far / "in" / "a.csv").write_text(rows("1"))
        await look(town)

    assert await numbers(town) == ["1"]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"sftp_host_key": public(OUR_KEY)}, "Host key is not trusted"),
        ({"sftp_password": "guessed"}, "Permission denied"),
        ({"sftp_path": "/nowhere"}, "No such file"),
        ({"sftp_host": "10.1.2.3"}, "10.1.2.3 is not allowed: private"),
    ],
)
async def test_what_keeps_us_out_is_told_and_nothing_is_taken(
    town: Town, far: Path, change: dict[str, str], reason: str
):
    async with server(far) as port:
        await town.connect("csv", settings=settings(port, **{"sftp_path": "/in", **change}), sweep=True)
        (far / "in" / "a.csv").write_text(rows("1"))
        await look(town)

    (trouble,) = await town.exceptions()
    assert reason in trouble["title"]
    assert await town.messages() == []


async def test_a_server_that_is_gone_is_told_and_found_again(town: Town, far: Path):
    async with server(far) as port:
        connection = await town.connect("csv", settings=settings(1, sftp_path="/in"), sweep=True)
        await look(town)
        assert len(await town.exceptions()) == 1
        connection.settings = {**connection.settings, "sftp_port": port}
        await town.put(connection)
        await look(town)

    assert await town.exceptions() == []


async def test_an_order_is_written_to_the_server_whole_or_not_at_all(town: Town, far: Path):
    from tests.files.test_writes import ordered  # noqa: PLC0415

    async with server(far) as port:
        await ordered(town, settings(port, out_sftp_path="/out"))
        (name,) = names(far / "out")

    text = (far / "out" / name).read_text()
    assert name.startswith("order-")
    assert text.splitlines()[0].startswith("event,order_ref,order_number")

"""A real IMAP server, Dovecot, over a folder of its own; and a wire between it and us that can be cut or go dead."""

from __future__ import annotations

import asyncio
import contextlib
import grp
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

from tests.crash.process import free_port

DOVECOT = shutil.which("dovecot") or shutil.which("dovecot", path="/usr/sbin")
CONF = """
protocols = imap
listen = 127.0.0.1
base_dir = {folder}/run
log_path = {folder}/log
ssl = no
disable_plaintext_auth = no
auth_mechanisms = plain xoauth2
mailbox_idle_check_interval = 1 secs
mail_location = maildir:{folder}/mail
mail_uid = {user}
mail_gid = {group}
first_valid_uid = 0
first_valid_gid = 0
default_internal_user = {inner}
default_internal_group = {inner}
default_login_user = {login}
service anvil {{
  chroot =
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {port}
  }}
  inet_listener imaps {{
    port = 0
  }}
}}
service stats {{
  chroot =
}}
passdb {{
  driver = static
  args = password=secret
}}
userdb {{
  driver = static
  args = uid={user} gid={group} home={folder}
}}
namespace inbox {{
  inbox = yes
  mailbox Orders {{
    auto = create
  }}
}}
"""


@dataclass
class Server:
    """A mailbox on disk, and the port at which it is read."""

    folder: Path
    port: int
    count: int = field(default=0)

    def deliver(self, raw: bytes, flags: str = "") -> None:
        """A letter falls into the box, as a delivery agent lets it; with flags, as one that was there long since."""
        self.count += 1
        name = f"{self.count}.letter"
        (self.folder / "mail" / "tmp" / name).write_bytes(raw)
        (self.folder / "mail" / "tmp" / name).rename(
            self.folder / "mail" / ("cur" if flags else "new") / (f"{name}:2,{flags}" if flags else name)
        )

    def renumber(self) -> None:
        """The letters get other numbers, and the box another UIDVALIDITY."""
        for file in (self.folder / "mail").glob("dovecot*"):
            if file.is_file():
                file.unlink()

    def names(self, *parts: str) -> list[str]:
        """The letters of a folder, by file."""
        return sorted(one.name for one in self.folder.joinpath("mail", *parts).iterdir())


@contextlib.asynccontextmanager
async def dovecot() -> AsyncIterator[Server]:
    """The server, running while the block does, over a folder that its own users may walk into."""
    folder = Path(tempfile.mkdtemp(prefix="orderhub-dovecot-"))
    port = free_port()
    for name in ("new", "cur", "tmp"):
        (folder / "mail" / name).mkdir(parents=True)
    (folder / "run").mkdir()
    user = pwd.getpwuid(os.getuid())
    told = {
        "user": user.pw_name,
        "group": grp.getgrgid(user.pw_gid).gr_name,
        "inner": user.pw_name,
        "login": user.pw_name,
    }
    if not user.pw_uid:  # none of its parts may be root
        told = {"user": "mail", "group": "mail", "inner": "dovecot", "login": "dovenull"}
        folder.chmod(0o755)
        for one in (folder / "mail", *(folder / "mail").iterdir()):
            shutil.chown(one, "mail", "mail")
    conf = folder / "dovecot.conf"
    conf.write_text(CONF.format(folder=folder, port=port, **told))
    process = await asyncio.create_subprocess_exec(str(DOVECOT), "-F", "-c", str(conf))
    try:
        await _listens(port, folder / "log")
        yield Server(folder, port)
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()
        shutil.rmtree(folder)


async def _listens(port: int, log: Path) -> None:
    for _ in range(100):
        with contextlib.suppress(OSError, TimeoutError):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            line = await asyncio.wait_for(reader.readline(), 1)
            writer.close()
            if line.startswith(b"* OK"):
                return
        await asyncio.sleep(0.05)
    raise AssertionError(log.read_text() if log.exists() else "dovecot says nothing")


@dataclass
class Wire:
    """A forwarder: `cut` ends its connections, `dead` lets nothing through and closes nothing."""

    port: int = 0
    dead: bool = False
    made: int = 0
    _open: set[asyncio.StreamWriter] = field(default_factory=set)

    def cut(self) -> None:
        for one in [*self._open]:
            one.transport.abort()

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Bytes from here to there."""
        with contextlib.suppress(OSError):
            while data := await reader.read(65536):
                if not self.dead:
                    writer.write(data)
        writer.close()


@contextlib.asynccontextmanager
async def wire(to: int) -> AsyncIterator[Wire]:
    """A wire to a port."""
    one = Wire()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        one.made += 1
        back, forth = await asyncio.open_connection("127.0.0.1", to)
        one._open |= {writer, forth}
        await asyncio.gather(one.carry(reader, forth), one.carry(back, writer))
        one._open -= {writer, forth}

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    one.port = server.sockets[0].getsockname()[1]
    try:
        yield one
    finally:
        one.cut()
        server.close()
        await server.wait_closed()


def version() -> str:
    """What is installed."""
    return subprocess.run(
        [str(DOVECOT), "--version"], capture_output=True, text=True, check=True
    ).stdout.strip()

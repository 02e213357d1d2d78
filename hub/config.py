"""Configuration from the environment, checked as a whole: every fault at once, before anything starts."""

from __future__ import annotations

import base64
import binascii
import os
import stat
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

import msgspec

from hub.contract.errors import Misconfigured
from hub.store.engine import Engine, Unit
from hub.vault import Vault

DEFAULT_DATABASE = "sqlite:orderhub.db"
DEFAULT_PORT = 8080
NO_KEY = "ORDERHUB_KEY: PostgreSQL needs one (base64 of 32 bytes): openssl rand -base64 32"


class Config(msgspec.Struct, frozen=True, kw_only=True):
    """What a process is told: where its store is, its keys, its address, what it may reach."""

    database: str = DEFAULT_DATABASE
    keys: tuple[bytes, ...] = ()
    admin_token: str = ""
    public_url: str = ""
    host: str = "127.0.0.1"
    port: int = DEFAULT_PORT
    roles: frozenset[str] = frozenset({"inbound", "outbound", "http"})
    hold_outbound: bool = False
    allow_private: tuple[str, ...] = ()
    allow_ports: tuple[int, ...] = ()
    mappings: str = ""
    templates: str = ""
    dns: str = ""
    smtp: str = ""
    lmtp: str = ""
    smtp_cert: str = ""
    smtp_key: str = ""

    @property
    def sqlite_path(self) -> str:
        """The SQLite file, "" where the database is another."""
        return self.database.removeprefix("sqlite:") if self.database.startswith("sqlite:") else ""


def from_environment(environ: Mapping[str, str] = os.environ, **told: object) -> Config:
    """The environment, overlaid by what the command line told; raises Misconfigured with every fault."""
    faults: list[str] = []
    database = str(told.get("database") or environ.get("ORDERHUB_DATABASE") or DEFAULT_DATABASE)
    if not database.startswith(("sqlite:", "postgresql://", "postgres://")):
        faults.append(
            f"ORDERHUB_DATABASE: {database.partition(':')[0]!r} is neither sqlite: nor postgresql://"
        )
    keys = _keys(environ.get("ORDERHUB_KEY", ""), faults)
    if database.startswith("postgres") and not keys and not faults:
        faults.append(NO_KEY)
    public = environ.get("ORDERHUB_PUBLIC_URL", "").rstrip("/")
    if public and not public.startswith(("http://", "https://")):
        faults.append(f"ORDERHUB_PUBLIC_URL: {public!r} does not start with http:// or https://")
    dns = _server(environ.get("ORDERHUB_DNS", ""), faults)
    ports = _ports(str(told.get("allow_ports") or environ.get("ORDERHUB_ALLOW_PORTS", "")), faults)
    if faults:
        raise Misconfigured(faults)
    given = {
        name: value
        for name, value in told.items()
        if value is not None and name not in ("database", "allow_ports")
    }
    base = Config(
        database=database,
        keys=keys,
        admin_token=environ.get("ORDERHUB_ADMIN_TOKEN", ""),
        public_url=public,
        mappings=environ.get("ORDERHUB_MAPPINGS", ""),
        templates=environ.get("ORDERHUB_TEMPLATES", ""),
        dns=dns,
        allow_ports=ports,
        smtp_cert=environ.get("ORDERHUB_SMTP_CERT", ""),
        smtp_key=environ.get("ORDERHUB_SMTP_KEY", ""),
    )
    return msgspec.structs.replace(base, **given)


def _ports(text: str, faults: list[str]) -> tuple[int, ...]:
    """The only ports that requests of ours may go to; none named: any."""
    parts = [part.strip() for part in text.split(",") if part.strip()]
    wrong = [one for one in parts if not (one.isascii() and one.isdigit() and 0 < int(one) < 65_536)]
    faults += [f"ORDERHUB_ALLOW_PORTS: {one!r} is not a port; write them as 80,443" for one in wrong]
    return () if wrong else tuple(int(one) for one in parts)


def _server(text: str, faults: list[str]) -> str:
    host, _, port = text.rpartition(":")
    if text and (not host or not port.isdigit()):
        faults.append(f"ORDERHUB_DNS: {text!r} is no HOST:PORT of a name server")
    return text


def _keys(text: str, faults: list[str]) -> tuple[bytes, ...]:
    out = []
    for part in filter(None, (part.strip() for part in text.split(","))):
        try:
            key = base64.b64decode(part, validate=True)
        except (binascii.Error, ValueError):
            key = b""
        if len(key) != 32:
            faults.append("ORDERHUB_KEY: each key is base64 of 32 bytes: openssl rand -base64 32")
        out.append(key)
    return tuple(out)


def _held(file: Path) -> bytes:
    faults: list[str] = []
    keys = _keys(file.read_text(errors="replace"), faults)
    if faults or len(keys) != 1:
        raise Misconfigured(
            f"{file} does not hold a key (base64 of 32 bytes): put the key back, or set ORDERHUB_KEY"
        )
    return keys[0]


def key_beside(path: str, *, empty: bool) -> bytes:
    """The key that stands beside a SQLite file, made on the first start, mode 600, only for an empty database."""
    file = Path(f"{path}.key")
    if file.exists():
        if file.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
            raise Misconfigured(f"{file} can be read by others: chmod 600 {file}")
        return _held(file)
    if not empty:
        raise Misconfigured(
            f"{file} is missing and the database is not empty: its secrets cannot be read. "
            "Put the key back, or set ORDERHUB_KEY"
        )
    key = os.urandom(32)
    _put(file, base64.b64encode(key).decode() + "\n")
    return key


def _put(file: Path, text: str) -> None:
    """There whole or not at all, and on the disk before anything is sealed with it, wherever a power cut falls."""
    fresh = file.with_name(f"{file.name}.new")
    fresh.unlink(missing_ok=True)
    handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w") as out:
        out.write(text)
        out.flush()
        os.fsync(handle)
    fresh.replace(file)
    folder = os.open(file.parent, os.O_RDONLY)
    os.fsync(folder)
    os.close(folder)


async def open_vault(config: Config, engine: Engine) -> Vault:
    """The keys: told, or beside the SQLite file; the canary says whether they are the right ones."""
    rows = await engine.fetch("meta_get", name="canary")
    if not config.keys and not config.sqlite_path:
        raise Misconfigured(NO_KEY)
    keys = config.keys or (key_beside(config.sqlite_path, empty=not rows),)
    vault = Vault(keys)
    if rows:
        vault.check(rows[0][0])
    else:
        await engine.transact(_put_meta("canary", vault.canary()))
        vault.check((await engine.fetch("meta_get", name="canary"))[0][0])
    return vault


def _put_meta(name: str, value: str) -> Callable[[Unit], Awaitable[None]]:
    async def work(unit: Unit) -> None:
        unit.add("meta_first", name=name, value=value)

    return work

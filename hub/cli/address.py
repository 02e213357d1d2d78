"""Where the hub is and who we are to it: told by the environment, or found beside the SQLite file.

A hub on SQLite writes `<database>.run` (mode 600) when it starts: its address, and the admin token where
it was told one or has just made one. So on the hub's own machine every command finds both by itself.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from hub.cli.failures import Failure


@dataclass(frozen=True, slots=True)
class Address:
    """A hub's URL, the token to show it, and where both were found."""

    url: str
    token: str
    source: str


def run_file(environ: Mapping[str, str] = os.environ) -> Path | None:
    """The file beside the SQLite database that says where its hub is; None for another database."""
    from hub.config import DEFAULT_DATABASE

    database = environ.get("ORDERHUB_DATABASE") or DEFAULT_DATABASE
    return run_path(database.removeprefix("sqlite:")) if database.startswith("sqlite:") else None


def run_path(database: str) -> Path:
    """The run file of a SQLite file."""
    return Path(f"{database}.run")


def find_address(environ: Mapping[str, str] = os.environ) -> Address:
    """The hub that commands speak to: `ORDERHUB_URL` and `ORDERHUB_TOKEN`, else the run file."""
    url = environ.get("ORDERHUB_URL", "").rstrip("/")
    token = environ.get("ORDERHUB_TOKEN") or environ.get("ORDERHUB_ADMIN_TOKEN") or ""
    if url:
        return Address(url, token, "ORDERHUB_URL")
    file = run_file(environ)
    if file is None:
        raise Failure(
            "ORDERHUB_URL is not set", hint="Set it, and ORDERHUB_TOKEN, to the hub's address and a token."
        )
    if not file.exists():
        raise Failure(
            f"no hub found: ORDERHUB_URL is not set and there is no {file}",
            hint="Start one here with `orderhub serve`, or set ORDERHUB_URL and ORDERHUB_TOKEN to reach another.",
            code=3,
        )
    said = read_run(file)
    return Address(said.get("url", ""), token or said.get("token", ""), str(file))


def read_run(file: Path) -> dict[str, str]:
    """What a run file says; empty where it is none."""
    try:
        said = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return {name: str(value) for name, value in said.items()} if isinstance(said, dict) else {}


def write_run(file: Path, url: str, token: str) -> None:
    """Say where the hub is, to its own user alone. A token that is known already stays when none is told."""
    said = {"url": url, "token": token or (read_run(file).get("token", "") if file.exists() else "")}
    fresh = file.with_name(f"{file.name}.new")
    fresh.unlink(missing_ok=True)
    handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as out:
        json.dump({name: value for name, value in said.items() if value}, out)
    fresh.replace(file)

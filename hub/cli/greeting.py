"""The greeting: what a hub says when it listens, and the address that it leaves for the other commands."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from hub.cli.address import read_run, run_file, run_path, write_run
from hub.cli.show import console

if TYPE_CHECKING:
    from hub.config import Config
    from hub.run import Hub


def announce(config: Config) -> Callable[[Hub], None]:
    """What to do once the hub listens: leave its address for the other commands, and say it."""

    def ready(hub: Hub) -> None:
        url = url_of(config)
        made = hub.admin_token if hub.admin_token != config.admin_token else ""
        file = run_path(config.sqlite_path) if config.sqlite_path else None
        if file is not None:
            write_run(file, url, hub.admin_token)
        _greet(config, url, made, file)

    return ready


def url_of(config: Config) -> str:
    """Where the hub of a configuration is reached from here."""
    host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(config.host, config.host)  # noqa: S104  a name, not a bind
    return f"http://{f'[{host}]' if ':' in host and not host.startswith('[') else host}:{config.port}"


def _greet(config: Config, url: str, made: str, file: Path | None) -> None:
    from hub import __version__

    out = console()
    out.print(f"orderhub {__version__} on {url}  ({shown(config.database)})", style="bold")
    if config.hold_outbound:
        out.print(
            "outbound is held: nothing is sent until it is started without --hold-outbound", style="yellow"
        )
    if made:
        out.print(f"admin token, shown this once: {made}")
    if file is None or not read_run(file).get("token"):
        out.print(f"export ORDERHUB_URL={url} ORDERHUB_TOKEN=…   Next:")
    elif file == run_file():
        out.print(f"commands in this folder find it by themselves ({file}, readable by you alone). Next:")
    else:
        out.print(
            f"export ORDERHUB_DATABASE=sqlite:{file.with_suffix('')}   and commands find it ({file}). Next:"
        )
    out.print("  orderhub connect shopify        a connection, and the steps at the far side")
    out.print("  orderhub endpoints add URL      where a partner receives webhooks")
    out.print("  orderhub orders follow          watch orders as they come")


def shown(database: str) -> str:
    """A database's address without its password."""
    head, at, tail = database.rpartition("@")
    scheme, _, user = head.partition("://")
    return f"{scheme}://{user.partition(':')[0]}@{tail}" if at else database

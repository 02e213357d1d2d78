"""`orderhub serve`: the hub itself, in one process or several behind one port."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hub.cli.failures import USAGE, Failure

if TYPE_CHECKING:
    from hub.config import Config

Database = Annotated[
    str | None,
    typer.Option(help="`sqlite:FILE` or `postgresql://…`; else ORDERHUB_DATABASE, else sqlite:orderhub.db."),
]
Host = Annotated[str, typer.Option(help="The address to listen on.")]
Port = Annotated[
    int | None, typer.Option(min=0, max=65535, help="The port to listen on, 8080; 0 takes any free one.")
]
Only = Annotated[
    str | None, typer.Option(help="Roles of this process: inbound, outbound, http (PostgreSQL).")
]
Processes = Annotated[
    int, typer.Option(min=1, max=64, help="How many processes share the port (PostgreSQL).")
]
Hold = Annotated[
    bool, typer.Option("--hold-outbound", help="Send nothing: for a restored or cloned database.")
]
Private = Annotated[
    list[str] | None,
    typer.Option(
        help="A private network that webhooks and writes may reach, such as 127.0.0.1/32. Repeatable."
    ),
]

Smtp = Annotated[
    str | None,
    typer.Option(help="Take mail by SMTP at HOST:PORT (the extra `email`), such as 127.0.0.1:2525."),
]
Lmtp = Annotated[
    str | None, typer.Option(help="Take mail by LMTP at HOST:PORT, from a mail server in front.")
]

Ports = Annotated[
    str | None,
    typer.Option(
        help="The only ports that webhooks, writes and polls may reach, as 80,443; any if not said."
    ),
]


def serve(
    database: Database = None,
    host: Host = "127.0.0.1",
    port: Port = None,
    only: Only = None,
    processes: Processes = 1,
    hold_outbound: Hold = False,
    allow_private: Private = None,
    allow_ports: Ports = None,
    smtp: Smtp = None,
    lmtp: Lmtp = None,
) -> None:
    """Run the hub until Ctrl-C or SIGTERM."""
    from hub.cli.fleet import Fleet, run_one
    from hub.cli.greeting import announce
    from hub.cli.logs import to_stderr
    from hub.config import DEFAULT_PORT

    given = DEFAULT_PORT if port is None else port
    config = configured(
        database, only, host=host, port=given, hold_outbound=hold_outbound, allow_private=allow_private,
        allow_ports=allow_ports,
        smtp=_place(smtp, "--smtp"), lmtp=_place(lmtp, "--lmtp"),
    )  # fmt: skip
    if config.sqlite_path and (only or processes > 1):
        raise Failure(
            "--only and --processes need PostgreSQL: one process owns a SQLite file",
            hint="Give --database postgresql://… (and ORDERHUB_KEY), or leave them out.",
            code=USAGE,
        )
    to_stderr()
    with listening(config.host, config.port) as listener:
        config = _with_port(config, listener)
        if processes > 1:
            Fleet(config, listener, processes).run()
        else:
            run_one(config, listener, announce(config))


def _place(text: str | None, option: str) -> str | None:
    host, _, port = (text or "").rpartition(":")
    if text is not None and not (host and port.isdigit() and int(port) < 65_536):
        raise Failure(f"{option} {text}: not HOST:PORT", hint="For example 127.0.0.1:2525.", code=USAGE)
    if text is not None:
        import importlib.util

        if importlib.util.find_spec("aiosmtpd") is None:
            raise Failure(
                f"{option} needs the extra `email`", hint="pip install 'orderhub[email]'", code=USAGE
            )
    return text


def configured(database: str | None, only: str | None, **told: Any) -> Config:
    """The configuration of environment and command line; Misconfigured lists every fault."""
    from hub.config import Config, from_environment

    roles = frozenset(part.strip() for part in only.split(",")) if only else None
    known = Config().roles
    if roles and roles - known:
        raise Failure(
            f"--only {only}: there is no role {', '.join(sorted(roles - known))}",
            hint=f"The roles are {', '.join(sorted(known))}.",
            code=USAGE,
        )
    told["allow_private"] = tuple(told["allow_private"] or ()) or None
    return from_environment(database=database, roles=roles, **told)


def listening(host: str, port: int) -> socket.socket:
    """A socket that listens, so that its port is known before the hub opens."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise Failure(
            f"cannot listen on {host}:{port}: {error.strerror}",
            hint="Another hub may run there already. Choose another one with --port, 0 takes any free one.",
        ) from error
    listener.listen(2048)
    return listener


def _with_port(config: Config, listener: socket.socket) -> Config:
    import msgspec

    return msgspec.structs.replace(config, port=listener.getsockname()[1])

"""The command `orderhub`: every command by its noun."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from hub.cli import (
    changes,
    connections,
    deliveries,
    endpoints,
    events,
    exceptions,
    jobs,
    maps,
    messages,
    orders,
    parties,
    telling,
)
from hub.cli.apply import apply
from hub.cli.audit import audit
from hub.cli.connect import connect
from hub.cli.demonstration import demo
from hub.cli.doctor import doctor
from hub.cli.failures import give_up
from hub.cli.house import bench, check, new_channel, schema
from hub.cli.importing import import_file
from hub.cli.repair import rebuild, redact, remap
from hub.cli.serving import serve
from hub.cli.simulate import simulate
from hub.cli.surveys import backfill, balance, compare, reconcile
from hub.cli.template import template
from hub.cli.why import why

RUN, SET_UP, WATCH, BUILD = "Run", "Set up", "Watch and repair", "Build and check"

app = typer.Typer(
    name="orderhub",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for _panel, _commands in (
    (RUN, (demo, serve)),
    (SET_UP, (connect, apply, template)),
    (WATCH, (why, doctor, audit, backfill, compare, reconcile, balance, rebuild, remap, redact)),
    (BUILD, (simulate, check, new_channel, schema, bench)),
):
    for _command in _commands:
        app.command(rich_help_panel=_panel)(_command)
for _panel, _groups in (
    (SET_UP, {
        "connections": connections.app, "endpoints": endpoints.app, "partners": parties.partners,
        "tokens": parties.tokens, "routes": parties.routes, "notifiers": telling.notifiers,
        "alerts": telling.alerts, "notices": telling.notices,
    }),
    (WATCH, {
        "orders": orders.app, "changes": changes.app, "messages": messages.app, "events": events.app, "deliveries": deliveries.app,
        "exceptions": exceptions.app, "jobs": jobs.app, "map": maps.app,
    }),
):  # fmt: skip
    for _name, _group in _groups.items():
        app.add_typer(_group, name=_name, rich_help_panel=_panel)

app.command("import", rich_help_panel=SET_UP)(import_file)

Version = Annotated[bool, typer.Option("--version", help="Say the version and end.", is_eager=True)]


@app.callback(invoke_without_command=True)
def _root(version: Version = False) -> None:
    """Orders and parcels from everywhere in, signed status webhooks out.

    Commands find a hub on this machine by themselves; ORDERHUB_URL and ORDERHUB_TOKEN name another.
    """
    if version:
        from hub import __version__

        typer.echo(f"orderhub {__version__}")
        raise typer.Exit


def main() -> None:
    """Run the command that was typed; an error is told in a line, with the code to exit with."""
    try:
        app(prog_name="orderhub")
    except BrokenPipeError:
        sys.exit(1)
    except Exception as error:  # noqa: BLE001  what is a bug is raised again
        give_up(error)

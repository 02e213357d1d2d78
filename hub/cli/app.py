"""The command `orderhub`: every command by its noun."""

from __future__ import annotations

import sys

import typer

from hub.cli.demonstration import demo
from hub.cli.failures import give_up
from hub.cli.serving import serve

RUN = "Run"

app = typer.Typer(
    name="orderhub",
    help="Orders and parcels from everywhere in, signed status webhooks out.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command(rich_help_panel=RUN)(demo)
app.command(rich_help_panel=RUN)(serve)


@app.callback()
def _root() -> None:
    """Orders and parcels from everywhere in, signed status webhooks out."""


def main() -> None:
    """Run the command that was typed; an error is told in a line, with the code to exit with."""
    try:
        app(prog_name="orderhub")
    except BrokenPipeError:
        sys.exit(1)
    except Exception as error:  # noqa: BLE001  what is a bug is raised again
        give_up(error)

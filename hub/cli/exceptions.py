"""`orderhub exceptions`: what a person has to look at, one row for each cause."""

from __future__ import annotations

from typing import Annotated

import typer

from hub.cli import show
from hub.cli.nouns import group, quoted
from hub.cli.show import AsJson, Most, Oldest

PATH = "/v1/exceptions"
COLUMNS = {
    "severity": "severity", "state": "state", "times": "count", "last": "last_at", "what": "title", "next": "hint", "id": "id",
}  # fmt: skip

Which = Annotated[str, typer.Argument(help="An exception's id (exc_…).")]
Every = Annotated[bool, typer.Option("--all", help="The closed ones too.")]

app = group("What a person has to look at, one row for each cause.")


@app.command("list")
def list_(every: Every = False, oldest: Oldest = False, limit: Most = 1000, json: AsJson = False) -> None:
    """List what is not closed, what happened last first."""
    from hub.cli.client import hub

    with hub() as line:
        found = line.pages(PATH, most=limit, newest=not oldest, state="" if every else "unclosed")
        show.rows(found, COLUMNS, json_lines=json, none="Nothing needs you.")


@app.command("show")
def show_(exception: Which, json: AsJson = False) -> None:
    """Show one: where, which value, which orders, what to do next."""
    from hub.cli.client import hub

    with hub() as line:
        show.one(line.get(f"{PATH}/{quoted(exception)}"), json_form=json)


@app.command("ack")
def ack(exception: Which, json: AsJson = False) -> None:
    """Say that somebody looks after it."""
    _post(exception, "ack", "is acknowledged", json)


@app.command("snooze")
def snooze(exception: Which, json: AsJson = False) -> None:
    """Say that it is known and can wait."""
    _post(exception, "snooze", "can wait", json)


@app.command("retry")
def retry(exception: Which, json: AsJson = False) -> None:
    """Try everything of its cause again; it closes itself when all of it is well."""
    _post(exception, "retry", "is tried again", json)


@app.command("close")
def close(exception: Which, json: AsJson = False) -> None:
    """Close it by hand."""
    _post(exception, "close", "is closed", json)


def _post(exception: str, verb: str, told: str, json: bool) -> None:
    from hub.cli.client import hub

    with hub() as line:
        answer = line.post(f"{PATH}/{quoted(exception)}/{verb}")
    show.said(f"{exception} {told}", json_form=json, doc=answer)

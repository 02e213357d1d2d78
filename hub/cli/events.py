"""`orderhub events`: what we said to the world, from the same feed that partners may pull."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from hub.cli import show
from hub.cli.nouns import group, quoted
from hub.cli.show import AsJson, Most

if TYPE_CHECKING:
    from hub.cli.client import Client

PATH = "/v1/events"
COLUMNS = {
    "said": "recorded_at", "event": "type", "order": "data.number|order", "#": "sequence", "by": "cause.actor", "id": "id",
}  # fmt: skip
WAIT = 25

Event = Annotated[str, typer.Argument(help="An event's id (evt_…).")]
Order = Annotated[str, typer.Option(help="Only of this order, by number or id.")]
After = Annotated[str, typer.Option(help="From this cursor on.")]
Follow = Annotated[bool, typer.Option("--follow", "-f", help="Go on as they happen, until Ctrl-C.")]

app = group("What we said to the world.")


@app.command("list")
def list_(
    order: Order = "", after: After = "", follow: Follow = False, limit: Most = 1000, json: AsJson = False
) -> None:
    """List events, oldest first; with -f go on as they happen."""
    from hub.cli.client import hub

    with hub() as line:
        which = _order(line, order)
        if follow:
            _follow(line, which, after, json_lines=json)
        show.rows(
            line.pages(PATH, most=limit, order=which, after=after),
            COLUMNS,
            json_lines=json,
            none="No events yet.",
        )


@app.command("show")
def show_(event: Event) -> None:
    """Show an event, the same bytes that its webhooks carry."""
    from hub.cli.client import hub

    with hub() as line:
        found: Any = line.get(f"{PATH}/{quoted(event)}")
    show.as_json(found)


@app.command("follow")
def follow(order: Order = "", after: After = "", json: AsJson = False) -> None:
    """Watch events as they happen, until Ctrl-C; those there are already first."""
    from hub.cli.client import hub

    with hub() as line:
        _follow(line, _order(line, order), after, json_lines=json)


def _follow(line: Client, order: str, after: str, *, json_lines: bool) -> None:
    from hub.cli.follow import follow_pages

    follow_pages(line, PATH, COLUMNS, json_lines=json_lines, after=after, order=order, wait=WAIT)


def _order(line: Client, name: str) -> str:
    from hub.cli.orders import find

    return find(line, name) if name else ""

"""`orderhub events`: what we said to the world, from the same feed that partners may pull."""

from __future__ import annotations

import sys
from collections.abc import Iterator
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
TOLD = {"id": "id", "body": "body"}
WAIT = 25

Event = Annotated[str, typer.Argument(help="An event's id (evt_…).")]
Order = Annotated[str, typer.Option(help="Only of this order, by number or id.")]
After = Annotated[str, typer.Option(help="From this cursor on.")]
Endpoint = Annotated[
    str, typer.Option(help="As this endpoint hears of them: its filter, its fields, its shape.")
]
Type = Annotated[
    str, typer.Option("--type", help="Only of these types: globs such as order.*, several by comma.")
]
FromNow = Annotated[bool, typer.Option("--new", help="Only what comes from now on.")]
Follow = Annotated[bool, typer.Option("--follow", "-f", help="Go on as they happen, until Ctrl-C.")]

app = group("What we said to the world.")


@app.callback(invoke_without_command=True)
def _events(
    context: typer.Context, follow: Follow = False, endpoint: Endpoint = "", json: AsJson = False
) -> None:
    """What we said to the world."""
    if context.invoked_subcommand is not None:
        return
    if not follow:
        typer.echo(context.get_help())
        raise typer.Exit
    _watch("", "", "", endpoint, new=False, json=json)


@app.command("list")
def list_(
    order: Order = "", after: After = "", kind: Type = "", endpoint: Endpoint = "", follow: Follow = False,
    limit: Most = 1000, json: AsJson = False,
) -> None:  # fmt: skip
    """List events, oldest first; with -f go on as they happen."""
    from hub.cli.client import hub

    if follow:
        return _watch(order, after, kind, endpoint, new=False, json=json)
    with hub() as line:
        asked = {"order": _order(line, order), "after": after, "type": kind}
        if endpoint:
            return show.rows(
                _told(line, endpoint, limit, asked), TOLD, json_lines=json, none="No events yet."
            )
        show.rows(line.pages(PATH, most=limit, **asked), COLUMNS, json_lines=json, none="No events yet.")
    return None


@app.command("show")
def show_(event: Event, json: AsJson = False) -> None:
    """Show an event, the same bytes that its webhooks carry; at a terminal, or with --json, as any JSON is shown."""
    from hub.cli.client import hub

    with hub() as line:
        path = f"{PATH}/{quoted(event)}"
        if json or sys.stdout.isatty():
            show.as_json(line.get(path))
        else:
            print(line.raw(path).decode())


@app.command("follow")
def follow(
    order: Order = "", after: After = "", kind: Type = "", endpoint: Endpoint = "", new: FromNow = False,
    json: AsJson = False,
) -> None:  # fmt: skip
    """Watch events as they happen, until Ctrl-C; those there are already first."""
    _watch(order, after, kind, endpoint, new=new, json=json)


def _watch(order: str, after: str, kind: str, endpoint: str, *, new: bool, json: bool) -> None:
    from hub.cli.client import hub
    from hub.cli.follow import follow_pages

    with hub() as line:
        path = f"/v1/endpoints/{quoted(endpoint)}/events" if endpoint else PATH
        follow_pages(
            line, path, TOLD if endpoint else COLUMNS, json_lines=json, after="latest" if new else after,
            order=_order(line, order), type=kind, wait=WAIT,
        )  # fmt: skip


def _told(line: Client, endpoint: str, most: int, asked: dict[str, str]) -> Iterator[dict[str, Any]]:
    """What an endpoint heard of, page by page."""
    from hub.cli.follow import named

    after, count = asked.pop("after"), 0
    while count < most:
        page = line.get(
            f"/v1/endpoints/{quoted(endpoint)}/events", after=after, limit=min(500, most - count), **asked
        )
        yield from named(page)
        count += len(page["data"])
        after = page["next"]
        if not after:
            return


def _order(line: Client, name: str) -> str:
    from hub.cli.orders import find

    return find(line, name) if name else ""

"""`orderhub jobs`: work that goes on by itself; and the bar that follows it."""

from __future__ import annotations

import re
import sys
import time
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hub.cli import show
from hub.cli.nouns import group, quoted
from hub.cli.show import AsJson, Most, Oldest

if TYPE_CHECKING:
    from hub.cli.client import Client

PATH = "/v1/jobs"
COLUMNS = {
    "kind": "kind", "about": "endpoint|connection|subject", "state": "state", "done": "done", "of": "total", "note": "note",
    "begun": "created_at", "id": "id",
}  # fmt: skip
_LOOK = 0.5

Which = Annotated[str, typer.Argument(help="A job's id (job_…).")]
State = Annotated[str, typer.Option(help="Only running, done or cancelled.")]
Kind = Annotated[str, typer.Option(help="Only of this kind, such as replay.")]

app = group("Replays and other work that goes on by itself.")


@app.command("list")
def list_(
    state: State = "", kind: Kind = "", oldest: Oldest = False, limit: Most = 1000, json: AsJson = False
) -> None:
    """List jobs, newest first."""
    from hub.cli.client import hub

    with hub() as line:
        found = line.pages(PATH, most=limit, newest=not oldest, state=state, kind=kind)
        show.rows(found, COLUMNS, json_lines=json, none="No jobs.")


@app.command("show")
def show_(job: Which, json: AsJson = False) -> None:
    """Show a job and how far it has come."""
    from hub.cli.client import hub

    with hub() as line:
        show.one(line.get(f"{PATH}/{quoted(job)}"), json_form=json)


@app.command("follow")
def follow(job: Which, json: AsJson = False) -> None:
    """Wait until a job has ended, with a bar; Ctrl-C leaves it running. Exit code 1 where it was cancelled."""
    from hub.cli.client import hub

    with hub() as line:
        doc = watch(line, line.get(f"{PATH}/{quoted(job)}"))
    told(doc, json_form=json)
    whole(doc)


@app.command("cancel")
def cancel(job: Which, json: AsJson = False) -> None:
    """End a job; what it has done stays done."""
    from hub.cli.client import hub

    with hub() as line:
        doc = line.post(f"{PATH}/{quoted(job)}/cancel")
    show.said(f"job {job} is cancelled after {doc['done']}", json_form=json, doc=doc)


def watch(line: Client, doc: dict[str, Any]) -> dict[str, Any]:
    """Look at a job until it has ended: a bar where a person waits, else a line on stderr for each new note, such as why
    it waits. A note in which nothing but a count has changed is none."""
    from rich.console import Console
    from rich.progress import Progress

    err, seen_note = Console(stderr=True), ""
    with Progress(console=err, transient=True, disable=not sys.stderr.isatty()) as bars:
        bar = bars.add_task(doc["kind"], total=doc["total"])
        while doc["state"] == "running":
            seen = doc["total"] is not None
            bars.update(
                bar, completed=doc["done"] if seen else doc["progress"], total=doc["total"] if seen else 1.0,
                description=doc.get("note") or doc["kind"],
            )  # fmt: skip
            note = doc.get("note") or ""
            if bars.disable and note and re.sub(r"\d+", "", note) != seen_note:
                print(f"{doc['kind']} {doc['id']}: {note}", file=sys.stderr, flush=True)
            seen_note = re.sub(r"\d+", "", note)
            time.sleep(_LOOK)
            doc = line.get(f"{PATH}/{quoted(doc['id'])}")
    return doc


def told(doc: dict[str, Any], *, json_form: bool) -> None:
    """How a job stands, in a line."""
    more = f": {doc['note']}" if doc.get("note") else ""
    show.said(
        f"{doc['kind']} {doc['id']} is {doc['state']}, {doc['done']} looked at{more}",
        json_form=json_form,
        doc=doc,
    )


def whole(*jobs: dict[str, Any]) -> None:
    """Exit code 1 where one of these jobs was cancelled."""
    if any(one["state"] == "cancelled" for one in jobs):
        raise typer.Exit(1)

"""`orderhub messages`: what was said to us, and reading it again."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hub.cli import show
from hub.cli.nouns import group, quoted
from hub.cli.show import AsJson, Most, Oldest

if TYPE_CHECKING:
    from hub.cli.client import Client

Doc = dict[str, Any]

PATH = "/v1/messages"
COLUMNS = {
    "received": "received_at", "connection": "name|connection", "topic": "topic", "by": "transport", "status": "status", "id": "id",
}  # fmt: skip

Message = Annotated[str, typer.Argument(help="A message's id (msg_…).")]
Messages = Annotated[list[str] | None, typer.Argument(help="Messages by id.")]
Connection = Annotated[str, typer.Option("--connection", "-c", help="Only of this connection.")]
Status = Annotated[
    str, typer.Option(help="Only received, processed, duplicate, ignored, quarantined or failed.")
]
Cause = Annotated[str, typer.Option("--exception", help="All messages of this exception (exc_…).")]
Failed = Annotated[bool, typer.Option("--failed", help="All that failed.")]

Vouch = Annotated[bool, typer.Option("--vouch", help="You know the sender: what it says counts.")]

app = group("What was said to us, byte for byte.")


@app.command("list")
def list_(
    connection: Connection = "",
    status: Status = "",
    oldest: Oldest = False,
    limit: Most = 1000,
    json: AsJson = False,
) -> None:
    """List messages, newest first."""
    from hub.cli.client import hub

    with hub() as line:
        found = line.pages(PATH, most=limit, newest=not oldest, connection=connection, status=status)
        show.rows(found if json else _named(line, found), COLUMNS, json_lines=json, none="No such messages.")


def _named(line: Client, found: Iterable[Doc]) -> Iterator[Doc]:
    """Messages with their connection's name beside its id."""
    names = {one["id"]: one["name"] for one in line.pages("/v1/connections")}
    for one in found:
        yield {**one, "name": names.get(one["connection"])}


@app.command("show")
def show_(message: Message, json: AsJson = False) -> None:
    """Show a message: whence, when, what became of it, and where it could not be read."""
    from hub.cli.client import hub

    with hub() as line:
        found = line.get(f"{PATH}/{quoted(message)}")
    show.one(found, json_form=json)
    if found["status"] == "ignored" and not json:
        show.said(
            f"Nothing was read from it: its topic {found['topic']!r} has no mapping here, or it says nothing of an order. "
            f"After a new mapping: orderhub messages replay {found['id']}"
        )


@app.command("raw")
def raw(message: Message) -> None:
    """Write a message's body to stdout, byte for byte."""
    from hub.cli.client import hub

    with hub() as line:
        sys.stdout.buffer.write(line.raw(f"{PATH}/{quoted(message)}/raw"))


@app.command("replay")
def replay(
    messages: Messages = None,
    failed: Failed = False,
    exception: Cause = "",
    connection: Connection = "",
    json: AsJson = False,
) -> None:
    """Read messages again, with the mappings of now: some by id, or all that failed."""
    from hub.cli.client import hub
    from hub.cli.progress import each

    with hub() as line:
        ids = list(messages or ())
        if exception:
            ids += line.get(f"/v1/exceptions/{quoted(exception)}").get("subjects") or []
        if failed:
            ids += [one["id"] for one in line.pages(PATH, status="failed", connection=connection)]
        ids = [one for one in dict.fromkeys(ids) if one.startswith("msg_")]
        answers: list[Any] = [line.post(f"{PATH}/{quoted(one)}/replay") for one in each(ids, "replayed")]
    if json:
        for id_, answer in zip(ids, answers, strict=True):
            show.line({"message": id_, "answer": answer})
    elif not ids:
        show.said("There is nothing to replay: name messages, or say --failed or --exception.")
    else:
        show.said(
            f"{len(ids)} message{' is' if len(ids) == 1 else 's are'} read again. Next: orderhub exceptions list"
        )


@app.command("release")
def release(message: Message, vouch: Vouch = False, json: AsJson = False) -> None:
    """Let a letter out of quarantine: it is read as a draft, or with --vouch as a trusted partner's."""
    from hub.cli.client import hub

    with hub() as line:
        answer = line.post(f"{PATH}/{quoted(message)}/release", {"vouch": vouch})
    show.said(
        f"{message} goes through again. Next: orderhub messages show {message}", json_form=json, doc=answer
    )


@app.command("follow")
def follow(connection: Connection = "", status: Status = "", json: AsJson = False) -> None:
    """Watch messages as they come, until Ctrl-C; those there are already first."""
    from hub.cli.client import hub
    from hub.cli.follow import follow_pages

    with hub() as line:
        follow_pages(line, PATH, COLUMNS, json_lines=json, connection=connection, status=status)

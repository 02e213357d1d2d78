"""`orderhub backfill`, `compare`, `reconcile`: a source read over a span of time, with a bar; Ctrl-C leaves it running."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from hub.cli import show
from hub.cli.jobs import told, watch, whole
from hub.cli.nouns import quoted
from hub.cli.orders import moment
from hub.cli.show import AsJson

if TYPE_CHECKING:
    from hub.cli.client import Client

Doc = dict[str, Any]
PATH = "/v1/connections"
COLUMNS = {"order": "order|ref", "differs": "class", "repaired": "repaired_at", "fields": "shown"}

Which = Annotated[str, typer.Argument(help="A connection, by name or id.")]
Any_ = Annotated[str, typer.Argument(help="A connection, by name or id; all that can be read if none.")]
Since = Annotated[str, typer.Option(help="What changed since: a time, or 12h, 7d, 30d ago.")]
Until = Annotated[str, typer.Option(help="And no later than this time.")]
Emit = Annotated[str, typer.Option(help="none tells nobody of history, changes tells all of it.")]
Rate = Annotated[float, typer.Option(help="Orders a second at most; 0: as fast as the far side lets us.")]
Wait = Annotated[
    bool, typer.Option("--wait/--no-wait", help="Follow it to its end; `orderhub jobs follow` does so later.")
]


def backfill(
    connection: Which, since: Annotated[str, typer.Option(help="What changed since: a time, or 30d ago.")],
    until: Until = "", emit: Emit = "none", rate: Rate = 0.0, wait: Wait = True, json: AsJson = False,
) -> None:  # fmt: skip
    """Read a source's history. It folds, and by default tells nobody anything."""
    from hub.cli.client import hub

    body = {"since": moment(since), "until": moment(until), "emit": emit, "rate": rate}
    with hub() as line:
        doc = _job(line, connection, "backfill", body, wait=wait)
    told(doc, json_form=json)
    whole(doc)


def compare(
    connection: Which, since: Since = "", until: Until = "", wait: Wait = True, json: AsJson = False
) -> None:
    """Set what the hub holds beside what a source says now; nothing is written, nobody is told."""
    from hub.cli.client import hub

    with hub() as line:
        doc = _job(line, connection, "compare", _span(since, until), wait=wait)
        _reported(line, doc, json_form=json)
    whole(doc)


def reconcile(connection: Any_ = "", since: Since = "", wait: Wait = True, json: AsJson = False) -> None:
    """Read sources again, put right what differs, write there again what they were not told, and prove it."""
    from hub.cli.client import hub

    with hub() as line:
        names = [connection] if connection else readable(line)
        docs = []
        for name in names:
            docs.append(_job(line, name, "reconcile", _span(since, ""), wait=wait))
            _reported(line, docs[-1], json_form=json)
        if not names:
            show.said(
                "no connection can be read: orderhub connections list", json_form=json, doc={"data": []}
            )
    whole(*docs)


def readable(line: Client) -> list[str]:
    """The connections whose source can be read from a time on."""
    able = {one["name"] for one in line.pages("/v1/channels") if one["surveys"]}
    return [
        one["name"]
        for one in line.pages(PATH)
        if one["channel"] in able
        and one["status"] == "active"
        and not any(lack.startswith("cannot be polled") for lack in one["cannot"])
    ]


def _span(since: str, until: str) -> Doc:
    given = {"since": moment(since), "until": moment(until)}
    return {name: value for name, value in given.items() if value}


def _job(
    line: Client, connection: str, kind: Literal["backfill", "compare", "reconcile"], body: Doc, *, wait: bool
) -> Doc:
    given = {name: value for name, value in body.items() if value not in ("", None)}
    doc: Doc = line.post(f"{PATH}/{quoted(connection)}/{kind}", given)
    return watch(line, doc) if wait else doc


def _reported(line: Client, doc: Doc, *, json_form: bool) -> None:
    """What a survey found, once it has ended."""
    if doc["state"] != "done":
        return told(doc, json_form=json_form)
    path = f"/v1/reconciliations/rec_{doc['id'].partition('_')[2]}"
    run = line.get(path)
    found = list(line.pages(f"{path}/drifts"))
    if json_form:
        return show.line({**run, "drifts": found})
    repaired = sum(run["repaired"].values())
    words = ", ".join(f"{count} {kind}" for kind, count in sorted(run["found"].items())) or "no drift"
    more = f", {repaired} put right" if run["kind"] == "reconcile" and found else ""
    show.said(f"{doc['connection']}: {run['checked']} looked at, {run['equal']} equal, {words}{more}")
    for one in found:
        one["shown"] = ", ".join(field["path"] for field in one["fields"][:6])
    if found:
        show.rows(found, COLUMNS, json_lines=False, none="")
    return None


Day = Annotated[
    str, typer.Option(help="A day such as 2027-01-10, in each connection's own time zone; today if none.")
]
Of = Annotated[str, typer.Option("--connection", "-c", help="Only of this connection.")]


def balance(day: Day = "", connection: Of = "", json: AsJson = False) -> None:
    """Set a day's orders at the source beside those here and those that partners acknowledged; ends with 1 on a gap."""
    from hub.cli.client import hub

    with hub(timeout=600) as line:
        doc = line.get("/v1/balance", day=day, connection=connection)
    if json:
        show.as_json(doc)
    else:
        for one in doc["connections"]:
            _balanced(one)
        if not doc["connections"]:
            show.said("There is no shop whose orders could be counted: `orderhub connect` makes one.")
    if not doc["balanced"]:
        raise typer.Exit(1)


def _balanced(one: Doc) -> None:
    out = show.console()
    there = "?" if one["source"] is None else one["source"]
    told = ", ".join(f"{by['endpoint']} {by['acknowledged']}" for by in one["endpoints"]) or "nobody listens"
    mark, colour = ("✓", "green") if one["balanced"] else ("✗", "red")
    out.print(
        f"{mark} {one['connection']} {one['day']}: source {there}, here {one['here']}, acknowledged {told}",
        style=colour,
    )
    if one["note"]:
        out.print(f"    {one['note']}")
    for title in ("missing_here", "missing_there", "unread"):
        for gap in one[title]:
            out.print(f"    {title} {gap['ref'] or gap.get('message', '')}: {gap['reason']}")
    for by in one["endpoints"]:
        for gap in by["missing"]:
            out.print(f"    {by['endpoint']} lacks {gap['ref']}: {gap['reason']}")
        for why, count in by["excluded"].items():
            out.print(f"    {by['endpoint']}: {count} not for it ({why})")

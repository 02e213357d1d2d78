"""`orderhub deliveries`: each event on its way to each partner and far side."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from hub.cli import show
from hub.cli.nouns import Yes, group, quoted, sure
from hub.cli.show import AsJson, Most, Oldest

PATH = "/v1/deliveries"
COLUMNS = {
    "event": "type", "to": "to", "status": "status", "tries": "attempts", "due": "due_at", "outcome": "outcome",
    "order": "order", "id": "id",
}  # fmt: skip

Delivery = Annotated[str, typer.Argument(help="A delivery's id.")]
Status = Annotated[str, typer.Option(help="Only waiting, due, held, delivered, dead, skipped or dropped.")]
Endpoint = Annotated[str, typer.Option(help="Only to this endpoint, by name or id.")]
Event = Annotated[str, typer.Option(help="Only of this event.")]
Type = Annotated[str, typer.Option("--type", help="Only of such events, as shipment.*.")]
Since = Annotated[str, typer.Option(help="Only what was told since: a time, or 30m, 12h, 7d ago.")]
Order = Annotated[str, typer.Option(help="Only of this order, by number or id.")]

app = group("Each event on its way to each partner and far side.")


@app.command("list")
def list_(
    status: Status = "", endpoint: Endpoint = "", event: Event = "", type_: Type = "", order: Order = "",
    since: Since = "", oldest: Oldest = False, limit: Most = 1000, json: AsJson = False,
) -> None:  # fmt: skip
    """List deliveries, newest first."""
    from hub.cli.client import hub
    from hub.cli.orders import find, moment

    with hub() as line:
        which = find(line, order) if order else ""
        asked = {
            "status": status,
            "endpoint": endpoint,
            "event": event,
            "type": type_,
            "since": moment(since),
        }
        found = line.pages(PATH, most=limit, newest=not oldest, order=which, **asked)
        columns = {title: path for title, path in COLUMNS.items() if not (which and title == "order")}
        show.rows(
            found if json else map(_addressed, found), columns, json_lines=json, none="No such deliveries."
        )


def _addressed(one: dict[str, Any]) -> dict[str, Any]:
    """A delivery with whom it is to: an endpoint, or a connection and its write."""
    _, _, write = one["target"].partition("/")
    return {
        **one,
        "to": one.get("endpoint") or f"{one.get('connection', '')} {write}".strip() or one["target"],
    }


@app.command("show")
def show_(delivery: Delivery, json: AsJson = False) -> None:
    """Show a delivery with every attempt: when, how it was answered, how long each part took."""
    from hub.cli.client import hub

    with hub() as line:
        doc = line.get(f"{PATH}/{quoted(delivery)}")
    if json:
        return show.as_json(doc)
    show.one({name: value for name, value in doc.items() if name != "log"}, json_form=False)
    columns = {"at": "at", "outcome": "outcome", "trigger": "detail.trigger", "address": "detail.address|detail.status",
               "answer": "detail.body|detail.reason|detail.error", "phases": "detail.phases"}  # fmt: skip
    show.rows(doc.get("log", ()), columns, json_lines=False, none="No attempt yet.")
    return None


@app.command("redeliver")
def redeliver(delivery: Delivery, json: AsJson = False) -> None:
    """Send it again, out of turn, with a whole new schedule."""
    from hub.cli.client import hub

    with hub() as line:
        answer = line.post(f"{PATH}/{quoted(delivery)}/redeliver")
    show.said(f"delivery {delivery} is due again", json_form=json, doc=answer)


@app.command("skip")
def skip(delivery: Delivery, yes: Yes = False, json: AsJson = False) -> None:
    """Give it up, so that the next event of its order may go."""
    from hub.cli.client import hub

    sure(f"Skip delivery {delivery}? The partner will not get this event unless it pulls it.", yes=yes)
    with hub() as line:
        answer = line.post(f"{PATH}/{quoted(delivery)}/skip")
    show.said(f"delivery {delivery} is skipped", json_form=json, doc=answer)


@app.command("queue")
def queue(
    endpoint: Annotated[str, typer.Argument(help="The endpoint, by name or id.")],
    order: Order = "",
    json: AsJson = False,
) -> None:
    """What an endpoint is still owed, and which orders are stuck there behind what; with --order all of its queue."""
    from hub.cli.client import hub
    from hub.cli.orders import find

    with hub() as line:
        doc = line.get(f"/v1/endpoints/{quoted(endpoint)}/queue", order=find(line, order) if order else "")
    if json:
        return show.as_json(doc)
    down = f", down since {doc['down_since']}, next probe {doc['next_probe_at']}" if doc["down_since"] else ""
    show.said(
        f"{doc['endpoint']} is {doc['status']}{down}: {doc['due']} due, {doc['waiting']} wait, {doc['held']} held"
    )
    rows = [
        {**(one.get("head") or {}), **{key: one.get(key) for key in ("order", "waits", "passes_at")}}
        for one in doc["data"]
    ]
    columns = {"order": "order", "stuck at": "type", "delivery": "id", "tries": "attempts", "outcome": "outcome",
               "again": "due_at", "behind it": "waits", "passed at": "passes_at"}  # fmt: skip
    show.rows(rows, columns, json_lines=False, none="No order is stuck.")
    behind = [one for stuck in doc["data"] for one in stuck.get("waiting", ())]
    if behind:
        show.rows(behind, {"waits": "type", "delivery": "id", "told": "due_at"}, json_lines=False, none="")
    return None

"""`orderhub changes`: what is asked to be changed of orders, with what it would do, and the decision on it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from hub.cli import show
from hub.cli.failures import Failure
from hub.cli.nouns import group
from hub.cli.orders import PATH, Reason, Which, find
from hub.cli.show import AsJson

if TYPE_CHECKING:
    from hub.cli.client import Client

Change = Annotated[str, typer.Argument(help="The change (chg_…); the one that waits, if none is named.")]
COLUMNS = {
    "id": "id",
    "status": "status",
    "asked": "requested_at",
    "by": "requested_by",
    "why": "reason",
    "due": "preview.due",
}

app = group("Changes of orders: list, show, confirm, decline.")


@app.command("list")
def list_(order: Which, json: AsJson = False) -> None:
    """List what was asked to be changed of an order, oldest first."""
    from hub.cli.client import hub

    with hub() as line:
        found = line.get(f"{PATH}/{find(line, order)}/changes")["data"]
    show.rows(iter(found), COLUMNS, json_lines=json, none="Nothing was asked to be changed.")


@app.command("show")
def show_(order: Which, change: Change = "", json: AsJson = False) -> None:
    """Show a change: what is, what would be, what differs."""
    from hub.cli.client import hub

    with hub() as line:
        _, one = _named(line, order, change)
    if json:
        show.as_json(one)
        return
    out = show.console()
    out.print(
        f"{one['id']}  {one['status']}  asked by {one.get('requested_by', '?')} at {one.get('requested_at', '?')}"
    )
    preview = one.get("preview") or {}
    for each in preview.get("difference", ()):
        out.print(f"  {each['path']}: {show.cell(each.get('from'))} → {show.cell(each.get('to'))}")
    if not preview:
        for each in one["actions"]:
            out.print("  " + ", ".join(f"{name} {show.cell(value)}" for name, value in each.items()))


@app.command("confirm")
def confirm(order: Which, change: Change = "", reason: Reason = "", json: AsJson = False) -> None:
    """Do what was asked for."""
    _decide(order, change, "confirm", reason, json)


@app.command("decline")
def decline(order: Which, change: Change = "", reason: Reason = "", json: AsJson = False) -> None:
    """Leave the order as it is."""
    _decide(order, change, "decline", reason, json)


def _decide(order: str, change: str, verb: str, reason: str, json: bool) -> None:
    from hub.cli.client import hub

    with hub() as line:
        id_, one = _named(line, order, change)
        doc: Any = line.post(f"{PATH}/{id_}/changes/{verb}", {"change": one["id"], "reason": reason})
    told = {"confirm": "confirmed", "decline": "declined"}[verb]
    show.said(f"{one['id']} of {doc.get('number') or doc['hub_number']} is {told}", json_form=json, doc=doc)


def _named(line: Client, order: str, change: str) -> tuple[str, dict[str, Any]]:
    """The order's id, and the change that is meant."""
    id_ = find(line, order)
    found = line.get(f"{PATH}/{id_}/changes")["data"]
    meant = next(
        (one for one in found if one["id"] == change or (not change and one["status"] == "requested")), None
    )
    if meant is None:
        raise Failure(
            f"{order} has no change {change}" if change else f"no change of {order} waits for a decision",
            hint=f"`orderhub changes list {order}` shows those there were.",
        )
    return id_, meant

"""`orderhub orders`: what we hold true, and the decisions that people take on it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hub.cli import show
from hub.cli.failures import USAGE, Failure
from hub.cli.nouns import Sets, group, pairs, quoted, typed
from hub.cli.show import AsJson, Most, Oldest

if TYPE_CHECKING:
    from hub.cli.client import Client

PATH = "/v1/orders"
COLUMNS = {
    "number": "number|hub_number", "state": "state", "payment": "payment_status", "fulfilment": "fulfillment_status",
    "total": "totals.total|computed_totals.total", "buyer": "buyer.name|ship_to.name", "updated": "updated_at", "id": "id",
}  # fmt: skip

Which = Annotated[str, typer.Argument(help="Its number, its id (ord_…), our number, or the source's id.")]
Number = Annotated[str, typer.Option(help="Only with this number.")]
Ref = Annotated[str, typer.Option(help="Only with this id at the source.")]
Connection = Annotated[str, typer.Option("--connection", "-c", help="Only of this connection.")]
State = Annotated[str, typer.Option(help="Only in this state.")]
Since = Annotated[str, typer.Option(help="Only changed since: a time, or 30m, 12h, 7d ago.")]
Reason = Annotated[str, typer.Option(help="Why.")]
Note = Annotated[str, typer.Option(help="What to remember of it.")]
Text = Annotated[str, typer.Argument(help="The note.")]
Lines = Annotated[str, typer.Option("--file", help="A JSON file with what is to be filled in.")]
HoldId = Annotated[str, typer.Option("--hold", help="Only this hold; all of them if none.")]

app = group("Orders: list, show, follow, decide.")


@app.command("list")
def list_(
    number: Number = "", ref: Ref = "", connection: Connection = "", state: State = "", since: Since = "",
    oldest: Oldest = False, limit: Most = 1000, json: AsJson = False,
) -> None:  # fmt: skip
    """List orders, the one that changed last first."""
    from hub.cli.client import hub

    filters = {
        "number": number,
        "ref": ref,
        "connection": connection,
        "state": state,
        "updated_after": moment(since),
    }
    with hub() as line:
        show.rows(
            line.pages(PATH, most=limit, newest=not oldest, **filters),
            COLUMNS,
            json_lines=json,
            none="No such orders.",
        )


@app.command("show")
def show_(order: Which, json: AsJson = False) -> None:
    """Show an order: its lines, its parcels, what it comes to, what it waits for."""
    from hub.cli.client import hub
    from hub.cli.sheet import sheet

    with hub() as line:
        doc = line.get(f"{PATH}/{find(line, order)}")
    if json:
        show.as_json(doc)
    else:
        sheet(doc)


@app.command("follow")
def follow(connection: Connection = "", state: State = "", json: AsJson = False) -> None:
    """Watch orders as they change, until Ctrl-C."""
    from hub.cli.client import hub
    from hub.cli.follow import follow_pages

    start = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    with hub() as line:
        follow_pages(
            line, PATH, COLUMNS, json_lines=json, connection=connection, state=state, updated_after=start
        )


@app.command("timeline")
def timeline(order: Which, json: AsJson = False) -> None:
    """Everything that was said of an order, in its sequence."""
    from hub.cli.client import hub

    columns = {
        "#": "sequence",
        "event": "type",
        "happened": "occurred_at",
        "said": "recorded_at",
        "by": "cause.actor",
        "id": "id",
    }
    with hub() as line:
        found = line.pages(f"{PATH}/{find(line, order)}/timeline")
        show.rows(found, columns, json_lines=json, none="Nothing was said of it yet.")


@app.command("drafts")
def drafts(connection: Connection = "", limit: Most = 1000, json: AsJson = False) -> None:
    """List the drafts that wait for a person, and what each waits for."""
    from hub.cli.client import hub

    columns = {"number": "number|hub_number", "buyer": "buyer.name|buyer.email|ship_to.name", "read from": "entry.form",
               "trust": "entry.confidence", "waits for": "waits", "id": "id"}  # fmt: skip
    with hub() as line:
        found = line.pages(PATH, most=limit, state="draft", connection=connection)
        told = (one if json else one | {"waits": _waits(one)} for one in found)
        show.rows(told, columns, json_lines=json, none="No draft waits.")


def _waits(doc: Mapping[str, Any]) -> str:
    reasons = (doc.get("entry") or {}).get("reasons", ())
    return "; ".join(f"{one['field']}: {one['reason']}" for one in reasons) or "confirmation"


@app.command("complete")
def complete(order: Which, sets: Sets = None, file: Lines = "", json: AsJson = False) -> None:
    """Complete a draft: `--set ship_to.city=Bonn`, `--set lines='[{"sku": "W-1", "qty": 2}]'`, or a JSON file."""
    from hub.cli.client import hub

    body = _body(sets, file)
    with hub() as line:
        doc = line.patch(f"{PATH}/{find(line, order)}/draft", body)
    show.said(f"{doc.get('number') or doc['hub_number']} waits for {_waits(doc)}", json_form=json, doc=doc)


def _body(sets: list[str] | None, file: str) -> dict[str, Any]:
    body = typed("{}" if not file else next(iter(pairs([f"file=@{file}"]).values())))
    if not isinstance(body, dict):
        raise Failure(
            f"{file}: not a JSON object", hint='Like {"purchase_order": "PO-1", "lines": []}.', code=USAGE
        )
    for name, value in pairs(sets).items():
        *above, last = name.split(".")
        place = body
        for part in above:
            place = place.setdefault(part, {})
        place[last] = typed(value)
    if not body:
        raise Failure(
            "nothing is given to complete it with", hint="--set FIELD=VALUE or --file FILE.", code=USAGE
        )
    return body


@app.command("confirm")
def confirm(order: Which, json: AsJson = False) -> None:
    """Confirm an order that waits for it."""
    _decide(order, "confirm", {}, json)


@app.command("reject")
def reject(order: Which, reason: Reason = "", json: AsJson = False) -> None:
    """Turn an order down."""
    _decide(order, "reject", {"reason": reason}, json)


@app.command("cancel")
def cancel(order: Which, reason: Reason = "other", json: AsJson = False) -> None:
    """Cancel what is not shipped yet: customer, declined, fraud, inventory, staff, expired or other."""
    _decide(order, "cancel", {"reason": reason}, json)


@app.command("hold")
def hold(order: Which, reason: Reason = "manual", note: Note = "", json: AsJson = False) -> None:
    """Hold an order: fraud, address, stock, sku, price, payment, approval, manual, duplicate or mapping."""
    _decide(order, "hold", {"reason": reason, "note": note}, json)


@app.command("release")
def release(order: Which, hold: HoldId = "", json: AsJson = False) -> None:
    """Let a held order go on."""
    _decide(order, "release", {"hold": hold}, json)


@app.command("note")
def note(order: Which, text: Text, json: AsJson = False) -> None:
    """Write a note to an order."""
    _decide(order, "notes", {"text": text}, json)


def _decide(order: str, verb: str, body: Mapping[str, str], json: bool) -> None:
    from hub.cli.client import hub

    with hub() as line:
        id_ = find(line, order)
        answer = line.post(f"{PATH}/{id_}/{verb}", {name: value for name, value in body.items() if value})
        doc: Any = answer if isinstance(answer, dict) and "state" in answer else line.get(f"{PATH}/{id_}")
    holds = ", ".join(one["reason"] for one in doc.get("holds", ()))
    said = f"{doc.get('number') or doc['hub_number']} is {doc['state']}" + (
        f", held: {holds}" if holds else ""
    )
    show.said(said, json_form=json, doc=doc)


def find(line: Client, name: str) -> str:
    """The id of the order that a person means; `1001` finds the order #1001 too, since a shell takes # for a comment."""
    if name.startswith("ord_"):
        return quoted(name)
    found = _called(line, name) or _called(line, name.removeprefix("#") if name[0] == "#" else f"#{name}")
    if not found:
        raise Failure(
            f"no order has the number or source id {name!r}",
            hint="`orderhub orders list` shows those there are.",
        )
    if len(found) > 1:
        ids = "\n".join(f"  {id_}  {one.get('number', '')}  {one['state']}" for id_, one in found.items())
        raise Failure(f"{len(found)} orders are called {name!r}", hint=f"Say which by its id:\n{ids}")
    return str(next(iter(found)))


def _called(line: Client, name: str) -> dict[str, Any]:
    return {one["id"]: one for key in ("number", "ref") for one in line.pages(PATH, most=10, **{key: name})}


def moment(text: str) -> str:
    """A time as the API takes it: as it is, or so long ago."""
    units = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
    if not text or text[-1] not in units or not text[:-1].isdigit():
        return text
    ago = datetime.now(UTC).timestamp() - int(text[:-1]) * units[text[-1]]
    return datetime.fromtimestamp(ago, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")

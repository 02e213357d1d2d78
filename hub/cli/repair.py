"""`orderhub rebuild`, `remap`, `redact`: what is stored, folded and read again, or forgotten; dry runs unless told."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hub.cli import show
from hub.cli.failures import USAGE, Failure
from hub.cli.nouns import Yes, sure
from hub.cli.orders import find, moment
from hub.cli.progress import counted
from hub.cli.show import AsJson

if TYPE_CHECKING:
    from hub.cli.client import Client

Doc = dict[str, Any]

Orders = Annotated[list[str] | None, typer.Argument(help="Orders by number or id; all of them if none.")]
Apply = Annotated[bool, typer.Option("--apply", help="Do it; else only what would differ is shown.")]
Texts = Annotated[
    list[Path] | None,
    typer.Option("--mapping", help="A mapping's file to read with, over those in force. Repeatable."),
]
Since = Annotated[str, typer.Option(help="Only messages since: a time, or 30m, 12h, 7d ago.")]
Connection = Annotated[str, typer.Option("--connection", "-c", help="Only of this connection.")]
Email = Annotated[str | None, typer.Option(help="Whose mail address is this.")]
Phone = Annotated[str | None, typer.Option(help="Whose telephone number is this.")]
Buyer = Annotated[str | None, typer.Option(help="Whose id at the source is this.")]
Named = Annotated[
    list[str] | None, typer.Option("--order", help="The people of this order, by number or id. Repeatable.")
]
Reason = Annotated[str, typer.Option(help="Why; kept in the audit.")]


def rebuild(orders: Orders = None, apply: Apply = False, yes: Yes = False, json: AsJson = False) -> None:
    """Fold orders anew from their facts and show what would differ from what is stored."""
    from hub.cli.client import hub

    if apply:
        sure("Write what differs, and tell it to everyone who listens?", yes=yes)
    with hub(timeout=300) as line:
        ids = [find(line, one) for one in orders] if orders else None
        body: Doc = {"apply": apply, **({"orders": ids} if ids else {})}
        count = unlike = 0
        for page in counted(
            pages(line, "/v1/orders/rebuild", body), "orders", lambda page: len(page["data"])
        ):
            count += len(page["data"])
            for one in page["data"]:
                unlike += not one["same"]
                _differs(one, one["order"], json_lines=json, skip=one["same"])
    if not json:
        show.said(f"{count} orders folded anew, {unlike} differ{_and(unlike, apply=apply)}")


def remap(
    mapping: Texts = None, since: Since = "", connection: Connection = "", apply: Apply = False, yes: Yes = False,
    json: AsJson = False,
) -> None:  # fmt: skip
    """Read messages that are still held again, with other mappings, and show which orders would differ."""
    if apply:
        sure("Write what differs, and tell it to everyone who listens?", yes=yes)
    again(mapping or [], since, connection, apply=apply, json_lines=json)


def again(files: list[Path], since: str, connection: str, *, apply: bool, json_lines: bool) -> None:
    """Read messages again, page by page, and tell what differs."""
    from hub.cli.client import hub

    texts = {path.stem: path.read_text(encoding="utf-8") for path in files}
    body = {"mappings": texts, "since": moment(since), "connection": connection, "apply": apply}
    count = unlike = 0
    with hub(timeout=300) as line:
        for page in counted(
            pages(line, "/v1/messages/remap", body), "messages", lambda page: page["checked"]
        ):
            count += page["checked"]
            unlike += len(page["orders"])
            for one in page["orders"]:
                _differs(one, one["order"] or f"new order {one['ref']}", json_lines=json_lines, skip=False)
            _unread(page, json_lines=json_lines)
    if not json_lines:
        show.said(f"{count} messages read again, {unlike} orders differ{_and(unlike, apply=apply)}")


def redact(
    email: Email = None, phone: Phone = None, buyer: Buyer = None, order: Named = None, connection: Connection = "",
    reason: Reason = "", apply: Apply = False, yes: Yes = False, json: AsJson = False,
) -> None:  # fmt: skip
    """Forget people: orders, messages and events keep their ids and lose the names. It cannot be undone."""
    from hub.cli.client import hub

    if not (email or phone or buyer or order):
        raise Failure("say whom to forget: --email, --phone, --buyer or --order", code=USAGE)
    if apply:
        sure("Forget them for good?", yes=yes)
    with hub(timeout=300) as line:
        whom = {
            "email": email,
            "phone": phone,
            "buyer": buyer,
            "connection": connection,
            "reason": reason,
            "apply": apply,
        }
        body = {name: value for name, value in whom.items() if value} | {
            "orders": [find(line, one) for one in order or ()]
        }
        done = line.post("/v1/redactions", body)
    what = f"{len(done['orders'])} orders and {len(done['messages'])} other messages"
    told = f"{what} are forgotten" if done["applied"] else f"{what} would be forgotten: --apply does it"
    before = f"; {len(done['already'])} orders were before" if done["already"] else ""
    show.said(told + before, json_form=json, doc=done)


def pages(line: Client, path: str, body: Doc) -> Iterator[Doc]:
    """Every page of a repair that goes on from where the last one ended."""
    after: Doc = {}
    while True:
        page = line.post(path, {**body, **after})
        yield page
        if page.get("next") is None:
            return
        after = {"after": page["next"]}


def _differs(one: Doc, name: str, *, json_lines: bool, skip: bool) -> None:
    if json_lines:
        return show.line(one)
    if skip:
        return None
    out = show.console()
    out.print(f"{name}: {', '.join(one['events']) or 'no event'}", style="yellow")
    for change in one["changes"]:
        out.print(f"    {change['path']}: {change.get('from')!r} → {change.get('to')!r}")
    return None


def _unread(page: Doc, *, json_lines: bool) -> None:
    for one in page["unread"]:
        if json_lines:
            show.line({"unread": one})
        elif one["was_read"]:
            show.console().print(
                f"{one['message']} could be read before, and not now: {one['reason']}", style="red"
            )
    for one in page["mended"]:
        show.line({"mended": one}) if json_lines else show.console().print(
            f"{one} can be read now", style="green"
        )


def _and(unlike: int, *, apply: bool) -> str:
    if not unlike:
        return ""
    return ", written and told" if apply else ": nothing is written without --apply"

"""`orderhub endpoints replay`: a partner gets again what it had, or at last what it missed."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from hub.cli.failures import USAGE, Failure
from hub.cli.nouns import Name, quoted
from hub.cli.show import AsJson

Since = Annotated[str, typer.Option(help="What happened since: a time, or 30m, 12h, 7d ago.")]
Until = Annotated[str, typer.Option(help="And until then.")]
Missing = Annotated[bool, typer.Option("--missing", help="Only what was never delivered.")]
Failed = Annotated[bool, typer.Option("--failed", help="Only dead letters.")]
Order = Annotated[str, typer.Option(help="The history of this order, by number or id.")]
Delivery = Annotated[str, typer.Option(help="This delivery alone (dlv_…).")]
Event = Annotated[
    list[str] | None, typer.Option("--event", "-e", help="Only such events, as shipment.*. Repeatable.")
]
Leave = Annotated[bool, typer.Option("--no-wait", help="Leave it running and return at once.")]


def replay(
    name: Name, since: Since = "", until: Until = "", missing: Missing = False, failed: Failed = False,
    order: Order = "", delivery: Delivery = "", event: Event = None, no_wait: Leave = False, json: AsJson = False,
) -> None:  # fmt: skip
    """Send an endpoint again what it had, or what it missed: the same ids and bytes, as fast as its rate allows."""
    from hub.cli.client import hub
    from hub.cli.jobs import told, watch, whole
    from hub.cli.orders import find, moment

    if missing and failed:
        raise Failure("--missing and --failed exclude each other", code=USAGE)
    if not (since or order or delivery):
        raise Failure(
            "say since when (--since), of which order (--order), or which delivery (--delivery)",
            hint="--missing and --failed choose among what happened since then: --since 7d --missing.",
            code=USAGE,
        )
    with hub() as line:
        body: dict[str, Any] = {
            "missing": missing, "failed": failed, "since": moment(since),
            "until": moment(until), "delivery": delivery, "events": event, "order": find(line, order) if order else "",
        }  # fmt: skip
        doc = line.post(
            f"/v1/endpoints/{quoted(name)}/replay", {key: value for key, value in body.items() if value}
        )
        doc = doc if no_wait else watch(line, doc)
    told(doc, json_form=json)
    whole(doc)

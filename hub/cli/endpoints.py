"""`orderhub endpoints`: where partners receive webhooks."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from hub.cli import show
from hub.cli.nouns import (
    Name,
    Sets,
    Yes,
    changes,
    fields,
    group,
    lists,
    quoted,
    removes,
    shows,
    sure,
    together,
    verbs,
)
from hub.cli.replays import Order, Since, replay
from hub.cli.show import AsJson, Most, Oldest

PATH = "/v1/endpoints"
Url = Annotated[str, typer.Argument(help="Where the partner receives webhooks.")]
Called = Annotated[str | None, typer.Option("--name", help="What to call it.")]
Events = Annotated[
    list[str] | None,
    typer.Option(
        "--event",
        "-e",
        help="Which events, such as order.* or shipment.delivered; all that befalls orders if none. Repeatable.",
    ),
]
Partner = Annotated[str | None, typer.Option(help="The partner that it belongs to.")]
Overlap = Annotated[
    float, typer.Option(min=0, max=168, help="Hours for which the old secret goes on signing too.")
]
Own = Annotated[
    Path | None, typer.Option("--secret-file", help="A file with the new secret, to bring one of your own.")
]
Outcome = Annotated[
    str, typer.Option(help="Only with this status, such as 500, or kind of error, such as timeout.")
]
ATTEMPTS = {
    "at": "at", "event": "type", "outcome": "outcome", "try": "detail.number", "why": "detail.trigger",
    "address": "detail.address", "ms": "detail.phases.total", "answer": "detail.body|detail.reason", "delivery": "delivery",
}  # fmt: skip

app = group("Where partners receive webhooks.")
lists(
    app, PATH, {"name": "name", "url": "url", "events": "events", "status": "status", "failing since": "failing_since", "ordering": "ordering", "id": "id"},
    "No endpoints yet: `orderhub endpoints add URL` makes one.",
)  # fmt: skip
shows(app, PATH)


@app.command("add")
def add(
    url: Url,
    event: Events = None,
    name: Called = None,
    partner: Partner = None,
    sets: Sets = None,
    json: AsJson = False,
) -> None:
    """Make an endpoint; its secret is shown this once. `--set` gives any other field: --set rate=20,
    --set auth.type=bearer --set auth.token=@token.txt, --set 'schedule=[0,60]', --set from=0."""
    from hub.cli.client import hub

    given = {
        "url": ("URL", url),
        "events": ("--event", event or None),
        "name": ("--name", name),
        "partner": ("--partner", partner),
    }
    body = together(fields(sets), given)
    with hub() as line:
        made = line.post(PATH, body)
    if json:
        return show.as_json(made)
    out = show.console()
    since = "from now on" if body.get("from", "now") == "now" else f"and what happened since {body['from']}"
    out.print(f"endpoint {made['name']} gets {', '.join(made['events'])} at {made['url']}, {since}")
    for text in _keys(made):
        out.print(text)
    out.print(f"verify with any Standard Webhooks library. Next: orderhub endpoints test {made['name']}")
    return None


@app.command("set")
def change(name: Name, sets: Sets = None, json: AsJson = False) -> None:
    """Change fields: --set url=… --set 'events=["order.*"]' --set rate=20. A part changes alone: --set headers.x-desk=7,
    and --set headers.x-desk= takes it away; --set 'headers={}' is the whole field."""
    from hub.cli.client import hub

    with hub() as line:
        place = f"{PATH}/{quoted(name)}"
        answer = line.patch(place, changes(line, place, sets))
    more = "".join(f"; {text}" for text in _keys(answer)) if answer.get("secret") else ""
    show.said(f"endpoint {answer['name']} is changed{more}", json_form=json, doc=answer)


def _keys(made: dict[str, Any]) -> Iterator[str]:
    """What verifies its webhooks: the shared secret where it is new, the public keys."""
    if made.get("secret"):
        yield f"secret, shown this once: {made['secret']}"
    yield from (f"public key: {key}" for key in made.get("public_keys", ()))


@app.command("test")
def try_(name: Name, json: AsJson = False) -> None:
    """Send it a webhook.test and show the whole exchange."""
    from hub.cli.client import hub

    with hub() as line:
        done = line.post(f"{PATH}/{quoted(name)}/test")
        accept = "" if done["ok"] else line.get(f"{PATH}/{quoted(name)}").get("accept", "")
    if json:
        show.as_json(done)
    else:
        for text in _exchange(done["request"], done["response"]):
            show.console().print(text)
        taken = (
            f"{name} took it" if done["ok"] else f"{name} did not take it: {_why(done['response'], accept)}"
        )
        show.said(taken)
    if not done["ok"]:
        raise typer.Exit(1)


def _exchange(request: dict[str, Any], response: dict[str, Any]) -> Iterator[str]:
    """What was sent and what came back, line by line."""
    yield f"> POST {request['url']}"
    yield from (f"> {header}: {value}" for header, value in request["headers"].items())
    yield f"> {request['body']}"
    if response["status"]:
        yield f"< {response['status']} from {response['address']}"
    yield from (f"< {header}: {value}" for header, value in response["headers"].items())
    yield from (f"< {line}" for line in response["body"].splitlines())
    yield ", ".join(f"{phase} {took:.0f} ms" for phase, took in response["phases"].items())


def _why(response: dict[str, Any], accept: str) -> str:
    if response["error"]:
        return f"{response['error']}: {response['reason']}"
    wanted = f", and its `accept` is {accept}" if accept else ""
    return f"it answered {response['status']}{wanted}"


@app.command("rotate")
def rotate(name: Name, overlap: Overlap = 24.0, secret_file: Own = None, json: AsJson = False) -> None:
    """Give it a new secret, shown this once; the old one goes on signing beside it."""
    from hub.cli.client import hub

    body: dict[str, Any] = {"overlap_hours": overlap}
    if secret_file is not None:
        body["secret"] = secret_file.read_text(encoding="utf-8").strip()
    with hub() as line:
        made = line.post(f"{PATH}/{quoted(name)}/rotate", body)
    show.said(
        f"{'; '.join(_keys(made))}; the old one holds {overlap:g} h",
        json_form=json,
        doc=made,
    )


@app.command("attempts")
def attempts(
    name: Name, outcome: Outcome = "", since: Since = "", order: Order = "", oldest: Oldest = False, limit: Most = 100,
    json: AsJson = False,
) -> None:  # fmt: skip
    """List what was sent to it and what came back, newest first."""
    from hub.cli.client import hub
    from hub.cli.orders import find, moment

    with hub() as line:
        asked = {"outcome": outcome, "since": moment(since), "order": find(line, order) if order else ""}
        found = line.pages(f"{PATH}/{quoted(name)}/attempts", most=limit, newest=not oldest, **asked)
        show.rows(found, ATTEMPTS, json_lines=json, none="No such attempts.")


@app.command("drop")
def drop(name: Name, yes: Yes = False, json: AsJson = False) -> None:
    """Drop what is held for it while it is disabled, for good. The events stay: `orderhub endpoints replay`."""
    from hub.cli.client import hub

    sure(f"Drop all deliveries that are held for {name}?", yes=yes)
    with hub() as line:
        answer = line.post(f"{PATH}/{quoted(name)}/drop")
    show.said(f"{answer['dropped']} deliveries to {name} were dropped", json_form=json, doc=answer)


app.command("replay")(replay)
verbs(app, PATH, "endpoint", {
    "pause": ("Let its deliveries wait.", "is paused: its deliveries wait"),
    "enable": ("Let it work again; what was held flows.", "is enabled: what waited flows"),
    "disable": ("Hold its deliveries until it is enabled.", "is disabled: its deliveries are held"),
})  # fmt: skip
removes(app, PATH, "endpoint", "What it is still owed is dropped.")

"""`orderhub endpoints`: where partners receive webhooks."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from hub.cli import show
from hub.cli.nouns import Name, Sets, group, lists, pairs, quoted, removes, shows, typed, verbs
from hub.cli.replays import replay
from hub.cli.show import AsJson

PATH = "/v1/endpoints"
Url = Annotated[str, typer.Argument(help="Where the partner receives webhooks.")]
Called = Annotated[str | None, typer.Option("--name", help="What to call it.")]
Events = Annotated[
    list[str] | None,
    typer.Option("--event", "-e", help="Which events, such as order.* or shipment.delivered. Repeatable."),
]
Partner = Annotated[str | None, typer.Option(help="The partner that it belongs to.")]
Overlap = Annotated[
    float, typer.Option(min=0, max=168, help="Hours for which the old secret goes on signing too.")
]
Own = Annotated[
    Path | None, typer.Option("--secret-file", help="A file with the new secret, to bring one of your own.")
]

app = group("Where partners receive webhooks.")
lists(
    app, PATH, {"name": "name", "url": "url", "events": "events", "status": "status", "ordering": "ordering", "id": "id"},
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
    """Make an endpoint; its secret is shown this once. `--set` gives any other field, such as --set rate=20."""
    from hub.cli.client import hub

    body: dict[str, Any] = {key: typed(value) for key, value in pairs(sets).items()}
    body |= {"url": url, "events": event or ["*"]}
    body |= {key: value for key, value in (("name", name), ("partner", partner)) if value}
    with hub() as line:
        made = line.post(PATH, body)
    if json:
        return show.as_json(made)
    out = show.console()
    out.print(f"endpoint {made['name']} gets {', '.join(made['events'])} at {made['url']}, from now on")
    out.print(f"secret, shown this once: {made['secret']}")
    out.print(f"verify with any Standard Webhooks library. Next: orderhub endpoints test {made['name']}")
    return None


@app.command("set")
def change(name: Name, sets: Sets = None, json: AsJson = False) -> None:
    """Change fields: --set url=… --set 'events=["order.*"]' --set rate=20."""
    from hub.cli.client import hub

    with hub() as line:
        answer = line.patch(
            f"{PATH}/{quoted(name)}", {key: typed(value) for key, value in pairs(sets).items()}
        )
    show.said(f"endpoint {answer['name']} is changed", json_form=json, doc=answer)


@app.command("test")
def try_(name: Name, json: AsJson = False) -> None:
    """Send it a webhook.test and show the whole exchange."""
    from hub.cli.client import hub

    with hub() as line:
        done = line.post(f"{PATH}/{quoted(name)}/test")
    if json:
        show.as_json(done)
    else:
        for text in _exchange(done["request"], done["response"]):
            show.console().print(text)
        show.said(f"{name} took it" if done["ok"] else f"{name} did not take it: {_why(done['response'])}")
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


def _why(response: dict[str, Any]) -> str:
    return (
        f"{response['error']}: {response['reason']}"
        if response["error"]
        else f"it answered {response['status']}"
    )


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
        f"secret, shown this once: {made['secret']}; the old one holds {overlap:g} h",
        json_form=json,
        doc=made,
    )


app.command("replay")(replay)
verbs(app, PATH, "endpoint", {
    "pause": ("Let its deliveries wait.", "is paused: its deliveries wait"),
    "enable": ("Let it work again; what was held flows.", "is enabled: what waited flows"),
    "disable": ("Hold its deliveries until it is enabled.", "is disabled: its deliveries are held"),
})  # fmt: skip
removes(app, PATH, "endpoint", "What it is still owed is dropped.")

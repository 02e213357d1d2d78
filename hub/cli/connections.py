"""`orderhub connections`: the accounts at shops, marketplaces, carriers that the hub listens to and speaks to."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import typer

from hub.cli import show
from hub.cli.drafts import draft
from hub.cli.failures import Failure
from hub.cli.nouns import Name, Sets, group, lists, pairs, quoted, removes, shows, typed, verbs
from hub.cli.show import AsJson

PATH = "/v1/connections"
FIELDS = frozenset(
    "name mode cutover_at time_zone currency confirm mappings by_name silence_after sweep".split()
)
"""What is the connection's own; any other name is a setting of its channel."""

app = group("Accounts at shops, marketplaces and carriers. `orderhub connect` makes one.")
lists(
    app, PATH,
    {"name": "name", "channel": "channel", "status": "status", "mode": "mode", "account": "account", "pushes to": "intake_url"},
    "No connections yet: `orderhub connect CHANNEL` makes one.",
)  # fmt: skip
shows(app, PATH)


def lacks(cannot: Iterable[str]) -> list[str]:
    """What a connection cannot do, a sentence for each setting that it lacks."""
    wants: dict[str, list[str]] = {}
    for one in cannot:
        what, _, setting = one.removeprefix("cannot ").partition(" without ")
        wants.setdefault(setting, []).append(what)
    return [f"without {setting} it cannot {_listed(what)}" for setting, what in wants.items()]


def _listed(what: list[str]) -> str:
    """Several writes are one verb with several names."""
    writes = [one.removeprefix("write ") for one in what if one.startswith("write ")]
    rest = [one for one in what if not one.startswith("write ")]
    return ", ".join([*rest, *([f"write {', '.join(writes)}"] if writes else [])])


@app.command("set")
def change(name: Name, sets: Sets = None, json: AsJson = False) -> None:
    """Change it: --set webhook_secret=@file --set mode=observe --set 'mappings={"*": "my.order"}'."""
    from hub.cli.client import hub

    body = changed(pairs(sets))
    with hub() as line:
        try:
            answer = line.patch(f"{PATH}/{quoted(name)}", body)
        except Failure as failure:
            own = f"The connection's own fields are {', '.join(sorted(FIELDS))}."
            raise Failure(
                failure.reason,
                hint=own if "no such setting" in failure.reason else failure.hint,
                code=failure.code,
            ) from failure
    show.said(f"connection {answer['name']} is changed: {', '.join(pairs(sets))}", json_form=json, doc=answer)


def changed(given: dict[str, str]) -> dict[str, Any]:
    """Fields of a connection and settings of its channel, each in its place; an empty value takes one away."""
    own = {name: typed(value) if value else None for name, value in given.items() if name in FIELDS}
    if "cutover_at" in own:
        own["cutover_at"] = cutover(own["cutover_at"])
    settings = {name: typed(value) if value else None for name, value in given.items() if name not in FIELDS}
    return {**own, **({"settings": settings} if settings else {})}


def cutover(said: Any) -> Any:
    """When orders begin to be told: `now` is this moment, `none` is from ever on, any other word stays as it is."""
    if said == "now":
        return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return None if said == "none" else said


@app.command("test")
def try_(name: Name, json: AsJson = False) -> None:
    """Ask its far side: credentials, account, subscriptions (those that are missing are registered)."""
    from hub.cli.client import hub

    with hub(timeout=180) as line:
        trial = line.post(f"{PATH}/{quoted(name)}/test")
    show.as_json(trial) if json else tell_trial(trial)
    if not trial["ok"]:
        raise typer.Exit(1)


def tell_trial(trial: dict[str, Any]) -> None:
    """Each thing that was tried of a connection, and what came of it."""
    for step in trial["steps"]:
        mark, colour = ("✓", "green") if step["ok"] else ("✗", "red")
        show.console().print(f"{mark} {step['step'].ljust(14)} {step['detail']}", style=colour)


@app.command("sweep")
def sweep(name: Name, json: AsJson = False) -> None:
    """Read its source now, from where the last sweep ended."""
    from hub.cli.client import hub

    with hub(timeout=600) as line:
        done = line.post(f"{PATH}/{quoted(name)}/sweep")
    told = (
        f"{name} is read to its end"
        if done["ok"]
        else f"{name} could not be read to its end: orderhub exceptions list"
    )
    show.said(told, json_form=json, doc=done)
    if not done["ok"]:
        raise typer.Exit(1)


app.command("draft")(draft)
verbs(app, PATH, "connection", {
    "pause": ("Answer its pushes 503, so that its far side keeps them.", "is paused: its far side keeps what it has to say"),
    "resume": ("Let it work again.", "works again"),
})  # fmt: skip
removes(
    app,
    PATH,
    "connection",
    "Its orders stay; its address and its secrets are gone. No endpoint, route or alert may name it any more.",
)

"""`orderhub connections`: the accounts at shops, marketplaces, carriers that the hub listens to and speaks to."""

from __future__ import annotations

from typing import Any

from hub.cli import show
from hub.cli.nouns import Name, Sets, group, lists, pairs, quoted, removes, shows, typed, verbs
from hub.cli.show import AsJson

PATH = "/v1/connections"
FIELDS = frozenset("name mode cutover_at time_zone currency confirm mappings by_name silence_after sweep".split())
"""What is the connection's own; any other name is a setting of its channel."""

app = group("Accounts at shops, marketplaces and carriers. `orderhub connect` makes one.")
lists(
    app, PATH,
    {"name": "name", "channel": "channel", "status": "status", "mode": "mode", "account": "account", "pushes to": "intake_url"},
    "No connections yet: `orderhub connect CHANNEL` makes one.",
)  # fmt: skip
shows(app, PATH)


@app.command("set")
def change(name: Name, sets: Sets = None, json: AsJson = False) -> None:
    """Change it: --set webhook_secret=@file --set mode=observe --set 'mappings={"*": "my.order"}'."""
    from hub.cli.client import hub

    body = changed(pairs(sets))
    with hub() as line:
        answer = line.patch(f"{PATH}/{quoted(name)}", body)
    show.said(f"connection {answer['name']} is changed: {', '.join(pairs(sets))}", json_form=json, doc=answer)


def changed(given: dict[str, str]) -> dict[str, Any]:
    """Fields of a connection and settings of its channel, each in its place; an empty value takes one away."""
    own = {name: typed(value) if value else None for name, value in given.items() if name in FIELDS}
    settings = {name: typed(value) if value else None for name, value in given.items() if name not in FIELDS}
    return {**own, **({"settings": settings} if settings else {})}


verbs(app, PATH, "connection", {
    "pause": ("Answer its pushes 503, so that its far side keeps them.", "is paused: its far side keeps what it has to say"),
    "resume": ("Let it work again.", "works again"),
})  # fmt: skip
removes(app, PATH, "connection", "Its orders stay; its address and its secrets are gone.")

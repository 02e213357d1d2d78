"""`orderhub audit`: who did what, to what, when."""

from __future__ import annotations

from typing import Annotated

import typer

from hub.cli import show
from hub.cli.show import AsJson, Most

Subject = Annotated[str, typer.Argument(help="Only of this thing, by its id.")]
COLUMNS = {"at": "at", "who": "actor", "what": "action", "to": "subject", "detail": "detail"}


def audit(subject: Subject = "", limit: Most = 1000, json: AsJson = False) -> None:
    """Who did what, to what, when: activations, changes, replays, skips, decisions, secrets shown."""
    from hub.cli.client import hub

    with hub() as line:
        show.rows(
            line.pages("/v1/audit", most=limit, subject=subject),
            COLUMNS,
            json_lines=json,
            none="Nothing was done yet.",
        )

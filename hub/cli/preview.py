"""`orderhub map try --endpoint`: what a partner would be sent, headers and body, before it is."""

from __future__ import annotations

import json as plain_json
from pathlib import Path
from typing import Any

import typer

from hub.cli import show
from hub.cli.failures import USAGE, Failure
from hub.cli.nouns import quoted

Doc = dict[str, Any]


def preview(endpoint: str, event: str, mapping: str | None, *, json_form: bool) -> None:
    """Show it; fails where no body can be made."""
    from hub.cli.client import hub

    if not endpoint:
        raise Failure("--event wants --endpoint: the same event looks different to each", code=USAGE)
    asked: Doc = {"event": event} if event else {}
    if mapping is not None:
        asked["mapping"] = _text(mapping)
    with hub() as line:
        found = line.post(f"/v1/endpoints/{quoted(endpoint)}/preview", asked)
    if json_form:
        show.as_json(found)
    elif not found["error"]:
        _tell(found)
    if found["error"]:
        raise typer.Exit(1) if json_form else Failure(f"{found['event']} ({found['type']}): {found['error']}")


def _text(mapping: str) -> str:
    path = Path(mapping)
    if not path.is_file():
        raise Failure(
            f"{mapping} is no file",
            hint="A mapping in force is the endpoint's own: orderhub endpoints set NAME --set mapping=…",
            code=USAGE,
        )
    return path.read_text(encoding="utf-8")


def _tell(found: Doc) -> None:
    out = show.console()
    out.print(f"POST {found['url']}")
    for name, value in found["headers"].items():
        out.print(f"{name}: {value}")
    out.print()
    out.print(plain_json.dumps(found["body"], ensure_ascii=False, indent=2), soft_wrap=True)
    by = f", made by {found['mapping']} {found['version']}" if found["mapping"] else ""
    out.print(f"# {found['event']}, {found['type']}{by}", style="dim")
    if not found["wanted"]:
        out.print(
            "# it is not sent: the endpoint's events, filter or other wishes leave it out", style="yellow"
        )

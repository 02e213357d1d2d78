"""Following: rows as they come, until Ctrl-C."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from hub.cli import show
from hub.cli.client import Client

_PAUSE = 1.0


def follow_pages(
    line: Client, path: str, columns: Mapping[str, str], *, json_lines: bool, after: str = "", **filters: Any
) -> None:
    """Look for rows after the last one, once a second; those with `wait` are held back by the hub instead."""
    while True:
        page = line.get(path, after=after, limit=500, **filters)
        for row in named(page):
            tell(row, columns, json_lines=json_lines)
        after = page.get("cursor") or page.get("next") or after
        if not page["data"] and "wait" not in filters:
            time.sleep(_PAUSE)


def named(page: Mapping[str, Any]) -> list[Any]:
    """The rows of a page; where their ids stand beside them, each with its own."""
    if "ids" not in page:
        return list(page["data"])
    return [{"id": id_, "body": body} for id_, body in zip(page["ids"], page["data"], strict=True)]


def tell(row: Mapping[str, Any], columns: Mapping[str, str], *, json_lines: bool) -> None:
    """One row: JSON for programs, its cells in a line for people."""
    if json_lines:
        show.line(row)
        return
    from rich.text import Text

    text = Text()
    for path in columns.values():
        text.append_text(show.cell(show.at(row, path)))
        text.append("  ")
    show.console().print(text)

"""Showing: tables for people, JSON for programs. A list is a row a line where JSON is asked for."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

AsJson = Annotated[bool, typer.Option("--json", help="JSON for programs; a list is one row a line.")]
Most = Annotated[int, typer.Option("--limit", "-n", min=1, help="How many rows at most.")]
Oldest = Annotated[bool, typer.Option("--oldest", help="The oldest first.")]

_WIDE = 400
"""Columns where nobody looks: a table is cut for a terminal only."""
_NESTED = 60
"""How much of what is nested a table shows."""
GOOD = frozenset(
    "active processed delivered paid confirmed completed fulfilled applied ok live closed released captured".split()
)
BAD = frozenset(
    "failed dead open error cancelled quarantined critical disabled rejected exception lost 401 503".split()
)
WAITING = frozenset(
    "waiting due held paused duplicate acked snoozed warning unpaid pending stub draft observe".split()
)


def console() -> Console:
    """Where people read."""
    from rich.console import Console

    here = sys.stdout.isatty()
    return Console(highlight=False, markup=False, soft_wrap=not here, width=None if here else _WIDE)


def as_json(value: Any) -> None:
    """One value as JSON: on one line for a row of a list, spread out for a terminal's eye."""
    print(json.dumps(value, ensure_ascii=False, indent=2 if sys.stdout.isatty() else None))


def line(row: Any) -> None:
    """One row of a list as one line of JSON, at once."""
    print(json.dumps(row, ensure_ascii=False), flush=True)


def rows(
    found: Iterable[Mapping[str, Any]], columns: Mapping[str, str], *, json_lines: bool, none: str
) -> None:
    """A list: `columns` are titles and the dotted paths that fill them, `none` the sentence for an empty one."""
    if json_lines:
        for row in found:
            line(row)
        return
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in columns:
        table.add_column(title, overflow="fold", no_wrap=title == "id")
    for row in found:
        table.add_row(*(cell(at(row, path), compact=True) for path in columns.values()))
    console().print(table if table.row_count else none)


def one(doc: Any, *, json_form: bool) -> None:
    """One thing: its fields a line each, what is nested below them."""
    if json_form:
        as_json(doc)
        return
    from rich.table import Table

    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(style="bold")
    table.add_column(overflow="fold")
    for name, value in doc.items():
        if value not in (None, "", [], {}):
            table.add_row(name, cell(value))
    console().print(table)


def said(sentence: str, *, json_form: bool = False, doc: Any = None) -> None:
    """What was done: a sentence for people, the answer for programs."""
    if json_form:
        as_json(doc)
    else:
        console().print(sentence)


def at(doc: Any, path: str) -> Any:
    """What stands at a dotted path, or at the first of several parted by `|` that is not empty."""
    for choice in path.split("|"):
        value: Any = doc
        for name in choice.split("."):
            value = value.get(name) if isinstance(value, Mapping) else None
        if value not in (None, "", [], {}):
            return value
    return None


def cell(value: Any, *, compact: bool = False) -> Text:
    """A value as a cell: known words in their colour, times without their fractions, lists in a row; what is
    nested on one line where it is to be `compact`."""
    from rich.text import Text

    if value is None:
        return Text("–", style="dim")
    if isinstance(value, bool):
        return Text("yes" if value else "no")
    if isinstance(value, Mapping) and value.keys() == {"amount", "currency"}:
        return Text(f"{value['amount']} {value['currency']}")
    if isinstance(value, list) and not any(isinstance(item, Mapping) for item in value):
        return Text(", ".join(map(str, value)))
    if isinstance(value, Mapping | list):
        text = json.dumps(value, ensure_ascii=False, indent=None if compact else 2)
        return Text(f"{text[:_NESTED]}…" if compact and len(text) > _NESTED else text)
    return Text(time(str(value)), style=colour(str(value)))


def colour(word: str) -> str:
    """The colour of a word that says how something is."""
    if word in GOOD:
        return "green"
    return "red" if word in BAD else "yellow" if word in WAITING else ""


def time(text: str) -> str:
    """A time without its fractions; any other text as it is."""
    if len(text) >= 20 and text[4:5] == text[7:8] == "-" and text[10:11] == "T" and text.endswith("Z"):
        return f"{text[:10]} {text[11:19]}"
    return text

"""The table: every figure beside its goal and the ratio that carries over to other machines."""

from __future__ import annotations

import os

import msgspec
import uvloop
from rich.console import Console
from rich.table import Table

from hub.bench.figures import Figure, intake_figures, mapping_figures, normalise_figures, path_figures
from hub.bench.ground import ground


def print_bench(database: str = "", *, seconds: float = 5.0, as_json: bool = False) -> None:
    """Measure on fresh SQLite files, or in fresh schemas of a PostgreSQL database, and print the table."""
    console = Console(stderr=True)
    found: list[Figure] = []
    keys = (os.urandom(32),)
    with ground(database) as store:
        with console.status("mapping"):
            found += mapping_figures()
        with console.status("intake"):
            found += uvloop.run(intake_figures(store("intake"), keys, seconds))
        with console.status("normalise"):
            found += uvloop.run(normalise_figures(store("normalise"), keys, int(seconds * 2000)))
        with console.status("whole path"):
            found += uvloop.run(path_figures(store("path"), keys, seconds))
    if as_json:
        print(msgspec.json.encode(found).decode())
    else:
        Console().print(_table(found, "PostgreSQL" if database else "SQLite"))


def _table(found: list[Figure], engine: str) -> Table:
    table = Table(title=f"orderhub bench on {engine}, {os.cpu_count()} cores shared with load and receiver")
    for name in ("figure", "value", "ratio", "goal"):
        table.add_column(name, justify="left" if name in ("figure", "goal") else "right")
    for one in found:
        digits = 0 if one.value >= 100 else 2
        ratio = f"{one.ratio:.2f} × {one.of}" if one.ratio is not None else ""
        table.add_row(one.name, f"{one.value:,.{digits}f} {one.unit}", ratio, one.goal)
    return table

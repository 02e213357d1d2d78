"""The table: every figure beside its goal and the ratio that carries over to other machines."""

from __future__ import annotations

import os

import msgspec
import uvloop
from rich.console import Console
from rich.table import Table

from hub.bench.deliveries import Condition, Measured, beside_the_dead, conditions, measure
from hub.bench.figures import Figure, intake_figures, mapping_figures, normalise_figures, path_figures
from hub.bench.ground import ground
from hub.bench.mail import mail_figures


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


def print_mail(database: str = "", *, seconds: float = 5.0, as_json: bool = False) -> None:
    """Measure a thousand letters of fifty kilobytes, and print the table."""
    with ground(database) as store, Console(stderr=True).status("mail"):
        found = uvloop.run(mail_figures(store("mail"), (os.urandom(32),)))
    if as_json:
        print(msgspec.json.encode(found).decode())
    else:
        Console().print(_table(found, "PostgreSQL" if database else "SQLite"))


def print_deliveries(database: str = "", *, seconds: float = 5.0, as_json: bool = False) -> None:
    """Measure deliveries under every condition, then beside a dead endpoint, and print both tables."""
    console = Console(stderr=True)
    found: list[Measured] = []
    keys = (os.urandom(32),)
    wanted = [*conditions(), *beside_the_dead()]
    with ground(database) as store, console.status("deliveries") as status:
        for number, condition in enumerate(wanted, 1):
            status.update(f"condition {number} of {len(wanted)}: {_said(condition)}")
            found.append(uvloop.run(measure(store(f"c{number}"), keys, condition, seconds)))
    if as_json:
        print(msgspec.json.encode(found).decode())
        return
    engine = "PostgreSQL" if database else "SQLite"
    Console().print(
        _conditions(
            found[:-2], f"deliveries on {engine}, {os.cpu_count()} cores shared with load and receiver"
        )
    )
    alone, beside = found[-2:]
    Console().print(_conditions([alone, beside], f"beside a dead endpoint, {engine}"))
    print(f"p95 with {beside.condition.dead:,} waiting for the dead / without: "
          f"{beside.received[1] / alone.received[1]:.2f} (goal ≤ 1.2)")  # fmt: skip


def _said(condition: Condition) -> str:
    dead = f", {condition.dead:,} wait for a dead one" if condition.dead else ""
    plural = "" if condition.endpoints == 1 else "s"
    return f"{condition.endpoints} endpoint{plural}, {condition.size / 1000:g} kB, {condition.delay * 1000:g} ms, {condition.rate:g}/s{dead}"  # fmt: skip


def _conditions(found: list[Measured], title: str) -> Table:
    table = Table(title=title)
    for name in ("orders/s", "endpoints", "body", "receiver", "accepted p50/p95/p99", "received p50/p95/p99",
                 "deliveries/s", "CPU/1,000", "RSS"):  # fmt: skip
        table.add_column(name, justify="right")
    for one in found:
        is_ = one.condition
        table.add_row(f"{is_.rate:g}", f"{is_.endpoints}{' + 1 dead' if is_.dead else ''}", f"{one.body / 1000:.1f} kB",
                      f"{is_.delay * 1000:g} ms", _times(one.accepted), _times(one.received), f"{one.per_second:,.0f}",
                      f"{one.cpu:.2f} s", f"{one.rss:.0f} MB")  # fmt: skip
    return table


def _times(three: tuple[float, float, float]) -> str:
    return " / ".join(f"{one:.1f}" for one in three) + " ms"


def _table(found: list[Figure], engine: str) -> Table:
    table = Table(title=f"orderhub bench on {engine}, {os.cpu_count()} cores shared with load and receiver")
    for name in ("figure", "value", "ratio", "goal"):
        table.add_column(name, justify="left" if name in ("figure", "goal") else "right")
    for one in found:
        digits = 0 if one.value >= 100 else 2
        ratio = f"{one.ratio:.2f} × {one.of}" if one.ratio is not None else ""
        table.add_row(one.name, f"{one.value:,.{digits}f} {one.unit}", ratio, one.goal)
    return table

"""`orderhub doctor`: whether a running hub is well, and what is not."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import typer

from hub.cli import show
from hub.cli.connections import lacks
from hub.cli.show import AsJson

if TYPE_CHECKING:
    from hub.cli.client import Client

_LATE = 900.0
_CIRCUIT = re.compile(r'^orderhub_circuit_open\{[^}]*target="([^"]*)"[^}]*\} 1', re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at: whether it is well, and what was seen."""

    well: bool
    what: str
    seen: str


def doctor(json: AsJson = False) -> None:
    """Look at a running hub: readiness, connections, deliveries that wait, circuits, exceptions. 1 if something is ill."""
    from hub.cli.client import hub

    with hub() as line:
        findings = list(examine(line))
    for one in findings:
        if json:
            show.line(asdict(one))
        else:
            mark = "✓" if one.well else "✗"
            show.console().print(f"{mark} {one.what.ljust(12)} {one.seen}", style="" if one.well else "red")
    if not all(one.well for one in findings):
        raise typer.Exit(1)


def examine(line: Client) -> Iterator[Finding]:
    """Everything that is looked at, one after the other."""
    ready = line.get("/readyz")
    yield Finding(
        ready["status"] == "ready", "hub", f"{ready['status']}, {ready['store']}, {', '.join(ready['roles'])}"
    )
    connections = list(line.pages("/v1/connections"))
    yield from map(_connection, connections)
    endpoints = list(line.pages("/v1/endpoints"))
    yield from (_endpoint(one) for one in endpoints if one["status"] != "active" or one.get("failing_since"))
    yield _waiting(line)
    yield _circuits(line, {one["id"]: one["name"] for one in [*connections, *endpoints]})
    yield _exceptions(line)


def _connection(one: dict[str, Any]) -> Finding:
    wanting = "".join(f"\n  {lack}" for lack in lacks(one.get("cannot", ())))
    return Finding(
        one["status"] == "active",
        "connection",
        f"{one['name']} ({one['channel']}) is {one['status']}, {one['mode']}{wanting}",
    )


def _endpoint(one: dict[str, Any]) -> Finding:
    if one["status"] == "active":
        since = one["failing_since"]
        young = (datetime.now(UTC) - datetime.fromisoformat(since)).total_seconds() < _LATE
        told = f"{one['name']} has failed since {show.time(since)} UTC: `orderhub endpoints attempts {one['name']}`"
        return Finding(young, "endpoint", told)
    return Finding(
        False,
        "endpoint",
        f"{one['name']} is {one['status']}: `orderhub endpoints enable {one['name']}` lets it go on",
    )


def _waiting(line: Client) -> Finding:
    oldest = [
        one for status in ("due", "waiting") for one in line.pages("/v1/deliveries", most=1, status=status)
    ]
    ages = [_age(one) for one in oldest]
    if not ages:
        return Finding(True, "deliveries", "none waits")
    first = oldest[ages.index(max(ages))]
    return Finding(
        max(ages) < _LATE,
        "deliveries",
        f"the oldest that waits is {max(ages):.0f} s old: `orderhub deliveries show {first['id']}`",
    )


def _age(delivery: dict[str, Any]) -> float:
    began = delivery.get("created_at") or delivery.get("first_at") or delivery.get("due_at")
    return (
        max(0.0, (datetime.now(UTC) - datetime.fromisoformat(str(began))).total_seconds()) if began else 0.0
    )


def _circuits(line: Client, names: dict[str, str]) -> Finding:
    found = [names.get(one, one) for one in _CIRCUIT.findall(line.raw("/metrics").decode())]
    seen = f"open to {', '.join(found)}: each is probed until it answers"
    return Finding(not found, "circuits", seen if found else "all closed")


def _exceptions(line: Client) -> Finding:
    found = [one for one in line.pages("/v1/exceptions") if one["state"] == "open"]
    titles = "".join(f"\n  {one['id']}  {one['title']}" for one in found[:10])
    return Finding(not found, "exceptions", f"{len(found)} open{titles}" if found else "none is open")

"""Notifications: what was said to the people of an order, and what its far sides reported of it.

We say that we sent it, the far side that it arrived or did not: two sources, one thing, known by its number.
What the far side reports counts for more than what we said, whichever came first.
"""

from __future__ import annotations

from typing import Any

from hub.orders import registers
from hub.orders.numbers import normal
from hub.orders.registers import State

Doc = dict[str, Any]
_WEIGHT = {"failed": 1, "delivered": 2}


def told(sources: State, ranked: list[str]) -> dict[str, list[Doc]]:
    """The notifications of an order, where there are any: each of ours, with the weightiest report of it."""
    ours: list[Doc] = []
    reports: dict[str, list[Doc]] = {}
    for source in ranked:
        for key, value, _ in registers.members(sources[source]["facets"], "notifications"):
            if value.get("event"):
                ours.append({**value, "ref": key, "id": key})
            elif value.get("number"):
                reports.setdefault(normal(value["number"]), []).append(value)
    found = [_with(one, reports.get(normal(one.get("number", "")), ())) for one in ours]
    return {"notifications": sorted(found, key=lambda one: (one.get("at", ""), one["id"]))} if found else {}


def _with(one: Doc, reports: Any) -> Doc:
    """One of ours under the weightiest report."""
    if not reports:
        return one
    last = max(reports, key=lambda told: (_WEIGHT.get(told.get("status", ""), 0), told.get("at", "")))
    laid = {name: last[name] for name in ("status", "reason") if last.get(name)}
    return {**{name: value for name, value in one.items() if name != "reason"}, **laid}

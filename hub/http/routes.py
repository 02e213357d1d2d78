"""The route table: every operation, in one place; Starlette's routes and OpenAPI are made from it."""

from __future__ import annotations

from starlette.routing import Route

from hub.http import connections, endpoints, events, facts, health, orders, partners
from hub.http.operate import endpoint
from hub.http.table import Op

TABLE: tuple[Op, ...] = (
    *health.OPS,
    *connections.OPS,
    *partners.OPS,
    *endpoints.OPS,
    *orders.OPS,
    *facts.OPS,
    *events.OPS,
)
"""Every operation there is."""


def routes() -> list[Route]:
    """For Starlette; a fixed path before one with a parameter in its place."""
    ordered = sorted(TABLE, key=lambda op: (op.path.count("{"), op.path))
    return [Route(op.path, endpoint(op), methods=[op.method], name=op.name) for op in ordered]

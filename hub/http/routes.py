"""The route table: every operation, in one place; Starlette's routes and OpenAPI are made from it."""

from __future__ import annotations

from typing import Any

from starlette.routing import Route

from hub.http import (
    acts,
    alerts,
    attempts,
    audits,
    balances,
    changes,
    channels,
    connections,
    decisions,
    deliveries,
    drafts,
    endpoints,
    events,
    exceptions,
    facts,
    files,
    health,
    jobs,
    mappings,
    messages,
    notices,
    notifiers,
    orders,
    partners,
    previews,
    queues,
    readings,
    repairs,
    reports,
    senders,
    surveys,
    trials,
)
from hub.http.ask import Ask
from hub.http.openapi import document
from hub.http.operate import endpoint
from hub.http.table import Op

TABLE: tuple[Op, ...] = (
    *health.OPS,
    *channels.OPS,
    *connections.OPS,
    *partners.OPS,
    *readings.OPS,
    *senders.OPS,
    *endpoints.OPS,
    *trials.OPS,
    *surveys.OPS,
    *balances.OPS,
    *previews.OPS,
    *drafts.OPS,
    *orders.OPS,
    *decisions.OPS,
    *changes.OPS,
    *reports.OPS,
    *files.OPS,
    *messages.OPS,
    *facts.OPS,
    *events.OPS,
    *deliveries.OPS,
    *attempts.OPS,
    *jobs.OPS,
    *queues.OPS,
    *exceptions.OPS,
    *mappings.OPS,
    *repairs.OPS,
    *audits.OPS,
    *notifiers.OPS,
    *notices.OPS,
    *alerts.OPS,
    *acts.OPS,
)
"""Every operation but the one that describes them."""


async def describe(ask: Ask) -> dict[str, Any]:
    """This API as OpenAPI 3.1."""
    return document(operations())


def operations() -> tuple[Op, ...]:
    """Every operation there is."""
    return (*TABLE, DESCRIBE)


DESCRIBE = Op(method="GET", path="/openapi.json", summary="This description", handle=describe, scope=None,
              gives=dict[str, Any])  # fmt: skip


def routes() -> list[Route]:
    """For Starlette; a fixed path before one with a parameter in its place."""
    ordered = sorted(operations(), key=lambda op: (op.path.count("{"), op.path))
    return [Route(op.path, endpoint(op), methods=[op.method], name=op.name) for op in ordered]

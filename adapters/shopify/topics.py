"""Shopify's webhook topics, grouped by what they carry; Shopify docs: enum WebhookSubscriptionTopic, 2026-07."""

from __future__ import annotations


def _of(resource: str, *events: str) -> tuple[str, ...]:
    return tuple(f"{resource}/{event}" for event in events)


ORDERS = _of("orders", "create", "updated", "paid", "cancelled", "fulfilled", "partially_fulfilled")
"""The whole order, as it was at the moment that the topic names."""

FULFILLMENTS = _of("fulfillments", "create", "update")

FULFILLMENT_ORDERS = (
    *_of(
        "fulfillment_orders",
        "cancellation_request_accepted",
        "cancellation_request_rejected",
        "cancellation_request_submitted",
        "cancelled",
        "fulfillment_request_accepted",
        "fulfillment_request_rejected",
        "fulfillment_request_submitted",
        "fulfillment_service_failed_to_complete",
        "hold_released",
        "line_items_prepared_for_local_delivery",
        "line_items_prepared_for_pickup",
        "manually_reported_progress_stopped",
        "merged",
        "moved",
        "order_routing_complete",
        "placed_on_hold",
        "progress_reported",
        "rescheduled",
        "scheduled_fulfillment_order_ready",
        "split",
    ),
    *_of("fulfillment_holds", "added", "released"),
)
"""The id and status of fulfillment orders, without order or lines."""

RETURNS = _of("returns", "approve", "cancel", "close", "decline", "reopen", "request")
"""The whole return."""

RETURN_CHANGES = _of("returns", "process", "update")
"""What changed of a return."""

BESIDE = (
    *_of("customers", "create", "delete", "disable", "enable", "merge", "update", "data_request"),
    *_of("disputes", "create", "update"),
    *_of("inventory_levels", "connect", "disconnect", "update"),
)
"""Understood, and nothing about an order; `customers/data_request` is for people to answer."""

SUBSCRIBED = (
    *_of("app", "scopes_update", "uninstalled"),
    *_of("fulfillment_events", "create", "delete"),
    *_of("fulfillment_holds", "added", "released"),
    *_of(
        "fulfillment_orders",
        "cancelled",
        "fulfillment_request_accepted",
        "fulfillment_request_rejected",
        "hold_released",
        "merged",
        "moved",
        "order_routing_complete",
        "placed_on_hold",
        "split",
    ),
    *FULFILLMENTS,
    "order_transactions/create",
    *_of("orders", "cancelled", "create", "delete", "updated"),
    "refunds/create",
    *RETURNS,
    *RETURN_CHANGES,
)
"""What is registered by API. `orders/updated` is sent beside `orders/paid`, `fulfilled`, `partially_fulfilled`
and `edited`, so these four are understood but not asked for; the three privacy topics are set in the app."""

"""The catalogue: every event there can be, so that a glob which could never match is told at once."""

from __future__ import annotations

import re
from difflib import get_close_matches
from fnmatch import fnmatchcase

from hub.http.problems import invalid

_GROUPS = {
    "message": "quarantined failed replayed",
    "email": "received quarantined draft_created",
    "order": """created draft_created updated paid address_changed ready fulfilled partially_fulfilled delivered
        validated validation_failed confirmed rejected edited cancelled partially_cancelled completed reopened merged
        split linked duplicate_suspected on_hold released anomaly note_added redacted stock_confirmed stock_short
        backordered""",
    "stock": "level_changed",
    "supply": "requested confirmed delayed",
    "approval": "requested granted completed rejected escalated",
    "order_change": "requested confirmed declined",
    "promise": "made changed at_risk missed",
    "payment": "authorized captured failed voided disputed",
    "refund": "requested succeeded failed",
    "fulfillment": """requested accepted rejected picking picked short_picked packed cancel_requested
        change_requested cancelled""",
    "shipment": """created label_ready handed_over shipped in_transit out_for_delivery available_for_pickup
        attempt_failed delivered delivery_confirmed delayed stalled exception returning returned lost cancelled
        updated""",
    "return": """requested approved rejected label_ready in_transit received inspected completed cancelled
        expired""",
    "exchange": "created",
    "claim": "opened approved denied resolved",
    "case": "opened updated resolved closed",
    "feedback": "received",
    "notification": "requested sent delivered failed",
    "writeback": "applied unsupported rejected failed",
    "exception": "opened closed",
    "connection": "connected degraded reauth_required subscription_lost paused recovered",
    "reconciliation": "completed drift_found repaired",
    "mapping": "unknown_value failed activated",
    "endpoint": "failing disabled recovered",
    "webhook": "test",
}

EVENTS = tuple(f"{group}.{name}" for group, names in _GROUPS.items() for name in names.split())
"""Every event type."""

_GLOB = re.compile(r"[a-z_.*]{1,80}")


def check_globs(globs: list[str], field: str) -> None:
    """Problem 422 with the field where a glob matches no event of the catalogue."""
    if not globs:
        raise invalid('no event is wanted; `["*"]` is all that befalls orders', field)
    for index, glob in enumerate(globs):
        check_glob(glob, f"{field}[{index}]")


def check_glob(glob: str, field: str) -> None:
    """Problem 422 with the field where a glob matches no event of the catalogue."""
    if not _GLOB.fullmatch(glob) or not any(fnmatchcase(event, glob) for event in EVENTS):
        near = get_close_matches(glob, EVENTS, n=3)
        hint = f", is {' or '.join(near)} meant?" if near else "; like order.* or shipment.delivered"
        raise invalid(f"no event matches {glob!r}{hint}", field)

"""Carried: that news reached a far side, or did not, is news of its own.

`writeback.applied`, `unsupported`, `rejected` (the far side said no) and `failed` (it was tried until its schedule ran
out): told once, when the write is settled. It is of no order's sequence, so that it holds up none.
"""

from __future__ import annotations

from typing import Any

import msgspec

from hub.store.rows import Due

NOT_OURS = "passed"
"""The word of a write that found the news to be none of its business: of that nothing is told."""


class _Log(msgspec.Struct):
    """What a write leaves behind."""

    status: str = ""
    ref: str = ""
    reason: str = ""


def carried(due: Due, status: str, log: bytes) -> tuple[str, dict[str, Any]] | None:
    """The event of a write that ended with this delivery status, and its data; None for all that is no write."""
    connection, _, write = due.target.partition("/")
    if not write or not connection.startswith("con_"):
        return None
    said = msgspec.json.decode(log, type=_Log)
    word = said.status if status == "delivered" else "rejected" if said.status == "rejected" else "failed"
    if word not in _WORDS:
        return None
    data = {"connection": connection, "write": write, "order": due.order or None, "event": due.event, "type": due.type,
            "delivery": f"dlv_{due.position}", "ref": said.ref or None, "reason": said.reason or None}  # fmt: skip
    return f"writeback.{word}", data


_WORDS = frozenset({"applied", "unsupported", "rejected", "failed"})

"""Budgets: how much one sender may cause in an hour, whatever loop it is caught in."""

from __future__ import annotations

from collections.abc import Sequence

HOUR = 3600 * 1_000_000
DRAFTS = 5
"""New drafts that letters of one sender may make in an hour."""
REPLIES = 30
"""Mails of ours that letters of one sender may cause in an hour."""


def spent(times: Sequence[int], now: int, most: int) -> bool:
    """Whether that many happened within the last hour."""
    return sum(now - HOUR < at <= now for at in times) >= most

"""The time that a signature carries, and how far away it may be."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from hub.contract.errors import Forged


def seconds(text: str) -> int:
    """Unix seconds from seconds, milliseconds, RFC 3339 or an RFC 2822 date; Forged for anything else."""
    text = text.strip()
    if text.isascii() and text.isdigit() and len(text) <= 16:
        number = int(text)
        return number // 1000 if number > 10_000_000_000 else number
    try:
        moment = datetime.fromisoformat(text) if text[:2].isdigit() and "T" in text else _mail_date(text)
        if moment.tzinfo is None:
            raise ValueError("no zone")
        return int(moment.timestamp())
    except (ValueError, TypeError, IndexError, OverflowError) as error:
        raise Forged("the time of the signature is not a time") from error


def near(text: str, now: int, tolerance: int | None) -> None:
    """Forged when this time is further than `tolerance` seconds away; None takes any."""
    if tolerance is None:
        return
    away = abs(now - seconds(text))
    if away > tolerance:
        raise Forged(f"stamped {away} s away, {tolerance} s are allowed")


def _mail_date(text: str) -> datetime:
    moment = parsedate_to_datetime(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)  # "-0000" is UTC of an unknown place

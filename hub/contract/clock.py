"""Times as the hub writes them: RFC 3339, UTC, milliseconds; and as it counts them: unix microseconds."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def text(micros: int) -> str:
    """`2027-01-10T16:00:00.000Z` for unix microseconds."""
    moment = _EPOCH + timedelta(microseconds=micros)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z"


def micros(text: str) -> int:
    """Unix microseconds of an RFC 3339 time with an offset or Z; raises ValueError."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"{text!r} has no offset")
    return (moment - _EPOCH) // timedelta(microseconds=1)

"""What may go wrong, grouped by what the hub does about it.

    HubError
    ├── Rejected        the sender is at fault: 4xx, counted, never retried
    │   ├── Forged      the proof does not hold: 401, nothing stored
    │   ├── TooLarge    over a cap: 413
    │   └── Unreadable  the bytes are not what they claim to be: kept, listed with their place
    │       └── Unmapped   a mapping met a value it cannot turn into its canonical form
    ├── Postponed       try again, after `after` seconds where the far side said so
    ├── Refused         the far side said no and means it: no retry, a dead letter
    └── Misconfigured   the operator is at fault: refuse to start, every fault at once

Anything else is a bug: answered 500, the row is left to its lease.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Place:
    """Where a fault is: `file:line:column` of our text, and the field and value of theirs."""

    file: str = ""
    line: int = 0
    column: int = 0
    field: str = ""
    value: str = ""

    def __str__(self) -> str:
        where = ":".join(str(part) for part in (self.file, self.line, self.column) if part)
        return ": ".join(part for part in (where, self.field) if part)


class HubError(Exception):
    """The root of every error that the hub raises on purpose."""


class Rejected(HubError):
    """The sender is at fault; `field` names what, when one thing can be named."""

    status = 400

    def __init__(self, reason: str, *, field: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.field = field


class Forged(Rejected):
    """The proof does not hold, or there is none where one is needed."""

    status = 401


class TooLarge(Rejected):
    """More bytes, rows or levels than the cap allows."""

    status = 413


class Unreadable(Rejected):
    """The body is not what it claims to be; `place` says where it stops making sense."""

    status = 422

    def __init__(self, reason: str, *, place: Place = Place()) -> None:
        super().__init__(reason, field=place.field)
        self.place = place

    def __str__(self) -> str:
        prefix = str(self.place)
        return f"{prefix}: {self.reason}" if prefix else self.reason


class Unmapped(Unreadable):
    """A mapping met a value that it cannot turn into its canonical form."""


class Postponed(HubError):
    """Not now; `after` is the far side's own wish in seconds, or None."""

    def __init__(self, reason: str, *, after: float | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.after = after


class Refused(HubError):
    """The far side said no and means it."""

    def __init__(self, reason: str, *, code: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.code = code


class Misconfigured(HubError):
    """The operator is at fault; `faults` are all of them, a line each."""

    def __init__(self, faults: str | Sequence[str]) -> None:
        self.faults = [faults] if isinstance(faults, str) else list(faults)
        super().__init__("\n".join(self.faults))

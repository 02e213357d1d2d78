"""The circuit: a target that is down is not a delivery that is refused.

Five transport or 5xx failures in a row open it. From then one probe a minute, growing to five, with the
oldest delivery; the others wait and spend nothing of their schedule. The first answer closes it.
"""

from __future__ import annotations

from dataclasses import dataclass

_OPENS_AT = 5
_FIRST, _MOST = 60, 300
SECOND = 1_000_000


@dataclass(slots=True)
class Circuit:
    """What is known of a target's health; times in microseconds, 0 for never. `since` is when it was closed last,
    `kept` says that the store knows it open, `granted` that the probe that is due is this process's to make, `probing` that it
    is under way."""

    failures: int = 0
    opened_at: int = 0
    probe_at: int = 0
    probes: int = 0
    first_failed_at: int = 0
    last_success_at: int = 0
    since: int = 0
    kept: bool = False
    granted: bool = False
    probing: bool = False

    @property
    def is_open(self) -> bool:
        """Whether only probes go out."""
        return self.opened_at > 0

    def may_send(self, now: int, active: int) -> int | None:
        """How many may go out besides those under way: None for no limit, 1 for a probe that is due, else 0."""
        if not self.is_open:
            return None
        return 1 if active == 0 and now >= self.probe_at else 0

    def adopt(self, opened_at: int, probe_at: int, probes: int) -> None:
        """It is open as the store has it: found out by another process, or before this one began."""
        self.opened_at, self.probes, self.kept = opened_at, max(self.probes, probes), True
        self.failures = max(self.failures, _OPENS_AT)
        if not (self.granted or self.probing):
            self.probe_at = probe_at
        self.first_failed_at = self.first_failed_at or opened_at

    def answered(self, now: int, *, accepted: bool) -> bool:
        """The far side is there (even if it refused); True when that closed the circuit."""
        closed = self.is_open
        self.probing = False
        self.failures = self.opened_at = self.probe_at = self.probes = 0
        if closed:
            self.since = now
        if accepted:
            self.first_failed_at = 0
            self.last_success_at = now
        elif not self.first_failed_at:
            self.first_failed_at = now
        return closed

    def failed(self, now: int, wait: float = 0.0) -> bool:
        """Nobody there, or it broke; True when that opened the circuit. `wait` is what it asked for, in seconds."""
        self.failures += 1
        self.probing = False
        self.first_failed_at = self.first_failed_at or now
        opened = not self.is_open and self.failures >= _OPENS_AT
        if opened or (self.is_open and now >= self.probe_at):  # what was under way when it opened is no probe
            self.opened(now)
        if self.is_open:
            self.probe_at = max(self.probe_at, now + int(wait * SECOND))
        return opened

    def opened(self, now: int) -> None:
        """Only probes from here on, the next a little later than the one before."""
        self.opened_at = self.opened_at or now
        self.probe_at = now + min(_FIRST * (1 + self.probes), _MOST) * SECOND
        self.probes += 1

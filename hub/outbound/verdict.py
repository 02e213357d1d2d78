"""The verdict on an attempt: delivered, again and when, dead, or the endpoint is gone. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import msgspec

Status = Literal["delivered", "due", "dead", "held", "skipped"]

SECOND = 1_000_000
_DAY = 86_400
_JITTER = 0.2
DECLINED = "declined"
"""The outcome of an answer whose status is fine and whose body says no."""
_ENDED: dict[str, Status] = {"refused": "dead", "left_out": "skipped"}
_UNSENT = ("mapping", "left_out", "fault")


class Verdict(msgspec.Struct, frozen=True):
    """What an attempt means: `tried` says whether it counts in the schedule, `reached` whether the far side
    answered for itself (a 5xx is a far side that is down), `sent` whether it was asked at all, `gone` that it
    wants nothing more, ever."""

    status: Status
    due_at: int
    outcome: str
    tried: bool = True
    reached: bool = True
    sent: bool = True
    gone: bool = False
    wait: float = 0.0


def took(status: int | None, error: str | None, accepted: bool | None = None) -> bool:
    """Whether an answer means that the event was taken: 2xx, or what the endpoint's own expression says."""
    if error:
        return False
    return accepted if accepted is not None else status is not None and 200 <= status < 300


def schedule_at(schedule: Sequence[float], attempts: int, now: int, chance: float) -> int | None:
    """When the next attempt after so many may be made, never earlier than the schedule; None: no more."""
    if attempts >= len(schedule):
        return None
    return now + int(schedule[attempts] * (1 + _JITTER * chance) * SECOND)


def judge(
    status: int | None,
    error: str | None,
    retry_after: float | None,
    *,
    attempts: int,
    schedule: Sequence[float],
    circuit_open: bool,
    now: int,
    chance: float,
    accepted: bool | None = None,
) -> Verdict:
    """Judge an answer (`status`) or its absence (`error`: dns, connect, tls, timeout, reset, blocked, …).

    2xx is delivered, unless the endpoint has an expression of its own (`accepted`): then that says. 410 is
    gone, `refused` (a write the far side said no to) is dead at once, everything else is tried again; while the
    circuit is open a failure costs nothing. A mapping that fails, or a fault of ours, is ours to mend: it tells nothing of
    the far side. `unknown` may have gone out: it is not sent twice, whatever the circuit. Retry-After on 429 and 503
    only ever delays, by a day at most.
    """
    outcome = error or (DECLINED if accepted is False and took(status, error) else str(status))
    if took(status, error, accepted):
        return Verdict("delivered", now, outcome)
    sent = error not in _UNSENT
    if error == "unknown":
        return Verdict("dead", now, outcome, tried=False, reached=False)
    if error in _ENDED:
        return Verdict(_ENDED[error], now, outcome, sent=sent)
    if status == 410:
        return Verdict("held", now, outcome, gone=True)
    reached = not sent or (not error and status is not None and status < 500)
    wait = min(retry_after or 0.0, _DAY) if status in (429, 503) else 0.0
    if circuit_open and not reached:
        return Verdict("due", now, outcome, tried=False, reached=False, wait=wait)
    at = schedule_at(schedule, attempts + 1, now, chance)
    if at is None:
        return Verdict("dead", now, outcome, reached=reached, sent=sent)
    return Verdict("due", max(at, now + int(wait * SECOND)), outcome, reached=reached, sent=sent, wait=wait)

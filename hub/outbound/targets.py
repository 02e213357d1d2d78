"""Targets: who stands behind the name of one, an endpoint, the connection that a write goes to, or who says a notice."""

from __future__ import annotations

from dataclasses import dataclass

from hub.circuit import SECOND
from hub.directory import Connection, Directory, Endpoint, Thing
from hub.things import Notifier

_SLOTS = 4
_TIMEOUT = 30.0
_SPARE = 15


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast a target takes what it gets: posts a second (0: no limit), posts at once, and for how long a claim on
    a delivery has to be good before its post begins, in microseconds."""

    rate: float
    slots: int
    patience: int


def owner(directory: Directory, target: str) -> Thing | None:
    """Who it is, None where there is nobody of that name any more."""
    name = target.partition("/")[0]
    return directory.get(Endpoint, target) or directory.get(Connection, name) or directory.get(Notifier, name)


def paused(directory: Directory, target: str) -> bool:
    """Whether it takes nothing for now."""
    found = owner(directory, target)
    return found is not None and found.status != "active"


def pace(directory: Directory, target: str) -> Pace:
    """How fast it is to be sent to."""
    found = owner(directory, target)
    if isinstance(found, Endpoint):
        return Pace(found.rate, found.concurrency, int((found.timeout + _SPARE) * SECOND))
    rate = found.rate if isinstance(found, Notifier) else 0.0
    return Pace(rate, _SLOTS, int((_TIMEOUT + _SPARE) * SECOND))

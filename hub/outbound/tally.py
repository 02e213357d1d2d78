"""The tally: attempts are counted, and the time from what was accepted to its acknowledgement is measured.

Times are read off the ids, which begin with the moment they were given: the message's where the event names
one, else the event's own. A hub with very many targets counts those that come late together.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from prometheus_client import Counter

from hub.circuit import SECOND, Circuit
from hub.metrics import Metrics
from hub.outbound.verdict import Verdict
from hub.store.rows import Due
from hub.world import told_at

_MOST = 200
_MESSAGE = b'"message":"msg_'
_ID = 30


@dataclass(slots=True)
class Tally:
    """Counts for the metrics of a hub."""

    metrics: Metrics
    _counters: dict[tuple[str, str], Counter] = field(default_factory=dict)
    _targets: set[str] = field(default_factory=set)
    _open: dict[str, bool] = field(default_factory=dict)

    def label(self, target: str) -> str:
        """Its own name, or `other` where too many have theirs."""
        if target not in self._targets:
            if len(self._targets) >= _MOST:
                return "other"
            self._targets.add(target)
        return target

    def attempt(self, one: Due, verdict: Verdict, now: int) -> None:
        """An attempt ended."""
        word = "delivered" if verdict.status == "delivered" else verdict.outcome
        target = self.label(one.target)
        counter = self._counters.get((target, word))
        if counter is None:
            counter = self._counters[target, word] = self.metrics.attempts.labels(one.tenant, target, word)
        counter.inc()
        if word == "delivered" and one.trigger == "first":
            self.metrics.latency.observe(max(0, now - accepted_at(one)) / SECOND)

    def circuit(self, target: str, circuit: Circuit) -> None:
        """Whether a target is down."""
        if self._open.get(target) is not circuit.is_open:
            label = self.label(target)
            self.metrics.circuit.labels(label).set(circuit.is_open)
            if label == target:
                self._open[target] = circuit.is_open


def accepted_at(one: Due) -> int:
    """When the message was accepted that an event comes of, or the event was told, to a millisecond."""
    return told_at((message_of(one) or one.event).rpartition("_")[2]) or one.due_at


def message_of(one: Due) -> str:
    """The message that an event comes of, "" where it names none."""
    place = one.envelope.find(_MESSAGE)
    start = place + len(_MESSAGE) - len("msg_")
    return one.envelope[start : start + _ID].decode("ascii", "replace") if place >= 0 else ""

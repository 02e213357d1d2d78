"""The office: surveys wired, as kinds of jobs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from hub.config import Config
from hub.inbound.notices import Notices
from hub.metrics import Metrics
from hub.repair.jobs import Jobs, Kind
from hub.repair.survey.backfill import KIND as BACKFILL, Backfill
from hub.repair.survey.compare import KIND as COMPARE, Compare
from hub.repair.survey.looks import Looks
from hub.repair.survey.marking import Marking
from hub.repair.survey.pushes import Pushes
from hub.repair.survey.reconcile import KIND as RECONCILE, Reconcile
from hub.repair.survey.report import Reports
from hub.repair.survey.silence import Pulse
from hub.repair.survey.walk import Sources, Walk
from hub.store.rows import Due


class Office(Sources, Protocol):
    """The parts of a hub that are wired here."""

    config: Config
    metrics: Metrics
    jobs: Jobs
    notices: Notices


def surveys(hub: Office, hand: Callable[[list[Due]], None], woken: Callable[[], None]) -> dict[str, Kind]:
    """The kinds of jobs that read sources; from now on the sweeper is looked at, and silence is heard."""
    walk, reports = Walk(hub), Reports(hub, hand)
    pushes = Pushes(hub, hub.jobs, hub.notices, hand, hub.config.hold_outbound)
    hub.sweeper.looks = Looks(hub, reports, hub.metrics, hand, pushes, Pulse(hub, hub.sweeper.claim))
    return {
        BACKFILL: Backfill(hub, walk),
        COMPARE: Compare(hub, walk, reports),
        RECONCILE: Reconcile(hub, walk, reports, Marking(hub, woken), hand),
    }

"""The office: surveys wired, as kinds of jobs."""

from __future__ import annotations

from collections.abc import Callable

from hub.metrics import Metrics
from hub.repair.jobs import Kind
from hub.repair.survey.backfill import KIND as BACKFILL, Backfill
from hub.repair.survey.compare import KIND as COMPARE, Compare
from hub.repair.survey.looks import Looks
from hub.repair.survey.marking import Marking
from hub.repair.survey.reconcile import KIND as RECONCILE, Reconcile
from hub.repair.survey.report import Reports
from hub.repair.survey.walk import Sources, Walk
from hub.store.rows import Due


def surveys(
    hub: Sources, metrics: Metrics, hand: Callable[[list[Due]], None], woken: Callable[[], None]
) -> dict[str, Kind]:
    """The kinds of jobs that read sources; from now on the sweeper is looked at, too."""
    walk, reports = Walk(hub), Reports(hub, hand)
    hub.sweeper.looks = Looks(hub, reports, metrics, hand)
    return {
        BACKFILL: Backfill(hub, walk),
        COMPARE: Compare(hub, walk, reports),
        RECONCILE: Reconcile(hub, walk, reports, Marking(hub, woken), hand),
    }

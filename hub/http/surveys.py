"""Surveys: backfills, comparisons and reconciliations of a connection's source, which are jobs; and their reports."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from hub.contract.clock import text
from hub.directory import Connection
from hub.http.ask import Answer, Ask, Page, moment
from hub.http.connections import show
from hub.http.jobs import JobOut, shown
from hub.http.keep import find, note
from hub.http.problems import Problem, invalid, missing
from hub.http.table import PAGING, Op, Param
from hub.repair.jobs import job
from hub.repair.survey.backfill import KIND as BACKFILL
from hub.repair.survey.compare import KIND as COMPARE
from hub.repair.survey.reconcile import KIND as RECONCILE
from hub.repair.survey.report import Run
from hub.repair.survey.walk import EVER, Wish
from hub.store.engine import Unit

_WEEK = 7 * 86_400_000_000


class BackfillWish(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """What to read: all that changed since a time. `emit` none folds it and tells nobody, changes tells it as if it
    happened now; `rate` is orders a second at most, 0 as fast as the far side lets us."""

    since: str
    until: str = ""
    emit: Literal["none", "changes"] = "none"
    rate: Annotated[float, Meta(ge=0)] = 0.0


class SpanWish(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """What to look at: all that changed since a time, a week where none is given."""

    since: str = ""
    until: str = ""


class ReconciliationOut(msgspec.Struct, kw_only=True):
    """A run over a source: what it looked at, what differed by class, what is repaired, what is written there again."""

    id: str
    kind: str
    connection: str
    job: str | None
    begun_at: str
    ended_at: str
    since: str | None
    until: str | None
    checked: int
    equal: int
    unreadable: int
    found: dict[str, int]
    repaired: dict[str, int]


class DriftOut(msgspec.Struct, kw_only=True):
    """One order that the source tells otherwise: `fields` with the hub's value (`from`) and the source's (`to`), and
    the events that it makes."""

    order: str | None
    ref: str
    class_: str = msgspec.field(name="class")
    found_at: str
    repaired_at: str | None
    fields: list[dict[str, Any]]
    events: list[str]
    message: str | None


async def backfill_connection(ask: Ask) -> Answer:
    """Read its source's history; follow the job that this answers. The sweep goes on from where it was."""
    given = ask.decode(BackfillWish)
    since, until = _span(given.since, given.until)
    if not since:
        raise invalid("say since when", "since")
    wish = Wish(since=since, until=until, emit=given.emit, rate=given.rate)
    return await _begun(ask, BACKFILL, wish)


async def compare_connection(ask: Ask) -> Answer:
    """Set what the hub holds beside what its source says, order by order: nothing is written, nobody is told. The
    report is the reconciliation that the job names at its end."""
    return await _looked(ask, COMPARE)


async def reconcile_connection(ask: Ask) -> Answer:
    """Read its source again, put right what differs, write there again what it was not told, and prove it."""
    return await _looked(ask, RECONCILE)


async def _looked(ask: Ask, kind: str) -> Answer:
    given = ask.decode(SpanWish)
    since, until = _span(given.since, given.until)
    return await _begun(ask, kind, Wish(since=since or ask.hub.world.now() - _WEEK, until=until))


def _span(since: str, until: str) -> tuple[int, int]:
    begin, end = moment(since, "since"), moment(until, "until") or EVER
    if end <= begin:
        raise invalid("it ends before it begins", "until")
    return begin, end


async def _begun(ask: Ask, kind: str, wish: Wish) -> Answer:
    one = find(ask, Connection, ask.path())
    channel = ask.hub.directory.channel(one)
    if channel.poll is None or channel.since is None:
        raise Problem(409, "conflict", f"{channel.title} cannot be read from a time on")
    if not ask.hub.directory.can(one, channel.needs):
        lack = next(lack for lack in show(ask, one).cannot if lack.startswith("cannot be polled"))
        raise Problem(409, "conflict", f"{one.name} {lack}: set it at the connection")
    running = await ask.hub.engine.fetch(
        "jobs_list", tenant=ask.tenant, after=0, kind=kind, state="running", subject=one.id, most=1
    )
    if running:
        raise Problem(409, "conflict", f"its {kind} {running[0][1]} is under way: follow or cancel it")

    async def work(unit: Unit) -> str:
        await note(unit, ask, f"connection.{kind}", one.id, {"wish": msgspec.to_builtins(wish)})
        return await ask.hub.jobs.add(unit, ask.tenant, kind, one.id, wish, ask.who.name)

    id_ = await ask.hub.engine.transact(work)
    ask.hub.jobs.wake()
    rows = await ask.hub.engine.fetch("jobs_get", tenant=ask.tenant, id=id_)
    return Answer(value=shown(ask, job(rows[0])), status=202, headers={"location": f"/v1/jobs/{id_}"})


def _run(row: tuple[Any, ...]) -> ReconciliationOut:
    run = msgspec.json.decode(row[7], type=Run)
    return ReconciliationOut(
        id=row[1], kind=row[2], connection=row[3], job=row[4] or None, begun_at=text(row[5]), ended_at=text(row[6]),
        since=text(run.since) if run.since else None, until=text(run.until) if run.until else None,
        checked=run.checked, equal=run.equal, unreadable=run.unreadable, found=run.found, repaired=run.repaired,
    )  # fmt: skip


async def list_reconciliations(ask: Ask) -> Page[ReconciliationOut]:
    """Oldest first: reconciliations, comparisons, and sweeps that found what no push had told."""
    connection = find(ask, Connection, ask.text("connection")).id if ask.text("connection") else ""
    rows = await ask.hub.engine.fetch(
        "reconciliations_list", tenant=ask.tenant, after=ask.after, connection=connection, kind=ask.text("kind"),
        most=ask.limit + 1,
    )  # fmt: skip
    return ask.page(rows, _run)


async def get_reconciliation(ask: Ask) -> ReconciliationOut:
    """One, with its counts."""
    rows = await ask.hub.engine.fetch("reconciliations_get", tenant=ask.tenant, id=ask.path())
    if not rows:
        raise missing("reconciliation", ask.path())
    return _run(rows[0])


async def list_drifts(ask: Ask) -> Page[DriftOut]:
    """What differed, order by order."""
    rows = await ask.hub.engine.fetch(
        "drifts_of_run", tenant=ask.tenant, run=ask.path(), connection="", after=ask.after, most=ask.limit + 1
    )
    return ask.page(rows, _drift)


def _drift(row: tuple[Any, ...]) -> DriftOut:
    doc = msgspec.json.decode(row[7])
    return DriftOut(
        order=row[2] or None, ref=row[3], class_=row[4], found_at=text(row[5]),
        repaired_at=text(row[6]) if row[6] else None, fields=doc["fields"], events=doc["events"],
        message=doc["message"] or None,
    )  # fmt: skip


_AT = "/v1/connections/{id}"
_RUNS = "/v1/reconciliations"
OPS = (
    Op(method="POST", path=_AT + "/backfill", summary="Read a source's history", handle=backfill_connection,
       scope="operate", takes=BackfillWish, gives=JobOut, status=202),
    Op(method="POST", path=_AT + "/compare", summary="Compare with a source", handle=compare_connection,
       scope="operate", takes=SpanWish, gives=JobOut, status=202),
    Op(method="POST", path=_AT + "/reconcile", summary="Reconcile with a source", handle=reconcile_connection,
       scope="operate", takes=SpanWish, gives=JobOut, status=202),
    Op(method="GET", path=_RUNS, summary="List reconciliations", handle=list_reconciliations,
       gives=Page[ReconciliationOut],
       query=(*PAGING, Param("connection", "Of this connection, by id or name."),
              Param("kind", "Of this kind.", words=("sweep", RECONCILE, COMPARE)))),
    Op(method="GET", path=_RUNS + "/{id}", summary="Show a reconciliation", handle=get_reconciliation,
       gives=ReconciliationOut),
    Op(method="GET", path=_RUNS + "/{id}/drifts", summary="List what differed", handle=list_drifts,
       gives=Page[DriftOut], query=PAGING),
)  # fmt: skip

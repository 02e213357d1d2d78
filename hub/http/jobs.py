"""Jobs: work that goes on by itself, how far it has come; and replays, which are jobs of an endpoint."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from msgspec import Meta

from hub.contract.clock import text
from hub.directory import Connection, Endpoint
from hub.http.ask import Answer, Ask, Page, moment
from hub.http.catalogue import check_globs
from hub.http.deliveries import PREFIX, visible
from hub.http.endpoints import mine
from hub.http.keep import note
from hub.http.orders import held as order_of
from hub.http.problems import Problem, invalid, missing
from hub.http.table import BOTH_WAYS, Op, Param
from hub.repair.jobs import Job, job
from hub.repair.redelivery import KIND, Wish, begun
from hub.repair.survey.walk import SURVEYS, progress
from hub.store.engine import Unit

_DAY = 86_400_000_000
_STATES = ("running", "done", "cancelled")
_KINDS = (KIND, *sorted(SURVEYS))


class JobOut(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A job: `done` of `total` things are looked at (null: not counted yet), `progress` is their share."""

    id: str
    kind: str
    state: str
    done: int
    total: int | None
    progress: float
    created_at: str
    updated_at: str
    subject: str = ""
    endpoint: str = ""
    connection: str = ""
    actor: str = ""
    note: str = ""
    params: dict[str, Any] = {}


class ReplayWish(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """What an endpoint is to get again: one `delivery`; or what happened since a time, of some types, of an order:
    all of it, only what is `missing` (never delivered), or only what has `failed` (dead letters)."""

    delivery: str = ""
    missing: bool = False
    failed: bool = False
    since: str = ""
    until: str = ""
    events: Annotated[list[Annotated[str, Meta(min_length=1, max_length=100)]], Meta(max_length=50)] = []
    order: str = ""


def shown(ask: Ask, one: Job) -> JobOut:
    """A job for the caller."""
    endpoint = ask.hub.directory.get(Endpoint, one.subject)
    ended = one.state == "done"
    share = 1.0 if ended else min(1.0, one.done / one.total) if one.total > 0 else 0.0
    share = progress(one) if one.kind in SURVEYS else share
    subject = ask.hub.directory.get(Connection, one.subject)
    waits = (
        f"the endpoint is {endpoint.status}"
        if endpoint and endpoint.status != "active" and one.state == "running"
        else ""
    )
    return JobOut(
        id=one.id, kind=one.kind, state=one.state, done=one.done, total=one.total if one.total >= 0 else None,
        progress=round(share, 4), created_at=text(one.created_at), updated_at=text(one.updated_at), subject=one.subject,
        endpoint=endpoint.name if endpoint else "", connection=subject.name if subject else "", actor=one.actor,
        note="; ".join(word for word in (waits, one.note) if word), params=msgspec.json.decode(one.params),
    )  # fmt: skip


async def list_jobs(ask: Ask) -> Page[JobOut]:
    """Oldest first or newest first."""
    subject = mine(ask, ask.text("endpoint")).id if ask.text("endpoint") else ask.text("subject")
    rows = await ask.listed("jobs_list", kind=ask.text("kind"), state=ask.text("state"), subject=subject)
    return ask.page(rows, lambda row: shown(ask, job(row)))


async def _held(ask: Ask) -> Job:
    rows = await ask.hub.engine.fetch("jobs_get", tenant=ask.tenant, id=ask.path())
    if not rows or not (ask.who.may("read") or rows[0][4] in visible(ask)):
        raise missing("job", ask.path())
    return job(rows[0])


async def get_job(ask: Ask) -> JobOut:
    """One, and how far it has come."""
    return shown(ask, await _held(ask))


async def cancel_job(ask: Ask) -> JobOut:
    """End it; what it has done stays done."""
    one = await _held(ask)
    if one.state != "running":
        raise Problem(409, "conflict", f"this job is {one.state} already")

    async def work(unit: Unit) -> None:
        await ask.hub.jobs.cancel(unit, ask.tenant, one.id)
        await ask.hub.troubles.clear(unit, [one.id])
        await note(unit, ask, "job.cancelled", one.id, {"done": one.done})

    await ask.hub.engine.transact(work)
    return shown(ask, await _held(ask))


async def replay_endpoint(ask: Ask) -> Answer:
    """Send an endpoint again what it had, or what it never got: the same ids and bytes, no more than its rate lets
    through, with no cap. Runs by itself: follow the job that this answers; while the endpoint is paused it waits."""
    given, endpoint = ask.decode(ReplayWish), mine(ask, ask.path())
    wish = await _wish(ask, given, endpoint)
    if endpoint.status == "disabled":
        raise Problem(409, "conflict", f"{endpoint.name} is disabled: enable it first")

    async def work(unit: Unit) -> str:
        await note(unit, ask, "endpoint.replayed", endpoint.id, {"wish": msgspec.to_builtins(given)})
        return await ask.hub.jobs.add(unit, ask.tenant, KIND, endpoint.id, wish, ask.who.name)

    id_ = await ask.hub.engine.transact(work)
    ask.hub.jobs.wake()
    rows = await ask.hub.engine.fetch("jobs_get", tenant=ask.tenant, id=id_)
    return Answer(value=shown(ask, job(rows[0])), status=202, headers={"location": f"/v1/jobs/{id_}"})


async def _wish(ask: Ask, given: ReplayWish, endpoint: Endpoint) -> Wish:
    if given.delivery:
        _alone(given)
        return Wish(delivery=await _delivery(ask, given.delivery, endpoint))
    since, until = moment(given.since, "since"), moment(given.until, "until")
    if given.missing and given.failed:
        raise invalid("what is missing and what has failed are two replays", "failed")
    if given.events:
        check_globs(given.events, "events")
    if not (since or given.order):
        raise invalid("say since when, of which order, or which delivery", "since")
    if until and until < since:
        raise invalid("it ends before it begins", "until")
    if given.order:
        await order_of(ask, given.order)
    engine = ask.hub.engine
    last = await begun(engine, until + _DAY) if until else int((await engine.fetch("events_last"))[0][0])
    wish = Wish(only="missing" if given.missing else "failed" if given.failed else "all", since=since, events=given.events, order=given.order, last=last,
                first=await begun(engine, since))  # fmt: skip
    wish.until = until or wish.until
    return wish


def _alone(given: ReplayWish) -> None:
    """Problem 422 where something stands beside the one delivery: it would count for nothing."""
    for field in msgspec.structs.fields(ReplayWish):
        if field.name != "delivery" and getattr(given, field.name):
            raise invalid("one delivery is a replay of its own: leave this away, or the delivery", field.name)


async def _delivery(ask: Ask, id_: str, endpoint: Endpoint) -> int:
    number = id_.removeprefix(PREFIX)
    known = id_.startswith(PREFIX) and number.isascii() and number.isdigit() and len(number) < 19
    rows = (
        await ask.hub.engine.fetch("deliveries_get", tenant=ask.tenant, position=int(number)) if known else []
    )
    if not rows or rows[0][1] != endpoint.id:
        raise invalid(f"there is no delivery {id_!r} of this endpoint", "delivery")
    if rows[0][4] in ("due", "waiting", "held"):
        raise Problem(409, "conflict", f"this delivery is {rows[0][4]}: it goes out by itself")
    return int(number)


OPS = (
    Op(method="GET", path="/v1/jobs", summary="List jobs", handle=list_jobs, gives=Page[JobOut],
       query=(*BOTH_WAYS, Param("kind", "Of this kind.", words=_KINDS), Param("state", "In this state.", words=_STATES),
              Param("subject", "About this."), Param("endpoint", "About this endpoint, by id or name."))),
    Op(method="GET", path="/v1/jobs/{id}", summary="Show a job", handle=get_job, gives=JobOut, partner=True),
    Op(method="POST", path="/v1/jobs/{id}/cancel", summary="End a job", handle=cancel_job, scope="operate",
       gives=JobOut, partner=True),
    Op(method="POST", path="/v1/endpoints/{id}/replay", summary="Send an endpoint again what it had or missed",
       handle=replay_endpoint, scope="operate", takes=ReplayWish, gives=JobOut, status=202, partner=True),
)  # fmt: skip

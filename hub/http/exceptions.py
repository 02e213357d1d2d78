"""Exceptions: what a person has to look at, a row for each cause; acknowledged, retried, closed."""

from __future__ import annotations

from typing import Any

import msgspec

from hub.contract.clock import text
from hub.directory import Connection
from hub.http.ask import Ask, Page
from hub.http.deliveries import PREFIX, again
from hub.http.keep import note
from hub.http.problems import Problem, missing
from hub.http.table import BOTH_WAYS, Op, Param
from hub.repair.replay import replay
from hub.store.engine import Unit

_MOST = 10_000


class ExceptionOut(msgspec.Struct, kw_only=True):
    """All troubles of one cause: how many, since when, an example with its place, what to do next."""

    id: str
    cause: str
    state: str
    severity: str
    count: int
    first_at: str
    last_at: str
    title: str
    hint: str
    subject: str
    connection: str
    orders: list[str]
    place: dict[str, Any] | None


class ExceptionWhole(ExceptionOut, kw_only=True):
    """An exception with the messages, deliveries and connections that are still in trouble."""

    subjects: list[str]


class Retried(msgspec.Struct):
    """What is tried again: messages, deliveries, connections."""

    messages: list[str]
    deliveries: list[str]
    connections: list[str]


def _plain(row: tuple[Any, ...]) -> dict[str, Any]:
    doc = msgspec.json.decode(row[8])
    return {
        "id": row[0], "cause": row[1], "state": row[3], "severity": row[4], "count": row[5], "first_at": text(row[6]),
        "last_at": text(row[7]), "title": doc.get("title", ""), "hint": doc.get("hint", ""),
        "subject": doc.get("subject", ""), "connection": doc.get("connection", ""), "orders": doc.get("orders") or [],
        "place": doc.get("place"),
    }  # fmt: skip


async def list_exceptions(ask: Ask) -> Page[ExceptionOut]:
    """By their last change, oldest first or newest first."""
    rows = await ask.listed("exceptions_list", state=ask.text("state"))
    return ask.page(rows, lambda row: ExceptionOut(**_plain(row)), place=2)


async def exception_of(ask: Ask, id_: str) -> tuple[Any, ...]:
    """The row of an exception of the caller's tenant; Problem 404."""
    rows = await ask.hub.engine.fetch("exceptions_get", tenant=ask.tenant, id=id_)
    if not rows:
        raise missing("exception", id_)
    return rows[0]


async def _subjects(ask: Ask, cause: str) -> list[str]:
    return [
        row[0]
        for row in await ask.hub.engine.fetch("troubles_of", tenant=ask.tenant, cause=cause, most=_MOST)
    ]


async def get_exception(ask: Ask) -> ExceptionWhole:
    """One, with everything that is still in trouble for its cause."""
    row = await exception_of(ask, ask.path())
    return ExceptionWhole(**_plain(row), subjects=[] if row[3] == "closed" else await _subjects(ask, row[1]))


async def ack_exception(ask: Ask) -> ExceptionOut:
    """Somebody looks after it."""
    return await settle(ask, ask.path(), "acked")


async def snooze_exception(ask: Ask) -> ExceptionOut:
    """It is known and can wait."""
    return await settle(ask, ask.path(), "snoozed")


async def close_exception(ask: Ask) -> ExceptionOut:
    """It is no trouble any more; the same trouble again opens another."""
    return await settle(ask, ask.path(), "closed")


async def settle(ask: Ask, id_: str, state: str) -> ExceptionOut:
    """Bring an exception into a state; Problem 409 where it is closed."""
    row = await exception_of(ask, id_)
    if row[3] == "closed":
        raise Problem(409, "conflict", "this exception is closed already")

    async def work(unit: Unit) -> None:
        position = await unit.positions(1)
        unit.add("exceptions_state", tenant=ask.tenant, id=row[0], state=state, position=position)
        if state == "closed":
            ask.hub.troubles.drop(unit, ask.tenant, row[1])
        await note(unit, ask, f"exception.{state}", row[0], {"before": {"state": row[3]}})

    await ask.hub.engine.transact(work)
    return ExceptionOut(**_plain(await exception_of(ask, id_)))


async def retry_exception(ask: Ask) -> Retried:
    """Everything of its cause is tried again; it closes itself when all of it is well."""
    return await retry(ask, ask.path())


async def retry(ask: Ask, id_: str) -> Retried:
    """Try everything of an exception's cause again."""
    row = await exception_of(ask, id_)
    subjects = await _subjects(ask, row[1])
    messages = [one for one in subjects if one.startswith("msg_")]
    deliveries = [one for one in subjects if one.startswith(PREFIX)]
    connections = {one.partition(":")[2] for one in subjects if one.startswith(("sweep:", "fetch:"))}
    if messages:
        await replay(ask.hub, ask.tenant, messages, actor=ask.who.name)
    if deliveries:
        await again(ask, [int(one.removeprefix(PREFIX)) for one in deliveries], "exception.retried", row[0])
    for one in ask.hub.directory.all(Connection, ask.tenant):
        if one.id in connections and ask.hub.directory.channel(one).poll:
            await ask.hub.sweeper.sweep(one)
    return Retried(messages, deliveries, sorted(connections))


_AT = "/v1/exceptions"
_STATES = ("open", "acked", "snoozed", "closed", "unclosed")
OPS = (
    Op(method="GET", path=_AT, summary="List exceptions", handle=list_exceptions, gives=Page[ExceptionOut],
       query=(*BOTH_WAYS, Param("state", "In this state; unclosed: all but the closed.", words=_STATES))),
    Op(method="GET", path=_AT + "/{id}", summary="Show an exception", handle=get_exception, gives=ExceptionWhole),
    Op(method="POST", path=_AT + "/{id}/ack", summary="Acknowledge", handle=ack_exception, scope="operate",
       gives=ExceptionOut),
    Op(method="POST", path=_AT + "/{id}/snooze", summary="Let it wait", handle=snooze_exception, scope="operate",
       gives=ExceptionOut),
    Op(method="POST", path=_AT + "/{id}/close", summary="Close", handle=close_exception, scope="operate",
       gives=ExceptionOut),
    Op(method="POST", path=_AT + "/{id}/retry", summary="Try all of its cause again", handle=retry_exception,
       scope="operate", gives=Retried),
)  # fmt: skip

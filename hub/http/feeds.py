"""Feeds: the pull twin of the webhooks, for all events and for each endpoint as its webhooks would be.

A page that is empty may be waited for: it comes when something is committed, here or in another process.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
from msgspec import Raw

from hub.audience import hears
from hub.contract.clock import text
from hub.contract.errors import Misconfigured, Unreadable
from hub.directory import Connection, Endpoint
from hub.http.ask import Ask, Page, Rows
from hub.http.catalogue import check_glob
from hub.http.endpoints import mine
from hub.http.extent import extent
from hub.http.keep import find, named_order
from hub.http.problems import Problem, invalid
from hub.http.table import PAGING, Op, Param
from hub.outbound.render import LeftOut, body_for
from hub.repair.redelivery import wanted
from hub.store.engine import Row
from hub.store.rows import PLAIN, whole

LATEST = "latest"
_SECOND = 1_000_000
_WAIT = 30
_BACKSTOP = 1.0
_LOOK = 2000
_EVER = 2**62

Show = Callable[[Row], Raw | None]


class Told(msgspec.Struct):
    """What an endpoint was, or would be, told: bodies as its webhooks carry them, and their webhook ids."""

    data: list[Any]
    ids: list[str]
    next: str | None
    cursor: str


class Unmade(msgspec.Struct):
    """Stands where the endpoint's mapping could not make a body of an event."""

    id: str
    type: str
    error: str


async def feed(ask: Ask, show: Show) -> tuple[list[tuple[str, Raw]], str | None, str]:
    """The events after the cursor that `show` has something of, with their ids; waited for where that is wished.
    With them the cursor of the rest (null where nothing was found and nothing is left), and where to go on."""
    await named_order(ask)
    wait = ask.number("wait", 0, _WAIT)
    until = ask.hub.world.now() + wait * _SECOND
    bell = ask.hub.engine.bell
    after = await _start(ask)
    while True:
        rung = bell.count("events")
        found, after, more = await _read(ask, after, show)
        left = (until - ask.hub.world.now()) / _SECOND
        if found or more or left <= 0 or await ask.request.is_disconnected():
            return found, str(after) if found or more else None, str(after)
        await bell.after("events", rung, min(left, _BACKSTOP))


async def _start(ask: Ask) -> int:
    if ask.text("after") == LATEST:
        return int((await ask.hub.engine.fetch("events_last"))[0][0])
    await kept(ask)
    return ask.after


async def _read(ask: Ask, after: int, show: Show) -> tuple[list[tuple[str, Raw]], int, bool]:
    """What is shown of the next events, where it ended, and whether there may be more."""
    found: list[tuple[str, Raw]] = []
    looked = 0
    while looked < _LOOK:
        rows = await _rows(ask, after)
        for row in rows:
            after, body = row[0], show(row)
            found += [(row[1], body)] if body is not None else []
            if len(found) == ask.limit:
                return found, after, True
        looked += len(rows)
        if len(rows) < ask.limit:
            return found, after, False
    return found, after, True


async def _rows(ask: Ask, after: int) -> Rows:
    params: dict[str, Any] = {"tenant": ask.tenant, "after": after, "last": _EVER, "since": 0, "until": _EVER,
                              "most": ask.limit}  # fmt: skip
    if order := ask.text("order"):
        return await ask.hub.engine.fetch("events_of_order_between", order_id=order, **params)
    return await ask.hub.engine.fetch("events_between", **params)


async def kept(ask: Ask) -> None:
    """Problem 410 where the cursor points into what retention has taken away, 422 where it is beyond the newest event:
    who waits there would hear nothing until as many more have happened."""
    if not ask.after:
        return
    floor, newest = await extent(ask)
    if ask.after > newest:
        raise invalid(
            f"no event has come as far as this cursor, the newest is at {newest}: is it another hub's, or of a time "
            f"before this hub's store was restored? Go on from a cursor that is known, or from ?after={LATEST}",
            "after",
        )
    if ask.after < floor:
        oldest = (await ask.hub.engine.fetch("events_oldest", tenant=ask.tenant, after=floor))[0]
        where = (
            f"the oldest is {oldest[1]} of {text(oldest[2])}, at ?after={oldest[0] - 1}"
            if oldest[0]
            else "none is kept"
        )
        raise Problem(
            410, "gone", f"events up to {floor} are no longer kept; {where}", oldest=str(oldest[0] or "")
        )


def event(row: Row) -> Raw:
    """An event as every webhook of the full shape carries it: envelope and doc are its seventh and eighth."""
    return Raw(whole(bytes(row[6]), bytes(row[7]) if row[7] is not None else None))


def _globs(ask: Ask) -> list[str]:
    """The types that are wanted, all where none is named; Problem 422 where a glob matches none."""
    globs = [one for one in ask.text("type").split(",") if one]
    for glob in globs:
        check_glob(glob, "type")
    return globs


async def list_events(ask: Ask) -> Page[Any]:
    """Events after a cursor, oldest first; with `wait` an empty page is held back until there is one. Here
    `next` is null only on an empty page: `cursor` is where to go on."""
    home = find(ask, Connection, ask.text("connection")).id if ask.text("connection") else ""
    globs = _globs(ask)

    def show(row: Row) -> Raw | None:
        taken = (not globs or hears(globs, row[3])) and home in ("", row[8])
        return event(row) if taken else None

    found, next_, cursor = await feed(ask, show)
    return Page([body for _, body in found], next_, cursor)


async def list_endpoint_events(ask: Ask) -> Told:
    """What an endpoint hears of, as its webhooks carry it: its own events, filter, fields, payload, format and
    mapping. For receivers that no webhook reaches; with `wait` they know within a second."""
    endpoint = mine(ask, ask.path())
    globs = _globs(ask)

    def show(row: Row) -> Raw | None:
        if globs and not hears(globs, row[3]):
            return None
        return _body(ask, endpoint, row) if wanted(ask.hub, endpoint, row) else None

    found, next_, cursor = await feed(ask, show)
    return Told([body for _, body in found], [id_ for id_, _ in found], next_, cursor)


def _body(ask: Ask, endpoint: Endpoint, row: Row) -> Raw | None:
    doc = bytes(row[7]) if row[7] is not None else None
    try:
        mapping = ask.hub.directory.registry.mapping(endpoint.mapping) if endpoint.mapping else None
        return Raw(body_for(endpoint, bytes(row[6]), doc, mapping))
    except LeftOut:
        return None
    except (Misconfigured, Unreadable) as error:
        return Raw(PLAIN.encode(Unmade(row[1], row[3], str(error)[:1000])))


FOLLOWED = (
    Param("after", "The cursor that an earlier page gave; `latest`: only what comes from now on."),
    PAGING[1],
    Param("wait", "Seconds to wait for one, up to 30.", int),
    Param("type", "Only of these types: globs such as order.*, several by comma.", several=True),
    Param("order", "Only those of this order."),
)
ENDPOINT_FEED = Op(
    method="GET", path="/v1/endpoints/{id}/events", summary="What an endpoint hears of, to be pulled",
    handle=list_endpoint_events, gives=Told, partner=True, query=FOLLOWED,
)  # fmt: skip

"""Previews: exactly what an endpoint would be sent of an event, headers and body, with nothing sent or stored."""

from __future__ import annotations

from typing import Any

import msgspec

from hub.contract.errors import Misconfigured, Unreadable
from hub.directory import Endpoint
from hub.http.ask import Ask
from hub.http.events import found
from hub.http.keep import copy, find
from hub.http.mappings import compiled
from hub.http.problems import invalid
from hub.http.table import Op
from hub.outbound.letterhead import address, masked
from hub.outbound.render import LeftOut, body_for
from hub.repair.redelivery import wanted
from hub.store.engine import Row
from hub.store.rows import Due
from hub.troubles import place

_LOOK = 200


class PreviewWish(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Of which event (the newest that the endpoint hears of if none is named), and by which mapping: a text that is
    not in force yet, the endpoint's own if none."""

    event: str = ""
    mapping: str = ""


class Preview(msgspec.Struct, kw_only=True):
    """What would be sent. `wanted` says whether the endpoint hears of such an event at all, `mapping` and `version`
    which text made the body; where it could not, `body` is null, `error` says why and `place` where."""

    event: str
    type: str
    wanted: bool
    method: str = "POST"
    url: str
    headers: dict[str, str] = {}
    body: Any = None
    mapping: str = ""
    version: str = ""
    error: str = ""
    place: dict[str, Any] = {}


async def preview_endpoint(ask: Ask) -> Preview:
    """Exactly what an endpoint would be sent of an event, its credentials masked; nothing is sent or stored."""
    given, one = ask.decode(PreviewWish), find(ask, Endpoint, ask.path())
    row = await found(ask, given.event) if given.event else await _newest(ask, one)
    mapping = compiled(ask.hub.registry, given.mapping, "mapping") if given.mapping else None
    if mapping is not None:
        if mapping.subject != "json":
            raise invalid(
                f"{mapping.name} makes {mapping.target}: an endpoint's has `target: json`", "mapping"
            )
        one = copy(one)
        one.mapping = mapping.name
    shown = Preview(
        event=row[1],
        type=row[3],
        wanted=await _wanted(ask, one, row),
        url=address(one.url),
        mapping=one.mapping,
    )
    try:
        own = mapping or (ask.hub.registry.mapping(one.mapping) if one.mapping else None)
        shown.version = own.hash if own else ""
        due = await _due(ask, one, row)
        body = body_for(one, due.envelope, due.doc, own)
    except LeftOut:
        shown.error = f"{one.mapping} leaves this event out: nothing is sent"
    except Misconfigured as error:
        shown.error = "; ".join(error.faults)
    except Unreadable as error:
        shown.error, shown.place = str(error), place(error)
    else:
        shown.headers = masked(ask.hub.postman.letter(one, due, body, ask.hub.world.now()).headers)
        shown.body = msgspec.Raw(body)
    return shown


async def _newest(ask: Ask, one: Endpoint) -> Row:
    rows = await ask.hub.engine.fetch("events_newest", tenant=ask.tenant, most=_LOOK)
    taken = next((row for row in rows if wanted(ask.hub, one, row)), None)
    if taken is None:
        raise invalid(f"{one.name} has not been told of anything lately: name an event", "event")
    return taken


async def _wanted(ask: Ask, one: Endpoint, row: Row) -> bool:
    rows = await ask.hub.engine.fetch("events_whole", tenant=ask.tenant, id=row[1])
    return bool(rows) and wanted(ask.hub, one, rows[0])


async def _due(ask: Ask, one: Endpoint, row: Row) -> Due:
    """The event as a delivery of it: of the one that there is, where there is one."""
    rows = await ask.hub.engine.fetch(
        "deliveries_list",
        tenant=ask.tenant,
        after=0,
        most=1,
        target=one.id,
        status="",
        event=row[1],
        order_id="",
    )
    return Due(
        position=0, tenant=ask.tenant, target=one.id, event=row[1], order=row[2], attempts=0, first_at=0,
        previous=rows[0][8] if rows else "", trigger="first", shape="", due_at=0, type=row[3], envelope=bytes(row[6]),
        doc=bytes(row[7]) if row[7] is not None else None,
    )  # fmt: skip


OPS = (
    Op(method="POST", path="/v1/endpoints/{id}/preview", summary="Show what an endpoint would be sent",
       handle=preview_endpoint, takes=PreviewWish, gives=Preview),
)  # fmt: skip

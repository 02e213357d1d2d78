"""Endpoints: where partners receive webhooks; made, changed, rotated, paused and enabled."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta, UnsetType

from hub.contract.clock import text
from hub.directory import Endpoint
from hub.http.ask import Answer, Ask, Page
from hub.http.history import NOW, begin, since
from hub.http.keep import copy, drop, find, record, save, write
from hub.http.keys import Keys, Rotation, endpoint_keys, public_keys, supply, turn
from hub.http.problems import Problem, missing
from hub.http.table import PAGING, Op
from hub.http.terms import Wishes
from hub.http.wishes import fulfil, shown_auth
from hub.outbound.credentials import owner as token_owner
from hub.outbound.health import subjects
from hub.outbound.holding import abandon, discard
from hub.repair.standing import set_status
from hub.store.engine import Row, Unit

Url = Annotated[
    str, Meta(description="Where it receives webhooks: http or https, without credentials in it.")
]
Globs = Annotated[
    list[str],
    Meta(
        description="Which events, as order.* or shipment.delivered; `*` is all that befalls orders. Of the hub itself "
        "(exception.*, endpoint.*, connection.* …) only where a glob names the group."
    ),
]


class NewEndpoint(Wishes, kw_only=True, forbid_unknown_fields=True):
    """An endpoint to be made. It gets what happens from `now` on, or, `from` a position of the feed or an event,
    what happened since as well."""

    url: Url
    events: Globs = msgspec.field(default_factory=lambda: ["*"])
    from_: Annotated[
        str | int,
        Meta(
            description="From where on it is told: `now`, a position of the feed (0: all there is), or an event."
        ),
    ] = msgspec.field(default=NOW, name="from")


class EndpointPatch(Wishes, kw_only=True, forbid_unknown_fields=True):
    """What is to change of an endpoint."""

    url: Url | UnsetType = UNSET
    events: Globs | UnsetType = UNSET


class EndpointOut(msgspec.Struct, kw_only=True, omit_defaults=True):
    """An endpoint as it is shown; its shared secret only when it is made or rotated, the secrets of its auth never."""

    id: str
    name: str
    url: str
    status: str
    events: list[str]
    ordering: str
    schedule: list[int]
    timeout: float
    rate: float
    concurrency: int
    payload: str
    format: str
    block_for: float
    created_at: str
    updated_at: str
    signing: list[str]
    auth: dict[str, Any]
    disable_after: float
    partner: str = ""
    description: str = ""
    accept: str = ""
    capture: str = ""
    fields: list[str] = []
    mapping: str = ""
    filter: str = ""
    connections: list[str] = []
    locations: list[str] = []
    headers: dict[str, str] = {}
    include_test: bool = False
    metadata: dict[str, str] = {}
    public_keys: list[str] = []
    failing_since: str | None = None
    last_success_at: str | None = None
    secret: str | None = None


class Dropped(msgspec.Struct):
    """How many deliveries were dropped."""

    dropped: int


def show(ask: Ask, one: Endpoint, secret: str | None = None) -> EndpointOut:
    """An endpoint for the caller."""
    plain = {name: getattr(one, name) for name in EndpointOut.__struct_fields__ if hasattr(one, name)}
    plain |= {"created_at": text(one.created_at), "updated_at": text(one.updated_at), "secret": secret}
    plain |= {"auth": shown_auth(one), "public_keys": public_keys(ask, one)}
    return EndpointOut(**plain)


def mine(ask: Ask, name: str) -> Endpoint:
    """An endpoint that the caller may see: a partner's token sees its own."""
    one = find(ask, Endpoint, name)
    if not ask.who.may("read") and (not ask.who.partner or one.partner != ask.who.partner):
        raise missing("endpoint", name)
    return one


async def list_endpoints(ask: Ask) -> Page[EndpointOut]:
    """All of the tenant; a partner's token sees its own."""
    partner = None if ask.who.may("read") else ask.who.partner
    failing = {row[0]: row for row in await ask.hub.engine.fetch("health_failing")}
    return ask.things(
        Endpoint,
        lambda one: _fared(show(ask, one), failing.get(one.id)),
        lambda one: partner is None or (bool(partner) and one.partner == partner),
    )


async def get_endpoint(ask: Ask) -> EndpointOut:
    """One, by id or name, with how it has fared."""
    one = mine(ask, ask.path())
    rows = await ask.hub.engine.fetch("health_get", target=one.id)
    return _fared(show(ask, one), rows[0] if rows else None)


def _fared(shown: EndpointOut, row: Row | None) -> EndpointOut:
    """With since when it has failed, and when it last took something."""
    if row is not None:
        shown.failing_since = text(row[1]) if row[1] else None
        shown.last_success_at = text(row[3]) if row[3] else None
    return shown


async def create_endpoint(ask: Ask) -> Answer:
    """The shared secret is shown in this answer and never again; of a key pair only the public half ever is."""
    given = ask.decode(NewEndpoint)
    id_ = ask.hub.world.new_id("end")
    one = Endpoint(id=id_, tenant=ask.tenant, name=id_, url=given.url, events=given.events)
    fulfil(ask, one, given)
    secret, position = supply(ask, one), await since(ask, given.from_)

    async def also(unit: Unit) -> None:
        if position is not None:
            await begin(ask, unit, one, position)

    detail: dict[str, Any] = {"secret_shown": secret is not None}
    await write(ask, one, "created", None, also, detail | ({} if position is None else {"from": position}))
    ask.hub.jobs.wake()
    found = show(ask, find(ask, Endpoint, id_), secret)
    return Answer(value=found, status=201, headers={"location": f"/v1/endpoints/{id_}"})


async def change_endpoint(ask: Ask) -> EndpointOut:
    """Change what is given."""
    given, before = ask.decode(EndpointPatch), find(ask, Endpoint, ask.path())
    one = copy(before)
    fulfil(ask, one, given)
    secret = supply(ask, one)
    more: dict[str, Any] = {"secret_shown": True} if secret else {}
    more |= {"auth_changed": True} if one.auth != before.auth else {}

    async def also(unit: Unit) -> None:
        if one.auth != before.auth:
            unit.add("memories_drop_all", owner=token_owner(one))

    await write(ask, one, "changed", before, also, more)
    return show(ask, find(ask, Endpoint, one.id), secret)


async def delete_endpoint(ask: Ask) -> Dropped:
    """Gone with its secret; what it was still owed is dropped, and counted."""
    one = find(ask, Endpoint, ask.path())

    async def also(unit: Unit) -> None:
        unit.add("health_drop", target=one.id)
        unit.add("memories_drop_all", owner=token_owner(one))
        unit.add("memories_drop_all", owner=one.id)
        await ask.hub.troubles.clear(unit, subjects(one))

    await drop(ask, one, also)
    return Dropped(await abandon(ask.hub.engine, one.id))


async def rotate_endpoint(ask: Ask) -> EndpointOut:
    """A new secret, shown once; the old one goes on signing beside it for the overlap."""
    given, before = ask.decode(Rotation), mine(ask, ask.path())
    one = copy(before)
    secret = turn(ask, one, given)
    await save(
        ask, one, "rotated", before, secret_shown=secret is not None, overlap_hours=given.overlap_hours
    )
    return show(ask, find(ask, Endpoint, one.id), secret)


async def pause_endpoint(ask: Ask) -> EndpointOut:
    """Its deliveries wait."""
    return await _set(ask, "paused")


async def enable_endpoint(ask: Ask) -> EndpointOut:
    """It works again; what was held while it was disabled flows, and a replay that waited for it goes on."""
    shown = await _set(ask, "active")
    ask.hub.jobs.wake()
    return shown


async def disable_endpoint(ask: Ask) -> EndpointOut:
    """Its deliveries are held until it is enabled."""
    return await _set(ask, "disabled")


async def _set(ask: Ask, status: str) -> EndpointOut:
    before = find(ask, Endpoint, ask.path())
    await set_status(ask.hub, copy(before), status)
    await record(
        ask, f"endpoint.{status}", before.id, before={"status": before.status}, after={"status": status}
    )
    return show(ask, find(ask, Endpoint, before.id))


async def drop_deliveries(ask: Ask) -> Dropped:
    """Drop what is held for a disabled endpoint, for good, and say how much that was; the events stay."""
    one = find(ask, Endpoint, ask.path())
    if one.status != "disabled":
        raise Problem(
            409, "conflict", f"{one.name} is {one.status}: only what a disabled endpoint is owed is held"
        )
    count = await discard(ask.hub.engine, one.id)
    await record(ask, "endpoint.dropped", one.id, dropped=count)
    return Dropped(count)


_AT = "/v1/endpoints"
OPS = (
    Op(method="GET", path=_AT, summary="List endpoints", handle=list_endpoints, gives=Page[EndpointOut], query=PAGING,
       partner=True),
    Op(method="POST", path=_AT, summary="Make an endpoint", handle=create_endpoint, scope="admin", takes=NewEndpoint,
       gives=EndpointOut, status=201),
    Op(method="GET", path=_AT + "/{id}", summary="Show an endpoint", handle=get_endpoint, gives=EndpointOut,
       partner=True),
    Op(method="PATCH", path=_AT + "/{id}", summary="Change an endpoint", handle=change_endpoint, scope="admin",
       takes=EndpointPatch, gives=EndpointOut),
    Op(method="DELETE", path=_AT + "/{id}", summary="Remove an endpoint", handle=delete_endpoint, scope="admin",
       gives=Dropped),
    Op(method="POST", path=_AT + "/{id}/rotate", summary="Give an endpoint a new secret", handle=rotate_endpoint,
       scope="admin", takes=Rotation, gives=EndpointOut, partner=True),
    Op(method="POST", path=_AT + "/{id}/pause", summary="Pause an endpoint", handle=pause_endpoint, scope="operate",
       gives=EndpointOut),
    Op(method="POST", path=_AT + "/{id}/enable", summary="Enable an endpoint", handle=enable_endpoint,
       scope="operate", gives=EndpointOut),
    Op(method="POST", path=_AT + "/{id}/disable", summary="Disable an endpoint", handle=disable_endpoint,
       scope="operate", gives=EndpointOut),
    Op(method="POST", path=_AT + "/{id}/drop", summary="Drop what is held for an endpoint", handle=drop_deliveries,
       scope="operate", gives=Dropped),
    Op(method="GET", path=_AT + "/{id}/keys", summary="The public keys that verify an endpoint's webhooks",
       handle=endpoint_keys, scope=None, gives=Keys),
)  # fmt: skip

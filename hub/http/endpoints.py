"""Endpoints: where partners receive webhooks; made, changed, rotated, paused and enabled."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from hub.contract.clock import text
from hub.contract.errors import Misconfigured
from hub.contract.mapping import compile_expression
from hub.directory import Connection, Endpoint, Partner
from hub.http.ask import Answer, Ask, Page
from hub.http.catalogue import check_globs
from hub.http.keep import copy, drop, find, record, save
from hub.http.problems import invalid, missing
from hub.http.table import PAGING, Op
from hub.outbound.signing import Signer, new_secret
from hub.run import set_status
from hub.store.engine import Unit

HOUR = 3600 * 1_000_000
Wait = Annotated[int, Meta(ge=0, le=7 * 86_400)]
HeaderName = Annotated[str, Meta(pattern=r"^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}$")]
HeaderText = Annotated[str, Meta(pattern=r"^[\x20-\x7e]{0,2000}$")]


class Wishes(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """What an endpoint may be told, all of it optional. `filter` is an expression over the event, such as
    `data.channel == 'marketplace'`; `fields` the only ones of the order that it sees; `schedule` the
    seconds before each attempt; `rate` per second, 0 is unbounded."""

    name: Annotated[str, Meta(pattern=r"^[^\x00-\x1f]{1,100}$")] | UnsetType = UNSET
    description: Annotated[str, Meta(max_length=1000)] | UnsetType = UNSET
    partner: str | UnsetType = UNSET
    ordering: Literal["per_order", "none"] | UnsetType = UNSET
    schedule: Annotated[list[Wait], Meta(min_length=1, max_length=50)] | UnsetType = UNSET
    timeout: Annotated[float, Meta(ge=1, le=30)] | UnsetType = UNSET
    rate: Annotated[float, Meta(ge=0, le=100_000)] | UnsetType = UNSET
    concurrency: Annotated[int, Meta(ge=1, le=256)] | UnsetType = UNSET
    payload: Literal["full", "changes", "thin"] | UnsetType = UNSET
    format: Literal["orderhub", "cloudevents"] | UnsetType = UNSET
    fields: list[Annotated[str, Meta(pattern=r"^[a-z_]+(\.[a-z_]+)*$")]] | UnsetType = UNSET
    filter: Annotated[str, Meta(max_length=2000)] | UnsetType = UNSET
    connections: list[str] | UnsetType = UNSET
    headers: dict[HeaderName, HeaderText] | UnsetType = UNSET
    include_test: bool | UnsetType = UNSET
    block_for: Annotated[float, Meta(ge=0, le=7 * 86_400)] | UnsetType = UNSET
    metadata: dict[str, str] | UnsetType = UNSET


class NewEndpoint(Wishes, kw_only=True, forbid_unknown_fields=True):
    """An endpoint to be made: it gets what happens from now on."""

    url: str
    events: list[str] = msgspec.field(default_factory=lambda: ["*"])


class EndpointPatch(Wishes, kw_only=True, forbid_unknown_fields=True):
    """What is to change of an endpoint."""

    url: str | UnsetType = UNSET
    events: list[str] | UnsetType = UNSET


class EndpointOut(msgspec.Struct, kw_only=True, omit_defaults=True):
    """An endpoint as it is shown; its secret only when it is made or rotated."""

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
    partner: str = ""
    description: str = ""
    fields: list[str] = []
    filter: str = ""
    connections: list[str] = []
    headers: dict[str, str] = {}
    include_test: bool = False
    metadata: dict[str, str] = {}
    secret: str | None = None


class Rotation(msgspec.Struct, forbid_unknown_fields=True):
    """How many hours the old secret goes on signing beside the new one, and the new one where it is brought."""

    overlap_hours: Annotated[float, Meta(ge=0, le=168)] = 24.0
    secret: Annotated[str, Meta(pattern="^(whsec_|whsk_)")] | None = None


class Dropped(msgspec.Struct):
    """How many deliveries were dropped with an endpoint."""

    dropped: int


def show(one: Endpoint, secret: str | None = None) -> EndpointOut:
    """An endpoint for the caller."""
    plain = {name: getattr(one, name) for name in EndpointOut.__struct_fields__ if hasattr(one, name)}
    plain |= {"created_at": text(one.created_at), "updated_at": text(one.updated_at), "secret": secret}
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
    return ask.things(
        Endpoint, show, lambda one: partner is None or (bool(partner) and one.partner == partner)
    )


async def get_endpoint(ask: Ask) -> EndpointOut:
    """One, by id or name."""
    return show(mine(ask, ask.path()))


async def create_endpoint(ask: Ask) -> Answer:
    """The secret is shown in this answer and never again."""
    given = ask.decode(NewEndpoint)
    id_ = ask.hub.world.new_id("end")
    one = Endpoint(id=id_, tenant=ask.tenant, name=id_, url=given.url, events=given.events)
    _wish(ask, one, given)
    secret = new_secret()
    one.secrets = [{"sealed": ask.hub.vault.seal(secret, id_)}]
    await save(ask, one, "created", secret_shown=True)
    found = show(find(ask, Endpoint, id_), secret)
    return Answer(value=found, status=201, headers={"location": f"/v1/endpoints/{id_}"})


async def change_endpoint(ask: Ask) -> EndpointOut:
    """Change what is given."""
    given, before = ask.decode(EndpointPatch), find(ask, Endpoint, ask.path())
    one = copy(before)
    _wish(ask, one, given)
    await save(ask, one, "changed", before)
    return show(find(ask, Endpoint, one.id))


def _wish(ask: Ask, one: Endpoint, given: Wishes) -> None:
    """Put the wishes into an endpoint and check it whole; Problem 422 names the field and the reason."""
    for name in given.__struct_fields__:
        if (value := getattr(given, name)) is not UNSET:
            setattr(one, name, value)
    ask.hub.guard.check_url(one.url)
    check_globs(one.events, "events")
    try:
        compile_expression(one.filter, file="filter") if one.filter else None
    except Misconfigured as error:
        raise invalid("; ".join(error.faults), "filter", faults=error.faults) from error
    for index, name in enumerate(one.connections):
        one.connections[index] = _known(ask, Connection, name, f"connections[{index}]")
    one.partner = _known(ask, Partner, one.partner, "partner") if one.partner else ""


def _known(ask: Ask, type_: type[Connection] | type[Partner], name: str, field: str) -> str:
    found = ask.hub.directory.get(type_, name, tenant=ask.tenant)
    if found is None:
        raise invalid(f"there is no {type_.__name__.lower()} {name!r}", field)
    return found.id


async def delete_endpoint(ask: Ask) -> Dropped:
    """Gone with its secret; what it was still owed is dropped, and counted."""
    one = find(ask, Endpoint, ask.path())

    async def also(unit: Unit) -> None:
        unit.add("deliveries_abandon", target=one.id)

    unit = await drop(ask, one, also)
    return Dropped(unit.counts.get("deliveries_abandon", 0))


async def rotate_endpoint(ask: Ask) -> EndpointOut:
    """A new secret, shown once; the old one goes on signing beside it for the overlap."""
    given, before = ask.decode(Rotation), mine(ask, ask.path())
    one, now = copy(before), ask.hub.world.now()
    secret = given.secret or new_secret()
    Signer((secret,))  # Misconfigured where a brought secret is none
    until = now + int(given.overlap_hours * HOUR)
    old = [{**held, "until": min(held.get("until") or until, until)} for held in one.secrets]
    one.secrets = [
        {"sealed": ask.hub.vault.seal(secret, one.id)},
        *(held for held in old if held["until"] > now),
    ]
    await save(ask, one, "rotated", before, secret_shown=True, overlap_hours=given.overlap_hours)
    return show(find(ask, Endpoint, one.id), secret)


async def pause_endpoint(ask: Ask) -> EndpointOut:
    """Its deliveries wait."""
    return await _set(ask, "paused")


async def enable_endpoint(ask: Ask) -> EndpointOut:
    """It works again; what was held while it was disabled flows."""
    return await _set(ask, "active")


async def disable_endpoint(ask: Ask) -> EndpointOut:
    """Its deliveries are held until it is enabled."""
    return await _set(ask, "disabled")


async def _set(ask: Ask, status: str) -> EndpointOut:
    before = find(ask, Endpoint, ask.path())
    await set_status(ask.hub, copy(before), status)
    await record(
        ask, f"endpoint.{status}", before.id, before={"status": before.status}, after={"status": status}
    )
    return show(find(ask, Endpoint, before.id))


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
)  # fmt: skip

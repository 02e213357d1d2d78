"""Partners, tokens and routes: the small things that an operator makes."""

from __future__ import annotations

import secrets
from functools import partial
from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from hub.contract.clock import text
from hub.contract.errors import Misconfigured
from hub.contract.mapping import compile_expression
from hub.directory import Connection, Partner, Route, Token
from hub.http.ask import Answer, Ask, Page
from hub.http.auth import Scope
from hub.http.catalogue import check_glob
from hub.http.keep import copy, drop, find, put, save
from hub.http.problems import Problem, invalid
from hub.http.senders import Proof, Sender, check_mail, mail_fields
from hub.http.table import PAGING, Op
from hub.http.ties import untied
from hub.http.words import Title
from hub.run import Hub
from hub.tokens import token_hash

Role = Literal["receiver", "buyer", "warehouse", "supplier"]
"""What a partner is to us."""


class NewPartner(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Another company: it owns endpoints and tokens, and may order by mail (`senders`: addresses and domains)."""

    name: Title
    roles: list[Role] = msgspec.field(default_factory=lambda: ["receiver"])
    metadata: dict[str, str] = {}
    senders: list[Sender] = []
    proof: Proof = "dmarc_pass"
    locale: str = ""
    time_zone: str = ""
    currency: str = ""
    max_order_value: str = ""
    manner: dict[str, Any] = {}
    address_book: list[dict[str, Any]] = []


class PartnerPatch(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """What is to change of a partner."""

    name: Title | UnsetType = UNSET
    roles: list[Role] | UnsetType = UNSET
    metadata: dict[str, str] | UnsetType = UNSET
    senders: list[Sender] | UnsetType = UNSET
    proof: Proof | UnsetType = UNSET
    locale: str | UnsetType = UNSET
    time_zone: str | UnsetType = UNSET
    currency: str | UnsetType = UNSET
    max_order_value: str | UnsetType = UNSET
    manner: dict[str, Any] | UnsetType = UNSET
    address_book: list[dict[str, Any]] | UnsetType = UNSET


class PartnerOut(msgspec.Struct, kw_only=True):
    """A partner as it is shown."""

    id: str
    name: str
    roles: list[str]
    metadata: dict[str, str]
    senders: list[str]
    proof: str
    locale: str
    time_zone: str
    currency: str
    max_order_value: str
    manner: dict[str, Any]
    address_book: list[dict[str, Any]]
    secret_addresses: int
    created_at: str
    updated_at: str


class NewToken(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A token to be made; one with the scope `partner` says for whom."""

    name: Title
    scopes: Annotated[list[Scope], Meta(min_length=1)]
    partner: str = ""


class TokenOut(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A token as it is shown: its text only when it is made."""

    id: str
    name: str
    scopes: list[str]
    status: str
    created_at: str
    partner: str = ""
    token: str | None = None


class NewRoute(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """News to a connection: on an event (a glob) for which the predicate holds, run this write of its channel."""

    event: str
    connection: str
    write: str
    predicate: Annotated[str, Meta(max_length=2000)] = ""
    name: Title | UnsetType = UNSET


class RoutePatch(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """What is to change of a route: it goes for the news that comes from then on."""

    event: str | UnsetType = UNSET
    connection: str | UnsetType = UNSET
    write: str | UnsetType = UNSET
    predicate: Annotated[str, Meta(max_length=2000)] | UnsetType = UNSET
    name: Title | UnsetType = UNSET


class RouteOut(msgspec.Struct, kw_only=True):
    """A route as it is shown."""

    id: str
    name: str
    event: str
    connection: str
    write: str
    predicate: str
    status: str
    created_at: str
    updated_at: str


def _partner(hub: Hub, one: Partner) -> PartnerOut:
    return PartnerOut(id=one.id, name=one.name, roles=one.roles, metadata=one.metadata, **mail_fields(hub, one),
                      created_at=text(one.created_at), updated_at=text(one.updated_at))  # fmt: skip


async def list_partners(ask: Ask) -> Page[PartnerOut]:
    """All of the tenant."""
    return ask.things(Partner, partial(_partner, ask.hub))


async def get_partner(ask: Ask) -> PartnerOut:
    """One, by id or name."""
    return _partner(ask.hub, find(ask, Partner, ask.path()))


async def create_partner(ask: Ask) -> Answer:
    """A partner, to own endpoints and tokens."""
    given = ask.decode(NewPartner)
    fields = msgspec.structs.asdict(given)
    one = Partner(id=ask.hub.world.new_id("par"), tenant=ask.tenant, **fields)
    check_mail(ask, one)
    await save(ask, one, "created")
    return Answer(
        value=_partner(ask.hub, find(ask, Partner, one.id)),
        status=201,
        headers={"location": f"/v1/partners/{one.id}"},
    )


async def change_partner(ask: Ask) -> PartnerOut:
    """Change what is given."""
    given, before = ask.decode(PartnerPatch), find(ask, Partner, ask.path())
    one = copy(before)
    put(one, given)
    check_mail(ask, one)
    await save(ask, one, "changed", before)
    return _partner(ask.hub, find(ask, Partner, one.id))


async def delete_partner(ask: Ask) -> Answer:
    """Gone; refused while it still owns tokens or endpoints."""
    one = find(ask, Partner, ask.path())
    await untied(ask, one)
    await drop(ask, one)
    return Answer(status=204)


def _token(one: Token, shown: str | None = None) -> TokenOut:
    return TokenOut(id=one.id, name=one.name, scopes=one.scopes, status=one.status, created_at=text(one.created_at),
                    partner=one.partner, token=shown)  # fmt: skip


async def list_tokens(ask: Ask) -> Page[TokenOut]:
    """All of the tenant, without their texts."""
    return ask.things(Token, _token)


async def get_token(ask: Ask) -> TokenOut:
    """One, by id or name."""
    return _token(find(ask, Token, ask.path()))


async def create_token(ask: Ask) -> Answer:
    """The token is shown in this answer and never again: a hash of it is kept."""
    given = ask.decode(NewToken)
    if ("partner" in given.scopes) != bool(given.partner) or (
        "partner" in given.scopes and len(given.scopes) > 1
    ):
        raise invalid("a partner's token has the scope `partner` alone and says whose it is", "partner")
    partner = find(ask, Partner, given.partner).id if given.partner else ""
    shown = f"oh_{secrets.token_urlsafe(32)}"
    one = Token(id=ask.hub.world.new_id("tok"), tenant=ask.tenant, name=given.name, hash=token_hash(shown),
                scopes=[*given.scopes], partner=partner)  # fmt: skip
    await save(ask, one, "created", secret_shown=True)
    return Answer(
        value=_token(find(ask, Token, one.id), shown),
        status=201,
        headers={"location": f"/v1/tokens/{one.id}"},
    )


async def revoke_token(ask: Ask) -> Answer:
    """It opens nothing any more; the last admin token cannot be revoked."""
    one = find(ask, Token, ask.path())
    others = [
        token
        for token in ask.hub.directory.all(Token, ask.tenant)
        if token.id != one.id and "admin" in token.scopes
    ]
    if "admin" in one.scopes and not others:
        raise Problem(409, "conflict", "this is the last admin token: make another first")
    await drop(ask, one)
    return Answer(status=204)


def _route(one: Route) -> RouteOut:
    return RouteOut(id=one.id, name=one.name, event=one.event, connection=one.connection, write=one.write,
                    predicate=one.predicate, status=one.status, created_at=text(one.created_at),
                    updated_at=text(one.updated_at))  # fmt: skip


async def list_routes(ask: Ask) -> Page[RouteOut]:
    """All of the tenant."""
    return ask.things(Route, _route)


async def get_route(ask: Ask) -> RouteOut:
    """One, by id or name."""
    return _route(find(ask, Route, ask.path()))


async def create_route(ask: Ask) -> Answer:
    """The event, the connection, its write and the predicate are checked now, not when news comes."""
    given, id_ = ask.decode(NewRoute), ask.hub.world.new_id("rou")
    one = Route(id=id_, tenant=ask.tenant, name=id_, event="", connection="", write="")
    put(one, given)
    _check_route(ask, one)
    await save(ask, one, "created")
    return Answer(value=_route(find(ask, Route, id_)), status=201, headers={"location": f"/v1/routes/{id_}"})


async def change_route(ask: Ask) -> RouteOut:
    """Change what is given; the whole is checked as a new one is, and what is refused leaves the route as it was."""
    given, before = ask.decode(RoutePatch), find(ask, Route, ask.path())
    one = copy(before)
    put(one, given)
    _check_route(ask, one)
    await save(ask, one, "changed", before)
    return _route(find(ask, Route, one.id))


def _check_route(ask: Ask, one: Route) -> None:
    """Problem 422 names the field and the reason; the connection is known by its id from here on."""
    check_glob(one.event, "event")
    target = ask.hub.directory.get(Connection, one.connection, tenant=ask.tenant)
    if target is None:
        raise invalid(f"there is no connection {one.connection!r}", "connection")
    writes = ask.hub.directory.channel(target).writes
    if one.write not in writes:
        raise invalid(f"{target.channel} has no write {one.write!r}", "write", allowed=sorted(writes))
    try:
        compile_expression(one.predicate, file="predicate") if one.predicate else None
    except Misconfigured as error:
        raise invalid("; ".join(error.faults), "predicate", faults=error.faults) from error
    one.connection = target.id


async def delete_route(ask: Ask) -> Answer:
    """No news goes that way any more."""
    await drop(ask, find(ask, Route, ask.path()))
    return Answer(status=204)


OPS = (
    Op(method="GET", path="/v1/partners", summary="List partners", handle=list_partners, gives=Page[PartnerOut], query=PAGING),
    Op(method="POST", path="/v1/partners", summary="Make a partner", handle=create_partner, scope="admin",
       takes=NewPartner, gives=PartnerOut, status=201),
    Op(method="GET", path="/v1/partners/{id}", summary="Show a partner", handle=get_partner, gives=PartnerOut),
    Op(method="PATCH", path="/v1/partners/{id}", summary="Change a partner", handle=change_partner, scope="admin",
       takes=PartnerPatch, gives=PartnerOut),
    Op(method="DELETE", path="/v1/partners/{id}", summary="Remove a partner", handle=delete_partner, scope="admin",
       status=204),
    Op(method="GET", path="/v1/tokens", summary="List tokens", handle=list_tokens, scope="admin", gives=Page[TokenOut],
       query=PAGING),
    Op(method="POST", path="/v1/tokens", summary="Make a token", handle=create_token, scope="admin", takes=NewToken,
       gives=TokenOut, status=201),
    Op(method="GET", path="/v1/tokens/{id}", summary="Show a token", handle=get_token, scope="admin", gives=TokenOut),
    Op(method="DELETE", path="/v1/tokens/{id}", summary="Revoke a token", handle=revoke_token, scope="admin", status=204),
    Op(method="GET", path="/v1/routes", summary="List routes", handle=list_routes, gives=Page[RouteOut], query=PAGING),
    Op(method="POST", path="/v1/routes", summary="Make a route", handle=create_route, scope="admin", takes=NewRoute,
       gives=RouteOut, status=201),
    Op(method="GET", path="/v1/routes/{id}", summary="Show a route", handle=get_route, gives=RouteOut),
    Op(method="PATCH", path="/v1/routes/{id}", summary="Change a route", handle=change_route, scope="admin",
       takes=RoutePatch, gives=RouteOut),
    Op(method="DELETE", path="/v1/routes/{id}", summary="Remove a route", handle=delete_route, scope="admin", status=204),
)  # fmt: skip

"""Sharing: what a partner's token sees of an order, and what it may tell of it.

An order is a partner's to see once one of its endpoints was told of it, and then only the fields that those
endpoints may have. A warehouse or a supplier also reports on it, as a source of its own: what it says never
overwrites what the merchant or another partner said.
"""

from __future__ import annotations

import secrets
from typing import Any

import msgspec

from hub.directory import Connection, Endpoint, Partner
from hub.http.ask import Ask
from hub.http.keep import record
from hub.http.problems import Problem, missing
from hub.http.speaking import own_channel
from hub.outbound.render import chosen
from hub.store.engine import Poisoned, Unit
from hub.store.rows import JSON

REPORTING = frozenset({"warehouse", "supplier"})


def whole(ask: Ask) -> bool:
    """Whether the caller sees orders whole: everyone but a partner."""
    return ask.who.may("read")


async def told(ask: Ask, order: str) -> list[Endpoint]:
    """The caller's endpoints that were told of an order; Problem 404 where there are none: it is not its to see."""
    own = {one.id: one for one in ask.hub.directory.all(Endpoint, ask.tenant) if _own(ask, one)}
    rows = await ask.hub.engine.fetch(
        "targets_told", sorted((id_,) for id_ in own), tenant=ask.tenant, order_id=order
    )
    if not rows:
        raise missing("order", order)
    return [own[row[0]] for row in rows]


def _own(ask: Ask, endpoint: Endpoint) -> bool:
    return bool(ask.who.partner) and endpoint.partner == ask.who.partner


async def view(ask: Ask, order: str, doc: bytes) -> bytes:
    """The order's document as the caller may have it."""
    if whole(ask):
        return doc
    endpoints = await told(ask, order)
    if any(not one.fields and not one.mapping for one in endpoints):
        return doc
    names = sorted({*_NAMES, *(name for one in endpoints for name in one.fields)})
    return JSON.encode(chosen(msgspec.json.decode(doc), names))


_NAMES = ("id", "version")
"""What everyone who was told of an order sees of it; all that is left where a mapping alone says what goes out."""


async def reporter(ask: Ask, order: str) -> Connection:
    """As whom a partner reports on an order that it was told of; Problem 403 where its roles do not say so."""
    await told(ask, order)
    partner = ask.hub.directory.get(Partner, ask.who.partner, tenant=ask.tenant)
    if partner is None or not REPORTING & set(partner.roles):
        raise Problem(403, "forbidden", f"only a partner that is a {' or '.join(sorted(REPORTING))} reports")
    await record(ask, "partner.reported", order, partner=partner.id, path=ask.request.url.path)
    return await _connection(ask, partner)


async def _connection(ask: Ask, partner: Partner) -> Connection:
    hub, channel = ask.hub, own_channel(ask)
    name = f"{channel.name}-{partner.id}"
    known = hub.directory.get(Connection, name, tenant=ask.tenant)
    if known is not None:
        return known
    made = Connection(id=hub.world.new_id("con"), tenant=ask.tenant, name=name, channel=channel.name,
                      key=secrets.token_urlsafe(18), account=partner.id)  # fmt: skip

    async def work(unit: Unit) -> None:
        await hub.directory.put(unit, made, hub.world.now())

    try:
        await hub.engine.transact(work)
    except Poisoned:  # another call was first
        await hub.directory.refresh()
        return await _connection(ask, partner)
    await hub.directory.refresh()
    return made


class Me(msgspec.Struct, kw_only=True):
    """Who the token is: its name and tenant, what it may, and of a partner's, whose it is and its endpoints."""

    name: str
    tenant: str
    scopes: list[str]
    partner: str | None = None
    roles: list[str] = []
    endpoints: list[str] = []


async def who_am_i(ask: Ask) -> Me:
    """What this token is and may do."""
    partner = ask.hub.directory.get(Partner, ask.who.partner, tenant=ask.tenant) if ask.who.partner else None
    own: list[Any] = [one.name for one in ask.hub.directory.all(Endpoint, ask.tenant) if _own(ask, one)]
    return Me(name=ask.who.name, tenant=ask.tenant, scopes=sorted(ask.who.scopes),
              partner=partner.name if partner else None, roles=partner.roles if partner else [],
              endpoints=sorted(own))  # fmt: skip

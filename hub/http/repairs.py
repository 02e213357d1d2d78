"""Repairs: orders folded anew, messages read again, people forgotten, and where each value came from.

What changes orders only tells what would change, unless `apply` is said.
"""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from hub.contract.fact import Redaction
from hub.directory import Connection
from hub.http.ask import Ask, moment
from hub.http.keep import find
from hub.http.problems import missing
from hub.http.table import Op, Param
from hub.repair.provenance import Provenance, provenance
from hub.repair.rebuild import Rebuild, rebuild
from hub.repair.redact import Redacted, redact
from hub.repair.remap import Remap, remap

Most = Annotated[int, Meta(ge=1, le=500)]


class RebuildWish(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Which orders to fold anew; none named: all, a page at a time from `after`."""

    orders: list[str] | None = None
    apply: bool = False
    after: str = ""
    most: Most = 100


class RemapWish(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Which messages to read again, a page at a time from `after`, and the texts of mappings to read them with
    in place of those in force."""

    mappings: dict[str, str] = {}
    since: str = ""
    connection: str = ""
    apply: bool = False
    after: int = 0
    most: Most = 100


class RedactionWish(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Whom to forget: by mail, phone or buyer reference, or orders by id; through a connection only its own."""

    orders: list[str] = []
    email: str | None = None
    phone: str | None = None
    buyer: str | None = None
    connection: str = ""
    reason: Annotated[str, Meta(max_length=500)] = ""
    apply: bool = False


async def get_provenance(ask: Ask) -> Provenance:
    """Where every value of an order came from, or those of one field, and what it overrode."""
    found = await provenance(ask.hub, ask.tenant, ask.path(), ask.text("field") or None)
    if found is None:
        raise missing("order", ask.path())
    return found


async def rebuild_orders(ask: Ask) -> Rebuild:
    """Fold orders anew from their facts."""
    wish = ask.decode(RebuildWish)
    return await rebuild(
        ask.hub,
        ask.tenant,
        wish.orders,
        apply=wish.apply,
        after=wish.after,
        most=wish.most,
        actor=ask.who.name,
    )


async def remap_messages(ask: Ask) -> Remap:
    """Read messages again with other mappings."""
    wish = ask.decode(RemapWish)
    connection = find(ask, Connection, wish.connection).id if wish.connection else ""
    return await remap(
        ask.hub, ask.tenant, wish.mappings or None, since=moment(wish.since, "since"), connection=connection,
        apply=wish.apply, after=wish.after, most=wish.most, actor=ask.who.name,
    )  # fmt: skip


async def redact_people(ask: Ask) -> Redacted:
    """Forget people: their orders, messages, events and renderings keep their ids and lose their names."""
    wish = ask.decode(RedactionWish)
    connection = find(ask, Connection, wish.connection) if wish.connection else None
    whom = Redaction(
        orders=tuple(wish.orders), email=wish.email, phone=wish.phone, buyer=wish.buyer, reason=wish.reason
    )
    return await redact(
        ask.hub, ask.tenant, whom, connection=connection, apply=wish.apply, actor=ask.who.name
    )


OPS = (
    Op(method="GET", path="/v1/orders/{id}/provenance", summary="Where values came from", handle=get_provenance,
       gives=Provenance, query=(Param("field", "One field, such as ship_to or lines[0].sku."),)),
    Op(method="POST", path="/v1/orders/rebuild", summary="Fold orders anew", handle=rebuild_orders, scope="admin",
       takes=RebuildWish, gives=Rebuild),
    Op(method="POST", path="/v1/messages/remap", summary="Read messages again", handle=remap_messages, scope="admin",
       takes=RemapWish, gives=Remap),
    Op(method="POST", path="/v1/redactions", summary="Forget people", handle=redact_people, scope="admin",
       takes=RedactionWish, gives=Redacted),
)  # fmt: skip

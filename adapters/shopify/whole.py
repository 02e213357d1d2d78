"""One object read whole from the Admin API: what one question may not ask for comes by further ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from adapters.shopify import documents
from adapters.shopify.graphql import Shop, ask, gid, number
from hub.contract import Conversation

Node = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Members:
    """A list within an order of which only the first few come along, and how one of it is read."""

    field: str
    one: str
    question: str
    lines: str


MEMBERS = (
    Members("fulfillments", "fulfillment", documents.FULFILLMENT, "fulfillmentLineItems"),
    Members("refunds", "refund", documents.REFUND, "refundLineItems"),
)


def read_order(ctx: Shop, ref: str) -> Conversation[Node | None]:
    """The order with all its lines, fulfilments and refunds; None where Shopify shows no such order."""
    order: Node | None = (yield from ask(ctx, documents.ORDER, id=gid("Order", ref)))["order"]
    if order is None:
        return None
    yield from _lines(ctx, order)
    listed: Node = {}
    if any(len(order[members.field]) >= documents.MEMBERS for members in MEMBERS):
        listed = (yield from ask(ctx, documents.MEMBER_IDS, id=order["id"]))["order"]
    for members in MEMBERS:
        yield from _members(ctx, order, members, listed.get(members.field, ()))
    return order


def read_lines(ctx: Shop, node: Node, field: str, one: str, question: str) -> Conversation[None]:
    """Completes the connection `field` of a node that `question` reads as `one`."""
    page = node[field]["pageInfo"]
    while page["hasNextPage"]:
        data = yield from ask(ctx, question, id=node["id"], after=page["endCursor"])
        more = (data[one] or {}).get(field) or {"nodes": [], "pageInfo": {"hasNextPage": False}}
        node[field]["nodes"] += more["nodes"]
        page = more["pageInfo"]
    node[field]["pageInfo"] = {"hasNextPage": False, "endCursor": None}


def order_of(ctx: Shop, subject: str, ref: str) -> Conversation[str]:
    """The order that a shipment, refund or payment belongs to, "" where Shopify knows no such thing."""
    kind = {"shipment": "Fulfillment", "refund": "Refund", "payment": "OrderTransaction"}[subject]
    node = (yield from ask(ctx, documents.ORDER_OF, id=gid(kind, ref)))["node"] or {}
    order = node.get("order") or node.get("paidOrder") or {}
    return str(order.get("legacyResourceId", ""))


def _lines(ctx: Shop, order: Node) -> Conversation[None]:
    yield from read_lines(ctx, order, "lineItems", "order", documents.LINES)


def _members(ctx: Shop, order: Node, members: Members, listed: list[Node]) -> Conversation[None]:
    """Reads the members that did not come along, and those that came without all their lines."""
    known = {node["id"]: node for node in order[members.field]}
    for found in listed:
        if found["id"] not in known:
            data = yield from ask(ctx, members.question, id=found["id"], after=None)
            if data[members.one] is not None:
                known[found["id"]] = data[members.one]
    for node in known.values():
        yield from read_lines(ctx, node, members.lines, members.one, members.question)
    order[members.field] = sorted(known.values(), key=lambda node: int(number(node["id"])))

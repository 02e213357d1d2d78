"""What the shop is told: a fulfilment with its tracking, a changed number, a fulfilment or an order taken back.

Shopify has no idempotency key for these, so each try looks first for what an earlier one may have made.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from adapters.shopify import allocation, documents
from adapters.shopify.allocation import Plan, Quantities
from adapters.shopify.graphql import Shop, ask, complaints, gid, number
from adapters.shopify.parcel import numbers, same_numbers, shares_number, told_numbers, tracking
from adapters.shopify.whole import Node, read_lines
from hub.contract import Conversation, Outcome, Task

GONE = frozenset({"CANCELLED", "ERROR", "FAILURE"})
"""Fulfilment statuses under which nothing was shipped."""

REASONS = frozenset({"CUSTOMER", "DECLINED", "FRAUD", "INVENTORY", "STAFF"})


def fulfil(ctx: Shop, task: Task) -> Conversation[Outcome]:
    """Creates the fulfilment of a shipment, or finds the one that an earlier try made."""
    order = yield from _order(ctx, task)
    if order is None:
        return _no_order(task)
    try:
        lines = allocation.wanted(task.order, task.subject)
    except allocation.Fraction as error:
        return Outcome(status="unsupported", reason=str(error))
    made, shipped = yield from _made(ctx, task, order, lines)
    left = lines - shipped
    if made and not left:
        return Outcome(status="applied", ref=made[0])
    plan = allocation.allocate((yield from _openings(ctx, task)), left)
    if not plan.takes:
        return Outcome(
            status="applied" if made else "unsupported", ref=next(iter(made), ""), reason=_uncovered(plan)
        )
    return (yield from _create(ctx, task, plan, made))


def track(ctx: Shop, task: Task) -> Conversation[Outcome]:
    """Tells the shop the numbers of a shipment whose fulfilment it has, where they differ."""
    order = yield from _order(ctx, task)
    if order is None:
        return _no_order(task)
    known = _known(ctx, task, order)
    if known is None:
        return Outcome(status="unsupported", reason="Shopify has no fulfillment of this shipment")
    if not numbers(task.subject) or same_numbers(task.subject, known):
        return Outcome(status="applied", ref=known["legacyResourceId"])
    data = yield from ask(
        ctx,
        documents.TRACK,
        id=known["id"],
        tracking=tracking(task.subject),
        notify=ctx.settings.notify_customer,
    )
    return _outcome(data["fulfillmentTrackingInfoUpdate"], known["legacyResourceId"])


def unfulfil(ctx: Shop, task: Task) -> Conversation[Outcome]:
    """Takes a cancelled shipment's fulfilment back; its goods are open again at Shopify."""
    order = yield from _order(ctx, task)
    if order is None:
        return _no_order(task)
    known = _known(ctx, task, order)
    if known is None:
        return Outcome(status="unsupported", reason="Shopify has no fulfillment of this shipment")
    if known["status"] in GONE:
        return Outcome(status="applied", ref=known["legacyResourceId"])
    data = yield from ask(ctx, documents.UNFULFILL, id=known["id"])
    return _outcome(data["fulfillmentCancel"], known["legacyResourceId"])


def cancel(ctx: Shop, task: Task) -> Conversation[Outcome]:
    """Cancels the order; Shopify does it in a job of its own, whose webhook brings the result."""
    order = yield from _order(ctx, task)
    if order is None:
        return _no_order(task)
    if order["cancelledAt"]:
        return Outcome(status="applied", ref=task.ref)
    said = str(task.order.get("cancel_reason") or "").upper()
    data = yield from ask(
        ctx,
        documents.CANCEL,
        id=gid("Order", task.ref),
        reason=said if said in REASONS else "OTHER",
        restock=ctx.settings.restock_on_cancel,
        refund={"originalPaymentMethodsRefund": ctx.settings.refund_on_cancel},
        notify=ctx.settings.notify_customer,
        note=f"cancelled as {task.order.get('hub_number') or task.order.get('number') or task.ref}"[:255],
    )
    reason = complaints(data["orderCancel"], "orderCancelUserErrors")
    return Outcome(status="rejected", reason=reason) if reason else Outcome(status="applied", ref=task.ref)


def has_numbers(task: Task) -> bool:
    """A shipment without a tracking number has nothing to update."""
    return bool(numbers(task.subject))


def _order(ctx: Shop, task: Task) -> Conversation[Node | None]:
    """What Shopify knows of the order and its fulfilments."""
    if not task.ref:
        return None
    order: Node | None = (yield from ask(ctx, documents.FULFILLED, id=gid("Order", task.ref)))["order"]
    return order


def _no_order(task: Task) -> Outcome:
    reason = f"Shopify shows no order {task.ref}" if task.ref else "the order is not known to Shopify"
    return Outcome(status="unsupported", reason=reason)


def _made(
    ctx: Shop, task: Task, order: Node, lines: Quantities
) -> Conversation[tuple[list[str], Quantities]]:
    """The fulfilments of this very shipment that stand already, and what they carry."""
    made: list[str] = []
    shipped: Quantities = Counter()
    bound = {
        one.get("ref") for one in task.order.get("shipments") or () if one.get("id") != task.subject.get("id")
    }
    for node in order["fulfillments"]:
        if node["status"] in GONE:
            continue
        ours = node["legacyResourceId"] == task.found or shares_number(task.subject, node)
        nameless = (
            not numbers(task.subject) and not told_numbers(node) and node["legacyResourceId"] not in bound
        )
        if not ours and not nameless:
            continue
        carried = yield from _carried(ctx, node)
        if ours or (lines and carried == lines):
            made.append(node["legacyResourceId"])
            shipped += carried
    return made, shipped


def _carried(ctx: Shop, node: Node) -> Conversation[Quantities]:
    """How many of which line a fulfilment carries."""
    data = yield from ask(ctx, documents.FULFILLED_LINES, id=node["id"], after=None)
    node["fulfillmentLineItems"] = data["fulfillment"]["fulfillmentLineItems"]
    yield from read_lines(ctx, node, "fulfillmentLineItems", "fulfillment", documents.FULFILLED_LINES)
    found: Quantities = Counter()
    for item in node["fulfillmentLineItems"]["nodes"]:
        found[number(item["lineItem"]["id"])] += item["quantity"] or 0
    return found


def _openings(ctx: Shop, task: Task) -> Conversation[list[allocation.Opening]]:
    """Every open unit of the order, over all pages of fulfillment orders and of their lines."""
    found: list[Node] = []
    after: str | None = None
    while True:
        data = yield from ask(ctx, documents.OPEN, id=gid("Order", task.ref), after=after)
        page = data["order"]["fulfillmentOrders"]
        for node in page["nodes"]:
            yield from read_lines(ctx, node, "lineItems", "fulfillmentOrder", documents.OPEN_LINES)
        found += page["nodes"]
        if not page["pageInfo"]["hasNextPage"]:
            return allocation.openings(found)
        after = page["pageInfo"]["endCursor"]


def _create(ctx: Shop, task: Task, plan: Plan, made: list[str]) -> Conversation[Outcome]:
    """One fulfilment for each location of the plan."""
    refs: dict[str, str] = {}
    for location in plan.takes:
        fulfilment: dict[str, Any] = {
            "lineItemsByFulfillmentOrder": plan.inputs(location),
            "notifyCustomer": ctx.settings.notify_customer,
        }
        if numbers(task.subject):
            fulfilment["trackingInfo"] = tracking(task.subject)
        payload = (yield from ask(ctx, documents.FULFILL, fulfillment=fulfilment))["fulfillmentCreate"]
        outcome = _outcome(payload, "")
        if outcome.status != "applied":
            return outcome
        refs[number(location)] = outcome.ref
    first = next(iter([*made, *refs.values()]))
    return Outcome(status="applied", ref=first, refs=refs, reason=_uncovered(plan) if plan.short else "")


def _known(ctx: Shop, task: Task, order: Node) -> Node | None:
    """The fulfilment that is this shipment: by the id an earlier write got, by its references, by its number."""
    here = (None, ctx.account, f"shopify:{ctx.account}")
    refs = {one.get("id") for one in task.subject.get("refs") or () if one.get("account") in here}
    wanted = {task.found, task.subject.get("ref"), *refs} - {"", None}
    nodes: list[Node] = order["fulfillments"]
    by_id = (node for node in nodes if node["legacyResourceId"] in wanted)
    by_number = (node for node in nodes if shares_number(task.subject, node))
    return next(by_id, None) or next(by_number, None)


def _uncovered(plan: Plan) -> str:
    if not plan.short:
        return "Shopify has nothing open of this order"
    named = ", ".join(f"{units} of line {line}" for line, units in sorted(plan.short.items()))
    return f"no open fulfillment order covers {named}"


def _outcome(payload: Node | None, ref: str) -> Outcome:
    reason = complaints(payload)
    if reason or payload is None:
        return Outcome(status="rejected", ref=ref, reason=reason or "Shopify gave no reason")
    return Outcome(
        status="applied", ref=str((payload.get("fulfillment") or {}).get("legacyResourceId") or ref)
    )

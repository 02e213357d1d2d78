"""What the shop is told: shipments with their tracking, changes of them, cancellations, and notes.

WooCommerce has no idempotency key, so each try looks first for what an earlier one may have made. A shipment is
noted in the order's meta before a plugin hears of it: whichever webhook echoes it is then known for ours.
"""

from __future__ import annotations

from typing import Any

from adapters.woocommerce.api import Shop, ask, tree
from adapters.woocommerce.parcel import note, noted_numbers, numbers
from adapters.woocommerce.parcels import OURS, Tree, note_of, parcels, plain
from adapters.woocommerce.tracking import forget, tell, write_note
from hub.contract import Conversation, Outcome, Task

CORE = frozenset(
    {"pending", "on-hold", "completed", "cancelled", "refunded", "failed", "trash", "checkout-draft"}
)
"""Statuses that shipping does not turn into `completed`: it would call them paid, or bring them back."""

SHIPPED = ("fulfilled", "over_fulfilled")


def fulfil(ctx: Shop, task: Task) -> Conversation[Outcome]:
    """Tells a shipment's numbers, and completes the order where everything is shipped."""
    order = yield from _order(ctx, task)
    if order is None:
        return _no_order(task)
    noted = note_of(order, task.subject["id"])
    known = _known(order, task)
    ref = task.subject["id"]
    if noted is None and known is not None:
        ref = str(known["ref"])  # somebody told the shop before us
    elif noted is None:
        noted = note(task.order, task.subject)
        yield from _put(ctx, task.ref, task.subject["id"], noted)
    yield from tell(ctx, task.ref, task.subject)
    reason = yield from _complete(ctx, task, order, noted)
    return Outcome(status="applied", ref=ref, reason=reason)


def track(ctx: Shop, task: Task) -> Conversation[Outcome]:
    """Tells the numbers of a shipment that the shop has, where they differ from those it was told."""
    order = yield from _order(ctx, task)
    if order is None:
        return _no_order(task)
    noted = note_of(order, task.subject["id"])
    if noted is None:
        known = _known(order, task)
        if known is None:
            return Outcome(status="unsupported", reason="WooCommerce was not told of this shipment")
        yield from tell(ctx, task.ref, task.subject)
        return Outcome(status="applied", ref=str(known["ref"]))
    gone = noted_numbers(noted) - numbers(task.subject)
    fresh = note(task.order, task.subject) | ({"gone": sorted(gone)} if gone else {})
    fresh |= {name: noted[name] for name in ("completed",) if noted.get(name)}
    if fresh != noted:
        yield from _put(ctx, task.ref, task.subject["id"], fresh)
    yield from tell(ctx, task.ref, task.subject)
    if gone:
        yield from forget(ctx, task.ref, gone)
    return Outcome(status="applied", ref=task.subject["id"])


def unfulfil(ctx: Shop, task: Task) -> Conversation[Outcome]:
    """Takes a cancelled shipment back: its numbers, and `completed` where it was us who set it."""
    order = yield from _order(ctx, task)
    if order is None:
        return _no_order(task)
    noted = note_of(order, task.subject["id"])
    if noted is None:
        return Outcome(status="unsupported", reason="WooCommerce was not told of this shipment by the hub")
    if not noted.get("cancelled"):
        back = noted.get("completed") and order.get("status") == "completed"
        yield from _put(
            ctx,
            task.ref,
            task.subject["id"],
            noted | {"cancelled": True},
            **({"status": "processing"} if back else {}),
        )
    yield from forget(ctx, task.ref, noted_numbers(noted))
    return Outcome(status="applied", ref=task.subject["id"])


def cancel(ctx: Shop, task: Task) -> Conversation[Outcome]:
    """Cancels the order; money is given back in WooCommerce, by a person."""
    order = yield from _order(ctx, task)
    if order is None:
        return _no_order(task)
    status = order.get("status")
    if status in ("cancelled", "refunded", "trash"):
        return Outcome(status="applied", ref=task.ref)
    if status == "completed":
        return Outcome(status="rejected", reason="the order is completed in WooCommerce: refund it there")
    if task.order.get("fulfillment_status") in (*SHIPPED, "partially_fulfilled"):
        return Outcome(
            status="rejected",
            reason="a part is shipped, and WooCommerce cancels whole orders: refund the rest there",
        )
    yield from ask(ctx, f"wc/v3/orders/{task.ref}", method="PUT", body={"status": "cancelled"})
    return Outcome(status="applied", ref=task.ref)


def annotate(ctx: Shop, task: Task) -> Conversation[Outcome]:
    """The newest note of the order becomes a private note there."""
    notes = task.order.get("notes") or ()
    if not ctx.settings.write_notes or not notes:
        return Outcome(status="unsupported", reason="notes are not written (write_notes)")
    order = yield from _order(ctx, task)
    if order is None:
        return _no_order(task)
    made = yield from write_note(ctx, task.ref, str(notes[-1]["text"]), to_buyer=False)
    return Outcome(status="applied", refs={"note": made})


def has_numbers(task: Task) -> bool:
    """A shipment without a tracking number has nothing to update."""
    return bool(numbers(task.subject))


def _order(ctx: Shop, task: Task) -> Conversation[Tree | None]:
    """What WooCommerce knows of the order; None where it shows none."""
    if not task.ref:
        return None
    answer = yield from ask(ctx, f"wc/v3/orders/{task.ref}")
    found: Any = tree(answer) if answer.status == 200 else None
    return found if isinstance(found, dict) else None


def _no_order(task: Task) -> Outcome:
    reason = f"WooCommerce shows no order {task.ref}" if task.ref else "the order is not known to WooCommerce"
    return Outcome(status="unsupported", reason=reason)


def _known(order: Tree, task: Task) -> Tree | None:
    """The shipment of the shop's own that has one of these numbers."""
    ours = numbers(task.subject)
    for one in parcels(order):
        if ours & {plain(package["number"]) for package in one["packages"]}:
            return one
    return None


def _complete(ctx: Shop, task: Task, order: Tree, noted: Tree | None) -> Conversation[str]:
    """Sets `completed` where nothing is left to ship; says why where it does not."""
    status = str(order.get("status") or "")
    if status == "completed" or task.order.get("fulfillment_status") not in SHIPPED:
        return ""
    if not ctx.settings.complete_orders:
        return "complete_orders is off"
    if status in CORE:
        return f"the order stays {status}: completing it would call it paid or bring it back"
    if noted is None:
        yield from ask(ctx, f"wc/v3/orders/{task.ref}", method="PUT", body={"status": "completed"})
    else:
        yield from _put(ctx, task.ref, task.subject["id"], noted | {"completed": True}, status="completed")
    return ""


def _put(ctx: Shop, ref: str, shipment: str, noted: Tree, **fields: str) -> Conversation[None]:
    """Writes our note of a shipment into the order's meta, and other fields with it."""
    body = {"meta_data": [{"key": OURS + shipment, "value": noted}], **fields}
    yield from ask(ctx, f"wc/v3/orders/{ref}", method="PUT", body=body)

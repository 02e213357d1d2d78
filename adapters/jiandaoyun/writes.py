"""What a form is told: an order of elsewhere as a row with its lines, its changes, and what was shipped.

Every row that the hub makes carries the order's id in the marker widget: by it the row is found before it would be
made again, and known for our own when it comes back. Only what differs is written, so that nothing written comes
back as news for ever.
"""

from __future__ import annotations

from typing import Any

from adapters.jiandaoyun import widgets
from adapters.jiandaoyun.api import Form, ask, told
from adapters.jiandaoyun.door import is_own
from hub.contract import Conversation, Outcome, Refused, Task

Doc = dict[str, Any]


def create(ctx: Form, task: Task) -> Conversation[Outcome]:
    """A row of the order. 简道云 checks no duplicates on API writes, so one that a person entered is looked for."""
    number = task.order.get("number")
    widget = ctx.settings.fields.get("number", "").partition(":")[0]
    if number and widget:
        rows = yield from _rows(ctx, widget, str(number))
        if rows:
            reason = f"the form has a row with the number {number} that is not ours: {rows[0].get('_id')}"
            return Outcome(status="rejected", reason=reason)
    values = {
        name: value for name, value in widgets.order_values(ctx.settings.fields, task.order).items() if value
    }
    said: Doc = {
        "data": widgets.wrapped({**values, ctx.settings.marker: str(task.order["id"])}),
        "is_start_trigger": ctx.settings.start_trigger,
        "is_start_workflow": ctx.settings.start_workflow,
    }
    if ctx.settings.data_creator:
        said["data_creator"] = ctx.settings.data_creator
    row = told((yield ask(ctx, "/data/create", **said))).get("data")
    ref = row.get("_id") if isinstance(row, dict) else None
    if not ref:
        raise Refused("简道云 made a row and did not say which")
    return Outcome(status="applied", ref=str(ref))


def search(ctx: Form, task: Task) -> Conversation[Outcome]:
    """The row that an earlier try may have made."""
    row = yield from _own(ctx, task)
    return Outcome(status="applied", ref=str(row["_id"])) if row else Outcome(status="unsupported")


def update(ctx: Form, task: Task) -> Conversation[Outcome]:
    """The order's row as the order is now."""
    row = yield from _own(ctx, task)
    if row is None:
        return Outcome(status="unsupported", reason="the form has no row of this order")
    return (yield from _put(ctx, row, widgets.order_values(ctx.settings.fields, task.order)))


def ship(ctx: Form, task: Task) -> Conversation[Outcome]:
    """What was shipped, on the order's row: the form's own, or the one that the hub made."""
    wanted = widgets.shipment_values(ctx.settings.fields, task.subject)
    if not any(wanted.values()):
        return Outcome(status="unsupported", reason="no widget is named for what this shipment has")
    row = (yield from _read(ctx, task.ref)) if task.ref else (yield from _own(ctx, task))
    if row is None:
        return Outcome(status="unsupported", reason="the form has no row of this order")
    return (yield from _put(ctx, row, {name: value for name, value in wanted.items() if value is not None}))


def is_foreign(task: Task) -> bool:
    """An order that the form itself is the source of is never written over."""
    return not task.own


def is_shipment(task: Task) -> bool:
    """News of a shipment that goes out to the buyer."""
    return bool(task.subject) and task.subject.get("direction") != "return"


def _own(ctx: Form, task: Task) -> Conversation[Doc | None]:
    """The row that the hub made of this order; no copy of it."""
    rows = yield from _rows(ctx, ctx.settings.marker, str(task.order["id"]))
    return next((row for row in rows if row.get("_id") and is_own(row, ctx.settings)), None)


def _rows(ctx: Form, widget: str, value: str) -> Conversation[list[Doc]]:
    """The rows with this text there."""
    cond = {"field": widget, "type": "text", "method": "eq", "value": [value]}
    answer = told((yield ask(ctx, "/data/list", limit=10, filter={"rel": "and", "cond": [cond]})))
    found = answer.get("data")
    return [row for row in found if isinstance(row, dict)] if isinstance(found, list) else []


def _read(ctx: Form, ref: str) -> Conversation[Doc | None]:
    row = told((yield ask(ctx, "/data/get", data_id=ref))).get("data")
    return row if isinstance(row, dict) and row.get("_id") else None


def _put(ctx: Form, row: Doc, wanted: Doc) -> Conversation[Outcome]:
    """Write what differs; nothing where nothing does."""
    ref = str(row["_id"])
    values = widgets.changed(ctx.settings.fields, wanted, row)
    if values:
        said = {
            "data_id": ref,
            "data": widgets.wrapped(values),
            "is_start_trigger": ctx.settings.start_trigger,
        }
        told((yield ask(ctx, "/data/update", **said)))
    return Outcome(status="applied", ref=ref)

"""Orders and shipments as files for warehouses that live on them: one file for each piece of news, under a name that is
the same at every try."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterable
from typing import Any

from adapters.csv.settings import CsvSettings
from hub.contract import Context, Conversation, Outcome, Put, Refused, Task

Doc = dict[str, Any]
ORDER = (
    "event", "order_ref", "order_number", "order_date", "state", "currency", "customer_name", "customer_email",
    "ship_name", "ship_company", "ship_street", "ship_street2", "ship_district", "ship_city", "ship_region",
    "ship_postal_code", "ship_country", "ship_phone", "note", "line_ref", "sku", "name", "quantity", "unit_price",
    "total",
)  # fmt: skip
SHIPMENT = (
    "event", "order_ref", "order_number", "shipment_ref", "carrier", "service", "tracking_number", "status",
    "shipped_at", "line_ref", "sku", "quantity",
)  # fmt: skip
_ODD = re.compile(r"[^A-Za-z0-9._-]+")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_PLAIN = re.compile(r"[+-]?[\d\s().,/-]*")  # telephone numbers and figures: nothing to run in them


def write_order(ctx: Context[CsvSettings], task: Task) -> Conversation[Outcome]:
    """An order, a row for each line that is still wanted."""
    return (yield from _put(ctx, task, "order", ORDER, _order_rows(task)))


def write_shipment(ctx: Context[CsvSettings], task: Task) -> Conversation[Outcome]:
    """A shipment, a row for each line in it."""
    if not task.subject:
        return Outcome(status="unsupported", reason="this news is of no shipment")
    return (yield from _put(ctx, task, "shipment", SHIPMENT, _shipment_rows(task)))


def _put(
    ctx: Context[CsvSettings], task: Task, kind: str, columns: tuple[str, ...], rows: Iterable[Doc]
) -> Conversation[Outcome]:
    given = ctx.settings
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, columns, restval="", delimiter=given.out_delimiter, lineterminator="\r\n")
    writer.writeheader()
    writer.writerows({name: _cell(value, given) for name, value in row.items()} for row in rows)
    try:
        body = text.getvalue().encode(given.out_encoding)
    except UnicodeEncodeError as error:
        sign = error.object[error.start]
        raise Refused(f"{given.out_encoding} has no {sign!r}: set `out_encoding`") from error
    name = f"{kind}-{_plain(_number(task.order))}-{_plain(task.key)}.csv"
    yield Put(name=name, body=body)
    return Outcome(status="applied", ref=name)


def _order_rows(task: Task) -> Iterable[Doc]:
    order = task.order
    about = _about(task) | _address(order.get("ship_to") or {}) | {
        "order_date": order.get("placed_at"), "state": order.get("state"), "currency": order.get("currency"),
        "customer_name": (order.get("buyer") or {}).get("name"),
        "customer_email": (order.get("buyer") or {}).get("email"), "note": order.get("customer_note"),
        "total": _amount((order.get("totals") or {}).get("total")),
    }  # fmt: skip
    lines = [one for one in order.get("lines", ()) if one.get("status") != "removed"]
    for line in lines or [{}]:
        yield about | {
            "line_ref": line.get("ref"), "sku": line.get("sku"), "name": line.get("name"),
            "quantity": _number_of((line.get("quantity") or {}).get("ordered")),
            "unit_price": _amount(line.get("unit_price")),
        }  # fmt: skip


def _shipment_rows(task: Task) -> Iterable[Doc]:
    shipment = task.subject
    first: Doc = next(iter(shipment.get("packages", ())), {})
    pick: Callable[[str], Any] = lambda name: shipment.get(name) or first.get(name)  # noqa: E731
    about = _about(task) | {
        "shipment_ref": shipment.get("ref") or shipment.get("id"), "carrier": pick("carrier_name") or pick("carrier"),
        "service": pick("service"), "tracking_number": pick("tracking_number"), "status": shipment.get("status"),
        "shipped_at": shipment.get("shipped_at"),
    }  # fmt: skip
    lines = {line.get("ref"): line for line in task.order.get("lines", ())}
    for one in shipment.get("lines") or [{}]:
        sku = one.get("sku") or lines.get(one.get("line"), {}).get("sku")
        yield about | {"line_ref": one.get("line"), "sku": sku, "quantity": _number_of(one.get("quantity"))}


def _about(task: Task) -> Doc:
    return {"event": task.event, "order_ref": task.order.get("ref") or task.order.get("id"),
            "order_number": _number(task.order)}  # fmt: skip


def _number(order: Doc) -> str:
    return str(order.get("number") or order.get("hub_number") or order.get("id") or "")


def _address(given: Doc) -> Doc:
    lines = [*given.get("lines", ()), "", ""]
    same = ("name", "company", "district", "city", "region", "postal_code", "country", "phone")
    return {f"ship_{name}": given.get(name) for name in same} | {
        "ship_street": lines[0],
        "ship_street2": ", ".join(filter(None, lines[1:])),
    }


class _Figure(str):
    """A text that is a number: written by the setting, never taken for a formula."""

    __slots__ = ()


def _amount(money: Doc | None) -> str | None:
    return _Figure(money["amount"]) if money else None


def _number_of(value: Any) -> str | None:
    return None if value is None else _Figure(value)


def _cell(value: Any, given: CsvSettings) -> str:
    """A cell; what a spreadsheet would run as a formula is written as text."""
    if isinstance(value, _Figure):
        return value.replace(".", given.out_decimal)
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(_FORMULA) and not _PLAIN.fullmatch(text) else text


def _plain(text: str) -> str:
    return _ODD.sub("-", text).strip("-.")[:80] or "x"

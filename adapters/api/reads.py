"""Readers of what people and systems report: orders, shipments and scans, one or up to 500 in a body.

Whose order it is stands in the row or in the query: `order` is the hub's own `ord_…` or the source's id,
`connection` the name or id of the connection whose order it is; without it the order is the caller's own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from adapters.api.shape import Doc, Ground, fault, join, shaped
from hub.contract import ORDER_FACETS, Fact, Message, Read, TooLarge
from hub.contract.canon import Order, Scan, Shipment, Tracking
from hub.contract.mapping.place import Unfit
from hub.contract.mapping.steps.scalars import text_of
from hub.contract.mapping.steps.time import micros

MOST = 500
LONGEST = 200

_FLAGS = {"": False, "0": False, "false": False, "1": True, "true": True}


def orders(message: Message) -> Iterable[Read]:
    """Orders as they are now: a row is the whole order, absent things are gone, unless it is `partial`."""
    return [_order(message, row, path) for path, row in _rows(message)]


def shipments(message: Message) -> Iterable[Read]:
    """Shipments of an order."""
    return [_shipment(message, row, path) for path, row in _rows(message)]


def scans(message: Message) -> Iterable[Read]:
    """Scans of a parcel: each row is a scan of the parcel whose `number` the query names, or says its own
    `number` with its `scans`."""
    return [_tracking(message, row, path) for path, row in _rows(message)]


def _rows(message: Message) -> Iterator[tuple[str, Doc]]:
    """Each row, a copy to take from, with its path."""
    given = message.json()
    rows = given if isinstance(given, list) else [given]
    if len(rows) > MOST:
        raise TooLarge(f"{len(rows)} rows, at most {MOST} at once")
    for index, row in enumerate(rows):
        path = f"[{index}]" if isinstance(given, list) else ""
        if not isinstance(row, dict):
            raise fault("is not an object", path or "body", row)
        yield path, dict(row)


def _order(message: Message, row: Doc, path: str) -> Fact:
    of, account = _whose(message, row, path)
    partial = _flag(message, row, path)
    doc = shaped(Order, _lines(row, path), path, _ground(message, row))
    if not partial:
        doc.setdefault("channel", "api")
    ref = doc.get("ref") or of
    if not ref:
        raise fault("required: the order's id where it comes from", join(path, "ref"))
    if len(ref) > LONGEST:
        raise fault(f"is longer than {LONGEST} characters", join(path, "ref"), ref)
    if of and not of.startswith("ord_") and of != ref:
        raise fault("is another order than `ref` names", join(path, "order"), of)
    return _fact("order", ref, doc, of, account, frozenset() if partial else ORDER_FACETS, message)


def _lines(row: Doc, path: str) -> Doc:
    """Lines without a `ref` are named by their SKU, or by their place where it has none or is there twice."""
    lines = row.get("lines")
    if not isinstance(lines, list):
        return row
    taken: set[str] = set()
    named = []
    for index, line in enumerate(lines):
        if not isinstance(line, dict):
            raise fault("is not an object", join(path, f"lines[{index}]"), line)
        where = join(path, f"lines[{index}].ref")
        ref = _name(line.get("ref"), where) or _free_name(line.get("sku"), index, taken)
        if ref in taken:
            raise fault("two lines have this ref", where, ref)
        taken.add(ref)
        named.append({**line, "ref": ref})
    return {**row, "lines": named}


def _free_name(sku: Any, index: int, taken: set[str]) -> str:
    return sku if isinstance(sku, str) and sku and sku not in taken else str(index + 1)


def _shipment(message: Message, row: Doc, path: str) -> Fact:
    of, account = _whose(message, row, path)
    partial = _flag(message, row, path)
    if not row.get("ref"):
        row["ref"] = row.get("tracking_number") or _first_number(row.get("packages"))
    if not of:
        raise fault("required: the order it belongs to", join(path, "order"))
    if not row["ref"]:
        raise fault("required, or a tracking_number", join(path, "ref"))
    doc = shaped(Shipment, row, path, _ground(message, row))
    return _fact(
        "shipment", doc["ref"], doc, of, account, frozenset() if partial else frozenset({"shipment"}), message
    )


def _first_number(packages: Any) -> Any:
    for package in packages if isinstance(packages, list) else ():
        if isinstance(package, dict) and package.get("tracking_number"):
            return package["tracking_number"]
    return None


def _tracking(message: Message, row: Doc, path: str) -> Fact:
    query = message.params()
    ground = Ground(message.zone)
    if "scans" in row:
        doc = shaped(Tracking, {"number": query.get("number"), **row}, path, ground)
    else:
        known = {"number": query.get("number"), "carrier": query.get("carrier")}
        doc = shaped(Tracking, known, path, ground) | {"scans": [shaped(Scan, row, path, ground)]}
    if not doc.get("number"):
        raise fault("required: the parcel's number", join(path, "number"))
    for index, scan in enumerate(doc.get("scans", ())):
        where = join(path, f"scans[{index}]") if "scans" in row else path
        if not (scan.get("at") or scan.get("local_time")):
            raise fault("required: when it was", join(where, "at"))
        if not (scan.get("status") or scan.get("text") or scan.get("source_word")):
            raise fault("required, or a text", join(where, "status"))
    return _fact("tracking", doc["number"], doc, None, None, frozenset(), message)


def _whose(message: Message, row: Doc, path: str) -> tuple[str | None, str | None]:
    """The order that a row names apart from its own ref, and the account that it is of."""
    query = message.params()
    of = _name(row.pop("order", None), join(path, "order")) or query.get("order") or None
    connection = _name(row.pop("connection", None), join(path, "connection")) or query.get("connection")
    return of, f"connection:{connection}" if connection else None


def _name(value: Any, path: str) -> str:
    if isinstance(value, bool | dict | list):
        raise fault("is not a text", path)
    try:
        return "" if value is None else text_of(value).replace("\0", "")
    except Unfit as unfit:
        raise fault(unfit.reason, path, value) from unfit


def _flag(message: Message, row: Doc, path: str) -> bool:
    given = row.pop("partial", None)
    if given is None:
        given = _FLAGS.get(message.params().get("partial", ""))
    if not isinstance(given, bool):
        raise fault("is not true or false", join(path, "partial"))
    return given


def _ground(message: Message, row: Doc) -> Ground:
    """Bare amounts are in the order's currency, said by it or by its total, else in the connection's."""
    totals = row.get("totals")
    total = totals.get("total") if isinstance(totals, dict) else None
    said: Callable[[Any], str] = lambda value: value if isinstance(value, str) else ""  # noqa: E731
    own = said(row.get("currency")) or (said(total.get("currency")) if isinstance(total, dict) else "")
    return Ground(message.zone, own or message.currency)


def _fact(
    subject: Any,
    ref: str,
    doc: Doc,
    order: str | None,
    account: str | None,
    full: frozenset[str],
    message: Message,
) -> Fact:
    stated = doc.get("source_revision")
    return Fact(
        subject=subject, ref=ref, doc=doc, order=order, account=account, revision=micros(stated) if stated else None,
        full=full, topic=message.topic,
    )  # fmt: skip

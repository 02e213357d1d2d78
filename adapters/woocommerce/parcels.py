"""What left the shop, as WooCommerce's plugins remember it: core has no parcels, only the word `completed`.

Sources: class-wc-shipment-tracking.php and AST's class-wc-advanced-shipment-tracking.php (order meta
`_wc_shipment_tracking_items`), WooCommerce Shipping (`wcshipping_labels`, before that `wc_connect_labels`, then a
JSON text), AfterShip's plugin (`_aftership_tracking_items`). Shipments that the hub wrote carry a note of
their own in the order's meta, so that they are known again with their lines and as one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

import msgspec

Tree = dict[str, Any]

OURS = "_orderhub_"
"""What the name of a meta entry of ours begins with; the rest is the hub's id of the shipment."""

TRACKINGS = ("_wc_shipment_tracking_items", "_aftership_tracking_items")
LABELS = ("wcshipping_labels", "wc_connect_labels")

LEFT = frozenset({"completed", "shipped", "delivered"})
"""Statuses under which everything has left: WooCommerce's own, and those that AST adds."""

PARTLY = frozenset({"partial-shipped", "partially-shipped"})
"""AST's statuses of an order of which something has left."""

_VOID = frozenset({"PURCHASE_ERROR", "PURCHASE_IN_PROGRESS", "REFUNDED"})


def parcels(order: Mapping[str, Any]) -> list[Tree]:
    """The order's shipments in one form: `ref, status, shipped_at, packages[{number, carrier, link}], lines`."""
    told = list(_ours(order))
    seen = {plain(package["number"]) for one in told for package in one["packages"]}
    seen |= {plain(number) for one in told for number in one.pop("gone")}
    for one in (*_trackings(order), *_labels(order)):
        number = plain(one["packages"][0]["number"])
        if number not in seen:
            seen.add(number)
            told.append(one)
    return told + _rest(order, [one for one in told if one["status"] != "cancelled"])


def plain(number: str) -> str:
    """A tracking number without spaces and dashes, in capitals."""
    return "".join(letter for letter in number if letter.isalnum()).upper()


def note_of(order: Mapping[str, Any], shipment: str) -> Tree | None:
    """What an earlier write of ours noted of a shipment on the order."""
    value = _meta(order, OURS + shipment)
    return value if isinstance(value, dict) else None


def _ours(order: Mapping[str, Any]) -> Iterator[Tree]:
    for entry in _list(order.get("meta_data")):
        key, value = entry.get("key"), entry.get("value")
        if not (isinstance(key, str) and key.startswith(OURS) and isinstance(value, dict)):
            continue
        yield {
            "ref": key.removeprefix(OURS),
            "status": "cancelled" if value.get("cancelled") else _status(order),
            "shipped_at": moment(value.get("shipped_at")),
            "packages": [
                {"number": _text(one.get("number")), "carrier": one.get("carrier"), "link": one.get("link")}
                for one in _list(value.get("packages"))
                if _text(one.get("number"))
            ],
            "lines": [one for one in _list(value.get("lines")) if _text(one.get("line"))],
            "gone": [_text(one) for one in _items(value.get("gone"))],
        }


def _trackings(order: Mapping[str, Any]) -> Iterator[Tree]:
    for name in TRACKINGS:
        for item in _list(_meta(order, name)):
            number = _text(item.get("tracking_number"))
            if not number:
                continue
            lines = _named(order, _list(item.get("products_list")))
            if not lines and order.get("status") in PARTLY:
                lines = [{"line": line, "quantity": "0"} for line in _lines(order)]
            yield {
                "ref": _text(item.get("tracking_id")) or f"{_text(order.get('id'))}-{plain(number)}",
                "status": _status(order),
                "shipped_at": moment(item.get("date_shipped")),
                "packages": [{"number": number, "carrier": _carrier(item), "link": _link(item)}],
                "lines": lines,
            }


def _labels(order: Mapping[str, Any]) -> Iterator[Tree]:
    for name in LABELS:
        for label in _list(_meta(order, name)):
            number = _text(label.get("tracking"))
            if not number or label.get("status") in _VOID or label.get("refund") or label.get("error"):
                continue
            gone = order.get("status") in LEFT
            units = Counter(_text(one) for one in _items(label.get("product_ids")))
            yield {
                "ref": f"label-{_text(label.get('label_id')) or plain(number)}",
                "status": _status(order) if gone else "label_ready",
                "shipped_at": moment(order.get("date_completed_gmt")) if gone else None,
                "packages": [{"number": number, "carrier": _text(label.get("carrier_id")), "link": None}],
                "lines": _named(order, [{"product": one, "qty": count} for one, count in units.items()]),
            }


def _rest(order: Mapping[str, Any], told: list[Tree]) -> list[Tree]:
    """`completed` means that all has left: what no parcel names went in one that nobody told of."""
    virtual = order.get("needs_processing") is False
    if virtual or order.get("status") not in LEFT or any(not one["lines"] for one in told):
        return []
    counted: Counter[str] = Counter()
    for one in told:
        for line in one["lines"]:
            counted[_text(line.get("line"))] += _number(line.get("quantity"))  # type: ignore[assignment]
    if told and all(counted[line] >= quantity for line, quantity in _lines(order).items()):
        return []
    ref = f"{_text(order.get('id'))}-completed"
    at = moment(order.get("date_completed_gmt"))
    return [{"ref": ref, "status": _status(order), "shipped_at": at, "packages": [], "lines": []}]


def _status(order: Mapping[str, Any]) -> str:
    return "delivered" if order.get("status") == "delivered" else "shipped"


def _named(order: Mapping[str, Any], items: Iterable[Tree]) -> list[Tree]:
    """Items by the order's lines; none at all where one of them is of no line, or could be of two."""
    by_product: dict[str, list[str]] = {}
    for line in _list(order.get("line_items")):
        for key in {_text(line.get("product_id")), _text(line.get("variation_id"))} - {"", "0"}:
            by_product.setdefault(key, []).append(_text(line.get("id")))
    known, out = _lines(order), []
    for item in items:
        named = _text(item.get("item_id"))
        found = [named] if named in known else by_product.get(_text(item.get("product")), [])
        if len(found) != 1 or not found[0]:
            return []
        out.append({"line": found[0], "quantity": str(_number(item.get("qty")))})
    return out


def _lines(order: Mapping[str, Any]) -> dict[str, Decimal]:
    return {
        _text(line.get("id")): _number(line.get("quantity"))
        for line in _list(order.get("line_items"))
        if _text(line.get("id"))
    }


def _carrier(item: Tree) -> str | None:
    names = ("formatted_tracking_provider", "custom_tracking_provider", "tracking_provider", "slug")
    return next((_text(item.get(name)) for name in names if _text(item.get(name))), None)


def _link(item: Tree) -> str | None:
    names = ("custom_tracking_link", "formatted_tracking_link", "ast_tracking_link", "tracking_link")
    return next((_text(item.get(name)) for name in names if _text(item.get(name))), None)


def moment(value: Any) -> str | None:
    """A time in UTC: unix seconds, a date, or WooCommerce's own form without a zone; None for what is none."""
    text = _text(value)
    try:
        if text.isascii() and text.isdigit():
            return (
                datetime.fromtimestamp(int(text), UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if int(text) else None
            )
        if len(text) == 10:
            return f"{date.fromisoformat(text).isoformat()}T00:00:00Z"
        found = datetime.fromisoformat(text)
        found = found.astimezone(UTC) if found.tzinfo else found
        return found.strftime("%Y-%m-%dT%H:%M:%SZ") if found.year > 1970 else None
    except (ValueError, OverflowError, OSError):
        return None


def _meta(order: Mapping[str, Any], key: str) -> Any:
    """The value of a meta entry; one that is a JSON text is read."""
    found = [one.get("value") for one in _list(order.get("meta_data")) if one.get("key") == key]
    value = found[-1] if found else None
    if isinstance(value, str) and value[:1] in ("[", "{"):
        try:
            return msgspec.json.decode(value)
        except (msgspec.DecodeError, RecursionError):
            return None
    return value


def _items(value: Any) -> list[Any]:
    """A list; PHP tells one whose keys are not 0, 1, 2 … as an object."""
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []


def _list(value: Any) -> list[Tree]:
    return [one for one in _items(value) if isinstance(one, dict)]


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value.strip()
    return (
        str(value) if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 1 << 63 else ""
    )


def _number(value: Any) -> Decimal:
    try:
        found = Decimal(str(value)) if isinstance(value, str | int | float | Decimal) else Decimal()
    except InvalidOperation:
        return Decimal()
    return found if found.is_finite() and 0 <= found < 10**12 else Decimal()

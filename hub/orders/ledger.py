"""The quantity ledger: how many of each line were ordered, shipped, delivered, given back, refunded.

Counted from shipments, returns and refunds after every fold; nobody can set it. A breach of an
invariant is an anomaly, never an error.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from hub.orders.amounts import text, units

Doc = dict[str, Any]
Anomalies = list[dict[str, str]]

_DONE = ("received", "inspected", "completed")
OUT = ("handed_over", "shipped", "delivered", "confirmed")
"""Shipments that have left."""


class Ledger:
    """Counts per line, in millionths, found by the source's line ref, the hub's line id, or the SKU."""

    __slots__ = ("_by_name", "counts", "lines")

    def __init__(self, lines: list[Doc]) -> None:
        self.lines = lines
        self.counts: list[dict[str, int]] = []
        self._by_name: dict[str, int] = {}
        for index, line in enumerate(lines):
            said = line.get("quantity") or {}
            original = units(said.get("original") or said.get("ordered") or "1")
            ordered = units(said["ordered"]) if "ordered" in said else original
            self.counts.append(
                {"original": original, "ordered": ordered, "cancelled": units(said.get("cancelled", "0"))}
            )
            for name in (line.get("sku"), line["ref"], line["id"]):
                if name:
                    self._by_name[name] = index

    def count(self, kind: str, items: Iterable[Doc]) -> None:
        """Add what these line quantities say; lines that the order does not have are passed over."""
        for item in items:
            index = self._by_name.get(item.get("line") or "", self._by_name.get(item.get("sku") or "", -1))
            if index >= 0 and "quantity" in item:
                counts = self.counts[index]
                counts[kind] = counts.get(kind, 0) + units(item["quantity"])

    def rest(self, kind: str) -> None:
        """Add, to every line that ships, what of it is neither cancelled nor counted yet."""
        for line, counts in zip(self.lines, self.counts, strict=True):
            if line.get("requires_shipping", True):
                left = counts["ordered"] - counts["cancelled"] - counts.get(kind, 0)
                if left > 0:
                    counts[kind] = counts.get(kind, 0) + left

    def cancel_rest(self) -> None:
        """The order is cancelled: what was not shipped is."""
        for counts in self.counts:
            counts["cancelled"] = max(counts["cancelled"], counts["ordered"] - counts.get("shipped", 0))

    def write(self) -> None:
        """Put the counts into the lines, with what is open, returnable, and the line's status."""
        for line, counts in zip(self.lines, self.counts, strict=True):
            counts["open"] = max(0, counts["ordered"] - counts["cancelled"] - counts.get("shipped", 0))
            delivered = counts.get("delivered", 0)
            if delivered:
                counts["returnable"] = max(0, delivered - counts.get("return_requested", 0))
            keep = ("original", "ordered", "open")
            line["quantity"] = {
                kind: text(number) for kind, number in counts.items() if number or kind in keep
            }
            line["status"] = _status(line, counts)

    def anomalies(self) -> Anomalies:
        """The invariants that do not hold."""
        out: Anomalies = []
        for line, counts in zip(self.lines, self.counts, strict=True):
            shipped = counts.get("shipped", 0)
            if shipped > counts["ordered"] - counts["cancelled"]:
                out.append(_anomaly("shipped_more_than_ordered", line, counts, "shipped"))
            if counts.get("delivered", 0) > shipped:
                out.append(_anomaly("delivered_more_than_shipped", line, counts, "delivered"))
            if counts.get("return_received", 0) > counts.get("delivered", 0):
                out.append(_anomaly("returned_more_than_delivered", line, counts, "return_received"))
        return out


def fill(ledger: Ledger, doc: Doc) -> None:
    """Count everything that the order's parts say."""
    _moved(ledger, doc.get("shipments", ()))
    for one in doc.get("returns", ()):
        if one.get("status") not in ("rejected", "cancelled", "expired"):
            ledger.count("return_requested", one.get("lines", ()))
        if one.get("status") in _DONE:
            ledger.count("return_received", one.get("lines", ()))
    for refund in doc.get("refunds", ()):
        if refund.get("status") not in ("failed", "cancelled"):
            ledger.count("refunded", refund.get("lines", ()))


def _moved(ledger: Ledger, shipments: Iterable[Doc]) -> None:
    """Shipments with lines first; one without is all that the others leave."""
    out = [one for one in shipments if one["status"] in OUT and one["direction"] == "outbound"]
    for shipment in sorted(out, key=lambda one: not _items(one)):
        items = _items(shipment)
        for kind in ("shipped", "delivered") if _arrived(shipment) else ("shipped",):
            if items:
                ledger.count(kind, items)
            else:
                ledger.rest(kind)


def _items(shipment: Doc) -> list[Doc]:
    lines: list[Doc] = shipment.get("lines") or [
        item for package in shipment.get("packages", ()) for item in package.get("lines", ())
    ]
    return lines


def _arrived(shipment: Doc) -> bool:
    return shipment["status"] in ("delivered", "confirmed")


def _status(line: Doc, counts: dict[str, int]) -> str:
    wanted = counts["ordered"] - counts["cancelled"]
    if wanted <= 0 and not counts.get("shipped"):
        return "removed"
    if counts.get("return_received", 0) >= max(wanted, 1):
        return "returned"
    if counts.get("delivered", 0) >= max(wanted, 1):
        return "delivered"
    if counts.get("shipped", 0) >= max(wanted, 1):
        return "fulfilled"
    return "partial" if counts.get("shipped") else "open"


def _anomaly(kind: str, line: Doc, counts: dict[str, int], which: str) -> dict[str, str]:
    detail = f"{which} {text(counts.get(which, 0))} of {text(counts['ordered'] - counts['cancelled'])}"
    return {"kind": kind, "subject": line["ref"], "detail": detail}


def roll_up(ledger: Ledger) -> Doc:
    """The order's words for shipping, delivery and returns, from its lines."""
    wanted = shipped = delivered = back = 0
    ships = False
    for line, counts in zip(ledger.lines, ledger.counts, strict=True):
        if line.get("requires_shipping", True):
            ships = True
            wanted += max(0, counts["ordered"] - counts["cancelled"])
            shipped += counts.get("shipped", 0)
            delivered += counts.get("delivered", 0)
            back += counts.get("return_received", 0)
    return {
        "fulfillment_status": _fulfillment(wanted, shipped, ships),
        "delivery_status": "none"
        if not delivered
        else "delivered"
        if delivered >= wanted
        else "partially_delivered",
        "return_status": _returned(ledger, back, delivered),
    }


def _fulfillment(wanted: int, shipped: int, ships: bool) -> str:
    if not ships:
        return "not_required"
    if shipped > wanted:
        return "over_fulfilled"
    if shipped:
        return "fulfilled" if shipped == wanted else "partially_fulfilled"
    return "unfulfilled"


def _returned(ledger: Ledger, back: int, delivered: int) -> str:
    if back:
        return "returned" if back >= delivered else "partially_returned"
    return "requested" if any(counts.get("return_requested") for counts in ledger.counts) else "none"

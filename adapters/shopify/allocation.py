"""What a shipment of ours takes from the fulfillment orders that are open at Shopify: pure arithmetic."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from adapters.shopify.graphql import number

Quantities = Counter[str]
"""Whole units by the order line's number at Shopify."""


class Fraction(ValueError):
    """A quantity that is no whole number of units, which Shopify cannot ship."""


@dataclass(frozen=True, slots=True)
class Opening:
    """Units of one line that a fulfillment order still waits for."""

    fulfillment_order: str
    location: str
    item: str
    line: str
    remaining: int


@dataclass(frozen=True, slots=True)
class Plan:
    """What to take where: location → fulfillment order → item → units; `short` is what nothing covers."""

    takes: dict[str, dict[str, dict[str, int]]] = field(default_factory=dict)
    short: Quantities = field(default_factory=Counter)

    def inputs(self, location: str) -> list[dict[str, Any]]:
        """The plan of one location as `lineItemsByFulfillmentOrder`."""
        return [
            {
                "fulfillmentOrderId": order,
                "fulfillmentOrderLineItems": [
                    {"id": item, "quantity": units} for item, units in items.items()
                ],
            }
            for order, items in self.takes[location].items()
        ]


def wanted(order: Mapping[str, Any], shipment: Mapping[str, Any]) -> Quantities:
    """What a shipment carries, by line; empty when it names no lines (then it is all that is open)."""
    said = shipment.get("lines") or [
        line for package in shipment.get("packages") or () for line in package.get("lines") or ()
    ]
    found: Quantities = Counter()
    for one in said:
        found[_line_ref(order, one)] += _units(one.get("quantity") or "1")
    return found


def openings(nodes: Iterable[Mapping[str, Any]]) -> list[Opening]:
    """The open units of fulfillment orders that allow a fulfilment now (on hold and scheduled ones do not)."""
    return [
        Opening(
            node["id"], _location(node), item["id"], number(item["lineItem"]["id"]), item["remainingQuantity"]
        )
        for node in nodes
        if any(action["action"] == "CREATE_FULFILLMENT" for action in node["supportedActions"])
        for item in node["lineItems"]["nodes"]
        if item["remainingQuantity"] > 0
    ]


def allocate(found: Iterable[Opening], lines: Quantities) -> Plan:
    """Takes the lines (all, where none are named) from one location if it has them all, else from several.

    Shopify docs: a fulfilment covers fulfillment orders of one location only.
    """
    by_location: dict[str, list[Opening]] = {}
    for one in found:
        by_location.setdefault(one.location, []).append(one)
    left = Counter(lines) if lines else _sums(one for group in by_location.values() for one in group)
    plan = Plan()
    for location, group in sorted(by_location.items(), key=lambda pair: (_lack(pair[1], left), pair[0])):
        _take(plan, location, group, left)
    plan.short.update(+left)
    return plan


def _take(plan: Plan, location: str, group: list[Opening], left: Quantities) -> None:
    for one in group:
        units = min(one.remaining, left[one.line])
        if units > 0:
            left[one.line] -= units
            plan.takes.setdefault(location, {}).setdefault(one.fulfillment_order, {})[one.item] = units


def _lack(group: list[Opening], lines: Quantities) -> int:
    return sum((lines - _sums(group)).values())


def _sums(group: Iterable[Opening]) -> Quantities:
    total: Quantities = Counter()
    for one in group:
        total[one.line] += one.remaining
    return total


def _location(node: Mapping[str, Any]) -> str:
    return str(((node.get("assignedLocation") or {}).get("location") or {}).get("id", ""))


def _line_ref(order: Mapping[str, Any], one: Mapping[str, Any]) -> str:
    """The line's number at Shopify, from that number, the hub's own line id, or the SKU."""
    name, sku = one.get("line"), one.get("sku")
    for line in order.get("lines") or ():
        if name in (line.get("ref"), line.get("id")) if name else sku == line.get("sku"):
            return str(line["ref"])
    return str(name or sku)


def _units(quantity: object) -> int:
    exact = Decimal(str(quantity))
    if exact != exact.to_integral_value():
        raise Fraction(f"Shopify ships whole units, not {quantity}")
    return int(exact)

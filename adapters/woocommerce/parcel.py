"""A shipment of ours as the shop is told it: its numbers, its lines, and the note of it in the order's meta."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from adapters.woocommerce.parcels import plain

Tree = dict[str, Any]


def packages(shipment: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The shipment's numbered parcels, or itself where it carries the number."""
    found = [one for one in shipment.get("packages") or () if one.get("tracking_number")]
    return found or ([shipment] if shipment.get("tracking_number") else [])


def numbers(shipment: Mapping[str, Any]) -> set[str]:
    """Its tracking numbers, without spaces and dashes, in capitals."""
    return {plain(str(one["tracking_number"])) for one in packages(shipment)}


def noted_numbers(note: Mapping[str, Any]) -> set[str]:
    """The numbers that a note of ours names, those it took back among them."""
    told = {plain(str(one.get("number"))) for one in note.get("packages") or () if isinstance(one, dict)}
    return told | {plain(str(one)) for one in note.get("gone") or ()}


def note(order: Mapping[str, Any], shipment: Mapping[str, Any]) -> Tree:
    """What is noted of a shipment on the order, so that its echo is known again, whole and with its lines."""
    return {
        "packages": [
            {"number": one["tracking_number"], "carrier": carrier(one), "link": one.get("tracking_url") or ""}
            for one in packages(shipment)
        ],
        "lines": _lines(order, shipment),
        "shipped_at": shipment.get("shipped_at") or "",
    }


def tracking(package: Mapping[str, Any], shipment: Mapping[str, Any]) -> Tree:
    """A parcel as both tracking plugins take it: a carrier of theirs by their name, another with its link."""
    names: Mapping[str, str] = package.get("carrier_names") or {}
    told: Tree = {"tracking_number": package["tracking_number"]}
    if names.get("woocommerce"):
        told["tracking_provider"] = names["woocommerce"]
    else:
        told["custom_tracking_provider"] = carrier(package)
        told["custom_tracking_link"] = package.get("tracking_url") or ""
    shipped = str(shipment.get("shipped_at") or "")[:10]
    return told | ({"date_shipped": shipped} if shipped else {})


def sentence(template: str, package: Mapping[str, Any]) -> str:
    """The words of a note about a parcel."""
    words = {
        "carrier": carrier(package),
        "number": package["tracking_number"],
        "url": package.get("tracking_url"),
    }
    for name, word in words.items():
        template = template.replace(f"{{{name}}}", str(word or ""))
    return " ".join(template.split())


def carrier(package: Mapping[str, Any]) -> str:
    """What people call the carrier."""
    names: Mapping[str, str] = package.get("carrier_names") or {}
    return str(names.get("name") or package.get("carrier_name") or package.get("carrier") or "")


def _lines(order: Mapping[str, Any], shipment: Mapping[str, Any]) -> list[Tree]:
    """What it carries, by WooCommerce's ids of the lines; empty where it names none: all that is left."""
    said = shipment.get("lines") or [
        line for package in shipment.get("packages") or () for line in package.get("lines") or ()
    ]
    found: dict[str, list[str]] = {}
    for one in said:
        name, sku = one.get("line"), one.get("sku")
        for line in order.get("lines") or ():
            if name in (line.get("ref"), line.get("id")) if name else sku == line.get("sku"):
                found.setdefault(str(line["ref"]), []).append(str(one.get("quantity") or "1"))
                break
    return [
        {"line": line, "quantity": quantity} for line, quantities in found.items() for quantity in quantities
    ]

"""A shipment's tracking numbers, as ours and as Shopify tells them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def numbers(shipment: Mapping[str, Any]) -> set[str]:
    """The tracking numbers of a shipment of ours, without spaces and dashes, in capitals."""
    return {_plain(one["tracking_number"]) for one in _packages(shipment)}


def told_numbers(fulfilment: Mapping[str, Any]) -> set[str]:
    """The tracking numbers of a fulfilment as Shopify tells it, in the same form."""
    return {_plain(one["number"]) for one in fulfilment.get("trackingInfo") or () if one.get("number")}


def shares_number(shipment: Mapping[str, Any], fulfilment: Mapping[str, Any]) -> bool:
    """Whether a number of ours is among those that Shopify tells."""
    return not numbers(shipment).isdisjoint(told_numbers(fulfilment))


def same_numbers(shipment: Mapping[str, Any], fulfilment: Mapping[str, Any]) -> bool:
    """Whether both name the same numbers, and at least one."""
    ours = numbers(shipment)
    return bool(ours) and ours == told_numbers(fulfilment)


def tracking(shipment: Mapping[str, Any]) -> dict[str, Any]:
    """A shipment's tracking as Shopify's `FulfillmentTrackingInput`: one number, or several."""
    packages = _packages(shipment)
    found: dict[str, Any] = {"company": next((_company(one) for one in packages if _company(one)), "Other")}
    urls = [one["tracking_url"] for one in packages if one.get("tracking_url")]
    if len(packages) == 1:
        return found | {"number": packages[0]["tracking_number"]} | ({"url": urls[0]} if urls else {})
    found["numbers"] = [one["tracking_number"] for one in packages]
    return found | ({"urls": urls} if len(urls) == len(packages) else {})


def _packages(shipment: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    found = [one for one in shipment.get("packages") or () if one.get("tracking_number")]
    return found or ([shipment] if shipment.get("tracking_number") else [])


def _company(package: Mapping[str, Any]) -> str:
    """Shopify's own name of the carrier where the hub knows it: only then Shopify makes the link itself."""
    names: Mapping[str, str] = package.get("carrier_names") or {}
    return str(names.get("shopify") or package.get("carrier_name") or package.get("carrier") or "")


def _plain(text: str) -> str:
    return "".join(letter for letter in text if letter.isalnum()).upper()

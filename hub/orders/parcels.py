"""Shipments as held: what several sources say of one physical movement, told once, with its parcels' tracking.

What we wrote to a far side comes back as its own shipment (the echo), perhaps before the answer to our
request. Two sources' shipments are one when a write's answer bound them, or when they share a parcel
number. Numbers, not carriers: sources spell carriers differently.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hub.orders import registers
from hub.orders.numbers import normal
from hub.orders.registers import State
from hub.orders.tracking import fold, shipment_status

Doc = dict[str, Any]
Names = Callable[[str], str]

_RANK = ("draft", "label_ready", "ready", "handed_over", "shipped", "delivered", "confirmed", "cancelled")


def shipments(state: State, home: str, ship_to: Doc | None, new_id: Names) -> list[Doc]:
    """All shipments of the order, merged over sources, each with its id given once."""
    sources: dict[str, Any] = state["sources"]
    if not any("shipments" in source["facets"] for source in sources.values()):
        return []
    said = [
        (f"{name}/{key}", name, value)
        for name, source in sorted(sources.items(), key=lambda item: (item[0] != home, item[0]))
        for key, value, _ in sorted(registers.members(source["facets"], "shipments"), key=lambda one: one[0])
    ]
    reports = _reports(sources)
    out = [
        _held(
            group,
            _name(state["ids"], [key for key, _, _ in group], new_id),
            _told(sources, group),
            reports,
            ship_to,
        )
        for group in _groups(said, _bound(sources))
    ]
    return sorted(out, key=lambda one: (one.get("shipped_at", "~"), one["ref"]))


def numbers(doc: Doc) -> list[str]:
    """The normalised parcel numbers of a shipment as said."""
    found = [package.get("tracking_number") for package in doc.get("packages", ())]
    return [normal(number) for number in [doc.get("tracking_number"), *found] if number]


def _bound(sources: dict[str, Any]) -> dict[str, str]:
    """What writes' answers bound: the far side's name of a shipment → ours."""
    return {
        value["theirs"]: value["ours"]
        for source in sources.values()
        for _, value, _ in registers.members(source["facets"], "decisions")
        if value.get("kind") == "bind"
    }


def _groups(said: list[tuple[str, str, Doc]], bound: dict[str, str]) -> list[list[tuple[str, str, Doc]]]:
    """Union by shared number or by binding, never within one source: that would be two shipments."""
    groups: list[list[tuple[str, str, Doc]]] = []
    for item in said:
        key, source, doc = item
        marks = set(numbers(doc))
        for group in groups:
            if any(other == source for _, other, _ in group):
                continue
            keys = {one for one, _, _ in group}
            if bound.get(key) in keys or any(bound.get(one) == key for one in keys):
                break
            if marks & {number for _, _, other in group for number in numbers(other)}:
                break
        else:
            groups.append([item])
            continue
        group.append(item)
    return groups


def _name(ids: dict[str, str], keys: list[str], new_id: Names) -> str:
    given = [ids[f"shipments/{key}"] for key in keys if f"shipments/{key}" in ids]
    name = min(given) if given else new_id("shp")
    for key in keys:
        ids[f"shipments/{key}"] = name
    return name


def _reports(sources: dict[str, Any]) -> dict[str, list[Doc]]:
    """What trackers say, by parcel number: the report of each source with the scans it brought."""
    out: dict[str, list[Doc]] = {}
    for _, source in sorted(sources.items()):
        facets = source["facets"]
        for number, value, _ in registers.members(facets, "trackings"):
            scans = [scan for _, scan, _ in registers.members(facets, f"scans/{number}")]
            out.setdefault(normal(number), []).append({**value, "scans": scans})
    return out


def _told(sources: dict[str, Any], group: list[tuple[str, str, Doc]]) -> list[Doc]:
    """What sources say of the way of a shipment as a whole, without its number."""
    out = []
    for key, source, doc in group:
        facet = f"scans/@{key.removeprefix(f'{source}/')}"
        scans = [scan for _, scan, _ in registers.members(sources[source]["facets"], facet)]
        if scans or doc.get("tracking"):
            revision = {"source_revision": doc["source_revision"]} if doc.get("source_revision") else {}
            out.append({"ref": doc["ref"], **revision, **doc.get("tracking", {}), "scans": scans})
    return out


def _held(
    group: list[tuple[str, str, Doc]],
    name: str,
    told: list[Doc],
    reports: dict[str, list[Doc]],
    ship_to: Doc | None,
) -> Doc:
    merged: Doc = {}
    for _, _, doc in reversed(group):
        merged.update(doc)
    merged["ref"] = group[0][2]["ref"]
    merged["id"] = name
    merged.setdefault("direction", "outbound")
    merged["refs"] = [{"account": source, "type": "shipment", "id": doc["ref"]} for _, source, doc in group]
    merged.pop("order", None)
    merged.pop("tracking", None)
    if not merged.get("lines"):
        merged.pop("lines", None)
    merged["packages"] = packages = _packages(group)
    sole, since = told if len(packages) == 1 else [], merged.get("shipped_at")
    for package in packages:
        found = reports.get(normal(package.get("tracking_number", "")), []) + sole
        if found:
            package["tracking"] = fold(found, since=since, destination=ship_to)
    if told and not any("tracking" in package for package in packages):
        merged["tracking"] = fold(told, since=since, destination=ship_to)
    _settle(merged, packages, [doc.get("status") for _, _, doc in group])
    return merged


def _packages(group: list[tuple[str, str, Doc]]) -> list[Doc]:
    out: dict[str, Doc] = {}
    for _, _, doc in group:
        for index, package in enumerate(doc.get("packages") or [_sole(doc)]):
            key = normal(package.get("tracking_number", "")) or package.get("ref") or f"#{index}"
            out[key] = {**package, **out.get(key, {})}
    unnumbered = [key for key in out if key.startswith("#")]
    if len(unnumbered) < len(out):
        for key in unnumbered:
            if not out[key].get("lines"):
                del out[key]
    return [package for package in out.values() if package]


def _sole(doc: Doc) -> Doc:
    names = ("carrier", "carrier_name", "service", "tracking_number", "tracking_url")
    return {name: doc[name] for name in names if doc.get(name)}


def _settle(merged: Doc, packages: list[Doc], words: list[str | None]) -> None:
    """The status of the movement: the furthest any source says, delivered too when every parcel is."""
    known = [word for word in words if word]
    status = "cancelled" if known and all(word == "cancelled" for word in known) else None
    if status is None:
        status = max((word for word in known if word != "cancelled"), key=_RANK.index, default="shipped")
    tracked = [package["tracking"] for package in packages if "tracking" in package]
    if tracked:
        merged["tracking"] = _summary(packages, tracked)
    way = merged.get("tracking", {})
    if way.get("status") == "delivered" and status not in ("confirmed", "cancelled"):
        status = "delivered"
        stamps = [one["delivered_at"] for one in tracked or [way] if one.get("delivered_at")]
        if stamps:
            merged["delivered_at"] = max(stamps)
    elif status in ("draft", "label_ready", "ready") and _moving(way.get("status")):
        status = "shipped"
    merged["status"] = status


def _summary(packages: list[Doc], tracked: list[Doc]) -> Doc:
    if len(packages) == 1:
        return {name: value for name, value in tracked[0].items() if name != "scans"}
    status, flags = shipment_status(packages)
    out: Doc = {"status": status} if status != "partially_delivered" else {"sub_status": status}
    if flags:
        out["flags"] = flags
    stamps = [one["last_scan_at"] for one in tracked if one.get("last_scan_at")]
    if stamps:
        out["last_scan_at"] = max(stamps)
    return out


def _moving(status: str | None) -> bool:
    return status not in (None, "unknown", "pre_transit", "cancelled")

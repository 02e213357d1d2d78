"""What AfterShip is told: to watch the parcels of a shipment."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from adapters.aftership.api import EXISTS, Tracker, address, answered, code, data, reason, refused
from hub.contract import Conversation, Outcome, Request, Task, json_body

UNAUTHORIZED = (401, 403)


def subscribe(ctx: Tracker, task: Task) -> Conversation[Outcome]:
    """Registers each of the shipment's numbers; one that AfterShip watches already is as good as registered."""
    refs: dict[str, str] = {}
    complaints: list[str] = []
    for parcel in parcels(task.subject):
        number = str(parcel["tracking_number"])
        answer = answered((yield _registration(ctx, task, parcel)))
        if answer.status in UNAUTHORIZED:
            raise refused(answer)
        if answer.status in (200, 201) or code(answer) == EXISTS:
            refs[number] = str(data(answer).get("id") or "")
        else:
            complaints.append(f"{number}: {reason(answer)}")
    ref = next(filter(None, refs.values()), "")
    if complaints:
        return Outcome(status="rejected", ref=ref, refs=refs, reason="; ".join(complaints))
    if not refs:
        return Outcome(status="unsupported", reason="the shipment has no tracking number yet")
    return Outcome(status="applied", ref=ref, refs=refs)


def has_numbers(task: Task) -> bool:
    """A shipment without a tracking number is nothing to watch, nor is one that comes back to us unnumbered."""
    return bool(parcels(task.subject))


def parcels(shipment: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The shipment's numbered parcels, or itself where it carries the number."""
    found = [one for one in shipment.get("packages") or () if one.get("tracking_number")]
    return found or ([shipment] if shipment.get("tracking_number") else [])


def _registration(ctx: Tracker, task: Task, parcel: Mapping[str, Any]) -> Request:
    """AfterShip docs: POST /trackings; the courier is detected where no slug is given."""
    names: Mapping[str, str] = parcel.get("carrier_names") or {}
    order = task.order
    said = {
        "tracking_number": parcel["tracking_number"],
        "slug": names.get("aftership"),
        "order_id": order.get("id"),
        "order_number": order.get("number") or order.get("hub_number"),
    }
    return Request(
        method="POST",
        url=address(ctx.settings, "/trackings"),
        headers={"content-type": "application/json"},
        body=json_body({name: value for name, value in said.items() if value}),
        key=f"{task.key}/{parcel['tracking_number']}",
    )

"""What 快递100 is told: to watch the parcels of a shipment, and where to push what becomes of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from adapters.kuaidi100.api import PHONE, Account, code, form, reason, said, tail, text
from adapters.kuaidi100.watch import LIFE, Watched, room
from hub.contract import Conversation, Misconfigured, Outcome, Postponed, Request, Task, secrets

Doc = Mapping[str, Any]

DONE = ("200", "501")
"""快递100 docs: taken; 501, the parcel is subscribed to already and being watched."""

LONGEST = 32
"""快递100 docs: the longest number that can be subscribed to."""


def subscribe(ctx: Account, task: Task) -> Conversation[Outcome]:
    """Subscribes to each of the shipment's numbers; one that is watched already is as good as subscribed."""
    refs: dict[str, str] = {}
    complaints: list[str] = []
    for parcel in parcels(task.subject):
        number = str(parcel["tracking_number"]).replace(" ", "")
        carrier, phone = _carrier(parcel), _phone(ctx, task.order)
        if lack := _lack(number, carrier, phone):
            complaints.append(f"{number}: {lack}")
            continue
        found = said((yield _subscription(ctx, task, number, carrier, phone)))
        if code(found) == "500":
            raise Postponed(f"快递100 cannot take {number} now: {reason(found)}", after=300.0)
        if code(found) not in DONE:
            complaints.append(f"{number}: {reason(found)}")
            continue
        refs[number] = f"{carrier}:{number}" if carrier else number
        if carrier and _asks(ctx):
            yield _watch(ctx, carrier, number, phone)
    return _outcome(refs, complaints)


def has_numbers(task: Task) -> bool:
    """A shipment without a tracking number is nothing to watch."""
    return bool(parcels(task.subject))


def parcels(shipment: Doc) -> list[Doc]:
    """The shipment's numbered parcels, or itself where it carries the number."""
    found = [one for one in shipment.get("packages") or () if one.get("tracking_number")]
    return found or ([shipment] if shipment.get("tracking_number") else [])


def _outcome(refs: dict[str, str], complaints: list[str]) -> Outcome:
    ref = next(iter(refs.values()), "")
    if complaints:
        return Outcome(status="rejected", ref=ref, refs=refs, reason="; ".join(complaints))
    if not refs:
        return Outcome(status="unsupported", reason="the shipment has no tracking number yet")
    return Outcome(status="applied", ref=ref, refs=refs)


def _carrier(parcel: Doc) -> str:
    names: Mapping[str, Any] = parcel.get("carrier_names") or {}
    return str(names.get("kuaidi100") or "")


def _phone(ctx: Account, order: Doc) -> str:
    """Four digits, of the receiver's phone or else of the sender's; never more."""
    return tail((order.get("ship_to") or {}).get("phone")) or tail(ctx.settings.sender_phone)


def _lack(number: str, carrier: str, phone: str) -> str:
    if len(number) > LONGEST:
        return f"快递100 takes numbers of at most {LONGEST} characters"
    if carrier in PHONE and not phone:
        return f"{carrier} wants the last four digits of a phone: the order has none, sender_phone is not set"
    return ""


def _subscription(ctx: Account, task: Task, number: str, carrier: str, phone: str) -> Request:
    """快递100 docs: POST /poll; the carrier is found by 快递100 where none is given (autoCom)."""
    settings = ctx.settings
    parameters = {
        "callbackurl": _callback(ctx),
        "salt": next((one.decode() for one in secrets(settings, "webhook_secret")), ""),
        "resultv2": settings.resultv2,
        "autoCom": "" if carrier else "1",
        "phone": phone if carrier in PHONE else "",
    }
    param = {
        "company": carrier,
        "number": number,
        "to": _destination(task.order),
        "key": settings.api_key or "",
        "parameters": {name: value for name, value in parameters.items() if value},
    }
    whole = {name: value for name, value in param.items() if value}
    return form(f"{settings.base_url}/poll", {"schema": "json", "param": text(whole)}, f"{task.key}/{number}")


def _callback(ctx: Account) -> str:
    url = ctx.settings.callback_url or ctx.intake_url
    if not url.startswith(("http://", "https://")):
        raise Misconfigured("快递100 has to be told where to push: set ORDERHUB_PUBLIC_URL or callback_url")
    return url


def _destination(order: Doc) -> str:
    """Province, city and district, by which 快递100 judges better whether a parcel has arrived."""
    address: Doc = order.get("ship_to") or {}
    if address.get("country") not in (None, "CN"):
        return ""
    return "".join(str(address.get(name) or "") for name in ("region", "city", "district"))


def _asks(ctx: Account) -> bool:
    return bool(ctx.settings.customer and ctx.settings.query_hours and room(ctx.state))


def _watch(ctx: Account, carrier: str, number: str, phone: str) -> Any:
    now = ctx.now // 1_000_000
    due = now + int(ctx.settings.query_hours * 3600)
    parcel = Watched(
        carrier=carrier, number=number, due=due, until=now + LIFE, phone=phone if carrier in PHONE else ""
    )
    return parcel.kept(due)

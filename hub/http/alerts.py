"""Alerts: who is told when something is wrong; made, tried, changed over the API."""

from __future__ import annotations

from typing import Annotated, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec
from msgspec import UNSET, Meta, UnsetType

from hub.alerts.message import Item
from hub.contract.clock import text
from hub.directory import Connection
from hub.http.ask import Answer, Ask, Page
from hub.http.keep import copy, drop, find, put, record, save
from hub.http.notifiers import Tried, by
from hub.http.problems import invalid
from hub.http.table import PAGING, Op
from hub.http.ties import untied
from hub.http.words import Language, Title, spelt
from hub.outbound.notify.accounts import TEMPLATED, medium
from hub.store.engine import Unit
from hub.things import Alert, Notifier

Severity = Literal["info", "warning", "error", "critical"]
_HOUR = r"([01]\d|2[0-3]):[0-5]\d"


class AlertWishes(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """What an alert may be told besides. `severity` is the mildest that is told; `causes` are words of which a title
    has to hold one; `gather` seconds a trouble waits for its like; `per_minute` messages at most, the rest are one
    digest; in `quiet` hours (`22:00-07:00`) only what is `loud` is told; after `escalate_after` seconds without an
    ack `escalate_to`, another alert, is told; `escalations` marks one that hears only those; `code` is the approved
    template of an SMS provider, with the one variable `title`."""

    name: Title | UnsetType = UNSET
    to: Annotated[list[str], Meta(max_length=20)] | UnsetType = UNSET
    severity: Severity | UnsetType = UNSET
    causes: list[str] | UnsetType = UNSET
    connections: list[str] | UnsetType = UNSET
    gather: Annotated[float, Meta(ge=0, le=3600)] | UnsetType = UNSET
    per_minute: Annotated[int, Meta(ge=1, le=60)] | UnsetType = UNSET
    quiet: (
        Annotated[str, spelt(rf"({_HOUR}-{_HOUR})?", "hours such as 22:00-07:00, or nothing")] | UnsetType
    ) = UNSET
    loud: Severity | UnsetType = UNSET
    time_zone: str | UnsetType = UNSET
    escalate_after: Annotated[float, Meta(ge=0, le=7 * 86_400)] | UnsetType = UNSET
    escalate_to: str | UnsetType = UNSET
    escalations: bool | UnsetType = UNSET
    closed: bool | UnsetType = UNSET
    code: Annotated[str, Meta(max_length=100)] | UnsetType = UNSET
    locale: Language | UnsetType = UNSET
    status: Literal["active", "paused"] | UnsetType = UNSET


class NewAlert(AlertWishes, kw_only=True, forbid_unknown_fields=True):
    """An alert to be made: over this notifier; `to` are mail addresses or phones where it needs some."""

    notifier: str


class AlertPatch(AlertWishes, kw_only=True, forbid_unknown_fields=True):
    """What is to change of an alert."""

    notifier: str | UnsetType = UNSET


class AlertOut(msgspec.Struct, kw_only=True):
    """An alert as it is shown; `notifier` by its name."""

    id: str
    name: str
    status: str
    notifier: str
    to: list[str]
    severity: str
    causes: list[str]
    connections: list[str]
    gather: float
    per_minute: int
    quiet: str
    loud: str
    time_zone: str
    escalate_after: float
    escalate_to: str
    escalations: bool
    closed: bool
    code: str
    locale: str
    created_at: str
    updated_at: str


def show(ask: Ask, one: Alert) -> AlertOut:
    """An alert for the caller."""
    plain = {name: getattr(one, name) for name in AlertOut.__struct_fields__ if hasattr(one, name)}
    account = ask.hub.directory.get(Notifier, one.notifier, tenant=one.tenant)
    plain |= {"created_at": text(one.created_at), "updated_at": text(one.updated_at)}
    return AlertOut(**plain | {"notifier": account.name if account else one.notifier})


async def list_alerts(ask: Ask) -> Page[AlertOut]:
    """All of the tenant."""
    return ask.things(Alert, lambda one: show(ask, one))


async def get_alert(ask: Ask) -> AlertOut:
    """One, by id or name."""
    return show(ask, find(ask, Alert, ask.path()))


async def create_alert(ask: Ask) -> Answer:
    """It is told of what opens from now on."""
    given = ask.decode(NewAlert)
    id_ = ask.hub.world.new_id("alt")
    one = Alert(id=id_, tenant=ask.tenant, name=id_, notifier="")
    _wish(ask, one, given)
    await save(ask, one, "created")
    found = show(ask, find(ask, Alert, id_))
    return Answer(value=found, status=201, headers={"location": f"/v1/alerts/{id_}"})


async def change_alert(ask: Ask) -> AlertOut:
    """Change what is given."""
    given, before = ask.decode(AlertPatch), find(ask, Alert, ask.path())
    one = copy(before)
    _wish(ask, one, given)
    await save(ask, one, "changed", before)
    return show(ask, find(ask, Alert, one.id))


def _wish(ask: Ask, one: Alert, given: AlertWishes) -> None:
    """Put the wishes in and check the whole; Problem 422 names the field and the reason."""
    put(one, given)
    account = by(ask, one)
    if medium(account.kind) in ("mail", "sms") and not one.to:
        raise invalid(f"say to whom: {account.name} is {account.kind}, and wants an address", "to")
    if account.kind in TEMPLATED and not one.code:
        raise invalid(
            "this provider sends approved templates only: name one with the variable `title`", "code"
        )
    _named(ask, one, given)


def _named(ask: Ask, one: Alert, given: AlertWishes) -> None:
    """What an alert is told to name has to be there."""
    directory = ask.hub.directory
    try:
        ZoneInfo(one.time_zone)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise invalid(f"{one.time_zone!r} is no IANA time zone like Europe/Berlin", "time_zone") from error
    for index, name in enumerate(given.connections or ()):
        found = directory.get(Connection, name, tenant=ask.tenant)
        if found is None:
            raise invalid(f"there is no connection {name!r}", f"connections[{index}]")
        one.connections[index] = found.id
    other = directory.get(Alert, one.escalate_to, tenant=ask.tenant) if given.escalate_to else None
    if given.escalate_to and (other is None or other.id == one.id):
        raise invalid(f"there is no other alert {one.escalate_to!r}", "escalate_to")


async def test_alert(ask: Ask) -> Tried:
    """Send a made-up trouble by it now, and tell what came of it."""
    one, now = find(ask, Alert, ask.path()), ask.hub.world.now()
    item = Item(exception=ask.hub.world.new_id("try"), status="pending", severity="info", count=1, first_at=now,
                last_at=now, title=f"A test of the alert {one.name}", hint="Nothing is wrong.")  # fmt: skip
    receipt = await ask.hub.voice.say(one, [item])
    await record(ask, "alert.tested", one.id, status=receipt.status, reason=receipt.reason)
    return Tried(receipt.status == "sent", receipt.status, receipt.ref, receipt.reason)


async def delete_alert(ask: Ask) -> Answer:
    """Nobody is told by it any more; refused while another alert escalates to it."""
    one = find(ask, Alert, ask.path())
    await untied(ask, one)

    async def also(unit: Unit) -> None:
        unit.add("alarms_forget", alert=one.id)

    await drop(ask, one, also)
    return Answer(status=204)


_AT = "/v1/alerts"
OPS = (
    Op(method="GET", path=_AT, summary="List alerts", handle=list_alerts, gives=Page[AlertOut], query=PAGING),
    Op(method="POST", path=_AT, summary="Be told when something is wrong", handle=create_alert, scope="admin",
       takes=NewAlert, gives=AlertOut, status=201),
    Op(method="GET", path=_AT + "/{id}", summary="Show an alert", handle=get_alert, gives=AlertOut),
    Op(method="PATCH", path=_AT + "/{id}", summary="Change an alert", handle=change_alert, scope="admin",
       takes=AlertPatch, gives=AlertOut),
    Op(method="DELETE", path=_AT + "/{id}", summary="Remove an alert", handle=delete_alert, scope="admin", status=204),
    Op(method="POST", path=_AT + "/{id}/test", summary="Try an alert", handle=test_alert, scope="operate", gives=Tried),
)  # fmt: skip

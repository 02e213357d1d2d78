"""Notifiers: ways to people, made and tried over the API; secrets in and never out."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from hub.contract.clock import text
from hub.contract.errors import Misconfigured
from hub.contract.given import read_settings
from hub.contract.settings import MASK, Settings, masked
from hub.directory import seal_settings
from hub.http.ask import Answer, Ask, Page
from hub.http.keep import copy, drop, find, put, record, save
from hub.http.problems import invalid
from hub.http.table import PAGING, Op
from hub.http.ties import untied
from hub.http.words import Title
from hub.outbound.holding import abandon
from hub.outbound.notify.accounts import KINDS, medium
from hub.outbound.notify.notice import Notice
from hub.things import Alert, NoticeRule, Notifier

Rate = Annotated[float, Meta(ge=0, le=1000)]


class NewNotifier(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A notifier to be made: `kind` is smtp, aliyun_sms, tencent_sms, twilio_sms, dingtalk, feishu, wecom or webhook,
    `settings` are the kind's own (GET /v1/notifiers/kinds has their schemas); `rate` per second, 0 is unbounded."""

    name: Title
    kind: str
    settings: dict[str, Any] = {}
    rate: Rate = 0.0


class NotifierPatch(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """What is to change. Of `settings` only those given change; null takes one away. While it is `paused` what it is
    to say waits."""

    name: Title | UnsetType = UNSET
    settings: dict[str, Any] | UnsetType = UNSET
    rate: Rate | UnsetType = UNSET
    status: Literal["active", "paused"] | UnsetType = UNSET


class NotifierOut(msgspec.Struct, kw_only=True):
    """A notifier as it is shown: secrets masked."""

    id: str
    name: str
    kind: str
    medium: str
    status: str
    settings: dict[str, Any]
    rate: float
    created_at: str
    updated_at: str


class Kind(msgspec.Struct):
    """A kind of notifier, with the JSON Schema of its settings."""

    kind: str
    medium: str
    settings: dict[str, Any]


class Trial(msgspec.Struct, forbid_unknown_fields=True):
    """To whom a trial goes (a mail address, a phone; nobody for a bot), and what it says."""

    to: str = ""
    text: Annotated[str, Meta(max_length=500)] = "This is a test."
    code: str = ""
    params: dict[str, str] = {}


class Tried(msgspec.Struct):
    """What came of a trial."""

    ok: bool
    status: str
    ref: str
    reason: str


def show(ask: Ask, one: Notifier) -> NotifierOut:
    """A notifier for the caller."""
    return NotifierOut(
        id=one.id, name=one.name, kind=one.kind, medium=medium(one.kind), status=one.status,
        settings=masked(ask.hub.teller.notifiers.settings(one)), rate=one.rate, created_at=text(one.created_at),
        updated_at=text(one.updated_at),
    )  # fmt: skip


def by(ask: Ask, one: Alert | NoticeRule) -> Notifier:
    """The notifier that an alert or a notice goes by, which knows it by its id from here on; Problem 422."""
    found = ask.hub.directory.get(Notifier, one.notifier, tenant=ask.tenant)
    if found is None:
        raise invalid(f"there is no notifier {one.notifier!r}", "notifier")
    one.notifier = found.id
    return found


async def list_notifiers(ask: Ask) -> Page[NotifierOut]:
    """All of the tenant."""
    return ask.things(Notifier, lambda one: show(ask, one))


async def list_kinds(ask: Ask) -> list[Kind]:
    """Every kind there is, with what it is told."""
    return [Kind(name, medium(name), msgspec.json.schema(kind)) for name, kind in sorted(KINDS.items())]


async def get_notifier(ask: Ask) -> NotifierOut:
    """One, by id or name."""
    return show(ask, find(ask, Notifier, ask.path()))


async def create_notifier(ask: Ask) -> Answer:
    """Settings are checked as a whole: every fault is told at once."""
    given = ask.decode(NewNotifier)
    if given.kind not in KINDS:
        raise invalid(f"there is no notifier of kind {given.kind!r}", "kind", allowed=sorted(KINDS))
    id_ = ask.hub.world.new_id("ntf")
    one = Notifier(id=id_, tenant=ask.tenant, name=given.name, kind=given.kind, rate=given.rate)
    _configure(ask, one, given.settings)
    await save(ask, one, "created")
    found = show(ask, find(ask, Notifier, id_))
    return Answer(value=found, status=201, headers={"location": f"/v1/notifiers/{id_}"})


async def change_notifier(ask: Ask) -> NotifierOut:
    """Change what is given; everything is checked again. A masked secret that comes back stays as it is."""
    given, before = ask.decode(NotifierPatch), find(ask, Notifier, ask.path())
    one = copy(before)
    put(one, given, ("name", "rate", "status"))
    wished = given.settings if isinstance(given.settings, dict) else {}
    if wished:
        held = ask.hub.teller.notifiers.settings(before)
        plain = {name: getattr(held, name) for name in before.settings}
        plain |= {name: value for name, value in wished.items() if value != MASK or name not in plain}
        _configure(ask, one, {name: value for name, value in plain.items() if value is not None})
    await save(ask, one, "changed", before, **({"settings_changed": sorted(wished)} if wished else {}))
    return show(ask, find(ask, Notifier, one.id))


def _configure(ask: Ask, one: Notifier, settings: dict[str, Any]) -> None:
    """Check the settings, the addresses in them too, and seal them; Problem 422 names every fault."""
    try:
        checked: Settings = read_settings(KINDS[one.kind], settings)
    except Misconfigured as error:
        faults = [f"settings.{fault}" for fault in error.faults]
        raise invalid("; ".join(faults), faults[0].partition(":")[0], faults=faults) from error
    for name in ("url", "base_url"):
        if hasattr(checked, name):
            ask.hub.guard.check_url(getattr(checked, name), f"settings.{name}")
    one.settings = seal_settings(checked, ask.hub.vault, one.id)


async def test_notifier(ask: Ask) -> Tried:
    """Say something, and tell what came of it."""
    given, one = ask.decode(Trial), find(ask, Notifier, ask.path())
    to = (given.to,) if given.to else ()
    if medium(one.kind) in ("mail", "sms") and not to:
        raise invalid(f"say to whom: {one.name} is {one.kind}, and wants an address", "to")
    notice = Notice(id=ask.hub.world.new_id("try"), to=to, title="orderhub", text=given.text, code=given.code,
                    params=given.params)  # fmt: skip
    receipt = await ask.hub.teller.notifiers.notifier(one).send(notice)
    await record(ask, "notifier.tested", one.id, status=receipt.status, reason=receipt.reason)
    return Tried(receipt.status == "sent", receipt.status, receipt.ref, receipt.reason)


async def delete_notifier(ask: Ask) -> Answer:
    """Gone with its secrets; refused while a notice or an alert goes by it."""
    one = find(ask, Notifier, ask.path())
    await untied(ask, one)
    await drop(ask, one)
    await abandon(ask.hub.engine, f"{one.id}/notice")
    return Answer(status=204)


_AT = "/v1/notifiers"
OPS = (
    Op(method="GET", path=_AT, summary="List notifiers", handle=list_notifiers, gives=Page[NotifierOut], query=PAGING),
    Op(method="GET", path=_AT + "/kinds", summary="Kinds of notifiers", handle=list_kinds, gives=list[Kind]),
    Op(method="POST", path=_AT, summary="Make a notifier", handle=create_notifier, scope="admin", takes=NewNotifier,
       gives=NotifierOut, status=201),
    Op(method="GET", path=_AT + "/{id}", summary="Show a notifier", handle=get_notifier, gives=NotifierOut),
    Op(method="PATCH", path=_AT + "/{id}", summary="Change a notifier", handle=change_notifier, scope="admin",
       takes=NotifierPatch, gives=NotifierOut),
    Op(method="DELETE", path=_AT + "/{id}", summary="Remove a notifier", handle=delete_notifier, scope="admin", status=204),
    Op(method="POST", path=_AT + "/{id}/test", summary="Say something by it", handle=test_notifier, scope="operate",
       takes=Trial, gives=Tried),
)  # fmt: skip

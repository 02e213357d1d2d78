"""Notices: what customers are told, by rules; and who wants to hear no more."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from hub.contract.clock import text
from hub.contract.errors import Misconfigured
from hub.contract.mapping import compile_expression
from hub.http.ask import Answer, Ask, Page
from hub.http.catalogue import check_glob
from hub.http.keep import copy, drop, find, note, put, save
from hub.http.notifiers import by
from hub.http.problems import invalid, missing
from hub.http.table import PAGING, Op
from hub.http.words import Language, Title, spelt
from hub.outbound.notify.accounts import TEMPLATED, medium
from hub.outbound.notify.teller import person
from hub.store.engine import Unit
from hub.things import NoticeRule, Notifier, address_of

Expression = Annotated[str, Meta(max_length=2000)]
Word = Annotated[str, spelt(r"[A-Za-z0-9_-]{1,60}", "1 to 60 letters, digits, _ and -")]
_SAMPLE: dict[str, Any] = {
    "number": "1001", "currency": "EUR", "buyer": {"name": "Ada"}, "lines": [{"name": "Lamp", "quantity": {"ordered": "2"}}],
    "totals": {"total": {"amount": "19.90", "currency": "EUR"}},
}  # fmt: skip


class RuleWishes(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """What a notice may be told besides. `predicate` and `consent` are expressions over the event that have to hold,
    `to` whose address is taken, `locale` a language or `auto`, `brand` who signs; `code` and `params` are the approved
    template of an SMS provider and its variables, each an expression such as `data.number` or `words.eta`."""

    name: Title | UnsetType = UNSET
    predicate: Expression | UnsetType = UNSET
    consent: Expression | UnsetType = UNSET
    to: Literal["buyer", "ship_to", "bill_to"] | UnsetType = UNSET
    locale: Language | Literal["auto"] | UnsetType = UNSET
    fallback: Language | UnsetType = UNSET
    brand: Annotated[str, Meta(max_length=100)] | UnsetType = UNSET
    code: Annotated[str, Meta(max_length=100)] | UnsetType = UNSET
    params: dict[str, Expression] | UnsetType = UNSET
    status: Literal["active", "paused"] | UnsetType = UNSET


class NewRule(RuleWishes, kw_only=True, forbid_unknown_fields=True):
    """A notice to be given: on this event (a glob), by this notifier, in the words of this template (received,
    confirmed, shipped, delayed, delivered, returned, or one of your own)."""

    event: str
    notifier: str
    template: Word


class RulePatch(RuleWishes, kw_only=True, forbid_unknown_fields=True):
    """What is to change of a notice."""

    event: str | UnsetType = UNSET
    notifier: str | UnsetType = UNSET
    template: Word | UnsetType = UNSET


class RuleOut(msgspec.Struct, kw_only=True):
    """A notice as it is shown; `notifier` by its name."""

    id: str
    name: str
    status: str
    event: str
    notifier: str
    template: str
    predicate: str
    consent: str
    to: str
    locale: str
    fallback: str
    brand: str
    code: str
    params: dict[str, str]
    created_at: str
    updated_at: str


class Preview(msgspec.Struct, forbid_unknown_fields=True):
    """The order for which the words are made, by our id; none: a made-up one."""

    order: str = ""


class Previewed(msgspec.Struct, kw_only=True):
    """What a notice would say, and to whom: nothing is sent."""

    to: str
    subject: str
    text: str
    html: str
    sms: str
    params: dict[str, str]
    reaches: bool


class NewOptout(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A person who wants to hear no more: by mail address or phone. It is kept as a hash."""

    email: Annotated[str, Meta(max_length=320)] = ""
    phone: Annotated[str, Meta(max_length=40)] = ""
    reason: Annotated[str, Meta(max_length=200)] = ""


class Optout(msgspec.Struct, kw_only=True):
    """A person who wants to hear no more; nobody can read from it who."""

    id: str
    at: str
    reason: str


def show(ask: Ask, one: NoticeRule) -> RuleOut:
    """A notice for the caller."""
    plain = {name: getattr(one, name) for name in RuleOut.__struct_fields__ if hasattr(one, name)}
    account = ask.hub.directory.get(Notifier, one.notifier, tenant=one.tenant)
    plain |= {"created_at": text(one.created_at), "updated_at": text(one.updated_at)}
    return RuleOut(**plain | {"notifier": account.name if account else one.notifier})


async def list_notices(ask: Ask) -> Page[RuleOut]:
    """All of the tenant."""
    return ask.things(NoticeRule, lambda one: show(ask, one))


async def get_notice(ask: Ask) -> RuleOut:
    """One, by id or name."""
    return show(ask, find(ask, NoticeRule, ask.path()))


async def create_notice(ask: Ask) -> Answer:
    """Customers are told from now on. The event, the expressions and the template are checked now."""
    given = ask.decode(NewRule)
    id_ = ask.hub.world.new_id("rul")
    one = NoticeRule(id=id_, tenant=ask.tenant, name=id_, event="", notifier="", template="")
    _wish(ask, one, given)
    await save(ask, one, "created")
    found = show(ask, find(ask, NoticeRule, id_))
    return Answer(value=found, status=201, headers={"location": f"/v1/notices/{id_}"})


async def change_notice(ask: Ask) -> RuleOut:
    """Change what is given."""
    given, before = ask.decode(RulePatch), find(ask, NoticeRule, ask.path())
    one = copy(before)
    _wish(ask, one, given)
    await save(ask, one, "changed", before)
    return show(ask, find(ask, NoticeRule, one.id))


def _wish(ask: Ask, one: NoticeRule, given: RuleWishes) -> None:
    """Put the wishes in and check the whole; Problem 422 names the field and the reason."""
    put(one, given)
    check_glob(one.event, "event")
    account = by(ask, one)
    expressions = {"predicate": one.predicate, "consent": one.consent}
    expressions |= {f"params.{name}": value for name, value in one.params.items()}
    for field, expression in expressions.items():
        try:
            compile_expression(expression, file=field) if expression else None
        except Misconfigured as error:
            raise invalid("; ".join(error.faults), field, faults=error.faults) from error
    if account.kind in TEMPLATED and not one.code:
        raise invalid("this provider sends approved templates only: name it", "code")
    try:
        ask.hub.teller.fill(one, _SAMPLE, {"type": one.event, "subject": {"type": "order"}})
    except Misconfigured as error:
        raise invalid("; ".join(error.faults), "template", faults=error.faults) from error


async def preview_notice(ask: Ask) -> Previewed:
    """What it would say of an order, and to whom; nothing is sent."""
    given, one = ask.decode(Preview), find(ask, NoticeRule, ask.path())
    order = _SAMPLE
    if given.order:
        rows = await ask.hub.engine.fetch("orders_get", tenant=ask.tenant, id=given.order)
        if not rows:
            raise missing("order", given.order)
        order = msgspec.json.decode(rows[0][10])
    kind = one.event.partition(".")[0]
    parts = order.get(f"{kind}s") or [{}]
    event = {"type": one.event, "subject": {"type": kind, "id": parts[-1].get("id")} if kind in ("shipment", "return") else {"type": "order"}}  # fmt: skip
    said, params = ask.hub.teller.fill(one, order, event)
    account = find(ask, Notifier, one.notifier)
    to = address_of(account.kind, one.to, order)
    return Previewed(to=to or "", subject=said.subject, text=said.text, html=said.html, sms=said.sms, params=params,
                     reaches=to is not None or medium(account.kind) in ("chat", "webhook"))  # fmt: skip


async def delete_notice(ask: Ask) -> Answer:
    """Nobody is told this any more; what waits is not said."""
    await drop(ask, find(ask, NoticeRule, ask.path()))
    return Answer(status=204)


async def list_optouts(ask: Ask) -> Page[Optout]:
    """Everybody who wants to hear no more."""
    after = ask.text("after")
    rows = await ask.hub.engine.fetch("optouts_list", tenant=ask.tenant, after=after, most=ask.limit + 1)
    shown = rows[: ask.limit]
    cursor = shown[-1][0] if shown else after
    data = [Optout(id=row[0], at=text(row[1]), reason=row[2]) for row in shown]
    return Page(data, cursor if len(rows) > len(shown) else None, cursor)


async def create_optout(ask: Ask) -> Answer:
    """Nobody of ours writes to this person any more."""
    given = ask.decode(NewOptout)
    if bool(given.email) == bool(given.phone):
        raise invalid("say an email or a phone", "email")
    named = person("smtp", given.email) if given.email else person("", given.phone)
    hashed, now = ask.hub.vault.person(ask.tenant, *named), ask.hub.world.now()

    async def work(unit: Unit) -> None:
        unit.add("optouts_add", [(ask.tenant, hashed, now, given.reason)])
        await note(unit, ask, "person.optout", hashed, {"reason": given.reason})

    await ask.hub.engine.transact(work)
    return Answer(value=Optout(id=hashed, at=text(now), reason=given.reason), status=201)


async def delete_optout(ask: Ask) -> Answer:
    """This person may be written to again."""
    hashed = ask.path()

    async def work(unit: Unit) -> None:
        unit.add("optouts_drop", tenant=ask.tenant, hash=hashed)
        await note(unit, ask, "person.optin", hashed, {})

    if not await ask.hub.engine.fetch("optouts_find", tenant=ask.tenant, hash=hashed):
        raise missing("opt-out", hashed)
    await ask.hub.engine.transact(work)
    return Answer(status=204)


_AT = "/v1/notices"
OPS = (
    Op(method="GET", path=_AT, summary="List notices", handle=list_notices, gives=Page[RuleOut], query=PAGING),
    Op(method="POST", path=_AT, summary="Tell customers", handle=create_notice, scope="admin", takes=NewRule,
       gives=RuleOut, status=201),
    Op(method="GET", path=_AT + "/{id}", summary="Show a notice", handle=get_notice, gives=RuleOut),
    Op(method="PATCH", path=_AT + "/{id}", summary="Change a notice", handle=change_notice, scope="admin",
       takes=RulePatch, gives=RuleOut),
    Op(method="DELETE", path=_AT + "/{id}", summary="Remove a notice", handle=delete_notice, scope="admin", status=204),
    Op(method="POST", path=_AT + "/{id}/preview", summary="What a notice would say", handle=preview_notice,
       takes=Preview, gives=Previewed),
    Op(method="GET", path="/v1/optouts", summary="Who wants to hear no more", handle=list_optouts, gives=Page[Optout],
       query=PAGING),
    Op(method="POST", path="/v1/optouts", summary="Write to a person no more", handle=create_optout, scope="operate",
       takes=NewOptout, gives=Optout, status=201),
    Op(method="DELETE", path="/v1/optouts/{id}", summary="Write to a person again", handle=delete_optout,
       scope="operate", status=204),
)  # fmt: skip

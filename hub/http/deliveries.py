"""Deliveries: each event on its way to each partner and far side, with every attempt."""

from __future__ import annotations

from typing import Any

import msgspec

from hub.contract.clock import text
from hub.directory import Connection, Endpoint
from hub.http.ask import EVER, Answer, Ask, Page
from hub.http.catalogue import check_glob
from hub.http.endpoints import mine
from hub.http.events import found
from hub.http.keep import named_order, note
from hub.http.problems import Problem, invalid, missing
from hub.http.table import BOTH_WAYS, Op, Param
from hub.outbound.letterhead import addressed
from hub.repair.redelivery import begun, told_before
from hub.store.engine import Unit
from hub.things import Notifier

PREFIX = "dlv_"
STATUSES = ("waiting", "due", "held", "delivered", "dead", "skipped", "dropped")
_QUIET = ("deliveries_find_quiet", "deliveries_quiet_targets")
_BY_STATUS = {
    "due": ("deliveries_find_due", "deliveries_targets"),
    "waiting": ("deliveries_find_waiting", "deliveries_waiting_targets"),
    "held": _QUIET,
    "dead": _QUIET,
}
_SPAN = 20_000
"""How many deliveries a page looks through, where no index has what is asked for."""


class DeliveryOut(msgspec.Struct, kw_only=True, omit_defaults=True):
    """One event for one target: an endpoint, or a write of a connection (`con_…/name`)."""

    id: str
    event: str
    type: str
    target: str
    status: str
    due_at: str
    attempts: int
    trigger: str
    endpoint: str = ""
    connection: str = ""
    order: str | None = None
    first_at: str | None = None
    previous: str = ""
    outcome: str = ""


class AttemptOut(msgspec.Struct, kw_only=True):
    """One attempt: when, what came of it, and its log: address, phases in milliseconds, the answer."""

    at: str
    outcome: str
    detail: dict[str, Any]


class DeliveryWhole(DeliveryOut, kw_only=True, omit_defaults=True):
    """A delivery with its attempts, oldest first."""

    log: list[AttemptOut] = []


class Redelivered(msgspec.Struct):
    """What goes out again, and what is on its way anyhow."""

    deliveries: list[str]
    under_way: list[str] = []


def logged(entry: bytes) -> dict[str, Any]:
    """An attempt's log as it is shown."""
    detail: dict[str, Any] = msgspec.json.decode(entry)
    return detail | {"request": addressed(detail["request"])} if "request" in detail else detail


def plain(ask: Ask, row: tuple[Any, ...]) -> dict[str, Any]:
    """The fields of a delivery's row."""
    endpoint = ask.hub.directory.get(Endpoint, row[1])
    connection = ask.hub.directory.get(Connection, row[1].partition("/")[0]) if "/" in row[1] else None
    return {
        "id": f"{PREFIX}{row[0]}", "event": row[2], "type": row[11], "target": row[1], "status": row[4],
        "due_at": text(row[5]), "attempts": row[6], "trigger": row[9], "endpoint": endpoint.name if endpoint else "",
        "connection": connection.name if connection else "", "order": row[3] or None,
        "first_at": text(row[7]) if row[7] else None, "previous": row[8], "outcome": row[10],
    }  # fmt: skip


async def list_deliveries(ask: Ask) -> Page[DeliveryOut]:
    """Oldest first or newest first; a partner's token sees those to its own endpoints. Where nothing but the target or
    the type is asked for, a page may be shorter than it might be, even empty, and its `next` still goes on."""
    name = ask.text("endpoint")
    target = mine(ask, name).id if name else ask.text("target")
    await _known(ask, "" if name else target)
    return await _list(ask, target)


async def _known(ask: Ask, target: str) -> None:
    """Problem 422 where nothing is or was ever sent to such a target; of what was removed deliveries are left."""
    owner, slash, _ = target.partition("/")
    kinds: tuple[type[Connection | Notifier | Endpoint], ...] = (
        (Connection, Notifier) if slash else (Endpoint,)
    )
    named = any((one := ask.hub.directory.by_id(kind, owner)) and one.tenant == ask.tenant for kind in kinds)
    if not target or (named if ask.who.may("read") else target in visible(ask)):
        return
    params = {"tenant": ask.tenant, "target": target, "status": "", "event": "", "order_id": ""}
    if not ask.who.may("read") or not await ask.hub.engine.fetch(
        "deliveries_list", after=0, most=1, **params
    ):
        raise invalid(
            f"there is no target {target[:100]!r}: an endpoint's id, con_…/write or ntf_…/notice", "target"
        )


async def list_endpoint_deliveries(ask: Ask) -> Page[DeliveryOut]:
    """Those to one endpoint."""
    return await _list(ask, mine(ask, ask.path()).id)


async def _list(ask: Ask, target: str) -> Page[DeliveryOut]:
    wanted = await chosen(ask) | {"type": _like(ask), "status": ask.text("status")}
    wanted["floor"] = await begun(ask.hub.engine, wanted["since"])
    every = ask.who.may("read") and not target
    targets = (
        [target] if ask.who.may("read") else [one for one in sorted(visible(ask)) if target in ("", one)]
    )
    if not targets:
        return Page([], None, str(ask.after))
    name, having = _fewest(wanted)
    if having:
        found = await ask.hub.engine.fetch(having)
        targets = [row[0] for row in found if every or row[0] in targets]
    given = [(one,) for one in targets]
    further = await _further(ask, wanted["floor"]) if name == "deliveries_find" else None
    rows = await ask.listed(name, given, every=int(every), span=_SPAN, **wanted) if given else []
    page = ask.page(rows, lambda row: DeliveryOut(**plain(ask, row)))
    if further and page.next is None:
        page.next = page.cursor = further
    return page


def _fewest(wanted: dict[str, Any]) -> tuple[str, str]:
    """The list that finds the fewest; and what tells the targets that have any, where it goes by target."""
    if wanted["event"]:
        return "deliveries_find_of_event", ""
    if wanted["order_id"]:
        return "deliveries_find_of_order", ""
    return _BY_STATUS.get(wanted["status"], ("deliveries_find", ""))


async def _further(ask: Ask, floor: int) -> str | None:
    """Where the next stretch begins, None where this is the last: no page reads more than one. Asked before the page,
    so that what comes meanwhile is not passed over."""
    [(count, first, last)] = await ask.listed("deliveries_span", span=_SPAN, floor=floor)
    return None if count < _SPAN else str(first if ask.newest else last)


async def chosen(ask: Ask) -> dict[str, Any]:
    """The filters of lists of what went out: of which event, of which order, since and until when it was told;
    Problem 422 for what there is not."""
    event = ask.text("event")
    if event and not await ask.hub.engine.fetch("events_get", tenant=ask.tenant, id=event):
        raise invalid(f"there is no event {event!r}", "event")
    order = await named_order(ask)
    since, until = ask.moment("since"), ask.moment("until") or EVER
    if until < since:
        raise invalid("it ends before it begins", "until")
    return {"event": event, "order_id": order, "since": since, "until": until}


def _like(ask: Ask) -> str:
    """A glob of event types as the store reads it; Problem 422 where it matches none."""
    glob = ask.text("type")
    if not glob:
        return ""
    check_glob(glob, "type")
    return glob.replace("_", r"\_").replace("*", "%")


def visible(ask: Ask) -> set[str]:
    """The endpoints of the caller's partner."""
    found = ask.hub.directory.all(Endpoint, ask.tenant)
    return {one.id for one in found if ask.who.partner and one.partner == ask.who.partner}


async def _held(ask: Ask) -> tuple[Any, ...]:
    number = ask.path().removeprefix(PREFIX)
    known = ask.path().startswith(PREFIX) and number.isascii() and number.isdigit() and len(number) < 19
    rows = (
        await ask.hub.engine.fetch("deliveries_get", tenant=ask.tenant, position=int(number)) if known else []
    )
    if not rows or not (ask.who.may("read") or rows[0][1] in visible(ask)):
        raise missing("delivery", ask.path())
    return rows[0]


async def get_delivery(ask: Ask) -> DeliveryWhole:
    """One delivery with every attempt."""
    row = await _held(ask)
    log = await ask.hub.engine.fetch("attempts_of", delivery=row[0])
    shown = [AttemptOut(at=text(one[1]), outcome=one[2], detail=logged(one[3])) for one in log]
    return DeliveryWhole(**plain(ask, row), log=shown)


async def redeliver_delivery(ask: Ask) -> Answer:
    """Send it again, out of turn, with a whole new schedule."""
    row = await _held(ask)
    if row[4] in ("due", "waiting"):
        raise Problem(409, "conflict", f"this delivery is {row[4]}: it goes out by itself")
    if reason := _away(ask, row[1]):
        raise Problem(409, "conflict", reason)
    await again(ask, [row[0]], "delivery.redelivered", f"{PREFIX}{row[0]}")
    return Answer(value=Redelivered([f"{PREFIX}{row[0]}"]), status=202)


def _away(ask: Ask, target: str) -> str:
    """Why nothing can be sent to a target at all, "" where it can."""
    one = ask.hub.directory.get(Endpoint, target)
    if one is not None:
        return f"{one.name} is disabled: enable it first" if one.status == "disabled" else ""
    owner = target.partition("/")[0]
    known = ask.hub.directory.get(Connection, owner) or ask.hub.directory.get(Notifier, owner)
    return "" if known and "/" in target else f"{target} is gone"


async def again(ask: Ask, positions: list[int], action: str, subject: str) -> None:
    """Make these deliveries due, with an audit row."""

    async def work(unit: Unit) -> None:
        for position in positions:
            unit.add("deliveries_again", tenant=ask.tenant, position=position, now=ask.hub.world.now())
        await note(unit, ask, action, subject, {"deliveries": [f"{PREFIX}{one}" for one in positions]})

    await ask.hub.engine.transact(work)
    ask.hub.deliver.configure()


async def skip_delivery(ask: Ask) -> Answer:
    """Give it up, so that the next event of its order may go."""
    row = await _held(ask)
    if row[4] in ("delivered", "skipped", "dropped"):
        raise Problem(409, "conflict", f"this delivery is {row[4]} already")
    pair = (row[1], row[3])

    async def work(unit: Unit) -> None:
        if ask.hub.engine.shared:
            await unit.fetch("heads_lock", [pair])
        unit.add("deliveries_skip", tenant=ask.tenant, position=row[0])
        unit.add("heads_pass", [(*pair, row[0])])
        unit.add("deliveries_promote", [pair], now=ask.hub.world.now(), claim="", until=0)
        await ask.hub.troubles.clear(unit, [f"{PREFIX}{row[0]}"])
        await note(unit, ask, "delivery.skipped", f"{PREFIX}{row[0]}", {"before": {"status": row[4]}})

    await ask.hub.engine.transact(work)
    ask.hub.deliver.forget({row[3]})
    ask.hub.deliver.configure()
    return Answer(value=DeliveryOut(**plain(ask, await _held(ask))))


class Redeliver(msgspec.Struct, forbid_unknown_fields=True):
    """To one endpoint only, which then gets the event though it never did; to all that had it where none is named."""

    endpoint: str = ""


async def redeliver_event(ask: Ask) -> Answer:
    """Send an event again to everyone who had it, or to one endpoint."""
    given, event = ask.decode(Redeliver), await found(ask, ask.path())
    target = mine(ask, given.endpoint) if given.endpoint else None
    rows = await ask.hub.engine.fetch(
        "deliveries_list", tenant=ask.tenant, after=0, most=1000, target=target.id if target else "", status="",
        event=event[1], order_id="",
    )  # fmt: skip
    if target is not None and not rows:
        return Answer(value=Redelivered([f"{PREFIX}{await _first(ask, target, event)}"]), status=202)
    if not rows:
        raise invalid("nobody was told of this event: name an endpoint", "endpoint")
    under_way = [f"{PREFIX}{row[0]}" for row in rows if row[4] in ("due", "waiting")]
    ended = [row[0] for row in rows if row[4] not in ("due", "waiting") and not _away(ask, row[1])]
    if not ended and not under_way:
        raise Problem(409, "conflict", _away(ask, rows[0][1]))
    await again(ask, ended, "event.redelivered", event[1])
    return Answer(value=Redelivered([f"{PREFIX}{one}" for one in ended], under_way), status=202)


async def _first(ask: Ask, target: Endpoint, event: tuple[Any, ...]) -> int:
    """A delivery to an endpoint that the event never went to."""

    async def work(unit: Unit) -> int:
        previous = await told_before(unit, target.id, [(event[1], event[2])])
        position = await unit.positions(2)
        now = ask.hub.world.now()
        status = "held" if target.status == "disabled" else "due"
        unit.add("deliveries_add", [(position, ask.tenant, target.id, event[1], event[2], status, 0, now,
                                     previous.get(event[1], ""), "replay",
                                     ask.hub.audience.shape(target), "", 0)])  # fmt: skip
        await note(unit, ask, "event.redelivered", event[1], {"deliveries": [f"{PREFIX}{position}"]})
        return position

    position = await ask.hub.engine.transact(work)
    ask.hub.deliver.configure()
    return position


_AT = "/v1/deliveries"
CHOSEN = (
    Param("event", "Of this event."), Param("order", "Of this order."),
    Param("since", "What was told since then."), Param("until", "What was told until then."),
)  # fmt: skip
"""The filters of lists of what went out."""
_FILTERS = (*BOTH_WAYS, Param("status", "In this state.", words=STATUSES), Param("type", "Of events of this type: a glob such as order.*."),
            *CHOSEN)  # fmt: skip
OPS = (
    Op(method="GET", path=_AT, summary="List deliveries", handle=list_deliveries, gives=Page[DeliveryOut], partner=True,
       query=(*_FILTERS, Param("endpoint", "To this endpoint, by id or name."), Param("target", "To this target."))),
    Op(method="GET", path="/v1/endpoints/{id}/deliveries", summary="An endpoint's deliveries",
       handle=list_endpoint_deliveries, gives=Page[DeliveryOut], partner=True, query=_FILTERS),
    Op(method="GET", path=_AT + "/{id}", summary="Show a delivery", handle=get_delivery, gives=DeliveryWhole,
       partner=True),
    Op(method="POST", path=_AT + "/{id}/redeliver", summary="Send a delivery again", handle=redeliver_delivery,
       scope="operate", gives=Redelivered, status=202, partner=True),
    Op(method="POST", path=_AT + "/{id}/skip", summary="Give a delivery up", handle=skip_delivery, scope="operate",
       gives=DeliveryOut),
    Op(method="POST", path="/v1/events/{id}/redeliver", summary="Send an event again", handle=redeliver_event,
       scope="operate", takes=Redeliver, gives=Redelivered, status=202),
)  # fmt: skip

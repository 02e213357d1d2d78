"""Reports: orders, shipments and scans that people and systems tell us; facts, never refused for what they say.

Each row is a message of its own, recorded with its facts and events before the answer; one that cannot be
read is told with its field, and the others go in.
"""

from __future__ import annotations

import asyncio
import hashlib
from typing import Any
from urllib.parse import urlencode

import msgspec

from hub.contract.errors import Place, Rejected, Unreadable
from hub.contract.fact import Fact
from hub.contract.message import Message
from hub.directory import Connection
from hub.http.again import keep, kept
from hub.http.ask import Answer, Ask
from hub.http.orders import held
from hub.http.problems import Problem, invalid, missing
from hub.http.sharing import reporter, whole
from hub.http.speaking import Whose, speaker
from hub.http.table import EMITS, Op, Param
from hub.http.versions import wanted
from hub.inbound.report import Call, Told
from hub.store.engine import Poisoned
from hub.store.rows import Head

MOST = 500


class OrderReport(msgspec.Struct, kw_only=True):
    """An order in its canonical shape (GET /v1/schema), of which the fields that say whose it is are these: a
    whole order, unless `partial`. Numbers may be numbers or texts, money an object or an amount alone."""

    ref: str | None = None
    order: str | None = None
    connection: str | None = None
    partial: bool | None = None


class ShipmentReport(msgspec.Struct, kw_only=True):
    """A shipment in its canonical shape: `order` is an `ord_…`, or the source's id at the `connection`."""

    order: str | int | None = None
    ref: str | int | None = None
    connection: str | None = None
    partial: bool | None = None


class ScanReport(msgspec.Struct, kw_only=True):
    """A scan in its canonical shape: when (`at`), a `status` or a `text`, a `place`."""

    at: str | None = None
    status: str | None = None
    text: str | None = None


class TrackingReport(msgspec.Struct, kw_only=True):
    """A parcel in its canonical shape: its `number` and its `scans`."""

    number: str | int | None = None
    carrier: str | None = None
    scans: list[ScanReport] | None = None


class Result(msgspec.Struct, kw_only=True, omit_defaults=True):
    """What became of a row: accepted with its order and message, a `duplicate` of one told before in the same `run`,
    or rejected with the field and the reason."""

    index: int
    status: str
    order: str | None = None
    message: str = ""
    field: str = ""
    reason: str = ""


class Results(msgspec.Struct):
    """What became of each row."""

    data: list[Result]


async def report_orders(ask: Ask) -> Answer:
    """Enter or change orders, known again by their `ref`; 201 where a single one is new."""
    return await _report(ask, "orders", ask.request.url.query)


async def report_shipments(ask: Ask) -> Answer:
    """Tell shipments."""
    return await _report(ask, "shipments", ask.request.url.query)


async def report_order_shipments(ask: Ask) -> Answer:
    """Tell shipments of one order; a warehouse or supplier, of one that it was told of."""
    id_ = (await held(ask, ask.path()))[0]
    return await _report(ask, "shipments", urlencode({"order": id_}), await _own(ask, id_), id_)


async def report_parcels(ask: Ask) -> Answer:
    """Tell scans of parcels, each with its own number; a number that no shipment has yet waits."""
    return await _report(ask, "scans", ask.request.url.query)


async def report_scans(ask: Ask) -> Answer:
    """Tell scans of a parcel, by its shipment's id or by its number; a number that no shipment has yet waits. A
    warehouse or supplier names the shipment, of an order that it was told of."""
    if not ask.path().startswith("shp_"):
        if not whole(ask):
            raise missing("shipment", ask.path())
        return await _report(ask, "scans", urlencode({"number": ask.path()}))
    shipment = await found_shipment(ask)
    own = await _own(ask, shipment["order"])
    parcels = {
        one["tracking_number"]: one
        for one in (shipment, *shipment.get("packages", ()))
        if one.get("tracking_number")
    }
    number = ask.text("number") or next(iter(parcels), "")
    if not parcels:
        raise invalid("this shipment has no tracking number: report one first", "number")
    if number not in parcels or (len(parcels) > 1 and not ask.text("number")):
        raise invalid("say which parcel: ?number=", "number", allowed=sorted(parcels))
    about = {"number": number, "carrier": parcels[number].get("carrier") or ""}
    return await _report(ask, "scans", urlencode(about), own, number)


async def _own(ask: Ask, order: str) -> Connection | None:
    """As whom a partner speaks; None for all others, who may name a connection."""
    return None if whole(ask) else await reporter(ask, order)


async def found_shipment(ask: Ask) -> dict[str, Any]:
    """The shipment of the path; Problem 404."""
    rows = await ask.hub.engine.fetch("identities_find", [(ask.tenant, "", "shipment", ask.path())])
    for row in rows:
        doc = msgspec.json.decode((await held(ask, row[4]))[10])
        for one in doc.get("shipments", ()):
            if one["id"] == ask.path():
                return {**one, "order": row[4]}
    raise missing("shipment", ask.path())


async def get_shipment(ask: Ask) -> dict[str, Any]:
    """One shipment, with the id of its order."""
    return await found_shipment(ask)


async def _report(ask: Ask, topic: str, query: str, own: Connection | None = None, about: str = "") -> Answer:
    """Record what the body tells; `about` is the order or parcel that the path names, and all of it is about that."""
    rows = _rows(ask)
    if rows is None:
        said_by = own or await speaker(ask, _whose(ask.body))
        return _single(await _tell(ask, topic, query, ask.body, said_by, ask.key, about), ask)
    if (again := await kept(ask)) is not None:
        return again
    # each row has its speaker before the first is told, so that they are told in their order
    said = [(bytes(row), own or await speaker(ask, _whose(bytes(row)))) for row in rows]
    found = await asyncio.gather(
        *(_tell(ask, topic, query, *one, _once(ask, topic, one[0]), about) for one in said),
        return_exceptions=True,
    )
    answer = Answer(
        value=Results([_result(index, one, run=bool(ask.text("run"))) for index, one in enumerate(found)]),
        status=202,
    )
    await keep(ask, answer)
    return answer


def _rows(ask: Ask) -> list[msgspec.Raw] | None:
    """The rows of a list, each as it was written; None where the body is one row."""
    listed = ask.body.lstrip()[:1] == b"["
    try:
        given = msgspec.json.decode(ask.body, type=list[msgspec.Raw] if listed else msgspec.Raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Problem(400, "bad_request", f"the body is not JSON: {error}") from error
    if not isinstance(given, list):
        return None
    if len(given) > MOST:
        raise Problem(413, "too_large", f"{len(given)} rows, at most {MOST} in a call")
    return given


async def _tell(
    ask: Ask, topic: str, query: str, body: bytes, connection: Connection, key: str = "", about: str = ""
) -> Told:
    """Record one row; Rejected where it cannot be read."""
    message = Message(
        body=body, query=query, topic=topic, transport="api", received_at=ask.hub.world.now(),
        zone=connection.time_zone, account=connection.account, currency=connection.currency,
    )  # fmt: skip
    reading = ask.hub.registry.read(connection.channel, message, connection.mappings.get(topic))
    facts = [one for one in reading.facts if isinstance(one, Fact)] if reading else []
    for fact in facts if about else ():
        _within(fact, about, partner=not whole(ask))
    return await ask.hub.reporter.tell(Call(
        connection=connection, topic=topic, body=body, facts=facts, actor="api", by=ask.who.name, key=key,
        version=wanted(ask), quiet=_quiet(ask), head=Head(method="POST", query=query, quiet=_quiet(ask)),
        mapping=reading.hash if reading else "",
    ))  # fmt: skip


def _within(fact: Fact, about: str, *, partner: bool) -> None:
    """Unreadable where a row is about another thing than its path names, or speaks for another than the caller."""
    field, named = ("number", fact.ref) if fact.subject == "tracking" else ("order", fact.order)
    if named != about:
        raise Unreadable(f"is not {about}, which the path names", place=Place(field=field, value=named or ""))
    if partner and fact.account:
        raise Unreadable(
            "a partner speaks for itself alone", place=Place(field="connection", value=fact.account)
        )


def _quiet(ask: Ask) -> bool:
    return ask.text("emit") == "none"


def _once(ask: Ask, topic: str, row: bytes) -> str:
    """The key under which a row of a run is told once."""
    run = ask.text("run")
    return f"run:{run}:{topic}:{hashlib.sha256(row).hexdigest()}" if run else ""


def _whose(row: bytes) -> str:
    try:
        return msgspec.json.decode(row, type=Whose).connection or ""
    except (msgspec.DecodeError, RecursionError):
        return ""


def _single(told: Told, ask: Ask) -> Answer:
    """The answer to one row by itself: what is refused is a problem."""
    if told.refused:
        if wanted(ask) is not None and "version" in told.refused:
            raise Problem(412, "stale_version", told.refused)
        raise invalid(told.refused, "order")
    headers = {"location": f"/v1/orders/{told.orders[0]}"} if told.created else {}
    headers |= {"idempotent-replayed": "true"} if told.again else {}
    return Answer(value=Results([_result(0, told)]), status=201 if told.created else 202, headers=headers)


def _result(index: int, found: Told | BaseException, *, run: bool = False) -> Result:
    if isinstance(found, Told):
        if found.refused:
            return Result(index=index, status="rejected", field="order", reason=found.refused)
        order = found.orders[0] if found.orders else None
        status = "duplicate" if run and found.again else "accepted"
        return Result(index=index, status=status, order=order, message=found.message)
    if isinstance(found, Rejected):
        return Result(index=index, status="rejected", field=found.field, reason=found.reason)
    if isinstance(found, Poisoned):
        return Result(index=index, status="rejected", reason=f"cannot be stored: {found}")
    raise found


_PARTIAL = (
    Param("partial", "1: only what is given changes.", bool),
    Param("connection", "Whose orders these are."),
    Param(
        "emit", "none: it is told to nobody (history that is imported); changes, unless said.", words=EMITS
    ),
    Param("run", "The name of an import: a row told before under it, within three days, is a `duplicate`."),
)
OPS = (
    Op(method="POST", path="/v1/orders", summary="Report orders", handle=report_orders, scope="write",
       takes=OrderReport | list[OrderReport], gives=Results, status=202, query=_PARTIAL, exact=True, guarded=True),
    Op(method="POST", path="/v1/shipments", summary="Report shipments", handle=report_shipments, scope="write",
       takes=ShipmentReport | list[ShipmentReport], gives=Results, status=202, query=_PARTIAL, exact=True),
    Op(method="POST", path="/v1/orders/{id}/shipments", summary="Report shipments of an order",
       handle=report_order_shipments, scope="write", takes=ShipmentReport | list[ShipmentReport], gives=Results,
       status=202, exact=True, partner=True),
    Op(method="GET", path="/v1/shipments/{id}", summary="Show a shipment", handle=get_shipment, gives=dict[str, Any]),
    Op(method="POST", path="/v1/scans", summary="Report scans of parcels", handle=report_parcels, scope="write",
       takes=TrackingReport | list[TrackingReport], gives=Results, status=202, exact=True, query=_PARTIAL[2:]),
    Op(method="POST", path="/v1/shipments/{id}/scans", summary="Report scans of a parcel", handle=report_scans,
       scope="write", takes=ScanReport | list[ScanReport], gives=Results, status=202, exact=True, partner=True,
       query=(Param("number", "The parcel's number, where the shipment has several."),)),
)  # fmt: skip

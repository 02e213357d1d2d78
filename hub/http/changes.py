"""Drafts and change sets: what a person completes before an order is one, and what is asked to be changed of it."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from msgspec import Meta

from hub.contract.canon import Action, ChangeSet, Order
from hub.contract.errors import Misconfigured, Rejected
from hub.contract.fact import Fact
from hub.contract.message import Message, json_body
from hub.directory import Connection
from hub.http.ask import Answer, Ask
from hub.http.decisions import Remark, take
from hub.http.orders import DOC, held
from hub.http.problems import Problem, invalid, missing
from hub.http.speaking import own_channel
from hub.http.table import Op
from hub.orders import changes, states

Doc = dict[str, Any]


class NewChange(msgspec.Struct, forbid_unknown_fields=True):
    """What is asked to be changed, and why."""

    actions: Annotated[list[Action], Meta(min_length=1, max_length=500)]
    reason: Remark = ""


class Decided(msgspec.Struct, forbid_unknown_fields=True):
    """Which change is confirmed or declined, the one that waits where none is named, and why."""

    change: Annotated[str, Meta(max_length=40)] = ""
    reason: Remark = ""


class Preview(msgspec.Struct, kw_only=True, omit_defaults=True):
    """What the order is, what it would be, what differs, and by how much more or less is due."""

    before: Doc
    after: Doc
    difference: list[Doc]
    due: Doc | None = None


class ChangeOut(ChangeSet, kw_only=True):
    """A change set as it is shown: with a preview while it waits."""

    preview: Preview | None = None


class Changes(msgspec.Struct):
    """The change sets of an order, oldest first."""

    data: list[ChangeOut]


async def complete_draft(ask: Ask) -> Answer:
    """Fill in or put right what a draft lacks; what is given replaces what was read, and its doubts are settled."""
    doc = _doc(await held(ask, ask.path()))
    given = _given(ask, doc)
    said = given | {"entry": _entry(doc, given, ask.who.name)} if doc.get("entry") else given
    full = frozenset(given) & {"lines", "ship_to", "buyer", "bill_to", "totals"}
    fact = Fact(
        subject="order",
        ref=doc.get("ref") or doc["id"],
        order=doc["id"],
        doc=said,
        full=full,
        topic="complete",
    )
    return await take(
        ask, "complete", {"fields": sorted(given)}, ask.hub.world.new_id("dec"), (fact,), _home(ask, doc)
    )


def _given(ask: Ask, doc: Doc) -> Doc:
    """The body as the API's own channel reads a part of an order; Problem 422 with the field."""
    try:
        body = msgspec.json.decode(ask.body or b"{}", type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Problem(400, "bad_request", f"the body is no JSON object: {error}") from error
    if foreign := sorted(body.keys() & {"ref", "order", "connection", "partial", "entry"}):
        raise invalid("a draft keeps this", foreign[0])
    whole = {"ref": "draft", "partial": True, "currency": body.get("currency") or doc.get("currency")} | body
    home = _home(ask, doc)
    message = Message(body=json_body(whole), topic="orders", transport="api", received_at=ask.hub.world.now(),
                      zone=home.time_zone if home else "", currency=home.currency if home else "")  # fmt: skip
    try:
        reading = ask.hub.registry.read(own_channel(ask).name, message)
    except Rejected as error:
        raise invalid(error.reason, error.field) from error
    fact = reading.facts[0] if reading else None
    said = dict(fact.doc) if isinstance(fact, Fact) else {}
    kept = {name: value for name, value in said.items() if name in body}
    if not kept:
        raise invalid("nothing is given to complete it with", "")
    return kept


def _entry(doc: Doc, given: Doc, by: str) -> Doc:
    """What is left to doubt, and that a person said the rest."""
    entry = doc["entry"]
    reasons = [one for one in entry.get("reasons", ()) if not _settled(one["field"], given)]
    fields = {name: {"part": "correction", "place": by, "confidence": "1"} for name in given}
    return {"reasons": reasons, "fields": fields}


def _settled(field: str, given: Doc) -> bool:
    return field.partition("[")[0].partition(".")[0] in given


def _home(ask: Ask, doc: Doc) -> Connection | None:
    """The connection whose order it is: corrections are said in its name, as its newest word."""
    one = ask.hub.directory.get(Connection, doc.get("connection", ""), tenant=ask.tenant)
    try:
        return one if one and ask.hub.directory.channel(one) else None
    except Misconfigured:
        return None


def _doc(row: tuple[Any, ...]) -> Doc:
    doc: Doc = msgspec.json.decode(row[DOC])
    return doc


async def list_changes(ask: Ask) -> Changes:
    """All change sets of an order; what waits is shown with what it would do."""
    doc = _doc(await held(ask, ask.path()))
    return Changes([_shown(doc, one) for one in doc.get("changes", ())])


def _shown(doc: Doc, one: Doc) -> ChangeOut:
    waits = one["status"] == "requested"
    told = {"preview": changes.preview(doc, one["actions"])} if waits else {}
    return msgspec.convert(one | told, ChangeOut)


def _meant(doc: Doc, name: str) -> Doc:
    """The change that is named, or the one that waits; Problem 404, or 409 where none does."""
    found: Doc | None = next((one for one in doc.get("changes", ()) if one["id"] == name), None)
    if found is None and name:
        raise missing("change", name)
    waits = found or changes.pending(doc)
    if waits is None:
        raise Problem(
            409,
            "invalid_transition",
            "no change of this order waits for a decision",
            allowed=states.allowed(doc),
        )
    return waits


async def request_change(ask: Ask) -> Answer:
    """Ask for a change; refused while another waits."""
    given = ask.decode(NewChange)
    doc = _doc(await held(ask, ask.path()))
    actions = [msgspec.to_builtins(one) for one in given.actions]
    for index, one in enumerate(actions):
        _check(doc, one, f"actions[{index}]")
    said = {"actions": actions} | ({"reason": given.reason} if given.reason else {})
    return await take(ask, "change", said, ask.hub.world.new_id("chg"))


_NEEDS = {
    "set_quantity": "quantity", "set_price": "unit_price", "add_line": "add", "set_address": "ship_to",
    "set_delivery": "requested_delivery", "set_total": "total", "note": "text",
}  # fmt: skip


def _check(doc: Doc, action: Doc, at: str) -> None:
    """Problem 422 where an action lacks what it is about."""
    need = _NEEDS.get(action["kind"])
    if need and not action.get(need):
        raise invalid(f"{action['kind']} says `{need}`", f"{at}.{need}")
    if action["kind"] in ("set_quantity", "set_price", "remove_line"):
        named = {"ref": action.get("line", "")} | ({"sku": action["sku"]} if action.get("sku") else {})
        refs = [line["ref"] for line in doc.get("lines", ())]
        if named["ref"] not in refs and changes.pair(named, doc.get("lines", [])) is None:
            raise invalid("the order has no such line", f"{at}.line", allowed=refs)


async def confirm_change(ask: Ask) -> Answer:
    """Do what was asked for: the order is changed, and says so."""
    doc = _doc(await held(ask, ask.path()))
    given = ask.decode(Decided)
    one = _meant(doc, given.change)
    said, full = changes.patch(doc, one["actions"])
    fact = Fact(
        subject="order",
        ref=doc.get("ref") or doc["id"],
        order=doc["id"],
        doc=said,
        full=full,
        topic="confirm_change",
    )
    told = {"change": one["id"]} | ({"reason": given.reason} if given.reason else {})
    also = (fact,) if said and one["status"] == "requested" else ()
    return await take(ask, "confirm_change", told, ask.hub.world.new_id("dec"), also, _home(ask, doc))


async def decline_change(ask: Ask) -> Answer:
    """Leave the order as it is."""
    doc = _doc(await held(ask, ask.path()))
    given = ask.decode(Decided)
    one = _meant(doc, given.change)
    told = {"change": one["id"]} | ({"reason": given.reason} if given.reason else {})
    return await take(ask, "decline_change", told, ask.hub.world.new_id("dec"))


_AT = "/v1/orders/{id}"
OPS = (
    Op(method="PATCH", path=f"{_AT}/draft", summary="Complete a draft", handle=complete_draft, scope="write", takes=Order,
       gives=Order, guarded=True, exact=True),
    Op(method="GET", path=f"{_AT}/changes", summary="List an order's change sets", handle=list_changes, gives=Changes),
    Op(method="POST", path=f"{_AT}/changes", summary="Ask for a change of an order", handle=request_change,
       scope="write", takes=NewChange, gives=Order, guarded=True, exact=True),
    Op(method="POST", path=f"{_AT}/changes/confirm", summary="Confirm a change", handle=confirm_change,
       scope="write", takes=Decided, gives=Order, guarded=True, exact=True),
    Op(method="POST", path=f"{_AT}/changes/decline", summary="Decline a change", handle=decline_change,
       scope="write", takes=Decided, gives=Order, guarded=True, exact=True),
)  # fmt: skip

"""Decisions: what people and systems decide on an order; judged by its state, then a fact like any other."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from msgspec import Meta

from hub.contract.canon import CancelReason, HoldReason, Order
from hub.contract.clock import text
from hub.contract.fact import Fact
from hub.directory import Connection
from hub.http.ask import Answer, Ask
from hub.http.orders import DOC, held, shown
from hub.http.problems import Problem
from hub.http.speaking import speaker
from hub.http.table import Op
from hub.http.versions import wanted
from hub.inbound.report import Call
from hub.orders import states
from hub.store.rows import Head

Remark = Annotated[str, Meta(max_length=2000)]


class Confirm(msgspec.Struct, forbid_unknown_fields=True):
    """Confirming says no more than that."""

    note: Remark = ""


class Reject(msgspec.Struct, forbid_unknown_fields=True):
    """Why an order is turned down."""

    reason: Remark = ""
    note: Remark = ""


class Cancel(msgspec.Struct, forbid_unknown_fields=True):
    """Why what is not shipped yet is cancelled."""

    reason: CancelReason = "other"
    note: Remark = ""


class Hold(msgspec.Struct, forbid_unknown_fields=True):
    """Why an order may not be shipped yet."""

    reason: HoldReason = "manual"
    note: Remark = ""


class Release(msgspec.Struct, forbid_unknown_fields=True):
    """Which hold ends; all of them where none is named."""

    hold: str = ""
    note: Remark = ""


class Note(msgspec.Struct, forbid_unknown_fields=True):
    """What to remember of an order."""

    text: Annotated[str, Meta(min_length=1, max_length=20_000)]


async def confirm_order(ask: Ask) -> Answer:
    """Confirm an order that waits for it."""
    return await _decide(ask, "confirm", ask.decode(Confirm))


async def reject_order(ask: Ask) -> Answer:
    """Turn an order down."""
    return await _decide(ask, "reject", ask.decode(Reject))


async def cancel_order(ask: Ask) -> Answer:
    """Cancel what is not shipped yet."""
    return await _decide(ask, "cancel", ask.decode(Cancel))


async def hold_order(ask: Ask) -> Answer:
    """Hold an order."""
    return await _decide(ask, "hold", ask.decode(Hold))


async def release_order(ask: Ask) -> Answer:
    """Let a held order go on."""
    return await _decide(ask, "release", ask.decode(Release))


async def note_order(ask: Ask) -> Answer:
    """Write a note to an order."""
    return await _decide(ask, "note", ask.decode(Note))


async def _decide(ask: Ask, kind: str, given: msgspec.Struct) -> Answer:
    doc = {name: value for name, value in msgspec.to_builtins(given).items() if value}
    return await take(ask, kind, doc, ask.hub.world.new_id("dec"))


async def take(
    ask: Ask,
    kind: str,
    given: dict[str, Any],
    ref: str,
    also: tuple[Fact, ...] = (),
    home: Connection | None = None,
) -> Answer:
    """A decision with its own facts, judged and recorded in one transaction; Problem 409 with what is allowed, 412
    where the order has changed. `home` is who is spoken for, where what follows has to be said as the order's own."""
    id_ = (await held(ask, ask.path()))[0]
    doc = _plain(given) | {"kind": kind, "ref": ref, "at": text(ask.hub.world.now()), "by": ask.who.name}
    told = await ask.hub.reporter.tell(Call(
        connection=home or await speaker(ask), topic=kind, body=ask.body, actor="api", by=ask.who.name, key=ask.key,
        facts=[Fact(subject="decision", ref=ref, order=id_, doc=doc, topic=kind), *also], decision=kind,
        version=wanted(ask), head=Head(method="POST", path=ask.request.url.path),
    ))  # fmt: skip
    row = await held(ask, id_)
    if told.refused:
        raise _refused(ask, told.refused, row)
    answer = shown(row)
    return msgspec.structs.replace(
        answer, headers=answer.headers | ({"idempotent-replayed": "true"} if told.again else {})
    )


def _plain(value: Any) -> Any:
    """As it was given, without NUL."""
    if isinstance(value, dict):
        return {name: _plain(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_plain(one) for one in value]
    return value.replace("\0", "") if isinstance(value, str) else value


def _refused(ask: Ask, reason: str, row: tuple[Any, ...]) -> Problem:
    allowed = states.allowed(msgspec.json.decode(row[DOC]))
    if wanted(ask) is not None and wanted(ask) != row[3]:
        return Problem(412, "stale_version", reason, allowed=allowed, headers={"etag": f'"{row[3]}"'})
    return Problem(409, "invalid_transition", reason, allowed=allowed)


_AT = "/v1/orders/{id}"


def _op(verb: str, summary: str, handle: Any, takes: Any) -> Op:
    return Op(method="POST", path=f"{_AT}/{verb}", summary=summary, handle=handle, scope="write", takes=takes,
              gives=Order, guarded=True, exact=True)  # fmt: skip


OPS = (
    _op("confirm", "Confirm an order", confirm_order, Confirm),
    _op("reject", "Reject an order", reject_order, Reject),
    _op("cancel", "Cancel an order", cancel_order, Cancel),
    _op("hold", "Hold an order", hold_order, Hold),
    _op("release", "Release an order", release_order, Release),
    _op("notes", "Write a note to an order", note_order, Note),
)

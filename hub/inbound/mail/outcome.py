"""The outcome of a letter: an order, a draft, a change, or nothing but a record that it came.

    trusted and clean            an order, under the buyer's own number
    else                         a draft, with the reasons for which a person has to look
    the same number again        nothing where it says the same; else a change to be decided, never a second order
    a reply to a mail of ours    a change of that order, or a note to it

An order's name is its number at this partner. What is said in a partner's name without its proof has names of its
own: whoever forges a letter must not take the number that the true one needs.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any, Literal

import msgspec

from hub.contract.errors import Unreadable
from hub.contract.fact import ORDER_FACETS, Fact
from hub.directory import Partner
from hub.inbound.mail.entry import entered, noted, placed, speaker
from hub.inbound.mail.reading import Doubt, Found, Reading
from hub.inbound.mail.scruples import scruples
from hub.inbound.mail.thread import Thread
from hub.inbound.mail.verdict import Verdict
from hub.orders import changes
from hub.store.engine import Engine, Row

Kind = Literal["order", "draft", "change", "duplicate", "scans", "filed"]
"""What became of a letter."""

_RANK: tuple[Kind, ...] = ("draft", "change", "order", "scans", "duplicate", "filed")
"""Of several things in one letter, the one that asks most of a person stands for all."""

_ENDED = frozenset({"cancelled", "rejected", "completed"})
_REPORTERS = frozenset({"supplier", "warehouse"})


class Held(msgspec.Struct, frozen=True, kw_only=True):
    """An order that there is already: its id, its version, its document."""

    id: str
    version: int
    doc: dict[str, Any]


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """What the store knows that the decision hangs on: the letter's own id and time, the letter whose Message-ID it
    has though that said something else, the order that it is a reply about, and by name those that it speaks of."""

    message: str = ""
    at: str = ""
    namesake: str = ""
    thread: Held | None = None
    orders: dict[str, Held] = {}


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """What to do about a letter: all of it is written in the transaction that settles the letter.

    facts     recorded as said by the letter itself
    writes    rows for statements of the store, as (statement, row)
    events    of no order: (type, data); those of orders follow from the facts
    order     the order it is about, where there is one already
    version   the version of the orders that this was decided on, 0 where they have to be new; None: it does not hang
              on it
    """

    kind: Kind
    reasons: tuple[str, ...] = ()
    facts: tuple[Fact, ...] = ()
    writes: tuple[tuple[str, Row], ...] = ()
    events: tuple[tuple[str, dict[str, Any]], ...] = ()
    order: str = ""
    version: int | None = None


async def gather(
    engine: Engine, tenant: str, reading: Reading, verdict: Verdict, thread: Thread, *, sources: tuple[str, ...] = (),
    message: str = "", at: str = "", namesake: str = "",
) -> Known:  # fmt: skip
    """What has to be known before the decision. `sources` are the mailboxes in whose name orders may stand."""
    names = {name_of(verdict, one, message) for one in reading.orders}
    keys = sorted((tenant, source, "order", name) for source in sources for name in names)
    rows = await engine.fetch("identities_find", keys) if keys else []
    found = {row[3]: row[4] for row in rows}
    held = {id_: await _held(engine, tenant, id_) for id_ in {thread.order, *found.values()} - {""}}
    orders = {name: one for name, id_ in found.items() if (one := held[id_])}
    return Known(message=message, at=at, namesake=namesake, thread=held.get(thread.order), orders=orders)


async def _held(engine: Engine, tenant: str, id_: str) -> Held | None:
    rows = await engine.fetch("orders_get", tenant=tenant, id=id_)
    if not rows:
        return None
    return Held(id=id_, version=rows[0][3], doc=msgspec.json.decode(rows[0][10]))


def name_of(verdict: Verdict, found: Found, message: str) -> str:
    """The name of an order: its number at the partner whose proof was met; another where it was not, or where there
    is no number."""
    number = str(found.doc.get("purchase_order") or "").strip().upper()[:120]
    proven = verdict.trusted and verdict.partner
    who = (
        verdict.partner
        if proven
        else "unproven-" + hashlib.sha256(verdict.from_address.lower().encode()).hexdigest()[:16]
    )
    return f"{who}:{number}" if number else f"{who}:{message}/{found.part}"[:200]


@dataclass(frozen=True, slots=True)
class Matter:
    """All that a decision hangs on, as one value."""

    reading: Reading
    verdict: Verdict
    partner: Partner | None
    thread: Thread
    known: Known

    def may_change(self, held: Held) -> bool:
        """Whether the sender may ask for something of this order: it came to the order's own signed address, or it is
        from a partner whom we believe, and the order is theirs."""
        if self.thread.how == "token" and self.known.thread == held:
            return True
        buyer = held.doc.get("buyer") or {}
        own = (
            str(held.doc.get("ref", "")).startswith(f"{self.verdict.partner}:")
            or buyer.get("ref") == self.verdict.partner
        )
        return (
            self.verdict.trusted
            and bool(self.verdict.partner)
            and (own or buyer.get("email") == self.verdict.from_address)
        )

    def about(self, found: Found) -> Held | None:
        """The order of its thread, where this is what is spoken of. An order of somebody else whose number stands in
        the subject is not."""
        held = self.known.thread
        if held is None or not (found.partial or _same_number(found, held)):
            return None
        return held if self.thread.how != "number" or self.may_change(held) else None

    def ref(self, prefix: str, index: int = 0) -> str:
        """The id of a decision of this letter: the same whenever the letter is judged again."""
        return f"{prefix}_{self.known.message.partition('_')[2] or 'mail'}" + (f"-{index}" if index else "")


def decide(
    reading: Reading, verdict: Verdict, partner: Partner | None, thread: Thread, known: Known
) -> Decision:
    """What to do about a letter; raises Unreadable where it is to be quarantined."""
    found = _decided(Matter(reading, verdict, partner, thread, known))
    if not known.namesake:
        return found
    reason = f"it has the Message-ID of {known.namesake}, which said something else"
    return msgspec.structs.replace(found, reasons=(*found.reasons, reason))


def _decided(matter: Matter) -> Decision:
    reading, verdict, partner, known = matter.reading, matter.verdict, matter.partner, matter.known
    if reading.kind == "unreadable":
        raise Unreadable(reading.reason)
    if reading.shipments:
        return _scans(matter)
    if reading.orders:
        return _joined([_order(matter, n, one) for n, one in enumerate(reading.orders)])
    if reading.kind == "reply" and known.thread and reading.reply.strip():
        return _remark(matter, known.thread)
    if reading.notes and verdict.trusted and partner and "buyer" in partner.roles:
        doubts = [Doubt("lines", note) for note in reading.notes]
        return _joined([_order(matter, 0, Found(form="text", part="1", doc={}, doubts=doubts))])
    return Decision(
        kind="filed", reasons=(*reading.notes[:3], "no order was found in it"), order=matter.thread.order
    )


def _joined(told: list[Decision]) -> Decision:
    versions = {one.version for one in told if one.facts}
    return Decision(
        kind=min((one.kind for one in told), key=_RANK.index),
        reasons=tuple(dict.fromkeys(reason for one in told for reason in one.reasons)),
        facts=tuple(fact for one in told for fact in one.facts),
        order=next((one.order for one in told if one.order), ""),
        version=versions.pop() if len(versions) == 1 else None,
    )


# ── orders ──


def _order(matter: Matter, index: int, found: Found) -> Decision:
    """One order of a letter: it is about one that there is, or it is new."""
    known = matter.known
    name = name_of(matter.verdict, found, known.message)
    held = known.orders.get(name) or matter.about(found)
    mine = held is not None and (held.doc.get("entry") or {}).get("message") == known.message
    if held and not mine and (held.doc.get("state") != "draft" or found.partial or _corrected(held)):
        return _change(matter, index, found, held)
    doubts = [*found.doubts, *scruples(found, matter.reading, matter.verdict, matter.partner)]
    if found.partial:
        doubts.append(Doubt("order", "it answers a mail, but no order of ours was found that it is about"))
    if known.namesake and (mine or not held) and not found.doc.get("purchase_order"):
        doubts.append(
            Doubt("order", f"it has no number, and the Message-ID of {known.namesake}: the same again?")
        )
    if held and not mine and doubts and not changes.compare(held.doc, found.doc, partial=False):
        return Decision(kind="duplicate", reasons=("the same draft again",), order=held.id)
    return Decision(
        kind="draft" if doubts else "order",
        reasons=tuple(f"{one.field}: {one.reason}" for one in doubts),
        facts=_facts(matter, held.doc.get("ref", name) if held else name, found, doubts, index),
        version=None if mine else held.version if held else 0,
    )


def _corrected(held: Held) -> bool:
    """Whether a person put a draft right: what they said is not read over."""
    fields = (held.doc.get("entry") or {}).get("fields", {})
    return any(one.get("part") == "correction" for one in fields.values())


def _same_number(found: Found, held: Held) -> bool:
    number = found.doc.get("purchase_order")
    return bool(number) and number in (held.doc.get("purchase_order"), held.doc.get("number"))


def _facts(matter: Matter, name: str, found: Found, doubts: list[Doubt], index: int) -> tuple[Fact, ...]:
    known, partner = matter.known, matter.partner
    doc = entered(name, found, matter.verdict, partner, known.message, known.at, doubts)
    fact = Fact(subject="order", ref=name, doc=doc, full=ORDER_FACETS, topic="mail")
    if not partner or doubts or placed(doc, partner):
        return (fact,)
    ref = matter.ref("dec", index)
    hold = {"kind": "hold", "ref": ref, "reason": "address", "at": known.at, "by": "mail",
            "note": "an address that is not in the partner's address book"}  # fmt: skip
    return (fact, Fact(subject="decision", ref=ref, order=name, doc=hold, topic="hold"))


_STRANGE = "only a sender whom we believe may change an order or write to it, and only their own"


def _change(matter: Matter, index: int, found: Found, held: Held) -> Decision:
    """What differs is asked for; the order is as it was until a person confirms it."""
    known, ref = matter.known, matter.ref("chg", index)
    told = next((one for one in held.doc.get("changes", ()) if one["id"] == ref), None)  # judged once more
    actions = told["actions"] if told else changes.compare(held.doc, found.doc, partial=found.partial)
    waiting = changes.pending(held.doc)
    if not actions or (waiting and not told and waiting["actions"] == actions):
        return Decision(kind="duplicate", reasons=("it says what is known already",), order=held.id)
    if not matter.may_change(held):
        return Decision(kind="filed", reasons=(_STRANGE,), order=held.id)
    if held.doc.get("state") in _ENDED:
        words = f"asked to be changed by mail, but it is {held.doc['state']}"
        fact = noted(held.id, matter.ref("dec", index), known.at, matter.verdict, words)
        return Decision(kind="filed", reasons=(words,), facts=(fact,), order=held.id)
    doc = {"kind": "change", "ref": ref, "at": known.at, "by": speaker(matter.verdict), "actions": actions,
           "message": known.message}  # fmt: skip
    fact = Fact(subject="decision", ref=ref, order=held.id, doc=doc, topic="change")
    reasons = tuple(f"{one.field}: {one.reason}" for one in found.doubts)
    return Decision(kind="change", reasons=reasons, facts=(fact,), order=held.id)


def _remark(matter: Matter, held: Held) -> Decision:
    """A reply without an order in it is a note to the order, where we believe who wrote it."""
    if not matter.may_change(held):
        return Decision(kind="filed", reasons=(_STRANGE,), order=held.id)
    fact = noted(held.id, matter.ref("dec"), matter.known.at, matter.verdict, matter.reading.reply)
    return Decision(
        kind="filed", reasons=("a reply in words: it stands as a note",), facts=(fact,), order=held.id
    )


# ── parcels ──


def _scans(matter: Matter) -> Decision:
    """What a supplier or a warehouse says of parcels, or a carrier that is recorded as one; from nobody else."""
    partner = matter.partner
    if not matter.verdict.trusted or partner is None or not (_REPORTERS & {*partner.roles}):
        return Decision(
            kind="filed", reasons=("news of parcels count from suppliers and warehouses whom we believe",)
        )
    told = (
        Fact(subject="tracking", ref=one.doc["number"], doc=one.doc, topic="mail")
        for one in matter.reading.shipments
    )
    return Decision(kind="scans", facts=tuple(told))

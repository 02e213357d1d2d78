"""Recording: facts into the book, within one unit of the store.

    identities → the orders they name, locked in id order → the book turns each page → orders, snapshots,
    facts, events and their deliveries, all or none

Positions are taken last. A parcel's scans whose shipment nobody has told yet are parked under their
number, and join when a shipment brings it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgspec

from hub.announce import Announcer, Cause, News
from hub.contract.clock import micros, text
from hub.directory import Connection, Directory
from hub.inbound.doubts import doubts
from hub.inbound.filing import Filing
from hub.inbound.hear import Heard
from hub.inbound.hints import hint
from hub.inbound.leaf import Input, Leaf, Run, numbers, owned, people
from hub.orders import book, registers
from hub.orders.book import Turned
from hub.orders.compose import home
from hub.orders.registers import Said
from hub.store.engine import Row, Unit
from hub.store.rows import JSON, PLAIN, Due
from hub.vault import Vault
from hub.world import World

_SAID = msgspec.json.Decoder(Said)


class Again(msgspec.Struct, frozen=True, kw_only=True):
    """Orders to be folded from nothing: from their stored facts but those `without`, as (order, message).
    `cause` is told in their events; `redacted_at` forgets their people."""

    tenant: str
    orders: frozenset[str]
    cause: Cause
    without: frozenset[tuple[str, str]] = frozenset()
    redacted_at: str = ""


class Recorded(msgspec.Struct, kw_only=True):
    """What came of it: the orders by input, what is due now, the positions of deliveries that asked the
    head whether they are, how many events, the facts that were parked, and the messages to be blanked,
    since they speak of orders whose people are forgotten; which orders are new."""

    orders: list[list[str]]
    due: list[Due]
    asked: list[int]
    events: int
    parked: int
    turned: dict[str, Turned]
    refused: dict[int, str]
    blank: list[Row] = []
    fresh: set[str] = set()


@dataclass(frozen=True, slots=True)
class Recorder:
    """Writes facts into the book for every stage that has some."""

    directory: Directory
    vault: Vault
    world: World
    announcer: Announcer
    filing: Filing

    async def record(self, unit: Unit, inputs: list[Input], again: Again | None = None) -> Recorded:
        """Fold the facts of these inputs, and some orders anew, and add all that follows to the unit. Call it
        last."""
        owners = await self.filing.owners(unit, inputs)
        leaves = await self.filing.open(unit, owners, (again.tenant, again.orders) if again else None)
        refused = self.filing.judge(leaves, owners, inputs)
        parked = self.filing.file(leaves, owners, [one for n, one in enumerate(inputs) if n not in refused])
        await self.filing.join(unit, leaves)
        turned = {id_: await self._turn(unit, leaf, again) for id_, leaf in leaves.items()}
        self._bind(unit, leaves, turned)
        due, asked, count = await self._write(unit, leaves, turned, parked, again)
        orders = [sorted({id_ for heard in one.heard for id_ in owned(owners, one, heard)}) for one in inputs]
        blank = {
            (one.tenant, one.message) for leaf in leaves.values() if leaf.forgotten for _, one in leaf.facts
        }
        if again is None:
            doubtful = doubts(leaves.values(), turned, self.directory)
            hint(unit, self.world, [(connection.id, one) for connection, one in doubtful])
        return Recorded(orders=orders, due=due, asked=asked, events=count, parked=len(parked), turned=turned,
                        refused=refused, blank=sorted(blank), fresh={id_ for id_, leaf in leaves.items() if leaf.fresh})  # fmt: skip

    async def _turn(self, unit: Unit, leaf: Leaf, again: Again | None) -> Turned:
        if again is None or leaf.page.id not in again.orders:
            return leaf.turn(self.world.new_id)
        facts = [heard.said for heard, _ in leaf.facts]
        rows = await unit.fetch("facts_of_order", tenant=leaf.tenant, order_id=leaf.page.id)
        kept = [_SAID.decode(row[8]) for row in rows if (leaf.page.id, row[1]) not in again.without]
        turned = book.refold(leaf.page, kept + facts, self.world.new_id, redacted_at=again.redacted_at)
        leaf.runs = [Run(leaf.facts, turned)]
        return turned

    def _bind(self, unit: Unit, leaves: dict[str, Leaf], turned: dict[str, Turned]) -> None:
        """The numbers by which scans will find these orders, their shipments' names, and what far sides call them."""
        rows = {
            (leaf.tenant, "", "tracking", number, id_)
            for id_, leaf in leaves.items()
            for number in numbers(leaf)
        }
        rows |= {
            (leaf.tenant, "", "shipment", one["id"], id_)
            for id_, leaf in leaves.items()
            if turned[id_].changed
            for one in (leaf.page.doc or {}).get("shipments", ())
        }
        rows |= {
            (leaf.tenant, heard.said.doc["account"], "order", heard.said.doc["id"], id_)
            for id_, leaf in leaves.items()
            for heard, _ in leaf.facts
            if heard.said.subject == "decision" and heard.said.doc.get("kind") == "ref"
        }
        unit.add("identities_add", sorted(rows))

    async def _write(
        self, unit: Unit, leaves: dict[str, Leaf], turned: dict[str, Turned], parked: list[tuple[Heard, Input]],
        again: Again | None,
    ) -> tuple[list[Due], list[int], int]:  # fmt: skip
        now = self.world.now()
        changed = [leaf for id_, leaf in leaves.items() if turned[id_].changed]
        draft = await self.announcer.draft(
            unit,
            [self._news(leaf, run, again) for leaf in changed for run in leaf.runs if run.turned.changed],
        )
        written = [leaf for id_, leaf in leaves.items() if turned[id_].written]
        facts: list[tuple[Heard, Input, Leaf | None]] = [
            (heard, one, leaf) for leaf in leaves.values() for heard, one in leaf.facts
        ]
        facts += [(heard, one, None) for heard, one in parked]
        first = await unit.positions(draft.size + len(written) + len(facts))
        for place, leaf in enumerate(written, first):
            self._stamp(leaf, place, now)
        unit.add("orders_put", [self._row(leaf, place, now) for place, leaf in enumerate(written, first)])
        docs = {leaf.page.id: JSON.encode((leaf.page.doc or {}) | leaf.stamps) for leaf in changed}
        unit.add("snapshots_put", [(leaf.page.id, leaf.page.version, docs[leaf.page.id]) for leaf in changed])
        self._persons(unit, changed)
        first += len(written)
        unit.add("facts_add", [_fact(place, *one, now) for place, one in enumerate(facts, first)])
        first += len(facts)
        return draft.write(unit, first, docs), draft.asked(first), len(draft.events)

    def _news(self, leaf: Leaf, run: Run, again: Again | None) -> News:
        own = home(leaf.page.state)
        speaker = next((one.connection for heard, one in leaf.facts if heard.said.source == own), "")
        leaf.connection = speaker or leaf.connection
        cause = self._repaired(leaf, again.cause) if again else self._cause(run)
        silent = cause.quiet or self._silent(leaf)
        return News(
            page=leaf.page, tenant=leaf.tenant, fresh=leaf.fresh, events=run.turned.events, cause=cause,
            connection=leaf.connection, silent=silent,
        )  # fmt: skip

    def _stamp(self, leaf: Leaf, place: int, now: int) -> None:
        """What the hub itself gives an order: number, times, counts; never derived again."""
        if leaf.fresh:
            leaf.created_at = now
            leaf.hub_number = f"H{text(now)[2:10].replace('-', '')}-{place}"
        leaf.stamps = {
            "hub_number": leaf.hub_number, "tenant": leaf.tenant, "connection": leaf.connection,
            "version": leaf.page.version, "sequence": leaf.page.sequence, "created_at": text(leaf.created_at),
            "updated_at": text(now),
        }  # fmt: skip

    def _cause(self, run: Run) -> Cause:
        used = [one for one, was in zip(run.facts, run.turned.used, strict=True) if was] or run.facts
        heard, one = used[-1]
        occurred = micros_or(heard.said.doc, self.world.now())
        return Cause(
            message=one.message, connection=one.connection, actor=one.actor, occurred_at=occurred,
            quiet=all(input_.quiet for _, input_ in used),
        )  # fmt: skip

    def _repaired(self, leaf: Leaf, cause: Cause) -> Cause:
        """A repair is never written back to whom its facts came from."""
        if cause.connection:
            return cause
        if not leaf.facts:
            return msgspec.structs.replace(cause, connection=leaf.connection)
        last = leaf.facts[-1][1]
        quiet = all(one.quiet for _, one in leaf.facts)
        return msgspec.structs.replace(cause, message=last.message, connection=last.connection, quiet=quiet)

    def _silent(self, leaf: Leaf) -> bool:
        """Orders of an observed connection, or placed before its cut-over, fold without a word to anyone."""
        connection = self.directory.get(Connection, leaf.connection)
        if connection is None:
            return False
        if connection.mode == "observe":
            return True
        placed = (leaf.page.doc or {}).get("placed_at")
        return bool(connection.cutover_at and placed and micros(placed) < connection.cutover_at)

    def _row(self, leaf: Leaf, place: int, now: int) -> Row:
        page, doc = leaf.page, leaf.page.doc or {}
        placed = doc.get("placed_at")
        return (
            page.id, leaf.tenant, place, page.version, page.sequence, leaf.hub_number, doc.get("number", ""),
            leaf.connection, doc.get("state", "stub"), doc.get("payment_status", ""), doc.get("fulfillment_status", ""),
            int(bool(doc.get("test"))), int(self._silent(leaf)), page.last_event, micros(placed) if placed else 0,
            leaf.created_at, now, PLAIN.encode(page.state),
        )  # fmt: skip

    def _persons(self, unit: Unit, changed: list[Leaf]) -> None:
        rows = set()
        for leaf in changed:
            for kind, value in people(leaf.page.doc or {}):
                rows.add((leaf.tenant, self.vault.person(leaf.tenant, kind, value), leaf.page.id))
        unit.add("persons_add", sorted(rows))


def _fact(place: int, heard: Heard, one: Input, leaf: Leaf | None, now: int) -> Row:
    said = heard.said
    order, ref = (leaf.page.id, said.ref) if leaf else (f"parked:{one.tenant}", heard.numbers[0])
    blob = JSON.encode(registers.forgotten(said)) if leaf and leaf.forgotten else heard.blob
    return (place, one.tenant, order, one.message, one.connection, said.source, said.subject, ref, heard.digest,
            heard.mapping, now, blob)  # fmt: skip


def micros_or(doc: dict[str, Any], otherwise: int) -> int:
    """When the thing itself happened, where the fact says so."""
    stamp = doc.get("source_revision") or doc.get("at") or doc.get("placed_at")
    return micros(stamp) if stamp else otherwise

"""Recording: facts into the book, within one unit of the store.

    identities → the orders they name, locked in id order → the book turns each page → orders, snapshots,
    facts, events and their deliveries, all or none

Positions are taken last. A parcel's scans whose shipment nobody has told yet are parked under their
number, and join when a shipment brings it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import msgspec

from hub.announce import Announcer, Cause, News
from hub.contract.clock import micros, text
from hub.directory import Connection, Directory
from hub.inbound.hear import Heard, Identity
from hub.orders import book, registers, states
from hub.orders.book import Page, Turned
from hub.orders.compose import home
from hub.orders.numbers import normal
from hub.orders.registers import Said
from hub.store.engine import Engine, Row, Unit
from hub.store.rows import JSON, PLAIN, Due
from hub.vault import Vault
from hub.world import World

_SAID = msgspec.json.Decoder(Said)


class Input(msgspec.Struct, kw_only=True):
    """The facts of one message, and whose it is; `quiet` keeps its news at home. A `decision` is judged by
    the order's state, and by the `version` it was taken on, before it becomes a fact."""

    message: str
    tenant: str
    connection: str
    heard: list[Heard]
    actor: str = "source"
    quiet: bool = False
    decision: str = ""
    version: int | None = None


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


class _Leaf(msgspec.Struct, kw_only=True):
    """An order being turned: its page, the facts for it, who caused it, what it was filed under."""

    page: Page
    tenant: str
    fresh: bool
    hub_number: str = ""
    created_at: int = 0
    connection: str = ""
    facts: list[tuple[Heard, Input]] = []
    stamps: dict[str, Any] = {}

    @property
    def forgotten(self) -> bool:
        """Whether its people are."""
        return "redacted_at" in self.page.state


@dataclass(frozen=True, slots=True)
class Recorder:
    """Writes facts into the book for every stage that has some."""

    engine: Engine
    directory: Directory
    vault: Vault
    world: World
    announcer: Announcer

    async def record(self, unit: Unit, inputs: list[Input], again: Again | None = None) -> Recorded:
        """Fold the facts of these inputs, and some orders anew, and add all that follows to the unit. Call it
        last."""
        owners = await self._owners(unit, inputs)
        leaves = await self._open(unit, owners, again)
        refused = self._judge(leaves, owners, inputs)
        parked = self._file(leaves, owners, [one for n, one in enumerate(inputs) if n not in refused])
        await self._join(unit, leaves)
        turned = {id_: await self._turn(unit, leaf, again) for id_, leaf in leaves.items()}
        self._bind(unit, leaves, turned)
        due, asked, count = await self._write(unit, leaves, turned, parked, again)
        orders = [sorted({id_ for heard in one.heard for id_ in _ids(owners, one, heard)}) for one in inputs]
        blank = {(one.tenant, one.message) for leaf in leaves.values() if leaf.forgotten for _, one in leaf.facts}
        return Recorded(orders=orders, due=due, asked=asked, events=count, parked=len(parked), turned=turned,
                        refused=refused, blank=sorted(blank), fresh={id_ for id_, leaf in leaves.items() if leaf.fresh})  # fmt: skip

    async def owners(self, store: Engine, inputs: list[Input]) -> dict[Row, list[str]]:
        """The orders that the identities of these facts belong to, as far as there are any."""
        keys = {identity(one, heard) for one in inputs for heard in one.heard}
        named = {one for one in keys if one[2] == "id"}
        return await self._find(store, keys - named) | {one: [one[3]] for one in named}

    async def _owners(self, unit: Unit, inputs: list[Input]) -> dict[Row, list[str]]:
        """Who owns each identity; new orders are named here, and on PostgreSQL the race for the name is run."""
        named = {key for one in inputs for heard in one.heard for key in _names(one, heard)}
        wanted = {key for key in named if key[2] != "id"}
        if self.engine.shared:
            numbers = {f"{one.tenant}/{number}" for one in inputs for heard in one.heard for number in heard.numbers}
            await unit.claim("numbers_lock", sorted((number,) for number in numbers))
        owners = await self._find(unit, wanted) | await self._own(unit, named - wanted)
        missing = sorted(key for key in wanted if key not in owners and key[2] == "order")
        if not missing:
            return owners
        rows = [(*key, self.world.new_id("ord")) for key in missing]
        if self.engine.shared:
            await unit.claim("identities_add", rows)
            return owners | await self._find(unit, set(missing))
        unit.add("identities_add", rows)
        return owners | {row[:4]: [row[4]] for row in rows}

    async def _own(self, unit: Unit, named: set[Row]) -> dict[Row, list[str]]:
        """Orders named by our own id: those there are, in the speaker's tenant."""
        rows = await unit.fetch("orders_owned", sorted((key[0], key[3]) for key in named))
        return {(tenant, "", "id", id_): [id_] for tenant, id_ in rows}

    async def _find(self, unit: Unit | Engine, wanted: Iterable[Row]) -> dict[Row, list[str]]:
        found: dict[Row, list[str]] = {}
        for row in await unit.fetch("identities_find", sorted(wanted)):
            found.setdefault(row[:4], []).append(row[4])
        return found

    async def _open(self, unit: Unit, owners: dict[Row, list[str]], again: Again | None) -> dict[str, _Leaf]:
        leaves: dict[str, _Leaf] = {}
        tenants = {id_: key[0] for key, ids in owners.items() for id_ in ids}
        if again is not None:
            tenants |= dict.fromkeys(again.orders, again.tenant)
        for row in await unit.fetch("orders_lock", sorted((id_,) for id_ in tenants)):
            page = Page(
                id=row[0],
                version=row[1],
                sequence=row[2],
                last_event=row[3],
                state=msgspec.json.decode(row[4]),
                doc=await self._doc(unit, row),
            )
            leaves[page.id] = _Leaf(
                page=page, tenant=tenants[page.id], fresh=False, hub_number=row[6], created_at=row[7], connection=row[9]
            )
        for id_, tenant in tenants.items():
            if id_ not in leaves and (again is None or id_ not in again.orders):
                leaves[id_] = _Leaf(page=Page(id=id_, state=registers.empty()), tenant=tenant, fresh=True)
        return leaves

    async def _doc(self, unit: Unit, row: Row) -> dict[str, Any] | None:
        """The document of a locked order: one that another process turned while this one waited for the lock
        comes without it (PostgreSQL looks again at the order, not at what is joined to it)."""
        if row[5] is None and row[1]:
            found = await unit.fetch("snapshots_get", order_id=row[0], version=row[1])
            return plain(found[0][0]) if found else None
        return plain(row[5]) if row[5] else None

    async def _turn(self, unit: Unit, leaf: _Leaf, again: Again | None) -> Turned:
        facts = [heard.said for heard, _ in leaf.facts]
        if again is None or leaf.page.id not in again.orders:
            return book.turn(leaf.page, facts, self.world.new_id)
        rows = await unit.fetch("facts_of_order", tenant=leaf.tenant, order_id=leaf.page.id)
        kept = [_SAID.decode(row[8]) for row in rows if (leaf.page.id, row[1]) not in again.without]
        return book.refold(leaf.page, kept + facts, self.world.new_id, redacted_at=again.redacted_at)

    def _judge(self, leaves: dict[str, _Leaf], owners: dict[Row, list[str]], inputs: list[Input]) -> dict[int, str]:
        """Decisions that may not be taken, and what names an order that there is not, by input, with the reason."""
        refused: dict[int, str] = {}
        for n, one in enumerate(inputs):
            keys = [identity(one, heard) for heard in one.heard if heard.said.subject != "tracking"]
            refused |= {n: f"there is no order {key[3]}" for key in keys if key[2] == "id" and key not in owners}
            for key in keys if one.decision or one.version is not None else ():
                for id_ in owners.get(key, ()):
                    page = leaves[id_].page
                    if one.version is not None and page.version != one.version:
                        refused[n] = f"the order is at version {page.version}, not {one.version}"
                    elif one.decision and (why := states.refusal(one.decision, page.doc or {})):
                        refused[n] = why
        return refused

    def _file(self, leaves: dict[str, _Leaf], owners: dict[Row, list[str]], inputs: list[Input]) -> list[tuple[Heard, Input]]:
        """Each fact to its order; a parcel's to all that have its number, those of this batch too; or to the
        parked ones."""
        parked = []
        numbered: dict[Row, set[str]] = {}
        for one, heard in ((one, heard) for one in inputs for heard in one.heard if heard.order):
            for number in heard.numbers:
                numbered.setdefault((one.tenant, number), set()).update(owners.get(identity(one, heard), ()))
        for one in inputs:
            for heard in one.heard:
                ids = _ids(owners, one, heard)
                if heard.said.subject == "tracking":
                    ids |= numbered.get((one.tenant, heard.numbers[0]), set())
                for id_ in ids:
                    leaves[id_].facts.append((heard, one))
                if not ids:
                    parked.append((heard, one))
        return parked

    async def _join(self, unit: Unit, leaves: dict[str, _Leaf]) -> None:
        """What was told of a parcel before these orders had its number: parked, or told of other orders that
        share it. It goes before what caused the turn."""
        rows = {(leaf.tenant, number, id_) for id_, leaf in leaves.items() for number in _numbers(leaf)}
        found: dict[str, list[tuple[Heard, Input]]] = {}
        for tenant, number, id_, message, connection, mapping, digest, blob in await unit.fetch("facts_to_join", sorted(rows)):
            said = _SAID.decode(blob)
            if normal(said.doc["number"]) == number:
                heard = Heard(said=said, order=None, numbers=[number], digest=digest, mapping=mapping, blob=blob)
                source = Input(message=message, tenant=tenant, connection=connection, heard=[])
                found.setdefault(id_, []).append((heard, source))
        for id_, facts in found.items():
            leaves[id_].facts[:0] = facts

    def _bind(self, unit: Unit, leaves: dict[str, _Leaf], turned: dict[str, Turned]) -> None:
        """The numbers by which scans will find these orders, and their shipments' names."""
        rows = {
            (leaf.tenant, "", "tracking", number, id_)
            for id_, leaf in leaves.items()
            for number in _numbers(leaf)
        }
        rows |= {
            (leaf.tenant, "", "shipment", one["id"], id_)
            for id_, leaf in leaves.items()
            if turned[id_].changed
            for one in (leaf.page.doc or {}).get("shipments", ())
        }
        unit.add("identities_add", sorted(rows))

    async def _write(
        self, unit: Unit, leaves: dict[str, _Leaf], turned: dict[str, Turned], parked: list[tuple[Heard, Input]],
        again: Again | None,
    ) -> tuple[list[Due], list[int], int]:  # fmt: skip
        now = self.world.now()
        changed = [leaf for id_, leaf in leaves.items() if turned[id_].changed]
        draft = await self.announcer.draft(unit, [self._news(leaf, turned[leaf.page.id], again) for leaf in changed])
        written = [leaf for id_, leaf in leaves.items() if turned[id_].written]
        facts: list[tuple[Heard, Input, _Leaf | None]] = [(heard, one, leaf) for leaf in leaves.values() for heard, one in leaf.facts]
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

    def _news(self, leaf: _Leaf, turned: Turned, again: Again | None) -> News:
        own = home(leaf.page.state)
        speaker = next((one.connection for heard, one in leaf.facts if heard.said.source == own), "")
        leaf.connection = speaker or leaf.connection
        cause = self._repaired(leaf, again.cause) if again else self._cause(leaf, turned)
        silent = cause.quiet or self._silent(leaf)
        return News(
            page=leaf.page, tenant=leaf.tenant, fresh=leaf.fresh, events=turned.events, cause=cause,
            connection=leaf.connection, silent=silent,
        )  # fmt: skip

    def _stamp(self, leaf: _Leaf, place: int, now: int) -> None:
        """What the hub itself gives an order: number, times, counts; never derived again."""
        if leaf.fresh:
            leaf.created_at = now
            leaf.hub_number = f"H{text(now)[2:10].replace('-', '')}-{place}"
        leaf.stamps = {
            "hub_number": leaf.hub_number, "tenant": leaf.tenant, "connection": leaf.connection,
            "version": leaf.page.version, "sequence": leaf.page.sequence, "created_at": text(leaf.created_at),
            "updated_at": text(now),
        }  # fmt: skip

    def _cause(self, leaf: _Leaf, turned: Turned) -> Cause:
        used = [one for one, was in zip(leaf.facts, turned.used, strict=True) if was] or leaf.facts
        heard, one = used[-1]
        occurred = micros_or(heard.said.doc, self.world.now())
        return Cause(
            message=one.message, connection=one.connection, actor=one.actor, occurred_at=occurred,
            quiet=all(input_.quiet for _, input_ in used),
        )  # fmt: skip

    def _repaired(self, leaf: _Leaf, cause: Cause) -> Cause:
        """A repair is never written back to whom its facts came from."""
        if cause.connection:
            return cause
        if not leaf.facts:
            return msgspec.structs.replace(cause, connection=leaf.connection)
        last = leaf.facts[-1][1]
        quiet = all(one.quiet for _, one in leaf.facts)
        return msgspec.structs.replace(cause, message=last.message, connection=last.connection, quiet=quiet)

    def _silent(self, leaf: _Leaf) -> bool:
        """Orders of an observed connection, or placed before its cut-over, fold without a word to anyone."""
        connection = self.directory.get(Connection, leaf.connection)
        if connection is None:
            return False
        if connection.mode == "observe":
            return True
        placed = (leaf.page.doc or {}).get("placed_at")
        return bool(connection.cutover_at and placed and micros(placed) < connection.cutover_at)

    def _row(self, leaf: _Leaf, place: int, now: int) -> Row:
        page, doc = leaf.page, leaf.page.doc or {}
        placed = doc.get("placed_at")
        return (
            page.id, leaf.tenant, place, page.version, page.sequence, leaf.hub_number, doc.get("number", ""),
            leaf.connection, doc.get("state", "stub"), doc.get("payment_status", ""), doc.get("fulfillment_status", ""),
            int(bool(doc.get("test"))), int(self._silent(leaf)), page.last_event, micros(placed) if placed else 0,
            leaf.created_at, now, PLAIN.encode(page.state),
        )  # fmt: skip

    def _persons(self, unit: Unit, changed: list[_Leaf]) -> None:
        rows = set()
        for leaf in changed:
            for kind, value in people(leaf.page.doc or {}):
                rows.add((leaf.tenant, self.vault.person(leaf.tenant, kind, value), leaf.page.id))
        unit.add("persons_add", sorted(rows))


STAMPS = ("hub_number", "tenant", "connection", "version", "sequence", "created_at", "updated_at")


def plain(snapshot: bytes) -> dict[str, Any]:
    """A stored snapshot as the book composed it, without what the hub stamped on it."""
    doc: dict[str, Any] = msgspec.json.decode(snapshot)
    for name in STAMPS:
        doc.pop(name, None)
    return doc


def _fact(place: int, heard: Heard, one: Input, leaf: _Leaf | None, now: int) -> Row:
    said = heard.said
    order, ref = (leaf.page.id, said.ref) if leaf else (f"parked:{one.tenant}", heard.numbers[0])
    blob = JSON.encode(registers.forgotten(said)) if leaf and leaf.forgotten else heard.blob
    return (place, one.tenant, order, one.message, one.connection, said.source, said.subject, ref, heard.digest,
            heard.mapping, now, blob)  # fmt: skip


def people(doc: dict[str, Any]) -> set[tuple[str, str]]:
    """The names under which the people of an order may be asked for: mail, phone, buyer reference."""
    found = set()
    for part in ("buyer", "ship_to", "bill_to"):
        person = doc.get(part) or {}
        if person.get("email"):
            found.add(("email", person["email"]))
        if person.get("phone"):
            found.add(("phone", digits(person["phone"])))
        if part == "buyer" and person.get("ref"):
            found.add(("buyer", person["ref"]))
    return found


def digits(phone: str) -> str:
    """A phone number as the person index knows it."""
    return "".join(one for one in phone if one.isdigit() or one == "+")


def micros_or(doc: dict[str, Any], otherwise: int) -> int:
    """When the thing itself happened, where the fact says so."""
    stamp = doc.get("source_revision") or doc.get("at") or doc.get("placed_at")
    return micros(stamp) if stamp else otherwise


def _numbers(leaf: _Leaf) -> set[str]:
    """The parcel numbers that this turn's facts give an order."""
    return {number for heard, _ in leaf.facts if heard.order for number in heard.numbers}


def _names(one: Input, heard: Heard) -> list[Row]:
    """Every identity under which a fact finds its orders: a parcel's is its number too, whoever names its order."""
    names = [identity(one, heard)]
    if heard.order and heard.said.subject == "tracking":
        names.append((one.tenant, *tracking(heard)))
    return names


def _ids(owners: dict[Row, list[str]], one: Input, heard: Heard) -> set[str]:
    return {id_ for key in _names(one, heard) for id_ in owners.get(key, ())}


def identity(one: Input, heard: Heard) -> Row:
    """The identity that a fact is filed under: tenant, source, type, ref."""
    source, type_, ref = heard.order or tracking(heard)
    return (one.tenant, source, type_, ref)


def tracking(heard: Heard) -> Identity:
    """The identity of a parcel: its number, whoever speaks of it."""
    return ("", "tracking", heard.numbers[0])

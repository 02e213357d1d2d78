"""Filing: which orders facts are of. Identities are looked up, new orders named, all of them locked in id
order; then each fact goes to its order, a parcel's to every order that has its number.

On PostgreSQL several processes file at once: identities are claimed in sorted order and the winner is read
again, parcel numbers are locked so that scans and their shipment never miss each other.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import msgspec

from hub.inbound.hear import NUMBERED, Heard
from hub.inbound.leaf import Input, Leaf, identity, names, numbers, owned, plain
from hub.orders import registers, states
from hub.orders.book import Page
from hub.orders.numbers import normal
from hub.orders.registers import Said
from hub.store.engine import Engine, Row, Unit
from hub.world import World

_SAID = msgspec.json.Decoder(Said)
Owners = dict[Row, list[str]]


@dataclass(frozen=True, slots=True)
class Filing:
    """Finds the orders of facts within a unit."""

    engine: Engine
    world: World

    async def known(self, store: Engine, inputs: list[Input]) -> dict[Row, list[str]]:
        """The orders that the identities of these facts belong to, as far as there are any."""
        keys = {key for one in inputs for heard in one.heard for key in names(one, heard)}
        named = {one for one in keys if one[2] == "id"}
        return await self._find(store, keys - named) | {one: [one[3]] for one in named}

    async def owners(self, unit: Unit, inputs: list[Input]) -> dict[Row, list[str]]:
        """Who owns each identity; new orders are named here, and on PostgreSQL the race for the name is run."""
        named = {key for one in inputs for heard in one.heard for key in names(one, heard)}
        wanted = {key for key in named if key[2] != "id"}
        if self.engine.shared:
            numbers = {
                f"{one.tenant}/{number}" for one in inputs for heard in one.heard for number in heard.numbers
            }
            await unit.claim("numbers_lock", sorted((number,) for number in numbers))
        owners = await self._find(unit, wanted) | await self._own(unit, named - wanted)
        missing = sorted(key for key in wanted if key not in owners and key[2] == "order")
        if not missing:
            return owners
        rows = [(*key, self.world.new_id("ord")) for key in missing]
        if self.engine.shared:
            won = set(await unit.fetch("identities_claim", rows))
            lost = [key for key in missing if key not in won]
            owners |= {row[:4]: [row[4]] for row in rows if row[:4] in won}
            return owners | await self._find(unit, lost)
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

    async def open(
        self, unit: Unit, owners: dict[Row, list[str]], again: tuple[str, frozenset[str]] | None
    ) -> dict[str, Leaf]:
        """The leaves of these orders, and of those to be folded again (tenant, ids), locked in id order."""
        leaves: dict[str, Leaf] = {}
        tenants = {id_: key[0] for key, ids in owners.items() for id_ in ids}
        if again is not None:
            tenants |= dict.fromkeys(again[1], again[0])
        for row in await unit.fetch("orders_lock", sorted((id_,) for id_ in tenants)):
            page = Page(
                id=row[0],
                version=row[1],
                sequence=row[2],
                last_event=row[3],
                state=msgspec.json.decode(row[4]),
                doc=await self._doc(unit, row),
            )
            leaves[page.id] = Leaf(
                page=page,
                tenant=tenants[page.id],
                fresh=False,
                hub_number=row[6],
                created_at=row[7],
                connection=row[9],
            )
        for id_, tenant in tenants.items():
            if id_ not in leaves and (again is None or id_ not in again[1]):
                leaves[id_] = Leaf(page=Page(id=id_, state=registers.empty()), tenant=tenant, fresh=True)
        return leaves

    async def _doc(self, unit: Unit, row: Row) -> dict[str, Any] | None:
        """The document of a locked order: one that another process turned while this one waited for the lock
        comes without it (PostgreSQL looks again at the order, not at what is joined to it)."""
        if row[5] is None and row[1]:
            found = await unit.fetch("snapshots_get", order_id=row[0], version=row[1])
            return plain(found[0][0]) if found else None
        return plain(row[5]) if row[5] else None

    def judge(
        self, leaves: dict[str, Leaf], owners: dict[Row, list[str]], inputs: list[Input]
    ) -> dict[int, str]:
        """Decisions that may not be taken, and what names an order that there is not, by input, with the reason."""
        refused: dict[int, str] = {}
        for n, one in enumerate(inputs):
            keys = [identity(one, heard) for heard in one.heard if heard.said.subject != "tracking"]
            strange = [key[3] for key in keys if key[2] == "id" and key not in owners]
            if strange:
                refused[n] = f"there is no order {strange[0]}"
            for key in keys if one.decision or one.version is not None else ():
                for id_ in owners.get(key, ()):
                    page = leaves[id_].page
                    if one.version is not None and page.version != one.version:
                        refused[n] = f"the order is at version {page.version}, not {one.version}"
                    elif one.decision and (why := states.refusal(one.decision, page.doc or {}, _said(one))):
                        refused[n] = why
        return refused

    def file(
        self, leaves: dict[str, Leaf], owners: dict[Row, list[str]], inputs: list[Input]
    ) -> list[tuple[Heard, Input]]:
        """Each fact to its order; a parcel's to all that have its number, those of this batch too; or to the
        parked ones."""
        parked = []
        numbered: dict[Row, set[str]] = {}
        told = [(one, heard) for one in inputs for heard in one.heard]
        for one, heard in told:
            for number in heard.numbers if heard.order else ():
                numbered.setdefault((one.tenant, number), set()).update(owners.get(identity(one, heard), ()))
        for one, heard in told:
            ids = owned(owners, one, heard)
            if heard.said.subject in NUMBERED and heard.numbers:
                ids |= numbered.get((one.tenant, heard.numbers[0]), set())
            for id_ in ids:
                leaves[id_].facts.append((heard, one))
            if not ids:
                parked.append((heard, one))
        return parked

    async def join(self, unit: Unit, leaves: dict[str, Leaf]) -> None:
        """What was told of a parcel before these orders had its number: parked, or told of other orders that
        share it. It goes before what caused the turn."""
        rows = {(leaf.tenant, number, id_) for id_, leaf in leaves.items() for number in numbers(leaf)}
        found: dict[str, list[tuple[Heard, Input]]] = {}
        for tenant, number, id_, message, connection, mapping, digest, blob in await unit.fetch(
            "facts_to_join", sorted(rows)
        ):
            said = _SAID.decode(blob)
            if normal(said.doc["number"]) == number:
                heard = Heard(
                    said=said, order=None, numbers=[number], digest=digest, mapping=mapping, blob=blob
                )
                source = Input(message=message, tenant=tenant, connection=connection, heard=[])
                found.setdefault(id_, []).append((heard, source))
        for id_, facts in found.items():
            leaves[id_].facts[:0] = facts


def _said(one: Input) -> dict[str, Any]:
    """What a decision says of itself."""
    return next((heard.said.doc for heard in one.heard if heard.said.subject == "decision"), {})

"""Remapping: messages that are still held are read again, with other mappings or with those in force.

    a page of messages → what each tells its orders now, beside the facts it gave before
    → the orders to which any of it differs, with all their other messages in the window
    → their old facts of these messages replaced, the orders folded anew, the difference told

An order is judged once, with all its messages in the window at once, at the first of them that differs: so
a page of the run needs nothing of the pages before it, and a run that was cut off goes on at its cursor.
What a message said before stays its fact where it cannot be read any more. Why facts are replaced and not
added: they have one source revision, and two readings of one revision are an ambiguity that never ends.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import msgspec

from hub.contract.errors import Misconfigured
from hub.inbound.errand import errands
from hub.inbound.leaf import Input
from hub.inbound.normalise import blank
from hub.inbound.record import Again, Recorded
from hub.orders.diff import Change
from hub.registry import Registry
from hub.repair.parts import Parts, note, repaired, take_turn
from hub.repair.rebuild import rebuilt
from hub.repair.reread import Reader, Reread
from hub.store.engine import Row, Unit

_ORDERS = 40
_MESSAGES = 32


class Remapped(msgspec.Struct, kw_only=True):
    """An order that differs: `fresh` where it would be a new one (which has no id
    before it is applied), `ref` the source's name of it."""

    order: str
    ref: str
    fresh: bool
    messages: list[str]
    changes: list[Change]
    events: list[str]


class Unread(msgspec.Struct, kw_only=True):
    """A message that cannot be read, why, and whether it could be before."""

    message: str
    reason: str
    was_read: bool


class Remap(msgspec.Struct, kw_only=True):
    """Some messages read again; `next` is where to go on, null at the end. `mended` could not be read before."""

    checked: int
    applied: bool
    orders: list[Remapped] = []
    unread: list[Unread] = []
    mended: list[str] = []
    next: int | None = None


async def remap(
    hub: Parts, tenant: str, texts: Mapping[str, str] | None = None, *, since: int = 0, connection: str = "",
    apply: bool = False, after: int = 0, most: int = 100, actor: str = "",
) -> Remap:  # fmt: skip
    """Read a page of held messages again, with these mapping texts over those in force; orders change only
    with `apply`. Raises Misconfigured with every fault of the texts."""
    registry = hub.directory.registry.with_mappings(texts) if texts else hub.directory.registry
    faults = [fault for name in texts or () for fault in _faults(registry, name)]
    if faults:
        raise Misconfigured(faults)
    rows = await hub.engine.fetch(
        "messages_held", tenant=tenant, after=after, since=since, connection=connection, most=most
    )
    run = Run(
        hub, tenant, Reader(hub, tenant, registry, since, connection), apply=apply, after=after, actor=actor
    )
    out = await run.over(rows)
    out.next = rows[-1][0] if len(rows) == most else None
    if apply and (out.orders or out.mended):
        await hub.engine.transact(lambda unit: _remember(unit, run, texts or {}, registry, out))
    return out


def _faults(registry: Registry, name: str) -> list[str]:
    try:
        registry.mapping(name)
    except Misconfigured as error:
        return error.faults
    return []


async def _remember(unit: Unit, run: Run, texts: Mapping[str, str], registry: Registry, out: Remap) -> None:
    """Keep the texts, which provenance names, and who had it done."""
    hashes = {name: registry.mapping(name).hash for name in texts}
    for name, text in texts.items():
        unit.add("mappings_put", hash=hashes[name], name=name, body=text, created_at=run.hub.world.now())
    detail = {"mappings": hashes, "orders": len(out.orders), "mended": len(out.mended)}
    await note(unit, run.hub, run.tenant, run.actor, "messages.remapped", ",".join(sorted(texts)), detail)


@dataclass(slots=True)
class Run:
    """One page of a remap; the orders of messages at or before `after` were judged by an earlier one. `alone`
    leaves the orders' other messages as they were read."""

    hub: Parts
    tenant: str
    reader: Reader
    apply: bool
    after: int = 0
    actor: str = ""
    alone: bool = False
    out: Remap = field(init=False)

    def __post_init__(self) -> None:
        self.out = Remap(checked=0, applied=self.apply)

    async def over(self, rows: list[Row]) -> Remap:
        """Judge every order that these messages tell something else than before."""
        told = {one.id: one for one in await self.reader.read(rows)}
        self.out.checked = len(told)
        self.out.unread = [
            Unread(message=one.id, reason=one.error, was_read=one.status != "failed")
            for one in told.values()
            if one.error
        ]
        keys = list(dict.fromkeys(key for one in told.values() for key in sorted(one.moved)))
        for chunk in _chunks([key for key in keys if not key.startswith("ord_")], _ORDERS):
            await self._judge(chunk, list(told.values()))
        for chunk in _chunks([key for key in keys if key.startswith("ord_")], _ORDERS):
            await self._judge(chunk, await self._with_others(chunk, told))
        await self._mend([one for one in told.values() if one.status == "failed" and not one.error])
        return self.out

    async def _with_others(self, orders: list[str], told: dict[str, Reread]) -> list[Reread]:
        """The messages of these orders within the window: those of the page, and the others read as well."""
        wanted = {one.id: one for one in told.values() if one.moved & set(orders)}
        if self.alone:
            return list(wanted.values())
        rows = await self.hub.engine.fetch(
            "messages_of_orders", [(id_,) for id_ in orders], tenant=self.tenant
        )
        others = sorted({row[0] for row in rows} - told.keys())
        for chunk in _chunks(others, _MESSAGES):
            for one in await self.reader.named(chunk):
                if one.moved & set(orders):
                    wanted[one.id] = one.only(set(orders))
        return list(wanted.values())

    async def _judge(self, keys: list[str], told: list[Reread]) -> None:
        """Replace what these messages told these orders; `keys` that are no orders yet become some."""
        first = {key: min(one.position for one in told if key in one.moved) for key in keys}
        keys = [key for key in keys if self.apply or first[key] > self.after]
        moved = [
            (one, key)
            for one in sorted(told, key=lambda one: one.position)
            for key in keys
            if key in one.moved
        ]
        if not moved:
            return
        pairs = sorted({(key, one.id) for one, key in moved})
        orders = frozenset(key for key in keys if key.startswith("ord_"))
        again = Again(tenant=self.tenant, orders=orders, cause=repaired(self.hub), without=frozenset(pairs))
        inputs = list(_inputs(moved))

        async def work(unit: Unit) -> Recorded:
            unit.add("facts_drop", pairs)
            recorded = await self.hub.recorder.record(unit, inputs, again)
            unit.add("messages_blank", recorded.blank, head=blank(self.hub.world.now()))
            return recorded

        recorded = await take_turn(self.hub, work, apply=self.apply)
        if self.apply:
            await self.hub.normalise.hand_over(recorded)
        self._tell(recorded, inputs, pairs)

    def _tell(self, recorded: Recorded, inputs: list[Input], pairs: list[tuple[str, str]]) -> None:
        gave: dict[str, set[str]] = {}
        for order, message in pairs:
            gave.setdefault(order, set()).add(message)
        for one, orders in zip(inputs, recorded.orders, strict=True):
            for order in orders:
                gave.setdefault(order, set()).add(one.message)
        for order, turned in recorded.turned.items():
            if turned.changed:
                what, fresh = rebuilt(order, turned), order in recorded.fresh
                self.out.orders.append(Remapped(
                    order="" if fresh and not self.apply else order, ref=(turned.page.doc or {}).get("ref", ""),
                    fresh=fresh, messages=sorted(gave.get(order, ())), changes=[] if fresh else what.changes,
                    events=what.events,
                ))  # fmt: skip

    async def _mend(self, told: list[Reread]) -> None:
        """Messages that can be read now are processed, and their troubles are over."""
        self.out.mended = [one.id for one in told]
        if not told or not self.apply:
            return

        async def work(unit: Unit) -> None:
            unit.add("messages_settle", [(one.position, one.understood.status, None) for one in told])
            unit.add("memories_put", [row for one in told for row in _errands(one)])
            await self.hub.troubles.clear(unit, self.out.mended)

        await self.hub.engine.transact(work)
        for one in told:
            self.hub.normalise.beside(one.understood)


def _inputs(moved: list[tuple[Reread, str]]) -> Iterator[Input]:
    """What each message tells the orders it is replaced in, each fact once."""
    found: dict[str, Input] = {}
    seen: set[tuple[str, str]] = set()
    for one, key in moved:
        input_ = found.setdefault(one.id, msgspec.structs.replace(one.understood.input, heard=[]))
        for heard in one.now.get(key, ()):
            if (one.id, heard.digest) not in seen:
                seen.add((one.id, heard.digest))
                input_.heard.append(heard)
    yield from found.values()


def _errands(one: Reread) -> list[Row]:
    arrival = one.understood.arrival
    return errands(arrival.tenant, arrival.connection, arrival.id, one.understood.asides)


def _chunks(items: list[str], size: int) -> Iterator[list[str]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]

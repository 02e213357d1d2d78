"""What operators make is written with its audit row, in one transaction, and seen at once."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from typing import Any, TypeVar

import msgspec
from msgspec import UNSET

from hub.directory import Connection, Endpoint, Partner, Route, Thing, Token
from hub.http.ask import Ask
from hub.http.problems import Problem, invalid, missing
from hub.run import Hub
from hub.store.engine import Poisoned, Unit
from hub.store.rows import PLAIN
from hub.things import Alert, NoticeRule, Notifier

T = TypeVar("T", bound=Thing)


class Moved(Exception):
    """Somebody else has changed the thing since this operation read it: it begins anew, from how the thing is now."""


NOUNS: dict[type[Thing], str] = {
    Connection: "connection", Endpoint: "endpoint", Partner: "partner", Route: "route", Token: "token",
    Notifier: "notifier", NoticeRule: "notice", Alert: "alert",
}  # fmt: skip

_HIDDEN = {"addresses", "auth", "secrets", "hash", "key", "settings", "created_at", "updated_at", "position"}


def find(ask: Ask, type_: type[T], name: str) -> T:
    """One of the caller's things by its id or name; Problem 404."""
    found = ask.hub.directory.get(type_, name, tenant=ask.tenant)
    if found is None:
        raise missing(NOUNS[type_], name)
    return found


async def named_order(ask: Ask) -> str:
    """The order that a list is asked for, by its id, "" where none is; Problem 422 where there is no such order."""
    order = ask.text("order")
    if order and not await ask.hub.engine.fetch("orders_owned", [(ask.tenant, order)]):
        raise invalid(f"there is no order {order!r}", "order")
    return order


def copy(thing: T) -> T:
    """A copy to change: the directory's own stays as the store has it until the change is written."""
    return msgspec.convert(msgspec.to_builtins(thing), type(thing))


def put(thing: Thing, given: msgspec.Struct, names: Iterable[str] = ()) -> None:
    """Put what a patch says on a thing: each of these fields that was given, all of the patch's where none is named."""
    for name in names or given.__struct_fields__:
        if (value := getattr(given, name)) is not UNSET:
            setattr(thing, name, value)


async def save(ask: Ask, thing: Thing, action: str, before: Thing | None = None, **detail: Any) -> None:
    """Write a thing with its audit row; Problem 409 where its name is taken, Moved where it was changed meanwhile."""
    await write(ask, thing, action, before, None, detail)


async def write(
    ask: Ask, thing: Thing, action: str, before: Thing | None, also: Callable[[Unit], Awaitable[None]] | None,
    detail: dict[str, Any],
) -> None:  # fmt: skip
    """As `save`, with what else goes with it in the same transaction."""
    hub, noun = ask.hub, NOUNS[type(thing)]
    other = hub.directory.get(type(thing), thing.name, tenant=thing.tenant)
    if other is not None and other.id != thing.id:
        raise _taken(noun, thing.name)
    old, new = (shown(before) if before else {}), shown(thing)
    changed = {name for name in old.keys() | new.keys() if old.get(name) != new.get(name)}
    detail |= {"before": {name: old[name] for name in sorted(changed & old.keys())}} if before else {}
    detail |= {"after": {name: new[name] for name in sorted(changed & new.keys())}}

    async def work(unit: Unit) -> None:
        await note(unit, ask, f"{noun}.{action}", thing.id, detail)
        if also is not None:
            await also(unit)
        await hub.directory.put(unit, thing, hub.world.now())

    try:
        await hub.engine.transact(work)
    except Poisoned as error:
        if await hub.directory.moved(thing):
            raise Moved from error
        raise _taken(noun, thing.name) from error
    await seen(hub)


async def drop(ask: Ask, thing: Thing, also: Callable[[Unit], Awaitable[None]] | None = None) -> Unit:
    """Remove a thing, with what else goes with it."""
    noun = NOUNS[type(thing)]

    async def work(unit: Unit) -> Unit:
        await note(unit, ask, f"{noun}.deleted", thing.id, {"before": shown(thing)})
        unit.add("things_drop", kind=type(thing).__name__.lower(), id=thing.id, tenant=thing.tenant)
        if also is not None:
            await also(unit)
        return unit

    unit = await ask.hub.engine.transact(work)
    await seen(ask.hub)
    return unit


async def note(unit: Unit, ask: Ask, action: str, subject: str, detail: dict[str, Any]) -> None:
    """An audit row: who did what to what, with what was before and after where it changed."""
    position = await unit.positions(1)
    row = (position, ask.tenant, ask.hub.world.now(), ask.who.name, action, subject, PLAIN.encode(detail))
    unit.add("audit_add", [row])


async def record(ask: Ask, action: str, subject: str, **detail: Any) -> None:
    """An audit row of its own."""
    await ask.hub.engine.transact(lambda unit: note(unit, ask, action, subject, detail))


async def seen(hub: Hub) -> None:
    """This process knows of the change."""
    await hub.directory.refresh()
    hub.deliver.configure()


def shown(thing: Thing) -> dict[str, Any]:
    """A thing as the audit may show it: without secrets."""
    doc: dict[str, Any] = msgspec.to_builtins(thing)
    return {name: value for name, value in doc.items() if name not in _HIDDEN}


def _taken(noun: str, name: str) -> Problem:
    return Problem(409, "conflict", f"there is {noun} {name!r} already", field="name")

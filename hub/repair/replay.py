"""Replaying: messages go through the normalise stage again, or are read again where they gave facts before.

A message that gave none is received anew: the stage finds it, and closes its exception when it succeeds.
One that gave facts has them replaced (hub.repair.remap), so that nothing doubles though a mapping was mended.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from hub.inbound.keep import MAIL
from hub.repair.parts import Parts, note
from hub.repair.remap import Remapped, Run, Unread
from hub.repair.reread import Reader
from hub.store.engine import Row, Unit

_CHUNK = 64
_MOST = 10_000


class Replay(msgspec.Struct, kw_only=True):
    """What was replayed: `reopened` messages wait for the stage, `orders` changed by those read again; `gone`
    are those there are not, or whose content is not held any more."""

    reopened: list[str] = []
    reread: list[str] = []
    orders: list[Remapped] = []
    unread: list[Unread] = []
    gone: list[str] = []


async def replay(hub: Parts, tenant: str, ids: Sequence[str], *, actor: str = "") -> Replay:
    """Let these messages go through again."""
    out = Replay()
    asked = list(dict.fromkeys(ids))
    for start in range(0, len(asked), _CHUNK):
        await _some(hub, tenant, asked[start : start + _CHUNK], out, actor)
    hub.inbox.spilled = True
    hub.inbox.put([])
    return out


async def of_exception(hub: Parts, tenant: str, exception: str) -> list[str] | None:
    """The messages that an exception holds; None where there is no such exception."""
    rows = await hub.engine.fetch("exceptions_get", tenant=tenant, id=exception)
    return await of_cause(hub, tenant, rows[0][1]) if rows else None


async def of_cause(hub: Parts, tenant: str, cause: str) -> list[str]:
    """The messages in trouble under a cause, oldest first."""
    rows = await hub.engine.fetch("troubles_of", tenant=tenant, cause=cause, most=_MOST)
    return [row[0] for row in rows if row[0].startswith("msg_")]


async def failed(hub: Parts, tenant: str, connection: str) -> list[str]:
    """The messages of a connection that could not be read, oldest first."""
    rows = await hub.engine.fetch(
        "messages_list", tenant=tenant, after=0, connection=connection, status="failed", most=_MOST
    )
    return [row[1] for row in rows]


async def _some(hub: Parts, tenant: str, ids: list[str], out: Replay, actor: str) -> None:
    rows = await hub.engine.fetch("messages_of", [(id_,) for id_ in ids], tenant=tenant)
    gave = {
        row[0]
        for row in await hub.engine.fetch("facts_of_messages", [(row[1],) for row in rows], tenant=tenant)
    }
    reopened = [row[1] for row in rows if row[1] not in gave or row[4] == MAIL]
    again = [row for row in sorted(rows) if row[1] in gave and row[4] != MAIL]
    out.reopened += reopened
    out.reread += [row[1] for row in again]
    out.gone += sorted(set(ids) - {row[1] for row in rows})
    if again:
        await _reread(hub, tenant, again, out, actor)

    async def work(unit: Unit) -> None:
        unit.add("messages_reopen", [(tenant, id_) for id_ in reopened], until=0)
        if rows:
            await note(
                unit, hub, tenant, actor, "messages.replayed", "", {"messages": [row[1] for row in rows]}
            )

    await hub.engine.transact(work)


async def _reread(hub: Parts, tenant: str, rows: list[Row], out: Replay, actor: str) -> None:
    run = Run(hub, tenant, Reader(hub, tenant, hub.directory.registry), apply=True, actor=actor, alone=True)
    read = await run.over(rows)
    out.orders += read.orders
    out.unread += read.unread

"""Notices: news of a connection itself changes its status, opens an exception and tells who listens.

A connection that has to be authorised again still takes pushes: the privacy requests of a far side come
after it has parted (Shopify docs: shop/redact arrives 48 hours after app/uninstalled). It is neither polled
nor written to until `recovered`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import msgspec

from hub.announce import Announcer, Draft
from hub.contract.fact import Notice
from hub.directory import Connection, Directory
from hub.store.engine import Engine, Unit
from hub.store.rows import PLAIN, Due
from hub.troubles import Trouble, Troubles, cause
from hub.world import World

PARTED = "reauth_required"
_HINTS = {
    "uninstalled": "Install the app again or make new credentials, then `orderhub connections resume`.",
    "reauth_required": "Grant what is missing or make new credentials, then `orderhub connections resume`.",
    "subscription_lost": "Register the subscriptions at the far side again, then `orderhub connections resume`.",
}
_TITLES = {
    "uninstalled": "the far side has removed us",
    "reauth_required": "the far side no longer accepts our credentials",
    "subscription_lost": "the far side no longer pushes to us",
}


@dataclass(frozen=True, slots=True)
class Notices:
    """Takes notices; `hand` gets the deliveries of what is told."""

    engine: Engine
    directory: Directory
    announcer: Announcer
    troubles: Troubles
    world: World
    hand: Callable[[list[Due]], None]

    async def take(self, unit: Unit, connection: Connection, notice: Notice) -> list[Due]:
        """Add all that a notice brings to the unit; returns the deliveries to hand over once it is done."""
        parted = notice.kind != "subscription_lost"
        if parted and connection.status == PARTED:
            return []
        told = msgspec.structs.replace(connection, status=PARTED) if parted else connection
        await self.troubles.open(unit, [_trouble(connection, notice)])
        due = await self._tell(unit, told, PARTED if parted else "subscription_lost", notice.detail)
        await self._audit(unit, connection, f"connection.{notice.kind}", notice.detail)
        if parted:
            await self.directory.stand(unit, told, self.world.now())
        return due

    async def recovered(self, connection: Connection) -> None:
        """The connection works again: its exceptions close, it is polled and written to."""
        told = msgspec.structs.replace(connection, status="active")

        async def work(unit: Unit) -> list[Due]:
            await self.troubles.clear(unit, [_subject(connection, kind) for kind in _TITLES])
            due = await self._tell(unit, told, "recovered", "")
            await self.directory.stand(unit, told, self.world.now())
            return due

        due = await self.engine.transact(work)
        await self.directory.refresh()
        self.hand(due)

    async def reach(self, connection: Connection, what: str, why: str) -> None:
        """Its far side went down, does not take our credentials, or is well again: who listens is told, an exception
        stands for as long as it lasts. Its status stays: it is probed, and no person has to say that it works."""
        subject = f"reach:{connection.id}"

        async def work(unit: Unit) -> list[Due]:
            if what == "recovered":
                await self.troubles.clear(unit, [subject])
            else:
                await self.troubles.open(unit, [_unreached(connection, what, why, subject)])
            return await self._tell(unit, connection, what, why)

        self.hand(await self.engine.transact(work))

    async def _tell(self, unit: Unit, connection: Connection, what: str, detail: str) -> list[Due]:
        data = {"id": connection.id, "name": connection.name, "channel": connection.channel,
                "account": connection.account, "status": connection.status, "detail": detail}  # fmt: skip
        draft: Draft = self.announcer.plain(
            connection.tenant, f"connection.{what}", ("connection", connection.id), data
        )
        return draft.write(unit, await unit.positions(draft.size), {})

    async def _audit(self, unit: Unit, connection: Connection, action: str, detail: str) -> None:
        position = await unit.positions(1)
        row = (
            position,
            connection.tenant,
            self.world.now(),
            "hub",
            action,
            connection.id,
            PLAIN.encode({"detail": detail}),
        )
        unit.add("audit_add", [row])


def _unreached(connection: Connection, what: str, why: str, subject: str) -> Trouble:
    titles = {"degraded": "its far side is down", "reauth_required": _TITLES["reauth_required"]}
    hints = {
        "degraded": "It is probed, and goes on by itself; `orderhub connections test` asks now.",
        "reauth_required": "Make new credentials, `orderhub connections set` them, then `orderhub connections test`.",
    }
    return Trouble(
        tenant=connection.tenant, cause=cause("reach", what, connection.id), subject=subject,
        title=f"{connection.name}: {titles[what]}: {why}", hint=hints[what], connection=connection.id,
    )  # fmt: skip


def _subject(connection: Connection, kind: str) -> str:
    return f"{kind}:{connection.id}"


def _trouble(connection: Connection, notice: Notice) -> Trouble:
    detail = f": {notice.detail}" if notice.detail else ""
    return Trouble(
        tenant=connection.tenant,
        cause=cause("notice", notice.kind, connection.id),
        subject=_subject(connection, notice.kind),
        title=f"{connection.name}: {_TITLES[notice.kind]}{detail}",
        hint=_HINTS[notice.kind],
        connection=connection.id,
    )

"""Accounts: whose messages a connection brings, learned from the first that says so.

Orders are filed under the account and not under the connection, so that a connection which is made again
finds its orders. It is learned before the first fact, never changed by a message after that.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import msgspec

from hub.directory import Connection, Directory
from hub.inbound.keep import clean
from hub.store.engine import Engine, Poisoned, Unit
from hub.store.rows import Arrival
from hub.troubles import Trouble, Troubles, cause
from hub.world import World


@dataclass(slots=True)
class Accounts:
    """Fills in what connections were made without."""

    engine: Engine
    directory: Directory
    world: World
    troubles: Troubles
    _asked: set[str] = field(default_factory=set)
    _warned: set[str] = field(default_factory=set)

    async def learn(self, arrivals: Iterable[Arrival]) -> None:
        """Give each connection that has no account the one its messages name."""
        for one in arrivals:
            connection = self.directory.get(Connection, one.connection)
            if connection is None or connection.account or connection.id in self._asked:
                continue
            channel = self.directory.registry.channels.get(connection.channel)
            account = clean(channel.account.find(one.opened or one.message())) if channel else ""
            if account:
                await self._take(connection, account)

    async def _take(self, connection: Connection, account: str) -> None:
        others = self.directory.all(Connection, connection.tenant)
        twin = next(
            (
                one
                for one in others
                if one.account == account and one.channel == connection.channel and one.mode == "live"
            ),
            None,
        )
        if twin is not None:
            await self._clash(connection, twin)
            return
        known = await self.engine.fetch("facts_of_connection", connection=connection.id)
        if known:
            self._asked.add(connection.id)
            return
        await self._keep(connection, account)
        self._asked.add(connection.id)

    async def _keep(self, connection: Connection, account: str) -> None:
        """What is in force stays until it is durable; somebody who changes the connection meanwhile is not undone."""

        async def work(unit: Unit) -> None:
            await self.directory.put(unit, learned, self.world.now())

        now: Connection | None = connection
        while now is not None and not now.account:
            learned = msgspec.structs.replace(now, account=account)
            try:
                await self.engine.transact(work)
            except Poisoned:
                if not await self.directory.moved(learned):
                    raise
            await self.directory.refresh()
            now = self.directory.by_id(Connection, connection.id)

    async def _clash(self, connection: Connection, twin: Connection) -> None:
        """Two live connections would tell everything twice: a person has to end one."""
        if connection.id in self._warned:
            return
        self._warned.add(connection.id)
        trouble = Trouble(
            tenant=connection.tenant, cause=cause("account", connection.channel, twin.account),
            subject=clash(connection), connection=connection.id,
            title=f"{connection.name} and {twin.name} are two live connections to the account {twin.account}",
            hint="Remove one of them, or let one observe: its orders are filed twice meanwhile.",
        )  # fmt: skip
        await self.engine.transact(lambda unit: self.troubles.open(unit, [trouble]))


def clash(connection: Connection) -> str:
    """The subject of the trouble that a connection has with its twin."""
    return f"account:{connection.id}"

"""Accounts: whose messages a connection brings, learned from the first that says so.

Orders are filed under the account and not under the connection, so that a connection which is made again
finds its orders. It is learned before the first fact, never changed by a message after that.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import msgspec
import structlog

from hub.directory import Connection, Directory
from hub.inbound.keep import clean
from hub.store.engine import Engine, Unit
from hub.store.rows import Arrival
from hub.world import World

log = structlog.get_logger("orderhub.accounts")


@dataclass(slots=True)
class Accounts:
    """Fills in what connections were made without."""

    engine: Engine
    directory: Directory
    world: World
    _asked: set[str] = field(default_factory=set)

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
        if any(
            one.account == account and one.channel == connection.channel and one.mode == "live"
            for one in others
        ):
            log.warning("two live connections bring one account", connection=connection.id, account=account)
            self._asked.add(connection.id)
            return
        known = await self.engine.fetch("facts_of_connection", connection=connection.id)
        if known:
            self._asked.add(connection.id)
            return
        learned = msgspec.structs.replace(
            connection, account=account
        )  # what is in force stays until it is durable

        async def work(unit: Unit) -> None:
            await self.directory.put(unit, learned, self.world.now())

        await self.engine.transact(work)
        await self.directory.refresh()
        self._asked.add(connection.id)

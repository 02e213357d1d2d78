"""Errands are run: redactions and news of connections that messages brought, until each is done.

They wait in the store (hub.inbound.errand). One that fails is tried again after a minute, stands in the
exceptions meanwhile, and holds no other up.
"""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass, field

import msgspec
import structlog

from hub.contract.errors import HubError
from hub.contract.fact import Redaction
from hub.directory import Connection
from hub.inbound.errand import OWNER, Errand
from hub.inbound.notices import Notices
from hub.repair.parts import Parts
from hub.repair.redact import redact
from hub.store.engine import Unavailable, Unit
from hub.store.rows import Due
from hub.troubles import Trouble, cause

_PATIENCE = 60_000_000
_ERRAND = msgspec.json.Decoder(Errand)
log = structlog.get_logger("orderhub.errands")


@dataclass(slots=True)
class Errands:
    """The stage that does what messages asked for."""

    hub: Parts
    notices: Notices
    spilled: bool = True
    _news: asyncio.Event = field(default_factory=asyncio.Event)
    _again: dict[str, int] = field(default_factory=dict)

    def wake(self) -> None:
        """There is one."""
        self.spilled = True
        self._news.set()

    async def step(self) -> int:
        """Do what there is to do; returns how many were done."""
        if not self.spilled:
            return 0
        self.spilled = False
        now = self.hub.world.now()
        count = 0
        for name, value in await self.hub.engine.fetch("memories_all", owner=OWNER, now=now):
            if self._again.get(name, 0) <= now:
                count += await self._one(name, _ERRAND.decode(value))
        return count

    async def wait(self, seconds: float) -> None:
        """Until there is something, or so long; then the store is looked into again."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._news.wait()
        self._news.clear()
        self.spilled = True

    async def _one(self, name: str, errand: Errand) -> int:
        try:
            if errand.redaction is not None:
                await self._redact(errand, errand.redaction)
            self.hub.deliver.hand(await self.hub.engine.transact(lambda unit: self._end(unit, name, errand)))
        except Unavailable:
            raise
        except Exception as error:  # noqa: BLE001  a bug that one errand meets keeps no other from being done
            await self._failed(name, errand, error)
            return 0
        self._again.pop(name, None)
        await self.hub.directory.refresh()
        return 1

    async def _redact(self, errand: Errand, wish: Redaction) -> None:
        connection = self.hub.directory.get(Connection, errand.connection)
        done = await redact(
            self.hub, errand.tenant, wish, connection=connection, message=errand.message, apply=True
        )
        log.info("a redaction was carried out", message=errand.message, orders=len(done.orders))

    async def _end(self, unit: Unit, name: str, errand: Errand) -> list[Due]:
        """The errand is over; a notice is taken in the same transaction, so that it is told once."""
        taken = await unit.fetch("memories_take", owner=OWNER, name=name)
        unit.add("memories_drop", owner=OWNER, name=name)
        await self.hub.troubles.clear(unit, [name])
        connection = self.hub.directory.get(Connection, errand.connection)
        if not taken or errand.notice is None or connection is None:
            return []
        return await self.notices.take(unit, connection, errand.notice)

    async def _failed(self, name: str, errand: Errand, error: Exception) -> None:
        bug = None if isinstance(error, HubError) else error
        log.error(
            "an errand could not be done; it is tried again", errand=name, error=str(error), exc_info=bug
        )
        self._again[name] = self.hub.world.now() + _PATIENCE
        what = "a redaction" if errand.redaction else "news of a connection"
        trouble = Trouble(
            tenant=errand.tenant,
            cause=cause("errand", type(error).__name__),
            subject=name,
            title=f"{what} of message {errand.message} could not be carried out: {error}",
            hint="It is tried again each minute.",
            connection=errand.connection,
        )

        async def work(unit: Unit) -> None:
            if await unit.fetch("memories_get", owner=OWNER, name=name, now=self.hub.world.now()):
                await self.hub.troubles.open(unit, [trouble])  # else another process has done it meanwhile

        await self.hub.engine.transact(work)

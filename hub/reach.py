"""Reach: whether the far side of each connection answers us, and accepts who we are.

Five failures in a row, and it counts as down: nothing is asked of it but one probe a minute, growing to five,
and whoever wants something is told at once when to come again. The first answer ends it. Credentials that it
does not take any more are probed in the same way: what was granted again is noticed by itself.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from hub.circuit import SECOND, Circuit
from hub.contract.errors import Postponed
from hub.directory import Connection
from hub.store.engine import Engine, Unit
from hub.world import World

Tell = Callable[[Connection, str, str], Awaitable[None]]
"""Tells of `degraded`, `reauth_required` or `recovered`, with what the far side said."""

_OWNER = "reach"
_OFTEN = 60 * SECOND


class Down(Postponed):
    """Not asked: its far side is known to be down, or not to know us."""


@dataclass(slots=True)
class _Known:
    """One connection's health: what was told of it last ("" for all is well) as the store had it when it was looked at,
    and the probes under way."""

    circuit: Circuit
    told: str
    looked_at: int
    asking: int = 0


@dataclass(slots=True)
class Reach:
    """Lets requests through, or not, and tells when that changes. What it told is kept in the store: a process that
    starts knows what it has to take back."""

    engine: Engine
    world: World
    tell: Tell
    _known: dict[str, _Known] = field(default_factory=dict)

    async def ask(self, connection: Connection) -> None:
        """Before a request; raises Down where it would be one too many. What came of it is told, then it has `left`."""
        known = await self._of(connection)
        now = self.world.now()
        if known.circuit.may_send(now, known.asking) == 0:
            after = max(1.0, (known.circuit.probe_at - now) / SECOND)
            raise Down(f"the far side of {connection.name} {_WORDS[known.told]}: it is probed", after=after)
        known.asking += 1

    async def heard(self, connection: Connection) -> None:
        """It answered as one that is there and knows us."""
        known, now = await self._of(connection), self.world.now()
        known.circuit.answered(now, accepted=True)
        if (
            not known.told and now - known.looked_at >= _OFTEN
        ):  # whoever told of it may be dead: then it is ours to take back
            known.told, known.looked_at = await self._stored(connection), now
        await self._say(connection, known, "", "")

    async def unheard(self, connection: Connection, why: str) -> None:
        """No answer, or one of a server that is broken."""
        known = await self._of(connection)
        known.circuit.failed(self.world.now())
        if known.circuit.is_open and known.told != "reauth_required":
            await self._say(connection, known, "degraded", why)

    async def denied(self, connection: Connection, why: str) -> None:
        """It does not take our credentials, nor renewed ones."""
        known = await self._of(connection)
        known.circuit.opened(self.world.now())
        await self._say(connection, known, "reauth_required", why)

    async def busy(self, connection: Connection) -> None:
        """It asks for patience: it is there, though of our credentials that says nothing."""
        if (await self._of(connection)).told == "reauth_required":
            self.unclear(connection)
        else:
            await self.heard(connection)

    def unclear(self, connection: Connection) -> None:
        """What it answered says neither that it is well nor that it is down: a probe was spent on it."""
        circuit, now = self._known[connection.id].circuit, self.world.now()
        if circuit.is_open and now >= circuit.probe_at:
            circuit.opened(now)

    def left(self, connection: Connection) -> None:
        """A request ended, whatever came of it."""
        self._known[connection.id].asking -= 1

    def fresh(self, connection: Connection) -> None:
        """It was changed or resumed: the next request is a probe."""
        if known := self._known.get(connection.id):
            known.circuit.probe_at = 0

    async def _of(self, connection: Connection) -> _Known:
        known = self._known.get(connection.id)
        if known is None:
            told = await self._stored(connection)
            circuit = Circuit(since=self.world.now())
            if told:
                circuit.opened(self.world.now())
                circuit.probe_at = 0
            known = self._known.setdefault(connection.id, _Known(circuit, told, self.world.now()))
        return known

    async def _stored(self, connection: Connection) -> str:
        rows = await self.engine.fetch("memories_get", owner=_OWNER, name=connection.id, now=self.world.now())
        return bytes(rows[0][0]).decode() if rows else ""

    async def _say(self, connection: Connection, known: _Known, word: str, why: str) -> None:
        if known.told == word:
            return
        before, known.told = known.told, word
        try:
            await self._told(connection, word, why)
        except BaseException:
            known.told = before  # it is told when it is seen again
            raise

    async def _told(self, connection: Connection, word: str, why: str) -> None:
        if await self._stored(connection) == word:  # another process was first
            return

        async def work(unit: Unit) -> None:
            if word:
                unit.add("memories_put", [(_OWNER, connection.id, word.encode(), 0)])
            else:
                unit.add("memories_drop", owner=_OWNER, name=connection.id)

        await self.tell(connection, word or "recovered", why)  # twice, rather than never
        await self.engine.transact(work)


_WORDS = {"": "is down", "degraded": "is down", "reauth_required": "does not accept our credentials"}

"""Public keys that proofs name: fetched from the connection's own far side, kept for an hour.

The sender chooses the key's name, so fetches are bounded: a few a minute for a connection, a name that
was not found is not asked for again soon, and no connection trusts another's keys.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from hub.contract.channel import Channel
from hub.contract.errors import Forged
from hub.directory import Connection
from hub.world import World

Fetch = Callable[[Connection, Channel, str], Awaitable[bytes | None]]
"""Asks the far side for a key: its bytes, None where there is none; raises Postponed when it cannot be asked."""

_KEPT = 3600 * 1_000_000
_FEW = 6
_MINUTE = 60 * 1_000_000
_NAMES = 64
_LONGEST = 500


@dataclass(slots=True)
class _Ring:
    keys: dict[str, bytes] = field(default_factory=dict)
    until: dict[str, int] = field(default_factory=dict)
    asked: list[int] = field(default_factory=list)


@dataclass(slots=True)
class Keyring:
    """The keys of every connection."""

    fetch: Fetch
    world: World
    _rings: dict[str, _Ring] = field(default_factory=dict)

    def known(self, connection: Connection) -> Mapping[str, bytes]:
        """What a connection may be proved with now."""
        ring = self._rings.setdefault(connection.id, _Ring())
        now = self.world.now()
        for name in [name for name, until in ring.until.items() if until <= now]:
            ring.keys.pop(name, None)
            del ring.until[name]
        return ring.keys

    async def learn(self, connection: Connection, channel: Channel, name: str) -> None:
        """Fetch a key that is not known; raises Forged where there is none, Postponed where it cannot be asked."""
        ring = self._rings.setdefault(connection.id, _Ring())
        now = self.world.now()
        ring.asked = [at for at in ring.asked if at > now - _MINUTE]
        if name in ring.until or len(name) > _LONGEST or len(ring.until) >= _NAMES or len(ring.asked) >= _FEW:
            raise Forged("its public key is not known")
        ring.asked.append(now)
        found = await self.fetch(connection, channel, name)
        if found is None:
            ring.until[name] = now + _MINUTE
            raise Forged("the far side does not know its public key")
        ring.keys[name] = found
        ring.until[name] = now + _KEPT

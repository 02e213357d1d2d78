"""Bodies: what endpoints are sent of events, rendered once for each shape and kept as long as the event is.

A body that was rendered is repeated byte for byte. One that never was, since its mapping failed, is made with the
version in force now, and the delivery remembers which: so that a replay after a fix works. Who needs one at the same
moment shares a look into the store and a transaction.
"""

from __future__ import annotations

from hub.contract.mapping import Mapping
from hub.directory import Directory
from hub.outbound.render import render
from hub.store.engine import Engine, Unit
from hub.store.group import Group
from hub.store.rows import Due

_MOST = 64
Key = tuple[str, str]


class Bodies:
    """Gives deliveries their bodies."""

    def __init__(self, engine: Engine, directory: Directory) -> None:
        self._engine = engine
        self._directory = directory
        self._group: Group[Due, bytes | Exception] = Group(self._make, _MOST)

    async def of(self, one: Due) -> bytes:
        """The body of a delivery, durable where it is not the event itself; raises Misconfigured, Unreadable or LeftOut
        where its mapping makes none, Unavailable."""
        if one.shape == "full":
            return one.body()
        made = await self._group.add(one)
        if isinstance(made, bytes):
            return made
        raise made

    async def _make(self, group: list[Due]) -> list[bytes | Exception]:
        wanted = sorted({(one.event, one.shape) for one in group})
        held: dict[Key, bytes] = {
            (event, shape): bytes(body)
            for event, shape, body in await self._engine.fetch("renderings_get", wanted)
        }
        new: dict[Key, bytes] = {}
        moved: list[tuple[Due, str]] = []
        out: list[bytes | Exception] = []
        for one in group:
            if (body := held.get((one.event, one.shape))) is not None:
                out.append(body)
                continue
            try:
                shape, body = self._rendered(one, new)
            except Exception as fault:  # noqa: BLE001  raised to whose it is, and to no other of the group
                out.append(fault)
                continue
            new[one.event, shape] = body
            out.append(body)
            if shape != one.shape:
                moved.append((one, shape))
        await self._keep(new, moved)
        return out

    def _rendered(self, one: Due, new: dict[Key, bytes]) -> tuple[str, bytes]:
        """A body made now, or for another of this group, and its shape."""
        mapping, shape = self._in_force(one.shape)
        body = new.get((one.event, shape))
        return shape, render(one.body(), shape, mapping) if body is None else body

    async def _keep(self, new: dict[Key, bytes], moved: list[tuple[Due, str]]) -> None:
        async def work(unit: Unit) -> None:
            unit.add("renderings_put", [(*key, body) for key, body in sorted(new.items())])
            for one, shape in moved:
                unit.add("deliveries_shape", position=one.position, shape=shape)

        if new or moved:
            await self._engine.transact(work)
        for one, shape in moved:
            one.shape = shape

    def _in_force(self, shape: str) -> tuple[Mapping | None, str]:
        """The mapping that a shape names, as it is now, and the shape with its version."""
        *plain, last = shape.split("/")
        if len(plain) < 3:
            return None, shape
        mapping = self._directory.registry.mapping(last.partition("@")[0])
        return mapping, "/".join([*plain, f"{mapping.name}@{mapping.hash}"])

"""Hints: objects that have to be read again from their source, since something was said of them that is no news yet.

A hint is written in the transaction that met it, and dropped when its far side has answered: whatever dies between,
it is read. Hints for one object at one time count as one.
"""

from __future__ import annotations

from collections.abc import Iterable

from hub.contract.fact import Stale
from hub.inbound.keep import clean
from hub.store.engine import Unit
from hub.world import World

MOST = 10_000
"""Hints of one source at a time; for what is more it is swept at once."""


def hint(unit: Unit, world: World, said: Iterable[tuple[str, Stale]]) -> None:
    """Write hints, each of a connection, within the unit that met them."""
    named = {(connection, one.subject, clean(one.order or one.ref)) for connection, one in said}
    rows = [(*name, world.new_id("hint")) for name in sorted(named)]
    unit.add("hints_add", rows, most=MOST)
    unit.add("hints_full", sorted({(connection,) for connection, _, _ in named}), most=MOST)

"""Errands: what a message asks for that is no fact, a redaction or news of the connection itself.

An errand is written in the transaction that settles its message, and taken away in the one that ends its
work: whatever dies between, it is done, and done again does no harm (hub.repair.errands does them).
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from hub.contract.fact import Notice, Read, Redaction
from hub.store.engine import Row
from hub.store.rows import PLAIN

OWNER = "errands"


class Errand(msgspec.Struct, kw_only=True):
    """One thing to do: either is set. `message` asked for it, through `connection`."""

    tenant: str
    connection: str
    message: str
    redaction: Redaction | None = None
    notice: Notice | None = None


def errands(tenant: str, connection: str, message: str, asides: Iterable[Read]) -> list[Row]:
    """The rows of a message's errands, as the store remembers them."""
    out = []
    for number, said in enumerate(asides):
        errand = Errand(tenant=tenant, connection=connection, message=message)
        if isinstance(said, Redaction):
            errand.redaction = said
        elif isinstance(said, Notice):
            errand.notice = said
        else:
            continue
        out.append((OWNER, f"{message}:{number}", PLAIN.encode(errand), 0))
    return out

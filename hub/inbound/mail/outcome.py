"""The outcome of a letter: an order, a draft, a change, or nothing but a record that it came."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from hub.contract.fact import Fact
from hub.directory import Partner
from hub.inbound.mail.reading import Reading
from hub.inbound.mail.thread import Thread
from hub.inbound.mail.verdict import Verdict
from hub.store.engine import Engine, Row

Kind = Literal["order", "draft", "change", "duplicate", "scans", "filed"]
"""What became of a letter."""


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """What the store knows that the decision hangs on."""

    orders: tuple[dict[str, Any], ...] = ()


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """What to do about a letter: all of it is written in the transaction that settles the letter.

    facts     recorded as said by the letter itself
    writes    rows for statements of the store, as (statement, row)
    events    of no order: (type, data); those of orders follow from the facts
    order     the order it is about, where there is one already
    """

    kind: Kind
    reasons: tuple[str, ...] = ()
    facts: tuple[Fact, ...] = ()
    writes: tuple[tuple[str, Row], ...] = ()
    events: tuple[tuple[str, dict[str, Any]], ...] = ()
    order: str = ""


async def gather(engine: Engine, tenant: str, reading: Reading, verdict: Verdict, thread: Thread) -> Known:
    """What has to be known before the decision."""
    return Known()


def decide(
    reading: Reading, verdict: Verdict, partner: Partner | None, thread: Thread, known: Known
) -> Decision:
    """What to do about a letter."""
    return Decision(kind="filed", reasons=("nothing in it was understood",))

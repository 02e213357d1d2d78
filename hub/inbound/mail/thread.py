"""Threads: which order a reply is about."""

from __future__ import annotations

from typing import Literal

import msgspec

from hub.inbound.mail.mailbox import Recipient
from hub.inbound.mail.marks import Marks
from hub.store.engine import Engine, Unit

How = Literal["", "reply", "token", "number"]
"""By a mail of ours that it answers, by the signed address it was sent to, by an order number in its subject."""


class Thread(msgspec.Struct, frozen=True, kw_only=True):
    """The order that a letter belongs to ("" for none), the mail of ours that it answers, and how that is known.
    Only `token`, or a trusted sender, may change an order."""

    order: str = ""
    sent: str = ""
    how: How = ""


def numbers(subject: str) -> list[str]:
    """What may be an order's number in a subject: words with a digit in them, the longest first."""
    words = [word.strip(".,;:!?()[]{}\"'#") for word in subject[:300].split()]
    found = {word for word in words if 3 <= len(word) <= 40 and any(char.isdigit() for char in word)}
    return sorted(found, key=lambda word: (-len(word), word))[:10]


async def thread(
    engine: Engine, tenant: str, marks: Marks, told: Recipient | None, *, connection: str = ""
) -> Thread:
    """The order a letter is about: by its signed address, by the mail of ours that it answers, then by a number in
    its subject, which is looked for only where a `connection` is told."""
    answers = marks.answers()
    rows = await engine.fetch("mails_sent_find", [(tenant, one) for one in answers]) if answers else []
    by_id = {row[0]: row for row in rows}
    sent = next((by_id[one] for one in answers if one in by_id), None)
    if told is not None and told.order:
        return Thread(order=told.order, sent=sent[1] if sent else "", how="token")
    if sent is not None:
        return Thread(order=sent[2], sent=sent[1], how="reply")
    known = numbers(marks.subject) if connection else []
    if known:
        found = await engine.fetch("orders_numbered", [(tenant, one) for one in known], connection=connection)
        if len({row[0] for row in found}) == 1:
            return Thread(order=found[0][0], how="number")
    return Thread()


def remember(unit: Unit, tenant: str, message_id: str, id_: str, order: str, at: int) -> None:
    """A mail of ours has gone out: replies that name its Message-ID are about this order."""
    unit.add("mails_sent_add", [(tenant, message_id, id_, order, at)])

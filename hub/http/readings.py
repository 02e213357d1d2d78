"""Trying a letter: what it would be read as under a partner's rules, without a word of it being recorded."""

from __future__ import annotations

import base64
import binascii

import msgspec

from hub.directory import Connection, Partner
from hub.http.ask import Ask
from hub.http.keep import find
from hub.http.problems import invalid
from hub.http.table import Op
from hub.inbound.mail.cell import Blown
from hub.inbound.mail.mailbox import mailbox
from hub.inbound.mail.reading import Reading, read, rules_of


class Tried(msgspec.Struct, forbid_unknown_fields=True):
    """A letter, its bytes in base64."""

    raw: str


async def try_letter(ask: Ask) -> Reading:
    """What a letter of this partner would be read as, with the place of each value and every doubt."""
    partner = find(ask, Partner, ask.path())
    try:
        raw = base64.b64decode(ask.decode(Tried).raw, validate=True)
    except (binascii.Error, ValueError) as error:
        raise invalid(f"is no base64: {error}", "raw") from error
    directory = ask.hub.directory
    boxes = [one for one in directory.all(Connection, ask.tenant) if mailbox(directory, one)]
    rules = rules_of(boxes[0] if boxes else None, partner, directory.registry)
    try:
        return await ask.hub.post.cell.run(read, raw, rules)
    except Blown as error:
        return Reading(kind="unreadable", reason=error.reason)


OPS = (
    Op(method="POST", path="/v1/partners/{id}/try", summary="Try a letter of a partner", handle=try_letter, takes=Tried,
       gives=Reading),
)  # fmt: skip

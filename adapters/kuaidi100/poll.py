"""How 快递100 is asked: parcels that were subscribed to, each again after some hours, and one parcel at once.

One number may be asked for once in 30 minutes, else it is locked, and every query is billed. So a parcel's next turn
is put off before it is asked for: a process that dies in between asks later, not twice.
"""

from __future__ import annotations

import hashlib

from adapters.kuaidi100.api import Account, code, query, reason, said, tail
from adapters.kuaidi100.reads import ended
from adapters.kuaidi100.watch import PREFIX, Watched, watched
from hub.contract import Conversation, Page, Postponed, Refused, Response

QUERY = "query"
"""The topic of a parcel that was asked for and not pushed."""

APART = 30 * 60
"""快递100 docs: seconds between two queries of one number."""

MOST = 100
"""Parcels of one sweep; the others have their turn in the next."""

_NOTHING = "500"
"""快递100 docs: nothing is known of this number yet."""


def sweep(ctx: Account, _cursor: str) -> Conversation[None]:
    """Every parcel whose turn it is. One that cannot be asked for keeps no other from it; they are told at the end."""
    now = ctx.now // 1_000_000
    every = max(int(ctx.settings.query_hours * 3600), APART)
    complaints: list[str] = []
    for one in _due(ctx, now):
        if one.until <= now:
            yield one.dropped()
            continue
        yield one.kept(now + APART)
        answer = yield query(ctx, one.carrier, one.number, one.phone)
        found = said(answer)
        if code(found) in ("", "200"):
            yield _page(answer)
        elif code(found) != _NOTHING:
            complaints.append(f"{one.number}: {reason(found)}")
        yield one.dropped() if ended(found) else one.kept(now + every)
    if complaints:
        raise Refused(f"some parcels cannot be asked for: {'; '.join(complaints)}")


def reread(ctx: Account, subject: str, ref: str) -> Conversation[None]:
    """One parcel again, by its carrier and number."""
    carrier, colon, number = ref.partition(":")
    if subject != "tracking" or not (colon and carrier and number):
        raise Refused(f"快递100 has no {subject} {ref} to be read again", code="unsupported")
    now = ctx.now // 1_000_000
    known = next((one for one in watched(ctx.state) if one.name == f"{PREFIX}{ref}"), None)
    if known and known.due - now > 0 and _asked(ctx, known) > now - APART:
        raise Postponed(f"{number} was asked for less than 30 minutes ago", after=float(APART))
    if known:
        yield known.kept(now + max(int(ctx.settings.query_hours * 3600), APART))
    answer = yield query(ctx, carrier, number, known.phone if known else tail(ctx.settings.sender_phone))
    found = said(answer)
    if code(found) not in ("", "200"):
        raise Refused(reason(found), code="not_found" if code(found) == _NOTHING else code(found))
    yield _page(answer)


def _asked(ctx: Account, one: Watched) -> int:
    """When a parcel was asked for last, as far as its next turn tells."""
    return one.due - max(int(ctx.settings.query_hours * 3600), APART)


def _due(ctx: Account, now: int) -> list[Watched]:
    if not ctx.settings.query_hours:
        return []
    return [one for one in watched(ctx.state) if one.due <= now or one.until <= now][:MOST]


def _page(answer: Response | None) -> Page:
    body = answer.body if answer else b""
    return Page(topic=QUERY, body=body, dedupe=hashlib.sha256(body).hexdigest())

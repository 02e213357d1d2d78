"""How AfterShip is read: a sweep over the trackings that changed, and one tracking again.

The list comes newest first and pages by a cursor of its own: it is read in stretches.
"""

from __future__ import annotations

import msgspec

from adapters.aftership.api import Tracker, address, answered, refused
from hub.contract import Conversation, Misconfigured, Page, Place, Refused, Request, Response, Unreadable
from hub.contract.sweep import Stretch, stretches

TRACKING = "tracking"
"""The topic of a tracking that was read and not pushed."""

FORM = "%Y-%m-%dT%H:%M:%SZ"

LIMIT = "200"
"""AfterShip docs: at most 200 trackings a page."""


class Pagination(msgspec.Struct):
    """Where a page's next one is."""

    next_cursor: str | None = None
    has_next_page: bool | None = None


class Trackings(msgspec.Struct):
    """A page of trackings, each still as it came."""

    trackings: list[msgspec.Raw]
    pagination: Pagination | None = None


class Answer(msgspec.Struct):
    """The envelope of the list."""

    data: Trackings


class Known(msgspec.Struct):
    """What tells two readings of a tracking apart."""

    id: str = ""
    updated_at: str | None = None


_ANSWER = msgspec.json.Decoder(Answer)
_KNOWN = msgspec.json.Decoder(Known)


def sweep(ctx: Tracker, cursor: str) -> Conversation[None]:
    """Every tracking that changed since the cursor, each as a page of its own, byte for byte.

    A sweep that was cut off is taken up where it stood, and then followed by the next one.
    """
    for one in stretches(cursor, ctx.now, FORM):
        yield from _pages(ctx, one)


def reread(ctx: Tracker, subject: str, ref: str) -> Conversation[None]:
    """One tracking again, by AfterShip's id."""
    if subject != "tracking":
        raise Refused(f"AfterShip has no {subject} to be read again", code="unsupported")
    answer = answered((yield Request(url=address(ctx.settings, f"/trackings/{ref}"))))
    if answer.status != 200:
        raise refused(answer)
    yield Page(topic=TRACKING, body=answer.body)


def _pages(ctx: Tracker, stretch: Stretch) -> Conversation[None]:
    page = stretch.page
    while True:
        query = {"updated_at_min": stretch.since, "limit": LIMIT} | ({"cursor": page} if page else {})
        answer = answered((yield Request(url=address(ctx.settings, "/trackings", query))))
        if answer.status == 400 and page:
            page = ""  # a page's cursor does not live for ever: the sweep begins again
            continue
        found = _read(answer)
        following = _next(found)
        told = (Page(topic=TRACKING, body=bytes(raw), dedupe=_dedupe(raw)) for raw in found.trackings)
        yield from stretch.told(told, page, following)
        if not following:
            return
        page = following


def _read(answer: Response) -> Trackings:
    if answer.status != 200:
        raise refused(answer)
    try:
        return _ANSWER.decode(answer.body).data
    except msgspec.DecodeError as error:
        raise Unreadable(f"not a page of trackings: {error}", place=Place(field="data")) from error


def _next(found: Trackings) -> str:
    paging = found.pagination
    if paging is None and len(found.trackings) >= int(LIMIT):
        raise Misconfigured(
            "api_version is too old: its lists do not page by cursor, the rest would be missed"
        )
    if paging is None or paging.has_next_page is False:
        return ""
    return paging.next_cursor or ""


def _dedupe(raw: msgspec.Raw) -> str:
    """A tracking at one moment; the hash of its bytes where it does not say."""
    try:
        known = _KNOWN.decode(raw)
    except msgspec.DecodeError:
        return ""
    return f"{known.id}@{known.updated_at}" if known.id and known.updated_at else ""

"""How a form is read: a sweep over the rows that changed, and one row again. Batch imports, edits and recoveries are
not pushed, so the sweep is no luxury.

A list is always ascending by the rows' ids and pages by the last of them: it is read in stretches.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from adapters.jiandaoyun.api import Form, ask, told
from hub.contract import Conversation, Page, Place, Refused, Response, Unreadable
from hub.contract.sweep import Stretch, stretches

RECORD = "record"
"""The topic of a row that was read and not pushed."""

FORM = "%Y-%m-%dT%H:%M:%S.000Z"

LIMIT = 100
"""简道云 docs: at most 100 rows a page."""


class Rows(msgspec.Struct):
    """A page of rows, each still as it came."""

    data: list[msgspec.Raw]


class Known(msgspec.Struct):
    """What tells two readings of a row apart."""

    id: str | None = msgspec.field(default=None, name="_id")
    updated_at: str | None = msgspec.field(default=None, name="updateTime")


_ROWS = msgspec.json.Decoder(Rows)
_KNOWN = msgspec.json.Decoder(Known)


def sweep(ctx: Form, cursor: str) -> Conversation[None]:
    """Every row that changed since the cursor, each as a page of its own, byte for byte within `data`.

    A sweep that was cut off is taken up where it stood, and then followed by the next one.
    """
    for one in stretches(cursor, ctx.now, FORM):
        yield from _pages(ctx, one)


def reread(ctx: Form, subject: str, ref: str) -> Conversation[None]:
    """One row again, by its id."""
    if subject != "order":
        raise Refused(f"简道云 has no {subject} to be read again", code="unsupported")
    answer = yield ask(ctx, "/data/get", data_id=ref)
    row = told(answer).get("data")
    if not isinstance(row, dict) or not row.get("_id"):
        raise Refused(f"简道云 has no row {ref}", code="not_found")
    yield Page(topic=RECORD, body=answer.body if answer else b"")


def find_account(ctx: Form) -> Conversation[str]:
    """The form itself is the account; asking for its widgets shows that key, application and form fit."""
    told((yield ask(ctx, "/widget/list")))
    return ctx.settings.entry_id or ""


def _pages(ctx: Form, stretch: Stretch) -> Conversation[None]:
    changed = {"field": "updateTime", "type": "datetime", "method": "range", "value": [stretch.since, None]}
    last = stretch.page
    while True:
        said = {
            "limit": LIMIT,
            "filter": {"rel": "and", "cond": [changed]},
            **({"data_id": last} if last else {}),
        }
        rows = _read((yield ask(ctx, "/data/list", **said)))
        following = _known(rows[-1]).id or "" if len(rows) >= LIMIT else ""
        if len(rows) >= LIMIT and following in ("", last):
            raise Unreadable(
                "a page of rows does not go on", place=Place(field="data[-1]._id", value=following)
            )
        yield from stretch.told(_told(rows), last, following)
        if not following:
            return
        last = following


def _told(rows: list[msgspec.Raw]) -> Iterator[Page]:
    for raw in rows:
        row = _known(raw)
        dedupe = f"{row.id}@{row.updated_at}" if row.id and row.updated_at else ""
        yield Page(topic=RECORD, body=b'{"data":%b}' % bytes(raw), dedupe=dedupe)


def _read(answer: Response | None) -> list[msgspec.Raw]:
    told(answer)
    try:
        return _ROWS.decode(answer.body if answer else b"").data
    except msgspec.DecodeError as error:
        raise Unreadable(f"not a page of rows: {error}", place=Place(field="data")) from error


def _known(raw: msgspec.Raw) -> Known:
    try:
        return _KNOWN.decode(raw)
    except msgspec.DecodeError:
        return Known()

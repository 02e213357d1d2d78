"""How a form is read: a sweep over the rows that changed, and one row again. Batch imports, edits and recoveries are
not pushed, so the sweep is no luxury.

A list is always ascending by the rows' ids and pages by the last of them, so a sweep is finished before its start
becomes the next one's beginning. Its cursor is `<since>`, or `<since>|<started>|<last id>` in the middle.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec

from adapters.jiandaoyun.api import Form, ask, told
from hub.contract import Conversation, Page, Place, Refused, Response, Unreadable

RECORD = "record"
"""The topic of a row that was read and not pushed."""

OVERLAP = timedelta(minutes=30)
"""How far a sweep goes back behind the start of the one before."""

FIRST = timedelta(hours=24)
"""How far the first sweep of a connection goes back."""

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
    now = _text(datetime.fromtimestamp(ctx.now / 1_000_000, UTC))
    since, _, rest = cursor.partition("|")
    started, _, last = rest.partition("|")
    if last:
        yield from _pages(ctx, since, started, last)
        since = started
    start = _moment(since) - OVERLAP if since else _moment(now) - FIRST
    yield from _pages(ctx, _text(start), now, "")


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


def _pages(ctx: Form, since: str, started: str, last: str) -> Conversation[None]:
    changed = {"field": "updateTime", "type": "datetime", "method": "range", "value": [since, None]}
    while True:
        said = {
            "limit": LIMIT,
            "filter": {"rel": "and", "cond": [changed]},
            **({"data_id": last} if last else {}),
        }
        rows = _read((yield ask(ctx, "/data/list", **said)))
        known = [_known(raw) for raw in rows]
        ends = len(rows) < LIMIT
        following = known[-1].id or "" if rows else ""
        if not ends and following in ("", last):
            raise Unreadable(
                "a page of rows does not go on", place=Place(field="data[-1]._id", value=following)
            )
        here = f"{since}|{started}|{last}" if last else since
        there = started if ends else f"{since}|{started}|{following}"
        for number, (raw, row) in enumerate(zip(rows, known, strict=True), start=1):
            dedupe = f"{row.id}@{row.updated_at}" if row.id and row.updated_at else ""
            cursor = there if number == len(rows) else here
            yield Page(topic=RECORD, body=b'{"data":%b}' % bytes(raw), cursor=cursor, dedupe=dedupe)
        if ends:
            return
        last = following


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


def _moment(text: str) -> datetime:
    found = datetime.fromisoformat(text)
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _text(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.000Z")

"""What no mapping has to say of a form: that a row was removed, and what says nothing of an order."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from hub.contract import Fact, Message, Place, Read, Unmapped, Unreadable

_LAST = 253_402_300_799_000


def removed(message: Message) -> Iterable[Fact]:
    """A removed row is a cancelled order that keeps what was known of it; a recovered one is whole again.

    The row may come with all its fields or with its id alone, so only its end is told. It is as new as the push
    (`opTime`), for the row's own update time is of before.
    """
    told = message.json()
    row = told.get("data") if isinstance(told, dict) else None
    ref = row.get("_id") if isinstance(row, dict) else None
    if not isinstance(row, dict) or not isinstance(ref, str) or not ref.strip():
        raise Unreadable(
            "a removed row has to have its _id", place=Place(field="data._id", value=str(ref)[:80])
        )
    if len(ref) > 200:
        raise Unmapped("is longer than 200 characters", place=Place(field="data._id", value=ref[:80]))
    at = _moment(told.get("opTime"), row)
    doc: dict[str, Any] = {"ref": ref, "deleted": True}
    if at is None:
        yield Fact(subject="order", ref=ref, doc=doc)
        return
    doc |= {"cancelled_at": at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03}Z"}
    yield Fact(subject="order", ref=ref, doc=doc, revision=round(at.timestamp() * 1_000_000))


def nothing(message: Message) -> Iterable[Read]:
    """Understood, and no news of an order: a form was changed, or a row of our own came back."""
    message.json()
    return ()


def _moment(given: Any, row: dict[str, Any]) -> datetime | None:
    """When it was removed: by the push, else by the row."""
    if isinstance(given, int) and not isinstance(given, bool) and 0 < given < _LAST:
        return datetime.fromtimestamp(given / 1000, UTC)
    for name in ("deleteTime", "updateTime"):
        text = row.get(name)
        if isinstance(text, str) and text:
            try:
                moment = datetime.fromisoformat(text)
            except ValueError as error:
                raise Unmapped("is no time", place=Place(field=f"data.{name}", value=text[:80])) from error
            return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return None

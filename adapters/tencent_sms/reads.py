"""Receipts of 腾讯云短信: a list, each of one message to one phone, found by its sid."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from hub.contract import Fact, Message, Place, Unmapped, Unreadable

CHINA = timezone(timedelta(hours=8))
"""Its stamps carry no zone; they are China's."""


def read(message: Message) -> Iterable[Fact]:
    """Each receipt of the list; a list that is no list is refused whole, so that nothing of it is lost unseen."""
    told = message.json()
    if not isinstance(told, list):
        raise Unreadable("not a list of receipts", place=Place(field="body", value=str(told)[:80]))
    return [_fact(one, index) for index, one in enumerate(told)]


def _fact(one: Any, index: int) -> Fact:
    if not isinstance(one, dict):
        raise Unmapped("not a receipt", place=Place(field=f"[{index}]", value=str(one)[:80]))
    name = _text(one, "sid", index)
    number = f"sms:tencent_sms:{name}"
    at = _moment(one, index)
    doc = {
        "ref": number,
        "number": number,
        "status": "delivered" if one.get("report_status") == "SUCCESS" else "failed",
        "at": f"{at:%Y-%m-%dT%H:%M:%SZ}",
    }
    if doc["status"] == "failed":
        doc["reason"] = str(one.get("errmsg") or one.get("description") or "failed")[:200]
    return Fact(
        subject="notification", ref=number, doc=doc, revision=int(at.timestamp()) * 1_000_000,
        full=frozenset({"notification"}),
    )  # fmt: skip


def _text(one: dict[str, Any], name: str, index: int) -> str:
    value = one.get(name)
    if not isinstance(value, str) or not value.strip() or len(value) > 180:
        raise Unmapped(f"{name} is missing", place=Place(field=f"[{index}].{name}", value=str(value)[:80]))
    return value.strip()


def _moment(one: dict[str, Any], index: int) -> datetime:
    value = _text(one, "user_receive_time", index)
    try:
        return datetime.strptime(value, "%Y-%m-%d %H:%M:%S").replace(tzinfo=CHINA).astimezone(UTC)
    except (ValueError, OverflowError):
        place = Place(field=f"[{index}].user_receive_time", value=value[:80])
        raise Unmapped("not a time like 2026-01-10 16:00:00", place=place) from None

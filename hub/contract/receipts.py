"""Receipts: what became of messages that we sent to people, as lists of rows that say it in a provider's words."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from hub.contract.errors import Place, Unmapped, Unreadable
from hub.contract.fact import Fact
from hub.contract.message import Message

CHINA = timezone(timedelta(hours=8))
"""The zone of stamps that carry none, at providers of China."""
_LONGEST = 180
_SHOWN = 80


@dataclass(frozen=True, slots=True)
class Receipts:
    """A reader of JSON lists, a receipt a row: where the message's id and the time stand, whether it arrived, and the
    fields of which the first that says something is the reason why not. A list that is no list is refused whole, so
    that nothing of it is lost unseen."""

    channel: str
    id: str
    at: str
    arrived: Callable[[dict[str, Any]], bool]
    reasons: tuple[str, ...]
    zone: timezone = CHINA

    def __call__(self, message: Message) -> Iterable[Fact]:
        told = message.json()
        if not isinstance(told, list):
            raise Unreadable("not a list of receipts", place=Place(field="body", value=str(told)[:_SHOWN]))
        return [self._fact(one, index) for index, one in enumerate(told)]

    def _fact(self, one: Any, index: int) -> Fact:
        if not isinstance(one, dict):
            raise Unmapped("not a receipt", place=Place(field=f"[{index}]", value=str(one)[:_SHOWN]))
        number = f"sms:{self.channel}:{_text(one, self.id, index)}"
        at = self._moment(one, index)
        status = "delivered" if self.arrived(one) else "failed"
        doc = {"ref": number, "number": number, "status": status, "at": f"{at:%Y-%m-%dT%H:%M:%SZ}"}
        if status == "failed":
            said = next((one[name] for name in self.reasons if one.get(name)), "failed")
            doc["reason"] = str(said)[:200]
        return Fact(
            subject="notification", ref=number, doc=doc, revision=int(at.timestamp()) * 1_000_000,
            full=frozenset({"notification"}),
        )  # fmt: skip

    def _moment(self, one: dict[str, Any], index: int) -> datetime:
        value = _text(one, self.at, index)
        try:
            return datetime.strptime(value, "%Y-%m-%d %H:%M:%S").replace(tzinfo=self.zone).astimezone(UTC)
        except (ValueError, OverflowError):
            place = Place(field=f"[{index}].{self.at}", value=value[:_SHOWN])
            raise Unmapped("not a time like 2026-01-10 16:00:00", place=place) from None


def _text(one: dict[str, Any], name: str, index: int) -> str:
    value = one.get(name)
    if not isinstance(value, str) or not value.strip() or len(value) > _LONGEST:
        place = Place(field=f"[{index}].{name}", value=str(value)[:_SHOWN])
        raise Unmapped(f"{name} is missing", place=place)
    return value.strip()

"""Receipts of Twilio (status callbacks): a form, of one message, found by its MessageSid."""

from __future__ import annotations

from collections.abc import Iterable

from hub.contract import Fact, Message, Place, Unmapped

_ENDS = {"delivered": "delivered", "read": "delivered", "undelivered": "failed", "failed": "failed"}
_UNDER_WAY = frozenset(
    {"accepted", "scheduled", "queued", "sending", "sent", "receiving", "received", "canceled"}
)


def read(message: Message) -> Iterable[Fact]:
    """The end of a message's way; nothing while it is on it (Twilio docs: the order of callbacks is not promised)."""
    told = message.form()
    name, status = told.get("MessageSid", ""), told.get("MessageStatus", "").lower()
    if not name or len(name) > 180:
        raise Unmapped("MessageSid is missing", place=Place(field="MessageSid", value=name[:80]))
    if status in _UNDER_WAY:
        return ()
    if status not in _ENDS:
        raise Unmapped("not a status of a message", place=Place(field="MessageStatus", value=status[:80]))
    number = f"sms:twilio_sms:{name}"
    doc = {"ref": number, "number": number, "status": _ENDS[status]}
    if doc["status"] == "failed":
        doc["reason"] = f"error {told['ErrorCode'][:40]}" if told.get("ErrorCode") else status
    return [Fact(subject="notification", ref=number, doc=doc, full=frozenset({"notification"}))]

"""Loops: letters that no person wrote to us, and that must never be answered nor become an order."""

from __future__ import annotations

from collections.abc import Iterable

from hub.inbound.mail.mailbox import Mailbox, own
from hub.inbound.mail.marks import Marks

_BULK = frozenset({"bulk", "list", "junk", "auto_reply"})
_LISTS = ("list-id", "list-unsubscribe", "list-post", "list-help", "mailing-list")
_MACHINES = ("mailer-daemon@", "postmaster@", "noreply-dmarc-support@")


def machine(marks: Marks, mail_from: str | None, boxes: Iterable[Mailbox], *, marked: bool) -> str:
    """Why a letter was written by a machine, "" where a person may have written it."""
    if marked:
        return "it is a mail of our own that came back"
    if marks.sender and own([marks.sender.address], boxes):
        return "its sender is one of our own mailboxes"
    if _content_type(marks) == "multipart/report":
        return "it is a delivery report"
    if mail_from == "" or marks.get("return-path") == "<>":
        return "it has the null return path of a bounce"
    if marks.sender and marks.sender.address.lower().startswith(_MACHINES):
        return "it comes from a mail server"
    return _automatic(marks)


def _automatic(marks: Marks) -> str:
    submitted = marks.get("auto-submitted").partition(";")[0].strip().lower()
    if submitted and submitted != "no":
        return f"it was made automatically (Auto-Submitted: {submitted[:40]})"
    precedence = marks.get("precedence").strip().lower()
    if precedence in _BULK:
        return f"it went to many (Precedence: {precedence})"
    if any(marks.get(name) for name in _LISTS):
        return "it came by a mailing list"
    if marks.get("x-auto-response-suppress") or marks.get("x-autoreply") or marks.get("x-autorespond"):
        return "it asks for no answer, as automatic mail does"
    return "it is a calendar's" if _content_type(marks) == "text/calendar" else ""


def _content_type(marks: Marks) -> str:
    return marks.get("content-type").partition(";")[0].strip().lower()

"""Entries: what is kept of an attempt in its log."""

from __future__ import annotations

import structlog

from hub.outbound.letterhead import address, masked, written
from hub.outbound.sender import CAP, Answer, Post
from hub.store.rows import PLAIN, Due

_HEADERS = 50
log = structlog.get_logger("orderhub.deliver")


def entry(one: Due, post: Post | None, answer: Answer) -> bytes:
    """Of a post to an endpoint, or of one that was never made."""
    request = (
        {"url": address(post.url), "headers": masked(post.headers), "bytes": len(post.body)} if post else None
    )
    return PLAIN.encode({
        "number": one.attempts + 1, "trigger": one.trigger if one.attempts == 0 else "schedule", "request": request,
        "address": answer.address, "status": answer.status, "error": answer.error, "reason": answer.reason[:1000],
        "phases": answer.phases, "headers": written(answer.headers)[:_HEADERS],
        "body": answer.body[:CAP].decode("utf-8", "replace"), "truncated": answer.truncated,
    })  # fmt: skip


def stumbled(one: Due, error: Exception, *, posted: bool) -> tuple[Answer, bytes]:
    """What stands for an answer where an attempt (`posted` to an endpoint, or a write) met a fault that nobody foresaw:
    the kind of the fault, never its words, since they may be a customer's. It counts like any other failure."""
    log.error("an attempt met a fault of ours", target=one.target, delivery=one.position, exc_info=error)
    reason = f"a fault of ours: {type(error).__name__}"
    answer = Answer(error="fault", reason=reason)
    return answer, entry(one, None, answer) if posted else PLAIN.encode(
        {"status": "failed", "reason": reason}
    )

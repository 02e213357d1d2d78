"""What is said to a person, and what came of saying it: the two values between every notifier and the hub."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import msgspec

from hub.contract.settings import Settings
from hub.outbound.sender import Answer, Post

Medium = Literal["mail", "sms", "chat", "webhook"]


class Notice(msgspec.Struct, frozen=True, kw_only=True):
    """Something to be said once to `to` (an address, a phone; none for a bot): the same `id` at every try.

    `text` is plain for mail and SMS, Markdown for chats. `code` and `params` are an SMS provider's approved
    template with its variables, `answer_to` the reply address, `follows` the ids of the thread's earlier
    mails, oldest first, `back` what a receipt should bring back, `data` what a webhook carries.
    """

    id: str
    text: str
    to: tuple[str, ...] = ()
    title: str = ""
    html: str = ""
    code: str = ""
    params: dict[str, str] = {}
    answer_to: str = ""
    follows: tuple[str, ...] = ()
    headers: dict[str, str] = {}
    sender: str = ""
    back: str = ""
    callback: str = ""
    data: dict[str, Any] = {}


class Receipt(msgspec.Struct, frozen=True, kw_only=True):
    """What came of it. `sent`: the far side has it, under `ref`. `failed`: it never will take it. `later`: it
    asks for patience (`after` seconds), or an operator has to mend an account first. `unreachable`: nobody was
    there. `unknown`: it may have gone out, and the far side knows no second try for one. `stop`: this person wants to hear
    no more."""

    status: Literal["sent", "failed", "later", "unreachable", "unknown"]
    ref: str = ""
    reason: str = ""
    after: float | None = None
    stop: bool = False


class Stamp(msgspec.Struct, frozen=True):
    """The moment of one try: unix microseconds, and a text that no other try has."""

    now: int
    nonce: str

    @property
    def seconds(self) -> int:
        """Unix seconds."""
        return self.now // 1_000_000


class Notifier(Protocol):
    """Says a notice; whatever goes wrong out there is a receipt."""

    async def send(self, notice: Notice) -> Receipt: ...


@dataclass(frozen=True, slots=True)
class Recipe:
    """A far side that is spoken to by one HTTP request: how it is asked and how its answer is read. Pure."""

    settings: type[Settings]
    medium: Medium
    ask: Callable[[Any, Notice, Stamp], Post]
    judge: Callable[[Answer], Receipt]


def answered(answer: Answer) -> Receipt | None:
    """What every HTTP answer may mean before its body is looked at; None: look at it."""
    if answer.error:
        if answer.error == "blocked":
            return Receipt(status="later", reason=f"blocked: {answer.reason}")
        return Receipt(status="unreachable", reason=f"{answer.error}: {answer.reason}")
    if answer.status == 429 or (answer.status or 0) >= 500:
        return Receipt(status="later", reason=f"it answered {answer.status}", after=answer.retry_after)
    return None


def doubtful(answer: Answer) -> bool:
    """Whether a message may have gone out though nothing said so: the request was under way when the connection ended,
    a server broke while it had it, or said yes in words that nobody can read."""
    if answer.error:
        return answer.begun and answer.error in ("timeout", "reset", "too_large")
    status = answer.status or 0
    return (status >= 500 and status != 503) or (200 <= status < 300 and not body(answer))


def body(answer: Answer) -> dict[str, Any]:
    """The JSON object in an answer, {} where there is none."""
    try:
        found = msgspec.json.decode(answer.body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def cut(text: str, most: int) -> str:
    """A text of at most so many bytes of UTF-8, whole characters."""
    raw = text.encode()
    if len(raw) <= most:
        return text
    return raw[: most - 3].decode("utf-8", "ignore") + "…"

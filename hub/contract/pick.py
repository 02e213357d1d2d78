"""Where a topic, a delivery id or an account stands in a message: small values instead of lambdas."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from hub.contract.errors import Unreadable
from hub.contract.message import Message


@dataclass(frozen=True, slots=True)
class Pick:
    """A named look-up: `find(message)` is the text or "" and never raises; `signed` says whether a
    body signature covers it (a header does not lie inside the body)."""

    where: str
    find: Callable[[Message], str]
    signed: bool = False

    def __or__(self, other: Pick) -> Pick:
        """The first that is not empty."""
        return Pick(
            f"{self.where} or {other.where}",
            lambda message: self.find(message) or other.find(message),
            self.signed and other.signed,
        )


def header(*names: str) -> Pick:
    """The first of these header fields that is present."""

    def find(message: Message) -> str:
        return next((message.headers[name] for name in names if message.headers.get(name)), "")

    return Pick(f"header {' or '.join(names)}", find)


def query(name: str) -> Pick:
    """A parameter of the query string."""
    return Pick(f"query {name}", lambda message: message.params().get(name, ""))


def body(path: str) -> Pick:
    """A dotted path into the JSON body; numbers become text. It costs a parse: a header is cheaper."""
    keys = path.split(".")

    def find(message: Message) -> str:
        try:
            value: Any = message.json()
        except Unreadable:
            return ""
        for key in keys:
            value = value.get(key) if isinstance(value, dict) else None
        return "" if value is None or isinstance(value, dict | list) else str(value)

    return Pick(f"body {path}", find, signed=True)


def form(name: str) -> Pick:
    """A field of a form body."""

    def find(message: Message) -> str:
        try:
            return message.form().get(name, "")
        except Unreadable:
            return ""

    return Pick(f"form {name}", find, signed=True)


def const(text: str) -> Pick:
    """Always the same: a far side with one topic."""
    return Pick(f"always {text!r}", lambda _: text, signed=True)


def sub_path() -> Pick:
    """What follows `/in/{connection}/`: far sides that take one URL per topic."""
    return Pick("path", lambda message: message.path.strip("/"))


NOTHING = const("")

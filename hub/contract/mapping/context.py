"""What an expression may know of the message around the payload: `#header('X')`, `#query('n')`, `#zone` …"""

from __future__ import annotations

from hub.contract.mapping.steps.time import from_micros
from hub.contract.message import Message


def known(message: Message, name: str, argument: str) -> str | None:
    """A word of the message's context; what it does not have is null."""
    if name == "header":
        return message.headers.get(argument)
    if name == "query":
        return message.params().get(argument)
    if name == "received_at":
        return from_micros(message.received_at) if message.received_at else None
    found: str = getattr(message, name)
    return found or None

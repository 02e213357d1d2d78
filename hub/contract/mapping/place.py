"""Where a thing stands in a mapping file, and the list that collects every fault of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from hub.contract.errors import Misconfigured


class Spot(NamedTuple):
    """A line and column of a file, both counted from 1."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}" if self.file else f"{self.line}:{self.column}"


Locate = Callable[[int], Spot]
"""From an offset in an expression's text to its spot in the file."""


class Faults:
    """All that is wrong with a file, found in one go and told in the order of the lines."""

    def __init__(self) -> None:
        self._found: dict[tuple[Spot, str], None] = {}

    def add(self, spot: Spot, reason: str) -> None:
        """Remember a fault; the same one twice is one."""
        self._found.setdefault((spot, reason))

    def __len__(self) -> int:
        return len(self._found)

    def settle(self) -> None:
        """Raise Misconfigured with every fault, if there is any."""
        if self._found:
            raise Misconfigured([f"{spot} {reason}" for spot, reason in sorted(self._found)])


class Broken(Exception):
    """An expression that cannot be read any further, at an offset of its text."""

    def __init__(self, offset: int, reason: str) -> None:
        super().__init__(reason)
        self.offset = offset
        self.reason = reason


class Unfit(ValueError):
    """A value that a step cannot take: `'19,95' is not a decimal number`."""

    def __init__(self, value: object, reason: str) -> None:
        super().__init__(f"{shown(value)} {reason}")
        self.value = value
        self.reason = reason


class Spent(Unfit):
    """More work than one message may ask for; it says itself where, for to run again would cost as much."""

    def __init__(self, spot: Spot) -> None:
        super().__init__(None, "too much work")
        self.spot = spot

    def __str__(self) -> str:
        return "walks over far more items than the message has: lists are crossed with each other here"


def shown(value: object) -> str:
    """A value as a fault shows it: short, quoted when it is a text, never a whole document."""
    if isinstance(value, dict):
        return "an object" if value else "an empty object"
    if isinstance(value, list):
        return "a list" if value else "an empty list"
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    text = value if isinstance(value, str) else format(value)
    short = text if len(text) <= 80 else text[:77] + "..."
    return repr(short) if isinstance(value, str) else short


class Missing(Unfit):
    """A value that has to be there and is not."""

    def __init__(self) -> None:
        super().__init__(None, "required value is missing")

    def __str__(self) -> str:
        return self.reason

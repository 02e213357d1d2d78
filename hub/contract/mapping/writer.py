"""Python source, line by line: every name in it is ours, whatever a mapping says is handed in as a value."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any


class Writer:
    """Lines at a depth, fresh names, and the values that the source refers to by name."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.depth = 0
        self.names = 0
        self.values: dict[str, Any] = {}
        self._room: dict[str, tuple[int, int]] = {}
        self._known: dict[tuple[type, Any], str] = {}

    def line(self, text: str) -> None:
        """One line at the depth where we are."""
        self.lines.append(" " * self.depth + text)

    def leave_room(self, name: str) -> None:
        """A line that may be filled in later, for what has to be known of a variable."""
        self._room[name] = (len(self.lines), self.depth)
        self.line("pass")

    def has_room(self, name: str) -> bool:
        """Whether there is such a line."""
        return name in self._room

    def fill_room(self, name: str, text: str) -> None:
        """The line filled in."""
        at, depth = self._room[name]
        self.lines[at] = " " * depth + text

    @contextmanager
    def block(self, head: str) -> Iterator[None]:
        """A head (`if …:`) and what stands below it."""
        self.line(head)
        self.depth += 1
        start = len(self.lines)
        yield
        if len(self.lines) == start:
            self.line("pass")
        self.depth -= 1

    def fresh(self, letter: str = "t") -> str:
        """A name that stands nowhere else."""
        self.names += 1
        return f"{letter}{self.names}"

    def named(self, value: Any, letter: str = "k") -> str:
        """The name of a value; texts and functions that are the same share one."""
        key = (value.__class__, value) if isinstance(value, str) else (Callable, id(value))
        name = self._known.get(key)  # type: ignore[arg-type]
        if name is None:
            name = self._known[key] = f"{letter}_{len(self.values)}"  # type: ignore[index]
            self.values[name] = value
        return name

    def made(self, name: str) -> Any:
        """The function of that name that the source defines."""
        space = dict(self.values)
        exec(compile("\n".join(self.lines), f"<mapping {name}>", "exec"), space)  # noqa: S102  no text of theirs in it
        return space[name]

"""The voice: what the demo says while it happens, a plain sentence a line; colour where there is a terminal."""

from __future__ import annotations

import sys
import textwrap
import time

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

_WHO = 17
_INDENT = _WHO + 4
_WIDE = 160


class Voice:
    """Tells the story and remembers what of it was not true."""

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or Console(highlight=False, width=None if sys.stdout.isatty() else _WIDE)
        self._began = time.monotonic()
        self.faults: list[str] = []
        self.checks = 0
        self._title = ""

    @property
    def elapsed(self) -> float:
        """Seconds since it began."""
        return time.monotonic() - self._began

    def title(self, number: int, text: str) -> None:
        """A new step."""
        self._title = f"{number} {text}"
        self._console.print()
        self._console.print(Text.assemble((f" {number} ", "bold reverse"), (f" {text}", "bold")))

    def say(self, text: str) -> None:
        """Something to know."""
        self._console.print(Padding(Text(text), (0, 0, 0, 4)))

    def check(self, holds: bool, who: str, text: str, otherwise: str = "") -> bool:
        """Something that has to be so: told with its mark, remembered when it is not."""
        self.checks += 1
        mark = ("✓", "bold green") if holds else ("✗", "bold red")
        said = text if holds else otherwise or f"not so: {text}"
        first, *more = textwrap.wrap(said, max(20, self._console.width - _INDENT)) or [""]
        self._console.print(
            Text.assemble("  ", mark, " ", (who.ljust(_WHO), "cyan"), (first, "" if holds else "red"))
        )
        for line in more:
            self._console.print(Text(" " * _INDENT + line, "" if holds else "red"))
        if not holds:
            self.faults.append(f"{self._title}: {said}")
        return holds

    def see(self, command: str) -> None:
        """How to see it yourself."""
        self._console.print(Text.assemble(" " * _INDENT, ("see it: ", "dim"), (command, "italic")))

    def plain(self, text: str = "", style: str = "") -> None:
        """A line of its own."""
        self._console.print(Text(text, style=style))

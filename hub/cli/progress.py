"""A bar where a person waits and there is a terminal; nothing where a program reads."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from typing import TypeVar

T = TypeVar("T")
_FEW = 5


def each(things: Sequence[T], done: str) -> Iterable[T]:
    """These things, with a bar that says how many of them are done."""
    return _with_bar(things, done) if len(things) > _FEW and sys.stderr.isatty() else things


def _with_bar(things: Sequence[T], done: str) -> Iterator[T]:
    from rich.console import Console
    from rich.progress import track

    yield from track(things, description=done, console=Console(stderr=True), transient=True)

"""A bar where a person waits and there is a terminal; nothing where a program reads."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
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


def counted(pages: Iterable[T], noun: str, size: Callable[[T], int]) -> Iterator[T]:
    """These pages, with a line that says how many things were gone through; quiet without a terminal."""
    if not sys.stderr.isatty():
        yield from pages
        return
    from rich.console import Console

    count = 0
    with Console(stderr=True).status(f"0 {noun}") as line:
        for page in pages:
            count += size(page)
            line.update(f"{count} {noun}")
            yield page

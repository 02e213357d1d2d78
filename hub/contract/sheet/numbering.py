"""Numbers of rows as a short text: `2-501,503`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator


def written(rows: Iterable[int]) -> str:
    """The text that says these numbers, in their order."""
    spans: list[list[int]] = []
    for row in rows:
        if spans and spans[-1][1] == row - 1:
            spans[-1][1] = row
        else:
            spans.append([row, row])
    return ",".join(str(first) if first == last else f"{first}-{last}" for first, last in spans)


def numbers(text: str) -> Iterator[int]:
    """The numbers that a text says; what is no such text says none."""
    for span in text.split(","):
        first, _, last = span.partition("-")
        if not first.isdecimal() or not (last or first).isdecimal():
            return
        yield from range(int(first), int(last or first) + 1)

"""Brackets of paths, kept from YAML: `{each: items[], map: …}` may be written without quotes.

Inside braces YAML takes `[`, `]`, `,` and `?` for its own. Those that stand inside the brackets of a path
(a `[` that touches the word before it, up to its `]` on the same line) are put under private signs of the
same length before YAML reads the file, and taken out of the texts after it, so that every place is kept.
"""

from __future__ import annotations

import re

_OPEN = re.compile(r"(?<=[\w$^.)\]'])\[")
_OWN = "[],?{}:#"
_SIGNS = {own: chr(0xF8D0 + number) for number, own in enumerate(_OWN)}
_HIDE = str.maketrans(_SIGNS)
_SHOW = str.maketrans({sign: own for own, sign in _SIGNS.items()})
_TAKEN = re.compile("[" + "".join(_SIGNS.values()) + "]")


def hide(text: str) -> str:
    """The text with the brackets of its paths under private signs; as it is where it has such signs itself."""
    if _TAKEN.search(text):
        return text
    return "\n".join(_line(line) if "[" in line else line for line in text.split("\n"))


def show(text: str) -> str:
    """A text as it was written."""
    return text.translate(_SHOW) if _TAKEN.search(text) else text


def _line(line: str) -> str:
    found, at = [], 0
    while (match := _OPEN.search(line, at)) is not None:
        end = _closing(line, match.start())
        if end < 0:
            break
        found += [line[at : match.start()], line[match.start() : end].translate(_HIDE)]
        at = end
    return "".join(found) + line[at:]


def _closing(line: str, start: int) -> int:
    """Where the bracket that opens here has been closed, -1 where it is not."""
    depth, quoted = 0, False
    for offset in range(start, len(line)):
        sign = line[offset]
        if sign == "'":
            quoted = not quoted
        elif not quoted and sign in "[]":
            depth += 1 if sign == "[" else -1
            if depth == 0:
                return offset + 1
    return -1

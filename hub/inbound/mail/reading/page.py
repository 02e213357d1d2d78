"""A page of HTML under guard: its parser takes a square of the time for each level that elements are nested."""

from __future__ import annotations

import re

from selectolax.lexbor import LexborHTMLParser

TAGS, DEEPEST, SIZE = 100_000, 500, 8 << 20
"""How many tags a page may have, how deep they may be nested, how many characters it may have."""

_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]{0,20})")
_FLAT = frozenset(
    """area base br col embed hr img input link meta param source track wbr p li td th tr tbody thead tfoot option dt dd
    html head body""".split()
)
"""Elements that have no end, or that the next of their kind ends."""


def page_of(text: str) -> LexborHTMLParser | None:
    """The page, None where it is not to be parsed."""
    if len(text) > SIZE or text.count("<") > TAGS or _depth(text) > DEEPEST:
        return None
    return LexborHTMLParser(text)


def _depth(text: str) -> int:
    """How deep elements are nested at most, as far as their tags tell."""
    depth = deepest = 0
    for match in _TAG.finditer(text):
        if match[2].lower() not in _FLAT:
            depth = max(0, depth - 1) if match[1] else depth + 1
            deepest = max(deepest, depth)
    return deepest

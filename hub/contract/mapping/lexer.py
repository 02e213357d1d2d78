"""An expression's text, cut into tokens."""

from __future__ import annotations

import re
from typing import Literal, NamedTuple

from hub.contract.mapping.place import Broken

Sort = Literal["name", "text", "number", "context", "variable", "word", "mark", "end"]

WORDS = frozenset({"and", "or", "not", "in", "true", "false", "null"})

_TOKEN = re.compile(
    r"""
      (?P<space>[ \t\r\n]+)
    | (?P<number>-?[0-9]+(?:\.[0-9]+)?)(?![\w])
    | (?P<text>'(?:[^']|'')*')
    | (?P<context>\#[A-Za-z_][A-Za-z0-9_]*)
    | (?P<variable>@[^\W\d][\w-]*)
    | (?P<name>[^\W\d][\w-]*)
    | (?P<mark>\?\?|==|!=|<=|>=|\[\]|\[\?|[|<>()\[\],.$^])
    """,
    re.VERBOSE,
)


class Token(NamedTuple):
    """A word, sign or literal and where it begins."""

    sort: Sort
    text: str
    offset: int


def tokens(text: str) -> list[Token]:
    """The tokens of an expression, an `end` last; raises Broken at a sign the language does not have."""
    found: list[Token] = []
    offset = 0
    while offset < len(text):
        match = _TOKEN.match(text, offset)
        if match is None:
            raise Broken(offset, _stray(text, offset))
        if match.lastgroup != "space":
            found.append(_token(match))
        offset = match.end()
    found.append(Token("end", "", len(text)))
    return found


def _token(match: re.Match[str]) -> Token:
    sort, text = match.lastgroup, match.group()
    if sort == "text":
        return Token("text", text[1:-1].replace("''", "'"), match.start())
    if sort == "name":
        return Token("word" if text in WORDS else "name", text, match.start())
    if sort in ("context", "variable"):
        return Token("context" if sort == "context" else "variable", text[1:], match.start())
    return Token("number" if sort == "number" else "mark", text, match.start())


def _stray(text: str, offset: int) -> str:
    sign = text[offset]
    if sign == "'":
        return "the text is not closed: a ' is missing"
    if sign == '"':
        return "texts stand in single quotes"
    if sign.isdigit():
        return "not a number; a key that begins with a digit is written ['1st']"
    return f"unexpected {sign!r}"

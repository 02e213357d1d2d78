"""Steps that turn a source's word into ours by a table of the mapping."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import msgspec

from hub.contract.mapping.steps.registry import SCALAR, Step, literal
from hub.contract.mapping.steps.scalars import text_of

REST = "*"
UNKNOWN = "unknown"


class Unknown(msgspec.Struct, frozen=True, kw_only=True):
    """A word that a table does not have: kept as a note, never a fault. `field` stands without indices."""

    table: str
    value: str
    field: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """Source words and ours; `rest` is the word for all others, `told` whether one of those is reported."""

    name: str
    words: dict[str, str | None] = field(hash=False)
    rest: str | None = None
    told: bool = True


def look(value: Any, table: Table, notes: list[Unknown], place: str) -> str | None:
    """The table's word for a value; one that is not there is noted."""
    word = value if isinstance(value, str) else text_of(value)
    if word in table.words:
        return table.words[word]
    if word == "":
        return None
    if table.told:
        note = Unknown(table=table.name, value=word[:200], field=place)
        if note not in notes:
            notes.append(note)
    return table.rest


STEPS = (
    Step("lookup", "tables", look, "the table's word; one that is not in it is reported, and becomes that of `'*'` or null",
         SCALAR, parameters=(literal("table"),), context="table"),
    Step("enum", "tables", look, "as `lookup`, but a word that is not in the table becomes `unknown` where the field "
         "knows that", SCALAR, parameters=(literal("table"),), context="table"),
)  # fmt: skip

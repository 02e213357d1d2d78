"""What a step is: a pure function with a typed signature, one line of manual and examples that are tests."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

Kind = Literal["any", "text", "decimal", "integer", "bool", "money", "time", "date", "list", "object", "null"]
Group = Literal["text", "numbers", "money", "time", "lists", "tables", "presence", "trade", "other"]

SCALAR: frozenset[Kind] = frozenset({"text", "decimal", "integer", "bool", "time", "date"})
NUMBER: frozenset[Kind] = frozenset({"text", "decimal", "integer"})
TEXT: frozenset[Kind] = frozenset({"text", "time", "date", "decimal", "integer"})
LIST: frozenset[Kind] = frozenset({"list"})
OBJECT: frozenset[Kind] = frozenset({"object", "money"})
ANY: frozenset[Kind] = frozenset({"any"})


@dataclass(frozen=True, slots=True)
class Parameter:
    """An argument of a step; `literal` has to be written in the mapping, `many` takes the rest."""

    name: str
    takes: frozenset[Kind] = TEXT
    required: bool = True
    literal: bool = False
    many: bool = False


@dataclass(frozen=True, slots=True)
class Step:
    """One word of the language.

    `takes` and `gives` are the kinds of what goes in and comes out (`same`: as it went in). Null passes
    a step by unless it `sees_null`; one that `joins` gives null when all of the payload in it is null. `context` names what the mapping hands in after the value: the zone
    of the message, or the table that the argument names. `check` judges literal arguments at load.
    """

    name: str
    group: Group
    call: Callable[..., Any]
    doc: str
    takes: frozenset[Kind] = TEXT
    gives: Kind | Literal["same"] = "text"
    parameters: tuple[Parameter, ...] = ()
    sees_null: bool = False
    joins: bool = False
    context: Literal["", "zone", "table"] = ""
    examples: tuple[tuple[str, str], ...] = ()
    check: Callable[[tuple[Any, ...]], str] | None = field(default=None)

    @property
    def arity(self) -> tuple[int, int]:
        """The least and the most arguments."""
        least = sum(parameter.required for parameter in self.parameters)
        many = any(parameter.many for parameter in self.parameters)
        return least, 64 if many else len(self.parameters)

    @property
    def signature(self) -> str:
        """As the manual writes it: `pad(width, fill?)`."""
        marks = {(True, False): "", (False, False): "?", (True, True): "…", (False, True): "…"}
        names = [one.name + marks[one.required, one.many] for one in self.parameters]
        return f"{self.name}({', '.join(names)})" if names else self.name

    def parameter(self, number: int) -> Parameter:
        """The parameter that the nth argument fills."""
        return self.parameters[min(number, len(self.parameters) - 1)]


def literal(name: str, *, required: bool = True) -> Parameter:
    """A parameter that has to be written in the mapping."""
    return Parameter(name, TEXT, required=required, literal=True)

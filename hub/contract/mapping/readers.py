"""Mappings for readers in Python: `apply("acme.order", payload, message)`, whichever text is in force.

A reader is a plain function of its message and must not know where mappings are kept. Whoever calls it lays
the mappings out for the length of the call, `with shelf(find) as used:`, and finds in `used` which of them
it took, with the words they did not know.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

from hub.contract.fact import Fact
from hub.contract.mapping.mapping import Mapping
from hub.contract.mapping.steps.tables import Unknown
from hub.contract.message import Message


@dataclass(slots=True)
class Shelf:
    """The mappings at hand, those that were used, by name, and the words that no table knew."""

    find: Callable[[str], Mapping]
    used: dict[str, Mapping] = field(default_factory=dict)
    notes: list[Unknown] = field(default_factory=list)


_open: ContextVar[Shelf] = ContextVar("shelf")


@contextmanager
def shelf(find: Callable[[str], Mapping]) -> Iterator[Shelf]:
    """Mappings laid out for the readers that run within."""
    laid = Shelf(find)
    token = _open.set(laid)
    try:
        yield laid
    finally:
        _open.reset(token)


def apply(name: str, payload: Any, message: Message) -> list[Fact]:
    """The facts of a payload by the mapping of that name; raises Unmapped, or Misconfigured if there is none."""
    laid = _open.get()
    mapping = laid.used[name] = laid.find(name)
    facts, notes = mapping.facts_of(payload, message)
    laid.notes += (note for note in notes if note not in laid.notes)
    return facts

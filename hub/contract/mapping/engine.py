"""The two ways of running a mapping, and when which: fast as long as all is well, slowly to say what is not."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import msgspec

from hub.contract.errors import Place, Unmapped, Unreadable
from hub.contract.mapping.generate import Run, tree_run, typed_run
from hub.contract.mapping.interpret import Run as Slow, Trace
from hub.contract.mapping.paths import Lone
from hub.contract.mapping.payload import Types
from hub.contract.mapping.place import Spent, Unfit
from hub.contract.mapping.plan import Whole
from hub.contract.mapping.steps.tables import Unknown
from hub.contract.mapping.trees import BOM, Format, dirty, tree
from hub.contract.mapping.walk import Reading
from hub.contract.message import Message

Document = tuple[Any, dict[str, Any]]

_FAULTS = (Unfit, RecursionError)


class Engine:
    """Runs one mapping's plan; its functions are made when the first message comes."""

    def __init__(self, whole: Whole, form: Format) -> None:
        self.plan = whole
        self.form = form

    @cached_property
    def over_tree(self) -> Run:
        """The generated function over a plain tree."""
        try:
            return tree_run(self.plan)
        except (SyntaxError, RecursionError):  # nested deeper than Python's own grammar goes
            return self._slowly

    @cached_property
    def over_types(self) -> tuple[Run, Types] | None:
        """The generated function over a typed payload."""
        try:
            return typed_run(self.plan)
        except (SyntaxError, RecursionError):
            return None

    def _slowly(self, payload: Any, message: Message, notes: list[Unknown]) -> list[Document]:
        return [(doc, marks) for doc, marks, _ in self.traced(payload, message, notes)]

    def read(self, message: Message, notes: list[Unknown]) -> list[Document]:
        """The documents of a message; raises Unreadable or Unmapped."""
        if self.form == "json" and not dirty(message.body):
            try:
                return self.quick(message, notes)
            except Spent as spent:
                raise _spent(spent) from None
            except (Lone, *_FAULTS, msgspec.DecodeError, UnicodeDecodeError, ArithmeticError):
                notes.clear()
        return self.documents(tree(message, self.form), message, notes)

    def quick(self, message: Message, notes: list[Unknown]) -> list[Document]:
        """The same over the typed payload, as long as all is well."""
        if self.over_types is None:
            raise Lone
        run, types = self.over_types
        body = message.body
        return run(
            types.decoder.decode(body.removeprefix(BOM) if body[:1] == BOM[:1] else body), message, notes
        )

    def documents(self, payload: Any, message: Message, notes: list[Unknown]) -> list[Document]:
        """The documents of a tree; raises Unmapped."""
        try:
            return self.over_tree(payload, message, notes)
        except Spent as spent:
            raise _spent(spent) from None
        except _FAULTS:
            notes.clear()
        return self._slowly(payload, message, notes)

    def traced(
        self, payload: Any, message: Message, notes: list[Unknown]
    ) -> list[tuple[Any, dict[str, Any], list[Trace]]]:
        """The documents of a tree, each with where its leaves came from; raises Unmapped."""
        slow = Slow(Reading(message, notes=notes))
        try:
            return [(doc, marks, slow.traces) for doc, marks in slow.documents(self.plan, payload)]
        except RecursionError:
            raise Unreadable("nested too deeply", place=Place(field="body")) from None


def _spent(spent: Spent) -> Unmapped:
    return Unmapped(str(spent), place=Place(*spent.spot, field="-"))

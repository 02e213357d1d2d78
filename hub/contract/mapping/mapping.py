"""A mapping: from a message to the facts that it means."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, cast

from hub.contract.errors import Place, Unmapped, Unreadable
from hub.contract.fact import Fact, Subject
from hub.contract.mapping.interpret import Run, Trace
from hub.contract.mapping.plan import Whole
from hub.contract.mapping.steps.tables import Unknown
from hub.contract.mapping.steps.time import micros
from hub.contract.mapping.targets import JSON
from hub.contract.mapping.trees import Format, tree
from hub.contract.mapping.trial import Case
from hub.contract.mapping.walk import Reading
from hub.contract.message import Message

Document = tuple[Any, dict[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Mapping:
    """What a channel's words mean: a compiled mapping file. `hash` names its text and all that it extends."""

    name: str
    target: str
    source: str
    hash: str
    file: str
    format: Format
    full: frozenset[str]
    whole: Whole = field(repr=False)
    tests: tuple[Case, ...] = field(default=(), repr=False)

    @property
    def subject(self) -> str:
        """What its facts speak of: the target without its version."""
        return self.target.partition("/")[0]

    def decode(self, message: Message) -> Any:
        """The body as a tree of objects, lists, texts and exact numbers; raises Unreadable."""
        return tree(message, self.format)

    def apply(self, payload: Any, message: Message) -> list[Any]:
        """The canonical documents of a payload, nulls and empties dropped; raises Unmapped."""
        return [doc for doc, _ in self._documents(payload, message, [])]

    def facts(self, message: Message) -> list[Fact]:
        """The facts of a message; raises Unreadable or Unmapped."""
        return self.facts_with_notes(message)[0]

    def facts_with_notes(self, message: Message) -> tuple[list[Fact], list[Unknown]]:
        """The facts of a message, and the words that no table knew."""
        return self.facts_of(self.decode(message), message)

    def facts_of(self, payload: Any, message: Message) -> tuple[list[Fact], list[Unknown]]:
        """As `facts_with_notes`, of a payload that a reader in Python has taken out of its wrapping."""
        notes: list[Unknown] = []
        found = [self._fact(doc, marks, message) for doc, marks in self._documents(payload, message, notes)]
        return found, notes

    def trace(self, message: Message) -> list[Trace]:
        """Where each leaf of each document comes from."""
        return [trace for _, _, traces in self._traced(self.decode(message), message, []) for trace in traces]

    def _documents(self, payload: Any, message: Message, notes: list[Unknown]) -> list[Document]:
        return [(doc, marks) for doc, marks, _ in self._traced(payload, message, notes)]

    def _traced(
        self, payload: Any, message: Message, notes: list[Unknown]
    ) -> Iterator[tuple[Any, dict[str, Any], list[Trace]]]:
        run = Run(Reading(message, notes=notes))
        try:
            for doc, marks in run.documents(self.whole, payload):
                if doc is None and self.subject == JSON:
                    continue
                yield self._named(doc), marks, list({one.field: one for one in run.traces}.values())
        except RecursionError:
            raise Unreadable("nested too deeply", place=Place(field="body")) from None

    def _named(self, doc: Any) -> Any:
        """A document that can be told from others: it has its `ref`, or a parcel's number."""
        if self.subject == JSON or (
            doc and (doc.get("ref") or (self.subject == "tracking" and doc.get("number")))
        ):
            return doc
        field = "number" if self.subject == "tracking" else "ref"
        raise Unmapped("required value is missing", place=Place(*self.whole.body.spot, field=field))

    def _fact(self, doc: dict[str, Any], marks: dict[str, Any], message: Message) -> Fact:
        if self.subject == JSON:
            raise Unmapped(
                f"target json makes no facts: use {self.name} to transform", place=Place(self.file)
            )
        order = None if self.subject == "order" else doc.pop("order", None)
        stated = doc.get("source_revision")
        occurred = marks.get("occurred_at")
        return Fact(
            subject=cast(Subject, self.subject),
            ref=doc.get("ref") or doc["number"],
            doc=doc,
            order=order,
            account=marks.get("account"),
            revision=marks["sequence"] if "sequence" in marks else micros(stated) if stated else None,
            full=self.full,
            occurred_at=micros(occurred) if occurred else None,
            topic=message.topic,
        )

"""A mapping: from a message to the facts that it means."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, cast

from hub.contract.errors import Misconfigured, Place, Unmapped
from hub.contract.fact import Fact, Subject
from hub.contract.mapping.engine import Document, Engine
from hub.contract.mapping.interpret import Trace
from hub.contract.mapping.place import Spot
from hub.contract.mapping.steps.tables import Unknown
from hub.contract.mapping.steps.time import micros
from hub.contract.mapping.targets import JSON
from hub.contract.mapping.trees import Format, tree
from hub.contract.mapping.trial import Case
from hub.contract.message import Message


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Mapping:
    """What a channel's words mean: a compiled mapping file. `subject` is its target without the version,
    `hash` names its text and all that it extends."""

    name: str
    target: str
    subject: str = field(repr=False)
    source: str
    hash: str
    file: str
    format: Format
    full: frozenset[str]
    spot: Spot = field(repr=False)
    engine: Engine = field(repr=False)
    tests: tuple[Case, ...] = field(default=(), repr=False)

    def decode(self, message: Message) -> Any:
        """The body as a tree of objects, lists, texts and exact numbers; raises Unreadable."""
        return tree(message, self.format)

    def apply(self, payload: Any, message: Message) -> list[Any]:
        """The canonical documents of a payload, nulls and empties dropped; raises Unmapped."""
        return [doc for doc, _ in self._kept(self.engine.documents(payload, message, []))]

    def facts(self, message: Message) -> list[Fact]:
        """The facts of a message; raises Unreadable or Unmapped."""
        return self.facts_with_notes(message)[0]

    def facts_with_notes(self, message: Message) -> tuple[list[Fact], list[Unknown]]:
        """The facts of a message, and the words that no table knew."""
        notes: list[Unknown] = []
        return [self._fact(*found, message) for found in self._kept(self.engine.read(message, notes))], notes

    def facts_of(self, payload: Any, message: Message) -> tuple[list[Fact], list[Unknown]]:
        """As `facts_with_notes`, of a payload that a reader in Python has taken out of its wrapping."""
        notes: list[Unknown] = []
        documents = self._kept(self.engine.documents(payload, message, notes))
        return [self._fact(*found, message) for found in documents], notes

    def told(self, payload: Any, message: Message) -> list[tuple[dict[str, Any], list[Trace]]]:
        """The canonical documents of a payload, each with where its leaves come from; raises Unmapped."""
        traced = self.engine.traced(payload, message, [])
        self._kept([(doc, marks) for doc, marks, _ in traced])
        return [(doc, traces) for doc, _, traces in traced]

    def trace(self, message: Message) -> list[Trace]:
        """Where each leaf of each document comes from."""
        traced = self.engine.traced(self.decode(message), message, [])
        self._kept([(doc, marks) for doc, marks, _ in traced])
        return [one for _, _, traces in traced for one in {trace.field: trace for trace in traces}.values()]

    def _kept(self, found: list[Document]) -> list[Document]:
        """The documents that there are, each of which can be told from others."""
        if self.subject == JSON:
            return [one for one in found if one[0] is not None]
        for doc, _ in found:
            self._named(doc)
        return found

    def _named(self, doc: Any) -> None:
        """A fault where a document has neither its `ref` nor, of a parcel, its number."""
        if doc and ("ref" in doc or (self.subject == "tracking" and "number" in doc)):
            return
        missing = "number" if self.subject == "tracking" else "ref"
        raise Unmapped("required value is missing", place=Place(*self.spot, field=missing))

    def _fact(self, doc: dict[str, Any], marks: dict[str, Any], message: Message) -> Fact:
        if self.subject == JSON:
            raise Misconfigured(f"{self.file}: {self.name} aims at json, of which no facts are made")
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

"""What was found in a mail: orders and parcels in canonical words, each value with its source, each doubt with
its readings.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

Doc = dict[str, Any]
Form = Literal[
    "ubl", "orderx", "jsonld", "microdata", "sheet", "pdf", "table", "text", "carrier", "correction"
]  # fmt: skip
"""In which form something was said; `correction` is what a person put right."""

CONFIDENCE: dict[str, float] = {
    "ubl": 1.0, "orderx": 1.0, "jsonld": 0.97, "microdata": 0.95, "sheet": 0.9, "table": 0.8, "pdf": 0.8,
    "text": 0.7, "carrier": 0.8, "correction": 1.0,
}  # fmt: skip
"""How far a value of each form is trusted where nothing speaks against it; without a partner's own rules, a
third less."""

UNRULED = 2 / 3


class Origin(msgspec.Struct, frozen=True, omit_defaults=True):
    """Where a value stood: the part of the mail, the place within it (line, cell, path), the text itself, and
    how far it is trusted, from 0 to 1."""

    part: str
    place: str = ""
    text: str = ""
    confidence: float = 1.0


class Doubt(msgspec.Struct, frozen=True, omit_defaults=True):
    """A reason for a person to look: the field, what is wrong, the text, and all that it might mean."""

    field: str
    reason: str
    text: str = ""
    readings: list[str] = []


class Found(msgspec.Struct, kw_only=True):
    """One order, as far as it was understood. `partial` names only what changes; `ruled` is one whose
    lines were read by what the partner's record says, not by words that anyone might use."""

    form: Form
    part: str
    doc: Doc
    fields: dict[str, Origin] = {}
    doubts: list[Doubt] = []
    partial: bool = False
    ruled: bool = False

    @property
    def confidence(self) -> float:
        """That of its weakest value."""
        return min((one.confidence for one in self.fields.values()), default=0.0)


class Parcel(msgspec.Struct, kw_only=True):
    """What a mail says of a parcel: a canonical `tracking` document with its number and, mostly, a scan."""

    form: Form
    part: str
    doc: Doc
    fields: dict[str, Origin] = {}
    doubts: list[Doubt] = []


class Inner(msgspec.Struct, frozen=True):
    """The mail inside a forwarded one, as it says of itself: content, never proof of who speaks."""

    sender: str = ""
    subject: str = ""
    date: str = ""


Kind = Literal["order", "shipment", "reply", "nothing", "unreadable"]


class Reading(msgspec.Struct, kw_only=True):
    """What a mail says. `unreadable` broke a limit or the form of a mail: `reason` says which. `reply` is its own
    text without what it quotes; `notes` are what was mended or left unopened."""

    kind: Kind
    orders: list[Found] = []
    shipments: list[Parcel] = []
    reply: str = ""
    inner: Inner | None = None
    notes: list[str] = []
    reason: str = ""

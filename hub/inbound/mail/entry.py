"""The entry of an order into the book, as a letter brought it: its document, with how it was read."""

from __future__ import annotations

from typing import Any

import msgspec

from hub.contract.fact import Fact
from hub.directory import Partner
from hub.inbound.mail.reading import Doubt, Found
from hub.inbound.mail.verdict import Verdict
from hub.orders.changes import within

Doc = dict[str, Any]
FIELDS = 300
"""Of how many values an order tells where they stood."""


def entered(
    name: str, found: Found, verdict: Verdict, partner: Partner | None, message: str, at: str, doubts: list[Doubt]
) -> Doc:  # fmt: skip
    """The canonical order: what was read, from whom, how far it is to be trusted; a draft while there are doubts."""
    entry: Doc = {"form": found.form, "message": message, "confidence": _trust(found.confidence)}
    if doubts:
        entry["reasons"] = [_plain(one) for one in doubts]
    if found.fields:
        entry["fields"] = _fields(found)
    doc: Doc = (
        {"placed_at": at}
        | found.doc
        | {"ref": name, "channel": "email", "entry": entry, "buyer": _buyer(found, verdict, partner)}
    )
    return doc | {"draft": True} if doubts else doc


def _fields(found: Found) -> Doc:
    """Where each value stood; of a long order, of those that are trusted least."""
    kept = sorted(found.fields.items(), key=lambda pair: pair[1].confidence)[:FIELDS]
    return {path: _plain(one) | {"confidence": _trust(one.confidence)} for path, one in sorted(kept)}


def _plain(one: msgspec.Struct) -> Doc:
    told: Doc = msgspec.to_builtins(one)
    return told


def speaker(verdict: Verdict) -> str:
    """Who wrote, as decisions name it: the partner, never a person's address."""
    return verdict.partner if verdict.partner and verdict.trusted else "mail"


def _trust(number: float) -> str:
    return f"{number:.2f}".rstrip("0").rstrip(".")


def _buyer(found: Found, verdict: Verdict, partner: Partner | None) -> Doc:
    """Who ordered: what the order says of it, else the sender."""
    said: Doc = {"email": verdict.from_address} if verdict.from_address else {}
    if partner and verdict.trusted:
        said |= {"company": partner.name, "ref": partner.id}
    named: Doc = found.doc.get("buyer", {})
    return said | named


def placed(doc: Doc, partner: Partner) -> bool:
    """Whether it goes where the partner's goods go: an address of its book, or no address of its own. A partner whose
    book is empty is not checked."""
    ship_to = doc.get("ship_to")
    if not ship_to or not partner.address_book:
        return True
    return any(within(_where(ship_to), one) for one in partner.address_book)


def _where(address: Doc) -> Doc:
    """The place alone: names and numbers to call are not the place."""
    return {
        name: value
        for name, value in address.items()
        if name in ("line1", "line2", "line3", "line4", "lines", "postal_code", "city", "country")
    }


def noted(order: str, ref: str, at: str, verdict: Verdict, text: str) -> Fact:
    """A note to an order, by whom it was written."""
    doc = {
        "kind": "note",
        "ref": ref,
        "at": at,
        "by": speaker(verdict),
        "text": text.replace("\0", "")[:20_000],
    }
    return Fact(subject="decision", ref=ref, order=order, doc=doc, topic="notes")

"""Doubts: what a recording leaves open and the order's source can settle, so that it is read again.

An order that nobody has told yet (a stub: something was said of it), and a revision that two texts claim.
"""

from __future__ import annotations

from collections.abc import Iterable

from hub.contract.fact import Stale
from hub.directory import Connection, Directory
from hub.inbound.hear import Heard, speaker
from hub.inbound.leaf import Leaf
from hub.orders.book import Turned

Doubt = tuple[Connection, Stale]


def doubts(leaves: Iterable[Leaf], turned: dict[str, Turned], directory: Directory) -> list[Doubt]:
    """What is to be read again, and through which connection; not what a re-read itself brought."""
    out = []
    for leaf in leaves:
        if not _open(turned[leaf.page.id]):
            continue
        named = {heard.order for heard, _ in leaf.facts if heard.order and _asks(heard)}
        for source, _, ref in sorted(named):
            connection = next(
                (one for one in directory.all(Connection, leaf.tenant) if speaker(one) == source), None
            )
            if connection is not None:
                out.append((connection, Stale(subject="order", ref=ref, order=ref)))
    return out


def _open(turned: Turned) -> bool:
    after, before = turned.page.doc or {}, turned.before or {}
    if not turned.changed:
        return False
    return (after["state"] == "stub" and not before) or _ties(after) > _ties(before)


def _ties(doc: dict[str, list[dict[str, str]]]) -> int:
    return sum(one["kind"] == "ambiguous_revision" for one in doc.get("anomalies", ()))


def _asks(heard: Heard) -> bool:
    """Whether a fact names its order by the id of the order's own source, and was not read on purpose."""
    _, type_, ref = heard.order or ("", "", "")
    read = heard.said.rev[1] > 0 and heard.said.subject == "order"
    return type_ == "order" and not read and ref != f"{heard.said.subject}:{heard.said.ref}"

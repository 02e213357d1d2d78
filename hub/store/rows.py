"""What one room hands to the next: the same values that the store keeps, so that nothing is read again."""

from __future__ import annotations

from typing import Any

import msgspec

from hub.contract.message import Headers, Message

JSON = msgspec.json.Encoder(order="sorted")
PLAIN = msgspec.json.Encoder()


class Head(msgspec.Struct, omit_defaults=True, frozen=True):
    """A message without its body: what a replay needs to see it as the first time. `rank` is the time of
    the request that read it (microseconds; 0 for what was pushed), `quiet` forbids deliveries,
    `redacted_at` is when its content was taken away, `run` the reconciliation
    that read it."""

    headers: tuple[tuple[str, str], ...] = ()
    method: str = "POST"
    url: str = ""
    path: str = ""
    query: str = ""
    rank: int = 0
    quiet: bool = False
    verified: str = ""
    cursor: str = ""
    redacted_at: int = 0
    run: str = ""


class Arrival(msgspec.Struct):
    """A message that is durable and waits to be understood; `opened` is it as its reader sees it, where it
    has just come in."""

    position: int
    id: str
    tenant: str
    connection: str
    transport: str
    topic: str
    head: Head
    body: bytes
    received_at: int
    opened: Message | None = None

    def message(self, *, zone: str = "", account: str = "", currency: str = "") -> Message:
        """As an adapter's reader sees it."""
        head = self.head
        return Message(
            body=self.body,
            headers=Headers(head.headers),
            method=head.method,
            url=head.url,
            path=head.path,
            query=head.query,
            transport=self.transport,
            topic=self.topic,
            received_at=self.received_at,
            zone=zone,
            account=account,
            currency=currency,
        )


class Due(msgspec.Struct):
    """A delivery that may go out, or `waiting` for the one before it: the event's envelope with a NUL where
    the order's snapshot goes."""

    position: int
    tenant: str
    target: str
    event: str
    order: str
    attempts: int
    first_at: int
    previous: str
    trigger: str
    shape: str
    due_at: int
    type: str
    envelope: bytes
    doc: bytes | None
    claimed_until: int = 0
    waiting: bool = False

    def body(self) -> bytes:
        """The event as every receiver of the full shape gets it, the same bytes at every attempt."""
        return whole(self.envelope, self.doc)


def whole(envelope: bytes, doc: bytes | None) -> bytes:
    """An event's body: its envelope with the snapshot in its place."""
    return envelope.replace(b"\0", doc or b"{}", 1)


_HEAD = msgspec.json.Decoder(Head)


def arrival(row: tuple[Any, ...]) -> Arrival:
    """From position, id, tenant, connection, transport, topic, head, body, received_at."""
    position, id_, tenant, connection, transport, topic, head, body, received_at = row
    return Arrival(
        position, id_, tenant, connection, transport, topic, _HEAD.decode(head), body or b"", received_at
    )


def due(row: tuple[Any, ...], claimed_until: int = 0) -> Due:
    """From position, tenant, target, event, order, attempts, first_at, previous, trigger, shape, due_at, type,
    envelope, doc."""
    made = Due(*row[:14])
    made.claimed_until = claimed_until
    return made

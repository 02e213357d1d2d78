"""The orders of the bench: signed storefront orders of a few lines, each with a number of its own and, in a
note, the moment it was sent, so that whoever receives its webhook can tell how long it took."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import msgspec

from hub.contract.message import Message
from hub.contract.proof import Stamp
from hub.contract.settings import Settings
from hub.registry import Registry

CHANNEL = "shopify"
TOPIC = "orders-create.plain"
MARK = b"sent-at:"
SIZE = 4600


@dataclass(frozen=True, slots=True)
class Workload:
    """A template order and the connection's settings that sign it."""

    registry: Registry
    settings: Settings
    message: Message
    template: dict[str, Any]

    def body(self, number: int, sent_at: float = 0.0, note: str = "") -> bytes:
        """The body of one order."""
        order = dict(self.template)
        order["id"] = 7_000_000_000_000 + number
        order["name"] = f"#B{number}"
        order["note"] = f"{MARK.decode()}{sent_at:.6f};{note}"
        return json.dumps(order, separators=(",", ":")).encode()

    def signed(self, number: int, sent_at: float = 0.0) -> Message:
        """One order as the shop would send it."""
        return self.sign(self.body(number, sent_at), number)

    def sign(self, body: bytes, number: int) -> Message:
        """A body as the shop would send it, with a delivery id of its own."""
        pairs = [pair for pair in self.message.headers.pairs if pair[0] not in ("x-shopify-webhook-id", "content-length")]
        headers = type(self.message.headers)([*pairs, ("x-shopify-webhook-id", f"bench-{number}")])
        message = msgspec.structs.replace(self.message, body=body, headers=headers)
        proof = self.registry.channel(CHANNEL).proof_for(self.settings)
        return proof.sign(message, self.settings, Stamp(now=0))

    def request(self, path: str, message: Message) -> bytes:
        """The bytes of the HTTP request."""
        head = [f"POST {path} HTTP/1.1", "host: 127.0.0.1", f"content-length: {len(message.body)}"]
        head += [f"{name}: {value}" for name, value in message.headers.pairs if name not in ("host", "content-length")]
        return "\r\n".join([*head, "", ""]).encode("latin-1") + message.body

    def messages(self, first: int, count: int) -> Iterator[Message]:
        """So many orders."""
        return (self.signed(first + n) for n in range(count))


def workload(registry: Registry, lines: int = 3) -> Workload:
    """The bench's orders, cut from the channel's own sample to about 4.6 kB and so many lines."""
    samples = registry.samples(CHANNEL)
    sample = next(one for one in samples.fixtures if one.name == TOPIC)
    template: dict[str, Any] = json.loads(sample.message.body)
    first = template["line_items"][0]
    template["line_items"] = [{**first, "id": 9_000 + n, "sku": f"BENCH-{n}"} for n in range(lines)]
    for name in ("refunds", "fulfillments", "shipping_lines", "discount_applications"):
        template[name] = []
    template["financial_status"] = "pending"
    template["note_attributes"] = []
    while len(json.dumps(template, separators=(",", ":"))) > SIZE and _trim(template):
        pass
    size = len(json.dumps(template, separators=(",", ":")))
    template["note_attributes"] = [{"name": "padding", "value": "x" * max(0, SIZE - size - 60)}]
    settings = msgspec.convert(samples.settings, registry.channel(CHANNEL).settings)
    return Workload(registry, settings, sample.message, template)


def _trim(template: dict[str, Any]) -> bool:
    """Drop one more part that no mapping reads."""
    for name in ("client_details", "payment_details", "total_price_set", "subtotal_price_set", "total_tax_set"):
        if name in template:
            del template[name]
            return True
    return False

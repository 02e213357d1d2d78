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
        pairs = [
            pair
            for pair in self.message.headers.pairs
            if pair[0] not in ("x-shopify-webhook-id", "content-length")
        ]
        headers = type(self.message.headers)([*pairs, ("x-shopify-webhook-id", f"bench-{number}")])
        message = msgspec.structs.replace(self.message, body=body, headers=headers)
        proof = self.registry.channel(CHANNEL).proof_for(self.settings)
        return proof.sign(message, self.settings, Stamp(now=0))

    def request(self, path: str, message: Message) -> bytes:
        """The bytes of the HTTP request."""
        head = [f"POST {path} HTTP/1.1", "host: 127.0.0.1", f"content-length: {len(message.body)}"]
        head += [
            f"{name}: {value}"
            for name, value in message.headers.pairs
            if name not in ("host", "content-length")
        ]
        return "\r\n".join([*head, "", ""]).encode("latin-1") + message.body

    def messages(self, first: int, count: int) -> Iterator[Message]:
        """So many orders."""
        return (self.signed(first + n) for n in range(count))


def workload(registry: Registry, lines: int = 3, size: int = SIZE) -> Workload:
    """The bench's orders: the channel's own sample with so many plain lines, unpaid, padded to so many bytes."""
    samples = registry.samples(CHANNEL)
    sample = next(one for one in samples.fixtures if one.name == TOPIC)
    template: dict[str, Any] = json.loads(sample.message.body)
    first = template["line_items"][0]
    line = {name: first[name] for name in first if name not in _WORDY} | {
        "price": "20.00", "quantity": 1, "current_quantity": 1, "tax_lines": [], "discount_allocations": [],
    }  # fmt: skip
    template = {name: value for name, value in template.items() if name not in _WORDY} | {
        "line_items": [{**line, "id": 9_000 + n, "sku": f"BENCH-{n}"} for n in range(lines)],
        "financial_status": "pending", "tax_lines": [], "total_tax": "0.00", "total_discounts": "0.00",
    }  # fmt: skip
    for name in template:
        if name.endswith(("total_price", "subtotal_price")):
            template[name] = f"{20 * lines}.00"
    settings = msgspec.convert(samples.settings, registry.channel(CHANNEL).settings)
    load = Workload(registry, settings, sample.message, template)
    template["note_attributes"] = [{"name": "padding", "value": "x" * max(0, size - len(load.body(0)) - 30)}]
    return load


_WORDY = frozenset(
    """refunds fulfillments shipping_lines discount_applications discount_codes note_attributes client_details
    payment_details total_price_set subtotal_price_set total_tax_set total_discounts_set total_line_items_price_set
    current_total_price_set current_subtotal_price_set current_total_tax_set current_total_discounts_set price_set
    total_discount_set properties total_shipping_price_set current_total_duties_set origin_location total_tip_received
    current_total_tax current_total_discounts payment_terms total_cash_rounding_payment_adjustment_set
    total_cash_rounding_refund_adjustment_set current_shipping_price_set original_total_duties_set
    current_total_additional_fees_set original_total_additional_fees_set""".split()
)
"""Parts of the sample that a plain order does without."""

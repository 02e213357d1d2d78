"""Payments: money that came, and money that went back."""

from __future__ import annotations

from typing import Literal

from hub.contract.canon.charges import LineQuantity, Money
from hub.contract.canon.scalars import Key, Text, Time, Value


class Transaction(Value):
    """One movement of money; append-only."""

    ref: Key
    type: Text | None = None
    amount: Money | None = None
    at: Time | None = None
    status: Text | None = None


class Payment(Value):
    """How the order is paid. No card data, ever."""

    ref: Key
    id: str | None = None
    order: Text | None = None
    method: (
        Literal["card", "wallet", "bank_transfer", "cod", "invoice", "credit", "gift_card", "other"] | None
    ) = None
    provider: Text | None = None
    kind: Text | None = None
    amount: Money | None = None
    status: Literal[
        "unpaid", "authorized", "partially_captured", "captured", "partially_refunded", "refunded", "voided",
        "expired", "failed", "disputed", "won", "lost", "pending", "unknown",
    ] | None = None  # fmt: skip
    parent: Text | None = None
    at: Time | None = None
    source_revision: Time | None = None
    source_status: Text | None = None


class Refund(Value):
    """Money given back."""

    ref: Key
    id: str | None = None
    order: Text | None = None
    payment: Text | None = None
    amount: Money | None = None
    lines: list[LineQuantity] | None = None
    shipping: Money | None = None
    reason: Text | None = None
    status: Literal["requested", "pending", "succeeded", "failed", "cancelled"] | None = None
    at: Time | None = None
    source_revision: Time | None = None

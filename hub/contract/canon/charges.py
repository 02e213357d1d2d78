"""Charges: what is bought, what it costs, and how much of it where."""

from __future__ import annotations

from typing import Any, Literal

from hub.contract.canon.people import Address, Identifier
from hub.contract.canon.scalars import Currency, Decimal, Key, Text, Value


class Money(Value):
    """An exact amount in a currency."""

    amount: Decimal
    currency: Currency


class Tax(Value):
    """One tax on a line or on the order."""

    name: Text | None = None
    rate: Decimal | None = None
    amount: Money | None = None


class Discount(Value):
    """One reduction, as a positive amount."""

    ref: Text | None = None
    code: Text | None = None
    name: Text | None = None
    amount: Money | None = None


class Fee(Value):
    """A charge that is neither goods nor shipping."""

    ref: Text | None = None
    name: Text | None = None
    amount: Money | None = None


class Shipping(Value):
    """A shipping service bought with the order."""

    ref: Text | None = None
    name: Text | None = None
    service_code: Text | None = None
    carrier: Text | None = None
    price: Money | None = None
    discounted_price: Money | None = None
    taxes: list[Tax] | None = None


class Quantity(Value):
    """The ledger of a line. Said: `original` and `ordered` (after edits), `cancelled`. The rest is held:
    counted from shipments, returns and refunds."""

    original: Decimal | None = None
    ordered: Decimal | None = None
    cancelled: Decimal | None = None
    picked: Decimal | None = None
    packed: Decimal | None = None
    shipped: Decimal | None = None
    delivered: Decimal | None = None
    return_requested: Decimal | None = None
    return_received: Decimal | None = None
    refunded: Decimal | None = None
    open: Decimal | None = None
    returnable: Decimal | None = None


class Line(Value):
    """One line; never deleted: one that vanished at the source has `ordered` 0 and status `removed`."""

    ref: Key
    id: str | None = None
    parent: Text | None = None
    kind: Literal["product", "service", "fee", "gift_card", "custom"] | None = None
    identifiers: list[Identifier] | None = None
    sku: Text | None = None
    name: Text | None = None
    variant: Text | None = None
    quantity: Quantity | None = None
    unit: Text | None = None
    unit_price: Money | None = None
    list_price: Money | None = None
    discounts: list[Discount] | None = None
    taxes: list[Tax] | None = None
    total: Money | None = None
    ship_to: Address | None = None
    requires_shipping: bool | None = None
    location: Text | None = None
    serials: list[Text] | None = None
    lots: list[Text] | None = None
    customizations: list[Text] | None = None
    status: Literal["removed", "open", "partial", "fulfilled", "delivered", "returned"] | None = None
    attributes: dict[str, Any] | None = None


class Totals(Value):
    """What the source states. The hub recomputes (`computed_totals`) and reports a difference, never mends it."""

    subtotal: Money | None = None
    discount: Money | None = None
    shipping: Money | None = None
    tax: Money | None = None
    fees: Money | None = None
    total: Money | None = None
    paid: Money | None = None
    refunded: Money | None = None
    due: Money | None = None


class LineQuantity(Value):
    """So many of a line, named by the source's line ref, by the hub's line id, or by SKU."""

    line: Text | None = None
    sku: Text | None = None
    quantity: Decimal | None = None
    amount: Money | None = None
    reason: Text | None = None
    condition: Text | None = None

"""The step that makes money."""

from __future__ import annotations

from typing import Any

from hub.contract.mapping.place import Unfit
from hub.contract.mapping.steps.currencies import code
from hub.contract.mapping.steps.registry import NUMBER, Parameter, Step
from hub.contract.mapping.steps.scalars import decimal_text

PLACES = 6
MOST_SEEN = 20_000

seen: set[str] = set()
"""Amounts that were found to be right not long ago."""


def money(value: Any, currency: Any) -> dict[str, str] | None:
    """An amount in a currency: exact, at most six places; no amount is null, no currency is a fault."""
    amount = decimal_text(value)
    if amount is None:
        return None
    if len(amount) > PLACES and len(amount) - (amount.find(".") + 1 or len(amount)) > PLACES:
        raise Unfit(value, "has more than six decimal places")
    if currency is None or currency == "":
        raise Unfit(value, "has no currency")
    if value.__class__ is str and amount == value:
        if len(seen) >= MOST_SEEN:
            seen.clear()
        seen.add(amount)
    return {"amount": amount, "currency": code(currency)}


STEPS = (
    Step("money", "money", money, "an amount in a currency; at most six places", NUMBER, "money", (Parameter("currency"),),
         examples=(("'19.95' | money('EUR') | get('amount')", "19.95"),)),
)  # fmt: skip

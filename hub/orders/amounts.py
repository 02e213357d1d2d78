"""Exact sums: amounts as integer micro-units, quantities as integer nano-units, text in and text out."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

MICRO = 1_000_000


@lru_cache(maxsize=4096)
def units(text: str) -> int:
    """A decimal text as an integer of millionths; what lies below a millionth is dropped."""
    whole, _, fraction = text.partition(".")
    number = int((whole or "0") + (fraction + "000000")[:6])
    return -abs(number) if text.startswith("-") else number


@lru_cache(maxsize=4096)
def text(number: int, places: int = 0) -> str:
    """Millionths as the shortest decimal text of at least so many places."""
    sign = "-" if number < 0 else ""
    whole, fraction = divmod(abs(number), MICRO)
    digits = f"{fraction:06d}".rstrip("0").ljust(places, "0")
    return f"{sign}{whole}.{digits}" if digits else f"{sign}{whole}"


def money(number: int, currency: str) -> dict[str, str]:
    """Millionths as money, with the two places that most currencies show."""
    return {"amount": text(number, 2), "currency": currency}


def amount(value: dict[str, Any] | None, currency: str | None = None) -> int:
    """The millionths of a money value; 0 for none, and for one in another currency than asked for."""
    if not value or (currency and value.get("currency") != currency):
        return 0
    return units(value["amount"])

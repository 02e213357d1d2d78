"""Currencies: how many places each has (ISO 4217), and the names that platforms use for some."""

from __future__ import annotations

import re
from typing import Any

from hub.contract.mapping.place import Unfit
from hub.contract.mapping.steps.scalars import text_of

_NO_PLACES = frozenset("BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF".split())
_THREE_PLACES = frozenset("BHD IQD JOD KWD LYD OMR TND".split())
_FOUR_PLACES = frozenset({"CLF", "UYW"})
_NAMES = {
    "RMB": "CNY", "CNH": "CNY", "人民币": "CNY", "元": "CNY", "NTD": "TWD", "NT$": "TWD", "€": "EUR", "£": "GBP",
    "US$": "USD", "HK$": "HKD", "R$": "BRL", "ZŁ": "PLN", "KČ": "CZK", "₩": "KRW", "₹": "INR", "₫": "VND", "฿": "THB",
}  # fmt: skip

_CODE = re.compile(r"[A-Z]{3}").fullmatch
seen: set[str] = set()
"""Codes that were found to be well-formed."""


def code(value: Any) -> str:
    """The ISO 4217 code as it stands; anything but three capitals is a fault."""
    if value.__class__ is str:
        if value in seen:
            return value
        if _CODE(value):
            seen.add(value)
            return value
    raise Unfit(value, "is not a currency code")


def currency(value: Any) -> str | None:
    """An ISO 4217 code, from one in any case or from a usual name."""
    word = text_of(value).strip().upper()
    return code(_NAMES.get(word, word)) if word else None


def exponent(value: Any) -> int:
    """How many places the currency has."""
    word = code(value)
    if word in _NO_PLACES:
        return 0
    return 3 if word in _THREE_PLACES else 4 if word in _FOUR_PLACES else 2

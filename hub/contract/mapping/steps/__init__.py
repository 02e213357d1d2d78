"""The steps of the language: one fixed registry of pure functions, grouped as the manual shows them."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from hub.contract.mapping.steps import lists, money, numbers, other, presence, tables, text, time, trade
from hub.contract.mapping.steps.registry import Step

STEPS: Mapping[str, Step] = MappingProxyType(
    {
        step.name: step
        for room in (text, numbers, money, time, lists, tables, presence, trade, other)
        for step in room.STEPS
    }
)
"""Every step by its name."""

__all__ = ["STEPS", "Step"]

"""Spans: what the deliverer asks of whoever traces its attempts."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Protocol

from hub.store.rows import Due


class Spans(Protocol):
    """Where attempts are traced: which trace one belongs to, and its span."""

    async def parent(self, one: Due) -> list[str]: ...

    def span(self, one: Due, parents: list[str]) -> AbstractContextManager[None]: ...

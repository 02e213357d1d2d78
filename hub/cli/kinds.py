"""The tables that are known, as a choice on the command line."""

from __future__ import annotations

from enum import StrEnum


class Kind(StrEnum):
    """What the rows of a table are."""

    orders = "orders"
    shipments = "shipments"
    scans = "scans"


class Emit(StrEnum):
    """Whether partners are told of what an import says."""

    none = "none"
    changes = "changes"

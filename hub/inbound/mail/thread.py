"""Threads: which order a reply is about."""

from __future__ import annotations

from typing import Literal

import msgspec

How = Literal["", "reply", "token", "number"]
"""By a mail of ours that it answers, by the signed address it was sent to, by an order number in its subject."""


class Thread(msgspec.Struct, frozen=True, kw_only=True):
    """The order that a letter belongs to ("" for none), the mail of ours that it answers, and how that is known.
    Only `token`, or a trusted sender, may change an order."""

    order: str = ""
    sent: str = ""
    how: How = ""

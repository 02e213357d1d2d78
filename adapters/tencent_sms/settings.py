"""What an operator tells this channel."""

from __future__ import annotations

from hub.contract import Settings


class TencentSmsSettings(Settings, frozen=True, kw_only=True):
    """Nothing: the address of the connection is its only secret."""

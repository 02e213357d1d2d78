"""What an operator tells this channel."""

from __future__ import annotations

from hub.contract import Settings


class AliyunSmsSettings(Settings, frozen=True, kw_only=True):
    """Nothing: the address of the connection is its only secret."""

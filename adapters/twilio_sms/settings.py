"""What an operator tells this channel."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from hub.contract import Secret, Settings


class TwilioSmsSettings(Settings, frozen=True, kw_only=True):
    """A Twilio account, to know its receipts."""

    webhook_secret: Annotated[
        Secret | list[Secret] | None,
        Meta(
            description="The account's auth token, which signs receipts; a list while rotating, the new one first."
        ),
    ] = None

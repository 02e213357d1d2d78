"""What an operator tells this channel."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from hub.contract import Secret, Settings


class AfterShipSettings(Settings, frozen=True, kw_only=True):
    """An AfterShip organisation: the secret of its webhooks, and an API key for sweeps and registrations."""

    webhook_secret: Annotated[
        Secret | list[Secret] | None,
        Meta(
            description="Proves pushes: AfterShip Tracking > Settings > Webhooks > Webhook secret. Give a list, the "
            "new one first, while rotating."
        ),
    ] = None
    api_key: Annotated[
        Secret | None,
        Meta(description="Reads and registers trackings: Organization settings > API keys, type API key."),
    ] = None
    base_url: Annotated[
        str, Meta(pattern=r"^https?://[^/?#\s]+$(?!\n)", description="Where the API is, without a path.")
    ] = "https://api.aftership.com"
    api_version: Annotated[
        str,
        Meta(
            pattern=r"^20\d\d-\d\d$(?!\n)",
            description="The API's version as in its address; the webhooks' own version is chosen at AfterShip.",
        ),
    ] = "2026-01"

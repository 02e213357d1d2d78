"""What an operator tells this channel."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from hub.contract import Secret, Settings


class ApiSettings(Settings, frozen=True, kw_only=True):
    """Nothing has to be told for calls with a token of the hub; pushes from an own website need a secret."""

    webhook_secret: Annotated[
        Secret | list[Secret] | None,
        Meta(
            description="A long random text that an own website sends as `Authorization: Bearer …` when it pushes to "
            "the intake URL; two while it rotates. Without it every push is refused, calls to /v1 are not."
        ),
    ] = None

"""What an operator tells this channel."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from hub.contract import Secret, Settings

Callback = Annotated[str, Meta(pattern=r"^https?://[^/?#\s]+/[^#\s]+$(?!\n)")]
Phone = Annotated[str, Meta(pattern=r"^[0-9+() -]*[0-9]{4}$(?!\n)")]


class Kuaidi100Settings(Settings, frozen=True, kw_only=True):
    """An enterprise account of 快递100: the salt of its pushes, and the key and customer number of its API."""

    webhook_secret: Annotated[
        Secret | list[Secret] | None,
        Meta(
            description="The salt that subscriptions carry and pushes are signed with (签名用随机字符串): any long random "
            "text. Without one pushes are not signed. Give a list, the new one first, while rotating."
        ),
    ] = None
    api_key: Annotated[
        Secret | None, Meta(description="The authorisation key (授权码 key), for subscriptions and queries.")
    ] = None
    customer: Annotated[
        str | None, Meta(description="The customer number (customer); only queries need it.")
    ] = None
    base_url: Annotated[
        str, Meta(pattern=r"^https?://[^/?#\s]+$(?!\n)", description="Where the API is, without a path.")
    ] = "https://poll.kuaidi100.com"
    callback_url: Annotated[
        Callback | None,
        Meta(
            description="Where 快递100 reaches this connection, if not at its intake URL (a proxy, plain HTTP).",
        ),
    ] = None
    resultv2: Annotated[
        str,
        Meta(
            pattern=r"^[0-9]$(?!\n)",
            description="How much pushes and answers tell: 1 adds places and status words, 4 and above the finer words.",
        ),
    ] = "4"
    sender_phone: Annotated[
        Phone | None,
        Meta(
            description="The sender's phone, for 顺丰 and 中通 where the receiver's is not known; four digits are enough.",
        ),
    ] = None
    query_hours: Annotated[
        float,
        Meta(
            ge=0,
            le=720,
            description="Hours between two queries of one parcel that was subscribed to (each is billed); 0 asks never.",
        ),
    ] = 12.0

"""The partner: receives the hub's webhooks and believes none that does not carry the hub's signature."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, MutableMapping
from pathlib import Path
from typing import Any

import msgspec

from hub.contract.errors import Forged
from hub.contract.message import Headers, Message
from hub.contract.proof import Check, StandardWebhooks
from hub.contract.settings import Settings


class PartnerSettings(Settings, frozen=True, kw_only=True):
    """What the partner was told when its endpoint was made."""

    webhook_secret: str = ""


class Webhook(msgspec.Struct, frozen=True, kw_only=True):
    """One request that reached the partner: what it said, whether it was believed, how it was answered."""

    id: str
    type: str
    order: str | None
    number: str
    sequence: int | None
    verified: bool
    answered: int
    headers: dict[str, str]
    body: bytes

    def event(self) -> dict[str, Any]:
        """The event it carries."""
        return msgspec.json.decode(self.body, type=dict[str, Any])


Verify = Callable[[str, Headers, bytes], bool]
"""Whether a body is the hub's own, by the secret and the request's headers."""


def signed_by_hub(secret: str, headers: Headers, body: bytes) -> bool:
    """The check of Standard Webhooks: the signature fits and its time is near."""
    message = Message(body=body, headers=headers)
    settings = PartnerSettings(webhook_secret=secret)
    try:
        StandardWebhooks().check(Check(message, settings, int(time.time()), {}))
    except Forged:
        return False
    return True


class Partner:
    """An ASGI application that is a partner's webhook receiver; `down` makes it answer 503 to everything."""

    def __init__(self, verify: Verify = signed_by_hub, record: Path | None = None) -> None:
        self.secret = ""
        self.down = False
        self.heard: list[Webhook] = []
        self._verify = verify
        self._record = record
        self._news = asyncio.Condition()

    @property
    def accepted(self) -> list[Webhook]:
        """What it has verified and acknowledged, in order."""
        return [one for one in self.heard if one.answered < 300]

    async def __call__(self, scope: MutableMapping[str, Any], receive: Any, send: Any) -> None:
        """Take one webhook."""
        body = b""
        while (part := await receive())["type"] == "http.request":
            body += part.get("body", b"")
            if not part.get("more_body"):
                break
        headers = Headers(
            [(name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]]
        )
        one = self._judged(headers, body)
        await send(
            {"type": "http.response.start", "status": one.answered, "headers": [(b"content-length", b"0")]}
        )
        await send({"type": "http.response.body", "body": b""})
        await self._keep(one)

    async def until(self, wanted: Callable[[Webhook], bool], seconds: float = 20.0) -> Webhook | None:
        """The first webhook of this kind, those heard before included; None when none comes in time."""
        async with self._news:
            try:
                async with asyncio.timeout(seconds):
                    while (found := next(filter(wanted, self.heard), None)) is None:
                        await self._news.wait()
            except TimeoutError:
                return None
            return found

    def _judged(self, headers: Headers, body: bytes) -> Webhook:
        event = msgspec.json.decode(body, type=dict[str, Any])
        verified = self._verify(self.secret, headers, body)
        return Webhook(
            id=headers.get("webhook-id", ""),
            type=event["type"],
            order=event.get("order"),
            number=(event.get("data") or {}).get("number") or "",
            sequence=event.get("sequence"),
            verified=verified,
            answered=503 if self.down else 204 if verified else 401,
            headers=dict(headers),
            body=body,
        )

    async def _keep(self, one: Webhook) -> None:
        async with self._news:
            self.heard.append(one)
            if self._record is not None:
                kept = {**msgspec.structs.asdict(one), "secret": self.secret}
                with self._record.open("ab") as out:
                    out.write(msgspec.json.encode(kept) + b"\n")
            self._news.notify_all()

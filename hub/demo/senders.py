"""The senders: far sides that send the hub signed messages, each as its channel's own proof signs them."""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import msgspec

from hub.contract.channel import Channel
from hub.contract.message import Message
from hub.contract.proof import Stamp
from hub.contract.settings import Settings
from hub.fixtures import parse_request

_MESSAGES = Path(__file__).parent / "messages"


@dataclass(frozen=True, slots=True)
class Answered:
    """How the hub answered a message, and how many milliseconds that took."""

    status: int
    said: dict[str, Any]
    took: float


@dataclass(frozen=True, slots=True)
class FarSide:
    """One account at a platform: it knows the secret, so it can sign."""

    channel: Channel
    settings: Settings
    intake_url: str
    http: httpx.AsyncClient

    async def send(self, message: Message, *, secret: Settings | None = None) -> Answered:
        """Sign a message, with another secret than its own where one is given, and send it."""
        settings = secret or self.settings
        stamp = Stamp(now=int(time.time()), nonce=secrets.token_hex(8), id=f"msg_{secrets.token_hex(8)}")
        signed = self.channel.proof_for(settings).sign(message, settings, stamp)
        headers = [pair for pair in signed.headers.pairs if pair[0] not in ("host", "content-length")]
        began = time.perf_counter()
        answer = await self.http.post(f"{self.intake_url}{signed.path}", content=signed.body, headers=headers)
        took = (time.perf_counter() - began) * 1000
        plain = not answer.headers.get("content-type", "").startswith("application/json")
        return Answered(answer.status_code, {"detail": answer.text} if plain else answer.json(), took)


def sample(sort: str, headers: dict[str, str] | None = None, /, **changes: Any) -> Message:
    """A message of the demo's own, with these fields of its body and of its head changed."""
    file = _MESSAGES / f"{sort}.http"
    message = parse_request(file.read_bytes(), str(file))
    body = {**msgspec.json.decode(message.body), **changes}
    told = {**dict(message.headers), **{key.lower(): value for key, value in (headers or {}).items()}}
    return msgspec.structs.replace(
        message, body=msgspec.json.encode(body), headers=type(message.headers)(told)
    )

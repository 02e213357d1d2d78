"""The letterhead: what every webhook carries besides its body, signed anew for each attempt."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any
from urllib.parse import unquote_plus

from hub import __version__
from hub.circuit import SECOND
from hub.contract.settings import MASK
from hub.directory import Directory, Endpoint
from hub.outbound.sender import legible
from hub.outbound.signing import Signer
from hub.store.rows import Due
from hub.world import World

_AGENT = f"orderhub/{__version__}"
_SECRET = re.compile(r"auth|cookie|credential|key|passw|secret|token", re.IGNORECASE)
_SIGNS = re.compile(r"sig|pwd|^code\Z", re.IGNORECASE)
"""Names of what proves a caller in a query, besides those that are secrets by name (`?code=` of Azure's functions)."""
_PARAMETER = re.compile(r"([^=&;#]+)=([^&;#]+)")

_POINTS = frozenset(("location", "content-location", "refresh"))

_NEVER = 1 << 62


def masked(headers: Mapping[str, str]) -> dict[str, str]:
    """Headers as a log may show them: what looks like a secret is hidden."""
    return {name: MASK if _secret(name) else value for name, value in headers.items()}


def written(headers: Mapping[str, str]) -> list[tuple[str, str]]:
    """An answer's headers as a log may show them: a session it opens is hidden, and what looks like a secret in an address
    that it points to, which is often ours again."""
    return [(legible(str(name)), _told(name.lower(), legible(value))) for name, value in headers.items()]


def _told(name: str, value: str) -> str:
    return MASK if name == "set-cookie" else address(value) if name in _POINTS else value


def address(url: str) -> str:
    """A URL as a log may show it: the values in its query that look like secrets, or sign it, are hidden."""
    place, mark, query = url.partition("?")
    return place + mark + _PARAMETER.sub(_hidden, query)


def addressed(request: Any) -> Any:
    """A kept request with its URL as a log may show it: what was kept before secrets were hidden in it too."""
    return {**request, "url": address(request["url"])} if request and "url" in request else request


def _hidden(found: re.Match[str]) -> str:
    name = unquote_plus(found[1])
    return f"{found[1]}={MASK}" if _secret(name) or _SIGNS.search(name) else found[0]


@lru_cache(maxsize=1024)
def _secret(name: str) -> bool:
    return _SECRET.search(name) is not None


@dataclass(slots=True)
class Letterhead:
    """Writes headers; keeps each endpoint's signer while its secrets stay the same."""

    directory: Directory
    world: World
    _signers: dict[str, tuple[int, Signer]] = field(default_factory=dict)

    def headers(self, endpoint: Endpoint, one: Due, body: bytes, at: int) -> dict[str, str]:
        """The headers of an attempt made at this moment (microseconds)."""
        seconds = at // SECOND
        kind = "application/cloudevents+json" if endpoint.format == "cloudevents" else "application/json"
        headers = {
            **endpoint.headers,
            "content-type": kind,
            "user-agent": _AGENT,
            "webhook-id": one.event,
            "webhook-timestamp": str(seconds),
            "webhook-signature": self._signer(endpoint).header(one.event, seconds, body),
        }
        if one.previous:
            headers["orderhub-previous"] = one.previous
        if one.trigger in ("manual", "replay"):
            headers["orderhub-replay"] = one.trigger
        return headers

    def forget(self) -> None:
        """Endpoints were changed: their secrets are looked up again."""
        self._signers.clear()

    def _signer(self, endpoint: Endpoint) -> Signer:
        """One that signs with every secret that counts now, opened anew when the next of them runs out."""
        now = self.world.now()
        known = self._signers.get(endpoint.id)
        if known is None or known[0] <= now:
            ends = [one["until"] for one in endpoint.secrets if (one.get("until") or 0) > now]
            known = (min(ends, default=_NEVER), Signer(self.directory.secrets(endpoint, now)))
            self._signers[endpoint.id] = known
        return known[1]

"""Where a far side publishes its public keys, and how one is fetched by its id."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlsplit

from hub.contract.errors import Forged, Misconfigured, Postponed
from hub.contract.flow import Context, Conversation
from hub.contract.message import Request, Response
from hub.contract.proof.base import Check, KeyNeeded
from hub.contract.settings import Settings

PLAIN_ID = r"[A-Za-z0-9][A-Za-z0-9._:+=-]{0,199}"


@dataclass(frozen=True, slots=True)
class KeyRing:
    """Public keys by id.

    `url` is where they stand: `{kid}` is the id, `{setting:base_url}` a setting, `{origin:base_url}` its
    scheme and host; the host is never the sender's choice. `holds` says what the answer is: a JWKS, the
    key itself, or JSON with the key in a field (`field:key`). An id has to match `ids`, for the sender
    chooses it. `fetch` is a conversation of the adapter's own instead.
    """

    url: str = ""
    holds: str = "jwks"
    ids: str = PLAIN_ID
    fetch: Callable[[Context[Any], str], Conversation[bytes]] | None = None

    def find(self, check: Check, kid: str) -> bytes:
        """The key of this id; KeyNeeded when it has to be fetched first, Forged when the id is no id."""
        if not re.fullmatch(self.ids, kid) or ".." in kid:
            raise Forged("the id of the public key is not one that this far side gives")
        if kid not in check.keys:
            raise KeyNeeded(kid)
        return check.keys[kid]

    def fetch_key(self, ctx: Context[Settings], key: str) -> Conversation[bytes]:
        """Asks the far side; Forged when it knows no such key, Postponed when it cannot say now."""
        if self.fetch is not None:
            return (yield from self.fetch(ctx, key))
        answer = yield Request(url=self._address(ctx.settings, key), headers={"accept": "*/*"})
        if answer is None or answer.status >= 500 or answer.status == 429:
            raise Postponed("the far side does not tell its public keys now")
        if answer.status != 200:
            raise Forged(f"the far side knows no public key {key}")
        return self._of(answer, key)

    def _address(self, settings: Settings, key: str) -> str:
        def fill(found: re.Match[str]) -> str:
            if found[1] == "kid":
                return quote(key, safe="/:")
            kind, _, field = found[1].partition(":")
            value = str(getattr(settings, field, None) or "")
            if not value:
                raise Misconfigured(f"{field} is needed to fetch public keys")
            parts = urlsplit(value)
            return f"{parts.scheme}://{parts.netloc}" if kind == "origin" else value.rstrip("/")

        return re.sub(r"\{([^}]*)\}", fill, self.url)

    def _of(self, answer: Response, key: str) -> bytes:
        if self.holds == "key":
            return answer.body
        body = answer.json()
        kind, _, field = self.holds.partition(":")
        found = body.get(field or "keys") if isinstance(body, dict) else None
        if kind == "field" and isinstance(found, str):
            return found.encode()
        for jwk in found if isinstance(found, list) else []:
            if isinstance(jwk, dict) and jwk.get("kid") == key:
                return json.dumps(jwk).encode()
        raise Forged(f"the far side knows no public key {key}")

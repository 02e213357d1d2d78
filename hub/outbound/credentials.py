"""Credentials: what an endpoint wants to see besides our signature: a user, a token, or one that has to be fetched.

A fetched token (OAuth 2.0, RFC 6749 §4.4) is kept sealed until shortly before it runs out, for all processes;
within one it is fetched once, however many wait for it. Its address is judged by the guard like any other.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote_plus, urlencode

import msgspec

from hub.contract.errors import HubError
from hub.directory import Directory, Endpoint
from hub.outbound.sender import Post, Sender
from hub.store.engine import Engine, Unit
from hub.world import World

SECOND = 1_000_000
_EARLY = 60
_USUAL = 300.0
_LONGEST = 30 * 86_400.0
_PATIENCE = 10.0


class Unauthorised(HubError):
    """No token could be had, with the reason."""


class _Grant(msgspec.Struct):
    access_token: str
    expires_in: float | str | None = None


class _Token(msgspec.Struct):
    text: str
    until: int


@dataclass(slots=True)
class Credentials:
    """Makes the `authorization` of endpoints."""

    engine: Engine
    directory: Directory
    world: World
    _tokens: dict[str, _Token] = field(default_factory=dict)
    _locks: dict[str, asyncio.Lock] = field(default_factory=dict)

    async def header(self, endpoint: Endpoint, sender: Sender) -> dict[str, str]:
        """The header, if it has one; raises Unauthorised, or Locked where a secret does not open."""
        auth = endpoint.auth
        match auth.get("type"):
            case "basic":
                pair = f"{auth['username']}:{self._open(endpoint, 'password')}"
                return {"authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}
            case "bearer":
                return {"authorization": f"Bearer {self._open(endpoint, 'token')}"}
            case "oauth2_client":
                return {"authorization": f"Bearer {await self._token(endpoint, sender)}"}
            case _:
                return {}

    async def refused(self, endpoint: Endpoint, header: dict[str, str]) -> bool:
        """The endpoint said 401 to this header: True where another token may be had for it."""
        if endpoint.auth.get("type") != "oauth2_client":
            return False
        name = _name(endpoint)
        held = self._tokens.get(name)
        if held is not None and header.get("authorization") != f"Bearer {held.text}":
            return True  # another attempt has a newer one already
        self._tokens.pop(name, None)

        async def work(unit: Unit) -> None:
            unit.add("memories_drop", owner=owner(endpoint), name=name)

        await self.engine.transact(work)
        return True

    def _open(self, endpoint: Endpoint, name: str) -> str:
        return self.directory.vault.open(endpoint.auth[name]["sealed"], endpoint.id)

    async def _token(self, endpoint: Endpoint, sender: Sender) -> str:
        name = _name(endpoint)
        async with self._locks.setdefault(name, asyncio.Lock()):
            held = self._tokens.get(name)
            if held is None or held.until <= self.world.now():
                held = await self._kept(endpoint, name) or await self._fetched(endpoint, name, sender)
                self._tokens[name] = held
            return held.text

    async def _kept(self, endpoint: Endpoint, name: str) -> _Token | None:
        """The one that another process, or this one before it was started again, has fetched."""
        whose = owner(endpoint)
        rows = await self.engine.fetch("memories_get", owner=whose, name=name, now=self.world.now())
        if not rows:
            return None
        return msgspec.json.decode(
            self.directory.vault.open(bytes(rows[0][0]).decode(), f"{whose}/{name}"), type=_Token
        )

    async def _fetched(self, endpoint: Endpoint, name: str, sender: Sender) -> _Token:
        grant = await self._ask(endpoint, sender)
        until = self.world.now() + int(_lasts(grant) * SECOND)
        token, whose = _Token(grant.access_token, until), owner(endpoint)
        sealed = self.directory.vault.seal(msgspec.json.encode(token).decode(), f"{whose}/{name}").encode()

        async def work(unit: Unit) -> None:
            unit.add("memories_put", [(whose, name, sealed, until)])

        await self.engine.transact(work)
        return token

    async def _ask(self, endpoint: Endpoint, sender: Sender) -> _Grant:
        auth = endpoint.auth
        post = self._request(endpoint, auth)
        answer = await sender.send(post)
        where = f"the token of {endpoint.name} from {auth['token_url']}"
        if answer.error or answer.status is None:
            raise Unauthorised(f"{where}: {answer.error}: {answer.reason}")
        if not 200 <= answer.status < 300:
            raise Unauthorised(f"{where}: it answered {answer.status}{_said(answer.body)}")
        try:
            grant = msgspec.json.decode(answer.body, type=_Grant)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise Unauthorised(f"{where}: its answer has no access_token{_said(answer.body)}") from error
        if not grant.access_token.isascii() or not grant.access_token.isprintable() or not grant.access_token:
            raise Unauthorised(f"{where}: its access_token cannot stand in a header")
        return grant

    def _request(self, endpoint: Endpoint, auth: dict[str, Any]) -> Post:
        form = {"grant_type": "client_credentials"}
        form |= {name: auth[name] for name in ("scope", "audience") if auth.get(name)}
        headers = {"content-type": "application/x-www-form-urlencoded", "accept": "application/json"}
        secret = self._open(endpoint, "client_secret")
        if auth.get("credentials_in") == "body":
            form |= {"client_id": auth["client_id"], "client_secret": secret}
        else:  # both are form-encoded first (RFC 6749 §2.3.1)
            pair = f"{quote_plus(auth['client_id'])}:{quote_plus(secret)}"
            headers["authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
        timeout = min(endpoint.timeout, _PATIENCE)
        return Post(url=auth["token_url"], headers=headers, body=urlencode(form).encode(), timeout=timeout)


def owner(endpoint: Endpoint) -> str:
    """Whose memory its fetched tokens are."""
    return f"auth:{endpoint.id}"


def _name(endpoint: Endpoint) -> str:
    """A token belongs to what it was fetched with: other credentials, another token."""
    return endpoint.id + hashlib.sha256(msgspec.json.encode(endpoint.auth)).hexdigest()[:16]


def _lasts(grant: _Grant) -> float:
    """For how many seconds a token is used: not to its very end."""
    try:
        told = float(grant.expires_in or _USUAL)
    except ValueError:
        told = _USUAL
    told = min(told, _LONGEST) if told == told else _USUAL  # noqa: PLR0124  NaN is not itself
    return max(told - _EARLY, min(told, 2 * _EARLY) / 2, 1.0)


def _said(body: bytes) -> str:
    """The far side's own word for it (RFC 6749 §5.2), never the whole answer: a token might stand in it."""
    try:
        told = msgspec.json.decode(body, type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeDecodeError):
        return ""
    word = told.get("error")
    return f": {word[:100]}" if isinstance(word, str) else ""

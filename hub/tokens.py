"""Tokens: how they are kept, and the first one, which lets the operator in."""

from __future__ import annotations

import hashlib
import secrets

from hub.directory import Directory
from hub.store.engine import Engine, Poisoned, Unit
from hub.things import Token
from hub.world import World


def token_hash(token: str) -> str:
    """How a token is kept. Tokens are long and random, so a plain hash is enough."""
    return hashlib.sha256(token.encode()).hexdigest()


async def first_token(told: str, directory: Directory, engine: Engine, world: World) -> str:
    """The admin token: the one that was told, or one made at the first start and shown once ("" from then on)."""
    tokens = directory.all(Token)
    digest = token_hash(told) if told else ""
    if any(one.hash == digest for one in tokens) or (tokens and not told):
        return told
    token = told or f"oh_{secrets.token_urlsafe(32)}"
    name = f"admin-{digest[:6]}" if told else "admin"

    async def work(unit: Unit) -> None:
        thing = Token(id=world.new_id("tok"), name=name, hash=token_hash(token), scopes=["admin"])
        await directory.put(unit, thing, world.now())

    try:
        await engine.transact(work)
    except Poisoned:
        await directory.refresh()
        # Another process that started at the same moment was first; what is no such race is raised.
        if directory.get(Token, name) is None:
            raise
        return told
    await directory.refresh()
    return token

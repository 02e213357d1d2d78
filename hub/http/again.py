"""The same request again: an `Idempotency-Key` makes a POST happen once, for 72 hours.

A key is claimed before the operation and holds its answer afterwards; refusals and faults let it go, so
that the request may be made again. Reports and decisions keep theirs in the very transaction of what
they record (hub.inbound.report).
"""

from __future__ import annotations

import hashlib
from typing import Any

import msgspec

from hub.http.ask import Answer, Ask
from hub.http.keep import Moved
from hub.http.problems import Problem
from hub.http.table import Op
from hub.inbound.report import Mismatch
from hub.store.engine import Unit
from hub.store.rows import PLAIN

KEPT_FOR = 72 * 3600 * 1_000_000
_TRIES = 20
_ABANDONED = 120 * 1_000_000
_UNDER_WAY = 0


class _Kept(msgspec.Struct):
    status: int
    headers: dict[str, str]
    value: msgspec.Raw


async def done(ask: Ask, op: Op) -> Any:
    """The operation's answer; begun anew where somebody else changed its thing meanwhile, so that of two changes at the
    same moment neither is lost. Problem 409 where that happens again and again."""
    for _ in range(_TRIES):
        try:
            return await op.handle(ask)
        except Moved:
            continue
    raise Problem(409, "conflict", "others are changing it, too: try again", headers={"retry-after": "1"})


async def once(ask: Ask, op: Op) -> Any:
    """The operation's answer, made now or kept from the first time."""
    digest = _digest(ask)
    found = await _claim(ask, digest)
    if found is not None:
        return _again(found)
    try:
        value = await done(ask, op)
    except BaseException:
        await ask.hub.engine.transact(_let_go(ask))
        raise
    answer = value if isinstance(value, Answer) else Answer(value=value, status=op.status)
    await _keep(ask, digest, answer)
    return answer


async def kept(ask: Ask) -> Answer | None:
    """The answer kept under the request's key, None where there is none; Mismatch where it was another request.
    For what may be done again without harm and only wants the same answer."""
    since = ask.hub.world.now() - KEPT_FOR
    rows = (
        await ask.hub.engine.fetch("calls_get", tenant=ask.tenant, key=ask.key, since=since)
        if ask.key
        else []
    )
    if not rows:
        return None
    if rows[0][0] != _digest(ask):
        raise Mismatch("this Idempotency-Key was used for another request")
    return _again(_opened(ask, rows[0][2]))


async def keep(ask: Ask, answer: Answer) -> None:
    """Keep an answer under the request's key, if it has one."""
    if ask.key:
        await _keep(ask, _digest(ask), answer)


def _again(found: _Kept) -> Answer:
    return Answer(
        value=bytes(found.value),
        status=found.status,
        headers={**found.headers, "idempotent-replayed": "true"},
    )


def _opened(ask: Ask, answer: bytes) -> _Kept:
    return msgspec.json.decode(ask.hub.vault.open(bytes(answer).decode(), ask.key), type=_Kept)


def _digest(ask: Ask) -> str:
    url = ask.request.url
    head = f"{ask.request.method} {url.path}?{url.query}\0".encode()
    return hashlib.sha256(head + ask.body).hexdigest()


async def _claim(ask: Ask, digest: str) -> _Kept | None:
    """None when the key is ours to use; the answer kept under it otherwise."""
    now = ask.hub.world.now()

    async def work(unit: Unit) -> Unit:
        unit.add("calls_claim", tenant=ask.tenant, key=ask.key, digest=digest, now=now,
                 abandoned=now - _ABANDONED, expired=now - KEPT_FOR)  # fmt: skip
        return unit

    if (await ask.hub.engine.transact(work)).counts["calls_claim"]:
        return None
    rows = await ask.hub.engine.fetch("calls_get", tenant=ask.tenant, key=ask.key, since=0)
    if rows and rows[0][0] != digest:
        raise Mismatch("this Idempotency-Key was used for another request")
    if not rows or rows[0][1] == _UNDER_WAY:
        raise Problem(
            409,
            "in_progress",
            "the first request under this key has no answer yet",
            headers={"retry-after": "1"},
        )
    return _opened(ask, rows[0][2])


async def _keep(ask: Ask, digest: str, answer: Answer) -> None:
    value = answer.value if isinstance(answer.value, bytes) else PLAIN.encode(answer.value)
    plain = PLAIN.encode(_Kept(answer.status, answer.headers, msgspec.Raw(value))).decode()
    sealed = ask.hub.vault.seal(plain, ask.key).encode()  # it may show a secret once more

    async def work(unit: Unit) -> None:
        unit.add("calls_add", tenant=ask.tenant, key=ask.key, digest=digest, at=ask.hub.world.now(),
                 status=answer.status, answer=sealed)  # fmt: skip

    await ask.hub.engine.transact(work)


def _let_go(ask: Ask) -> Any:
    async def work(unit: Unit) -> None:
        unit.add("calls_drop", tenant=ask.tenant, key=ask.key)

    return work

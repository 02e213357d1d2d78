"""The postman: one attempt at an endpoint, from its body to what its answer means, and what is kept of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from decimal import Decimal
from functools import partial
from typing import Any

import msgspec
import structlog

from hub.contract.errors import HubError, Misconfigured, Unmapped, Unreadable
from hub.contract.mapping import Expression, Mapping, compile_expression
from hub.contract.settings import MASK
from hub.directory import Directory, Endpoint
from hub.outbound.bodies import Bodies
from hub.outbound.credentials import Credentials, Unauthorised
from hub.outbound.entries import entry
from hub.outbound.letterhead import Letterhead
from hub.outbound.patience import patiently
from hub.outbound.render import LeftOut, body_for, told
from hub.outbound.sender import CAP, Answer, Post, Sender
from hub.outbound.verdict import took
from hub.store.engine import Engine
from hub.store.rows import Due
from hub.troubles import Trouble, Troubles, cause, place
from hub.vault import Locked
from hub.world import World

_LONGEST = 200
_REMEMBERED = 10_000
log = structlog.get_logger("orderhub.postman")
Capture = Callable[[Endpoint, Due, str], Awaitable[None]]
"""Records a partner's own name of an order."""
_EXACT = msgspec.json.Decoder(float_hook=Decimal)


@dataclass(slots=True)
class Postman:
    """Takes deliveries to endpoints."""

    engine: Engine
    directory: Directory
    sender: Sender
    letterhead: Letterhead
    troubles: Troubles
    world: World
    credentials: Credentials
    bodies: Bodies
    capture: Capture
    _names: dict[tuple[str, str], str] = field(default_factory=dict)
    _expressions: dict[str, Expression] = field(default_factory=dict)

    def forget(self) -> None:
        """Endpoints were changed: what was compiled and opened for them is made anew."""
        self.letterhead.forget()
        self._expressions.clear()

    async def post(self, endpoint: Endpoint, one: Due, at: int) -> tuple[Answer, bytes]:
        """One attempt: the answer, judged by the endpoint's own expression where it has one, and its log."""
        try:
            body = await self.bodies.of(one)
        except (Misconfigured, Unreadable, LeftOut) as error:
            if not isinstance(error, LeftOut):
                await self._failed(endpoint, one, error)
            answer = _unmade(endpoint, error)
            return answer, entry(one, None, answer)
        post, answer = await self._sent(endpoint, one, body, at)
        if one.order and took(answer.status, answer.error, answer.accepted):
            await self._captured(endpoint, one, answer)
        return answer, entry(one, post, answer)

    async def exchange(self, endpoint: Endpoint, one: Due, at: int) -> tuple[Post, Answer]:
        """A post of which nothing is kept, and its answer."""
        try:
            body = body_for(endpoint, one.envelope, one.doc, self._mapping(endpoint.mapping))
        except (Misconfigured, Unreadable, LeftOut) as error:
            return Post(url=endpoint.url), _unmade(endpoint, error)
        return await self._sent(endpoint, one, body, at)

    def letter(self, endpoint: Endpoint, one: Due, body: bytes, at: int) -> Post:
        """Exactly what an endpoint would be sent now, its credentials masked."""
        return self._letter(endpoint, one, body, at, {"authorization": MASK} if endpoint.auth else {})

    async def _sent(self, endpoint: Endpoint, one: Due, body: bytes, at: int) -> tuple[Post, Answer]:
        """The post and its judged answer. A fetched token that is refused is fetched once more: it may have been
        taken back before its time."""
        post, answer = await self._once(endpoint, one, body, at)
        if answer.status == 401 and await self.credentials.refused(endpoint, post.headers):
            post, answer = await self._once(endpoint, one, body, at)
        return post, self._judged(endpoint, answer)

    async def _once(self, endpoint: Endpoint, one: Due, body: bytes, at: int) -> tuple[Post, Answer]:
        try:
            header = await self.credentials.header(endpoint, self.sender)
            post = self._letter(endpoint, one, body, at, header)
        except (Unauthorised, Locked) as error:
            unsigned = Post(url=endpoint.url, body=body)
            return unsigned, Answer(error="auth", reason=told(error))
        return post, await self.sender.send(post)

    def _letter(self, endpoint: Endpoint, one: Due, body: bytes, at: int, more: dict[str, str]) -> Post:
        headers = self.letterhead.headers(endpoint, one, body, at) | more
        return Post(url=endpoint.url, headers=headers, body=body, timeout=endpoint.timeout)

    def _mapping(self, name: str) -> Mapping | None:
        return self.directory.registry.mapping(name) if name else None

    def _judged(self, endpoint: Endpoint, answer: Answer) -> Answer:
        """The answer with what the endpoint's own expression says of it; one that it cannot judge is declined."""
        if not endpoint.accept or answer.error or answer.status is None:
            return answer
        try:
            accepted = self._expression(endpoint.accept, "accept").holds(exchanged(answer))
        except (Misconfigured, Unmapped) as error:
            return msgspec.structs.replace(answer, accepted=False, reason=_cut(answer) + told(error))
        reason = "" if accepted else f"{_cut(answer)}`accept` does not hold: {endpoint.accept}"
        return msgspec.structs.replace(answer, accepted=accepted, reason=reason)

    def _expression(self, text: str, field: str) -> Expression:
        found = self._expressions.get(text)
        if found is None:
            found = self._expressions[text] = compile_expression(text, file=field)
        return found

    async def _captured(self, endpoint: Endpoint, one: Due, answer: Answer) -> None:
        """Keep the partner's own name of the order, where its answer says one."""
        if not endpoint.capture:
            return
        try:
            found = self._expression(endpoint.capture, "capture").value(exchanged(answer))
        except Unmapped as error:
            log.warning(
                "nothing could be captured", endpoint=endpoint.id, delivery=one.position, fault=str(error)
            )
            return
        name = (
            str(found).strip()
            if isinstance(found, str | int | Decimal) and not isinstance(found, bool)
            else ""
        )
        if (
            name.isprintable()
            and 0 < len(name) <= _LONGEST
            and self._names.get((endpoint.id, one.order)) != name
        ):
            await self._named(endpoint, one, name)

    async def _named(self, endpoint: Endpoint, one: Due, name: str) -> None:
        """Keep a name. What cannot be kept is no reason to send once more what was taken."""
        try:
            await patiently(self.world, one, partial(self.capture, endpoint, one, name))
        except Exception:
            log.exception(
                "a partner's name of an order could not be kept", endpoint=endpoint.id, delivery=one.position
            )
            return
        self._names[endpoint.id, one.order] = name
        if len(self._names) > _REMEMBERED:
            self._names.pop(next(iter(self._names)))

    async def _failed(self, endpoint: Endpoint, one: Due, error: Misconfigured | Unreadable) -> None:
        """A person is told at once what is wrong with the mapping; the exception closes with the last delivery."""
        trouble = Trouble(
            tenant=one.tenant,
            cause=cause("transformation", endpoint.id, endpoint.mapping),
            subject=f"dlv_{one.position}",
            title=f"{endpoint.mapping} makes no body of {one.type} for {endpoint.name}: {error}",
            hint=f"Mend it: `orderhub map try --endpoint {endpoint.name} --event {one.event}`, then `orderhub map "
            "activate`. What waits is made with the new text.",
            orders=[one.order] if one.order else [],
            place=place(error) if isinstance(error, Unreadable) else None,
        )
        await self.engine.transact(lambda unit: self.troubles.open(unit, [trouble]))


def _unmade(endpoint: Endpoint, error: HubError | LeftOut) -> Answer:
    """What stands for an answer where the endpoint's mapping made no body."""
    if isinstance(error, LeftOut):
        return Answer(error="left_out", reason=f"{endpoint.mapping} leaves this event out")
    return Answer(error="mapping", reason=told(error))


def _cut(answer: Answer) -> str:
    """Why an expression may not have found what it looks for."""
    return (
        f"the answer is longer than {CAP >> 10} kB and was cut, so that no JSON can be read in it: "
        if answer.truncated
        else ""
    )


def exchanged(answer: Answer) -> dict[str, Any]:
    """An answer as `accept` and `capture` see it."""
    return {"status": answer.status, "body": content(answer)}


def content(answer: Answer) -> Any:
    """An answer's body for expressions: JSON where it is, else its text."""
    try:
        return _EXACT.decode(answer.body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return answer.body.decode("utf-8", "replace")

"""Conversing: drives an adapter's generators with HTTP, the clock, rate limits, retries and credentials.

Polls, writes, subscriptions, key look-ups: all of them yield requests and are sent responses. One door to
the far side of a connection: its bucket, its token (renewed under a lock before it runs out), its manners.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Generator
from dataclasses import dataclass, field
from typing import Any

import httpx
import msgspec
import tenacity

from hub.contract.channel import Channel
from hub.contract.clock import retry_after
from hub.contract.errors import HubError, Postponed, Refused, Rejected
from hub.contract.flow import Context, Keep, Page, Pause, Put, Token
from hub.contract.message import Headers, Request, Response
from hub.directory import Connection, Directory
from hub.files.shelves import Shelves
from hub.reach import Down, Reach
from hub.store.engine import Engine, Unit
from hub.world import World

_CAP = 32 << 20
_TRIES = 4
_EARLY = 300
_DAY = 86_400.0
_UNAUTHORIZED = 401
SECOND = 1_000_000

KeepPage = Callable[[Connection, Page], Awaitable[None]]


class Unheard(Postponed):
    """Nobody there: it was not done."""


class Busy(Postponed):
    """Too many requests: it was not done."""


class Doubtful(Unheard):
    """Not heard of again: it may have been done all the same."""


class _Kept(msgspec.Struct):
    access: str
    refresh: str
    until: int


@dataclass(slots=True)
class Line:
    """What one connection's requests share: when the next may go, and the lock of its token."""

    free_at: float = 0.0
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


@dataclass(slots=True)
class Converser:
    """Runs conversations. `page` makes a read page durable before the generator goes on."""

    engine: Engine
    directory: Directory
    world: World
    client: httpx.AsyncClient
    page: KeepPage
    reach: Reach
    shelves: Shelves
    public_url: str = ""
    _lines: dict[str, Line] = field(default_factory=dict)

    async def context(self, connection: Connection) -> Context[Any]:
        """What the connection's conversations may know."""
        owner = f"state:{connection.id}"
        rows = await self.engine.fetch("memories_all", owner=owner, now=self.world.now())
        vault = self.directory.vault
        return Context(
            settings=self.directory.settings(connection),
            account=connection.account,
            zone=connection.time_zone,
            now=self.world.now(),
            nonce=self.world.new_id("n"),
            intake_url=f"{self.public_url}/in/{connection.key}",
            state={row[0]: vault.open(bytes(row[1]).decode(), f"{owner}/{row[0]}") for row in rows},
        )

    async def run(
        self,
        connection: Connection,
        conversation: Generator[Any, Any, Any],
        *,
        bare: bool = False,
        once: bool = False,
        page: KeepPage | None = None,
    ) -> Any:
        """Drive a conversation to its end and return what it returns; raises Postponed or Refused.

        `bare` sends its requests without the channel's credentials (it is fetching them), `once` sends nothing
        again that may have been done already (it is writing), `page` takes what is read."""
        answer: Any = None
        try:
            while True:
                step = conversation.send(answer)
                answer = None
                if isinstance(step, Page):
                    await (page or self.page)(connection, step)
                else:
                    answer = await self._step(connection, step, bare=bare, once=once)
        except StopIteration as end:
            return end.value

    def reading(self, connection: Connection, conversation: Generator[Any, Any, Any]) -> Reading:
        """A conversation that is read page by page."""
        return Reading(self, connection, conversation)

    async def _step(self, connection: Connection, step: Any, *, bare: bool, once: bool) -> Any:
        if isinstance(step, Request):
            return await self._ask(connection, step, bare=bare, once=once and not _harmless(step))
        if isinstance(step, Pause):
            await self.world.sleep(step.seconds)
        elif isinstance(step, Put):
            await self._put(connection, step)
        elif isinstance(step, Keep):
            await self._keep(connection, step)
        return None

    async def _ask(self, connection: Connection, request: Request, *, bare: bool, once: bool) -> Response:
        channel = self.directory.channel(connection)
        retrying = tenacity.AsyncRetrying(
            stop=tenacity.stop_after_attempt(_TRIES),
            wait=_patience,
            retry=tenacity.retry_if_exception(
                lambda error: (
                    isinstance(error, Postponed)
                    and (error.after or 0) <= 60
                    and not isinstance(error, Down)
                    and not (once and isinstance(error, Doubtful))
                )
            ),
            sleep=self.world.sleep,
            reraise=True,
        )
        async for attempt in retrying:
            with attempt:
                if bare:  # a credential for a request that was let through, or somebody else's key
                    return await self._exchange(connection, channel, request)
                return await self._within_reach(connection, channel, request)
        raise AssertionError("unreachable")

    async def _within_reach(self, connection: Connection, channel: Channel, request: Request) -> Response:
        """One try, where the far side is not known to be down; what came of it says whether it is."""
        await self.reach.ask(connection)
        try:
            response = await self._signed(connection, channel, request)
        except Unheard as error:
            await self.reach.unheard(connection, str(error))
            raise
        except Busy:
            await self.reach.busy(connection)
            raise
        except HubError:
            self.reach.unclear(connection)
            raise
        finally:
            self.reach.left(connection)
        if response.status == _UNAUTHORIZED and channel.auth is not None:
            await self.reach.denied(connection, f"it answered {_UNAUTHORIZED} to our credentials")
        else:
            await self.reach.heard(connection)
        return response

    async def _signed(self, connection: Connection, channel: Channel, request: Request) -> Response:
        """Sent with the channel's credentials; with a renewed token where the first is not taken any more."""
        if channel.auth is None:
            return await self._exchange(connection, channel, request)
        token = await self._credential(connection, channel)
        context = await self.context(connection)
        response = await self._exchange(connection, channel, channel.auth.sign(request, context, token))
        if response.status != _UNAUTHORIZED or token is None:
            return response
        renewed = await self._credential(connection, channel, instead=token)
        if renewed is None or renewed.access == token.access:
            return response
        return await self._exchange(connection, channel, channel.auth.sign(request, context, renewed))

    async def _credential(
        self, connection: Connection, channel: Channel, instead: Token | None = None
    ) -> Token | None:
        try:
            return await self.token(connection, channel, instead=instead)
        except (Refused, Rejected) as error:
            await self.reach.denied(connection, str(error))
            raise

    async def _exchange(self, connection: Connection, channel: Channel, request: Request) -> Response:
        await self._wait(connection, channel)
        response = await self._send(request)
        self._judge(connection, channel, response)
        return response

    async def _wait(self, connection: Connection, channel: Channel) -> None:
        """Keep to the far side's documented rate."""
        line = self._lines.setdefault(connection.id, Line())
        now = self.world.now() / SECOND
        gap = 1 / channel.limits.per_second
        line.free_at = max(line.free_at, now - gap * (channel.limits.burst - 1)) + gap
        if line.free_at - gap > now:
            await self.world.sleep(line.free_at - gap - now)

    async def _send(self, request: Request) -> Response:
        headers = {"user-agent": "orderhub/0.1", **request.headers}
        if request.key:
            headers["idempotency-key"] = request.key
        try:
            answer = await self.client.request(
                request.method, request.url, headers=headers, content=request.body, timeout=request.timeout
            )
        except httpx.HTTPError as error:
            unheard = isinstance(error, httpx.ConnectError | httpx.ConnectTimeout)
            raise (Unheard if unheard else Doubtful)(
                f"{request.method} {_host(request.url)}: {error or type(error).__name__}"
            ) from error
        if len(answer.content) > _CAP:
            raise Refused(f"{_host(request.url)} answered more than {_CAP} bytes")
        return Response(
            status=answer.status_code,
            headers=Headers(list(answer.headers.multi_items())),
            body=answer.content,
        )

    def _judge(self, connection: Connection, channel: Channel, response: Response) -> None:
        """429 and 5xx are for later, as the far side says; the channel judges what hides behind 200."""
        if response.status == 429 or response.status >= 500:
            doubt = Busy if response.status == 429 else Doubtful
            raise doubt(f"the far side answered {response.status}", after=self._asked(response))
        if channel.limits.judge is not None:
            channel.limits.judge(response)
        if channel.limits.throttle is not None:
            hold = channel.limits.throttle(response)
            if hold > 0:
                line = self._lines[connection.id]
                line.free_at = max(line.free_at, self.world.now() / SECOND + hold)

    def _asked(self, response: Response) -> float | None:
        """How long the far side asks us to wait, at most a day."""
        wish = retry_after(response.headers.get("retry-after", ""), self.world.now() / SECOND)
        return None if wish is None else min(wish, _DAY)

    async def token(
        self, connection: Connection, channel: Channel, *, renew: bool = False, instead: Token | None = None
    ) -> Token | None:
        """The connection's credential, renewed five minutes before it runs out, by one caller for all; at once where
        it must be, or `instead` of one that was not taken, unless somebody has renewed that already."""
        assert channel.auth is not None  # noqa: S101  asked only where there is one
        if channel.auth.token is None:
            return None
        line = self._lines.setdefault(connection.id, Line())
        async with line.lock:
            kept = await self._kept(connection)
            now = self.world.now()
            spent = renew or (instead is not None and kept is not None and kept.access == instead.access)
            if kept and not spent and (not kept.until or kept.until - _EARLY * SECOND > now):
                return Token(access=kept.access, refresh=kept.refresh)
            old = Token(access=kept.access, refresh=kept.refresh) if kept else None
            fresh: Token = await self.run(
                connection, channel.auth.token(await self.context(connection), old), bare=True
            )
            until = now + int(fresh.expires_in * SECOND) if fresh.expires_in else 0
            await self._store(connection, _Kept(fresh.access, fresh.refresh, until))
            return fresh

    async def _kept(self, connection: Connection) -> _Kept | None:
        rows = await self.engine.fetch(
            "memories_get", owner=connection.id, name="token", now=self.world.now()
        )
        if not rows:
            return None
        opened = self.directory.vault.open(bytes(rows[0][0]).decode(), connection.id)
        return msgspec.json.decode(opened, type=_Kept)

    async def _store(self, connection: Connection, kept: _Kept) -> None:
        sealed = self.directory.vault.seal(msgspec.json.encode(kept).decode(), connection.id)

        async def work(unit: Unit) -> None:
            unit.add("memories_put", [(connection.id, "token", sealed.encode(), 0)])

        await self.engine.transact(work)

    async def _put(self, connection: Connection, step: Put) -> None:
        """A file on the connection's own shelf."""
        files = self.directory.channel(connection).files
        target = files.target(self.directory.settings(connection)) if files else None
        if target is None:
            raise Refused(f"{connection.name} has no place for files")
        async with self.shelves.at(target) as shelf:
            await shelf.put(step.name, step.body)

    async def _keep(self, connection: Connection, step: Keep) -> None:
        async def work(unit: Unit) -> None:
            owner = f"state:{connection.id}"
            for name, value in step.state.items():
                if value is None:
                    unit.add("memories_drop", owner=owner, name=name)
                else:
                    sealed = self.directory.vault.seal(value, f"{owner}/{name}")
                    unit.add("memories_put", [(owner, name, sealed.encode(), 0)])

        await self.engine.transact(work)


@dataclass(slots=True)
class Reading:
    """A source under way: each page when it is asked for, and the conversation goes on only then. So a page that is
    durable before the next is asked for is durable before the far side hears of it."""

    converser: Converser
    connection: Connection
    conversation: Generator[Any, Any, Any]

    async def page(self) -> Page | None:
        """The next page, None at the end; raises Postponed or Refused."""
        answer: Any = None
        try:
            while True:
                step = self.conversation.send(answer)
                if isinstance(step, Page):
                    return step
                answer = await self.converser._step(self.connection, step, bare=False, once=False)  # noqa: SLF001
        except StopIteration:
            return None


def _harmless(request: Request) -> bool:
    """Whether doing it twice is doing it once."""
    return bool(request.key) or request.method in ("GET", "HEAD")


def _patience(state: tenacity.RetryCallState) -> float:
    error = state.outcome.exception() if state.outcome else None
    after = error.after if isinstance(error, Postponed) else None
    growing: float = 0.5 * 2**state.attempt_number
    return max(after or 0.0, growing)


def _host(url: str) -> str:
    return httpx.URL(url).host

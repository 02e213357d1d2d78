"""The narrow seam of outgoing HTTP: one verb, `send`, a value in and a value out, and never an exception.

Over the guarded session of `dial`: the answer is read to a cap, and the timeout covers the whole exchange,
body included.
"""

from __future__ import annotations

import asyncio
import io
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol, get_args

import aiohttp
import msgspec

from hub.contract import Headers, Rejected
from hub.contract.clock import retry_after
from hub.outbound.dial import DIAL, Blocked, Dial, open_session
from hub.outbound.guard import Guard

__all__ = [
    "CAP",
    "Answer",
    "Deadlines",
    "ErrorKind",
    "GuardedSender",
    "Post",
    "Sender",
    "fault",
    "legible",
    "open_session",
    "read",
    "retry_after",
]

CAP = 16_384
ErrorKind = Literal[
    "dns",
    "connect",
    "tls",
    "timeout",
    "reset",
    "blocked",
    "too_large",
    "refused",
    "auth",
    "mapping",
    "left_out",
    "fault",
    "unknown",
]
"""Why there is no answer that counts: the network's kinds, `refused` (a write's far side said no), and what
never went out: no token could be had (`auth`), the endpoint's mapping failed (`mapping`) or leaves it out; `fault` is
one of ours, that nobody foresaw, `unknown` a message that may have gone out and cannot be sent twice."""
KINDS: tuple[str, ...] = get_args(ErrorKind)


class Post(msgspec.Struct, frozen=True, kw_only=True):
    """A request to a partner; `timeout` in seconds is that of the whole exchange. What goes out `once` is not tried again
    on another connection."""

    url: str
    headers: dict[str, str] = {}
    body: bytes = b""
    timeout: float = 15.0
    method: str = "POST"
    once: bool = False


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What came back: a status, or an error's kind with its reason.

    Both are there when the far side answered but did not finish: then the error counts. `body` is cut at
    the cap (`truncated`). `phases` are milliseconds: dns, connect and tls where a connection was made for
    it, first_byte and total. `retry_after` is the far side's wish in seconds. `accepted` is what the
    endpoint's own expression says of it, None where it has none. `begun` says whether the far side may have got any
    of the request.
    """

    status: int | None = None
    headers: Mapping[str, str] = Headers()
    body: bytes = b""
    truncated: bool = False
    phases: dict[str, float] = {}
    address: str = ""
    error: ErrorKind | None = None
    reason: str = ""
    retry_after: float | None = None
    accepted: bool | None = None
    begun: bool = True


class Sender(Protocol):
    """Sends posts; whatever goes wrong out there is an answer."""

    async def send(self, post: Post) -> Answer: ...


class Deadlines:
    """Ends what takes too long, to a twentieth of a second. One timer for all: a timer each costs a tenth of
    the throughput (measured)."""

    def __init__(self) -> None:
        self._ends: dict[asyncio.Timeout, float] = {}
        self._armed = False

    def watch(self, limit: asyncio.Timeout, end: float) -> None:
        """The entered limit passes when it has not ended by then (perf_counter)."""
        self._ends[limit] = end
        if not self._armed:
            self._armed = True
            asyncio.get_running_loop().call_later(_TICK, self._tick)

    def forget(self, limit: asyncio.Timeout) -> None:
        """The block has ended."""
        self._ends.pop(limit, None)

    def _tick(self) -> None:
        now = time.perf_counter()
        for limit, end in self._ends.items():
            if end <= now and limit.when() is None:
                limit.reschedule(0)
        self._armed = bool(self._ends)
        if self._armed:
            asyncio.get_running_loop().call_later(_TICK, self._tick)


_TICK = 0.05
_IDLE_TRIES = 3
_LARGE = 1 << 20


@dataclass(frozen=True, slots=True)
class GuardedSender:
    """Sends over one guarded session. `now` is unix seconds, for Retry-After given as a date."""

    session: aiohttp.ClientSession
    guard: Guard
    now: Callable[[], float] = time.time
    cap: int = CAP
    deadlines: Deadlines = field(default_factory=Deadlines)

    async def send(self, post: Post) -> Answer:
        """Sends it; a connection that died while it lay idle costs nothing but a second try."""
        dial = Dial(time.perf_counter())
        answer = await self._try(post, dial)
        for _ in range(0 if post.once else _IDLE_TRIES):
            if answer.error != "reset" or answer.status is not None or dial.opened:
                break
            dial = Dial(dial.begun)
            answer = await self._try(post, dial)
        return answer

    async def close(self) -> None:
        """Closes the connections."""
        await self.session.close()

    async def _try(self, post: Post, dial: Dial) -> Answer:
        token = DIAL.set(dial)
        limit = asyncio.timeout(None)
        error: ErrorKind | None = None
        reason = ""
        try:
            url = self.guard.check_url(post.url)
            async with limit:
                self.deadlines.watch(limit, dial.begun + post.timeout)
                response = await self.session.request(
                    post.method,
                    url,
                    data=_data(post.body),
                    headers=post.headers,
                    allow_redirects=False,
                    read_bufsize=1 << 15,
                )
                dial.response, dial.answered = response, time.perf_counter()
                await read(response, dial.body, self.cap)
        except (aiohttp.ClientError, OSError, ValueError, Rejected) as problem:
            error, reason = fault(problem, dial)
        finally:
            self.deadlines.forget(limit)
            DIAL.reset(token)
            if dial.response is not None and not dial.response.content.at_eof():
                dial.response.close()
        return self._answer(dial, error, reason)

    def _answer(self, dial: Dial, error: ErrorKind | None, reason: str) -> Answer:
        response = dial.response
        if response is None:
            begun = bool(dial.ready) or not dial.opened
            return Answer(
                error=error, reason=legible(reason), phases=dial.phases(), address=dial.address, begun=begun
            )
        wish = response.headers.get("Retry-After")
        return Answer(
            status=response.status,
            headers=response.headers,
            body=bytes(dial.body[: self.cap]),
            truncated=len(dial.body) > self.cap,
            phases=dial.phases(),
            address=dial.address,
            error=error,
            reason=legible(reason),
            retry_after=retry_after(wish, self.now()) if wish else None,
        )


def legible(said: str) -> str:
    """What a far side said, as it can be written down: bytes that are no UTF-8 are marked."""
    return said if said.isascii() else said.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _data(body: bytes) -> bytes | io.BytesIO | None:
    """What aiohttp is given: a large body as a file, which it sends in pieces."""
    if len(body) > _LARGE:
        return io.BytesIO(body)
    return body or None


async def read(response: aiohttp.ClientResponse, body: bytearray, cap: int) -> None:
    """Reads into `body` until the end, or one byte more than the cap."""
    content = response.content
    while len(body) <= cap:
        chunk = await content.read(cap + 1 - len(body))
        if not chunk:
            return
        body += chunk


def fault(error: Exception, dial: Dial) -> tuple[ErrorKind, str]:
    """What kind of fault an exception is, and its sentence."""
    if dial.blocked or isinstance(error, Rejected | Blocked | aiohttp.InvalidURL):
        return "blocked", dial.blocked or str(error)
    if isinstance(error, TimeoutError):
        return "timeout", "no complete answer in time" if dial.response else "no answer in time"
    if isinstance(error, aiohttp.ClientSSLError | ssl.SSLError | aiohttp.ServerFingerprintMismatch):
        return "tls", str(error)
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return _named(error, "dns", "its address cannot be found")
    if isinstance(error, aiohttp.ClientConnectorError):
        kind: ErrorKind = "tls" if dial.connected and error.ssl else "connect"
        return kind, str(error)
    return _cut(error)


def _cut(error: Exception) -> tuple[ErrorKind, str]:
    """A fault of an exchange that had begun."""
    if isinstance(error, aiohttp.ClientResponseError):
        if error.message.startswith(("Got more than", "Too many headers")):
            return "too_large", "the answer's headers are too large"
        return "reset", f"the answer is not HTTP: {error.message}"
    if isinstance(error, aiohttp.ClientError | OSError):
        return "reset", str(error) or "the connection was closed"
    return "blocked", str(error)  # a header of ours that cannot be sent


def _named(error: aiohttp.ClientConnectorDNSError, kind: ErrorKind, reason: str) -> tuple[ErrorKind, str]:
    if isinstance(error.os_error, Blocked):
        return "blocked", str(error.os_error)
    return kind, f"{error.host}: {reason}"

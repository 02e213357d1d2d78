"""Intake: the door at `/in/{connection}`, raw ASGI since every order passes it.

    read at most the cap → find the connection → proof on the raw bytes → topic, dedupe key → durable → answer

The answer waits for nothing else: platforms give three to five seconds and drop a subscription after a
handful of failures. What cannot be parsed is still kept and answered 2xx. What cannot be stored is
answered 503, never 200-and-drop.
"""

from __future__ import annotations

import zlib
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass, field
from typing import Any

import msgspec
import structlog
from prometheus_client import Counter

from hub.contract.channel import Channel, Greeting, Verdict
from hub.contract.errors import Forged, Postponed, TooLarge, Unreadable
from hub.contract.message import Headers, Message, Response
from hub.contract.proof import Check, KeyNeeded
from hub.contract.settings import Settings
from hub.directory import Connection, Directory
from hub.inbound.keep import MAIL, Keeper, Letter, body_key, clean
from hub.inbound.keyring import Keyring
from hub.inbound.refusals import Refusals
from hub.metrics import Metrics
from hub.store.engine import Unavailable
from hub.store.rows import Head
from hub.vault import Locked
from hub.world import World

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Follow = Callable[[Connection, Greeting], None]

_IN_FLIGHT = 64 << 20
_PARTS = 64
_PRIVATE = frozenset({"authorization", "cookie", "proxy-authorization"})
_HASHED = frozenset({"sequence", "updated_at", "append_only"})
log = structlog.get_logger("orderhub.intake")


@dataclass(slots=True)
class Intake:
    """The ASGI application behind `/in/`. `follow` drives what a handshake asks for after its answer."""

    directory: Directory
    keeper: Keeper
    metrics: Metrics
    world: World
    keys: Keyring
    follow: Follow
    refusals: Refusals
    public_url: str = ""
    _in_flight: int = 0
    _counters: dict[tuple[str, str], Counter] = field(default_factory=dict)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Take one message."""
        _, _, rest = scope["path"].partition("/in/")
        key, _, path = rest.partition("/")
        connection = self.directory.door(key)
        if connection is None:
            await _answer(send, _plain(404, "no connection has this address"))
            return
        channel = self.directory.channel(connection)
        verdict: Verdict
        message = Message()
        try:
            message = await self._read(scope, receive, path, connection, channel)
            verdict, response = await self._take(message, connection, channel)
        except TooLarge as error:
            verdict, response = "too_large", _plain(413, error.reason)
        except (Unavailable, Locked, Postponed) as error:
            log.error("intake cannot keep a message", connection=connection.id, error=str(error))
            verdict, response = "unavailable", _plain(503, "try again", {"retry-after": "5"})
        self._counter(connection, verdict).inc()
        if channel.answer is not None:
            response = channel.answer(verdict, message) or response
        await _answer(send, response)

    async def _read(
        self, scope: Scope, receive: Receive, path: str, connection: Connection, channel: Channel
    ) -> Message:
        headers = Headers(
            [(name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]]
        )
        body = await self._body(receive, headers, channel.cap)
        query = scope["query_string"].decode("latin-1")
        base = self.public_url or f"{scope.get('scheme', 'http')}://{headers.get('host', '')}"
        return Message(
            body=body,
            headers=headers,
            method=scope["method"],
            url=f"{base}{scope['path']}{'?' if query else ''}{query}",
            path=path,
            query=query,
            received_at=self.world.now(),
            zone=connection.time_zone,
            account=connection.account,
            currency=connection.currency,
        )

    async def _body(self, receive: Receive, headers: Headers, cap: int) -> bytes:
        if int(headers.get("content-length") or 0) > cap:
            raise TooLarge(f"a message may have {cap} bytes")
        chunks: list[bytes] = []
        size = 0
        try:
            while True:
                event = await receive()
                if event["type"] == "http.disconnect":
                    raise Postponed("the sender left")
                chunk = event.get("body", b"")
                size += len(chunk)
                self._in_flight += len(chunk)
                if size > cap:
                    raise TooLarge(f"a message may have {cap} bytes")
                if self._in_flight > _IN_FLIGHT:
                    raise Postponed("too many bytes at once")
                chunks.append(chunk)
                if not event.get("more_body"):
                    break
        finally:
            self._in_flight -= size
        body = b"".join(chunks)
        return inflate(body, cap) if headers.get("content-encoding", "").lower() == "gzip" else body

    async def _take(
        self, message: Message, connection: Connection, channel: Channel
    ) -> tuple[Verdict, Response]:
        settings = self.directory.settings(connection)
        greeting = channel.greet(message, settings) if channel.greet else None
        if greeting is None or greeting.proven:
            try:
                await self._prove(message, connection, channel, settings)
            except Forged as error:
                self.refusals.refused(connection, error)
                return "forged", _plain(401, error.reason)
            self.refusals.believed(connection, message.received_at)
        if greeting is not None:
            if greeting.then is not None:
                self.follow(connection, greeting)
            return "accepted", greeting.reply
        if connection.status == "paused":
            return "unavailable", _plain(503, "this connection is paused", {"retry-after": "60"})
        return await self._keep(message, connection, channel, settings)

    async def _prove(
        self, message: Message, connection: Connection, channel: Channel, settings: Settings
    ) -> None:
        proof = self.directory.proof(connection)
        now = self.world.now() // 1_000_000
        known = self.keys.known(connection)
        try:
            proof.check(Check(message, settings, now, known))
        except KeyNeeded as needed:
            await self.keys.learn(connection, channel, needed.key)
            try:
                proof.check(Check(message, settings, now, self.keys.known(connection)))
            except KeyNeeded as again:
                raise Forged(str(again)) from again

    def _counter(self, connection: Connection, verdict: Verdict) -> Counter:
        counter = self._counters.get((connection.id, verdict))
        if counter is None:
            counter = self.metrics.messages.labels(connection.tenant, connection.id, verdict)
            self._counters[connection.id, verdict] = counter
        return counter

    async def _keep(
        self, message: Message, connection: Connection, channel: Channel, settings: Settings
    ) -> tuple[Verdict, Response]:
        opened = _opened(message, channel, settings)
        topic = clean(channel.topic.find(opened or message))
        known = channel.reader(topic) is not None
        letter = Letter(
            tenant=connection.tenant,
            connection=connection.id,
            transport=MAIL if channel.kind == "mail" else "webhook",
            topic=topic,
            key=self._key(opened or message, channel, topic),
            head=head(message),
            body=message.body,
            received_at=message.received_at,
            status="received" if known else "ignored",
            opened=msgspec.structs.replace(opened, topic=topic) if opened else None,
        )
        kept = await self.keeper.keep(letter)
        if not kept.new:
            return "duplicate", _json(200, {"status": "duplicate"})
        return ("accepted" if known else "ignored"), _json(202, {"message": kept.id, "status": "accepted"})

    def _key(self, message: Message, channel: Channel, topic: str) -> str:
        given = clean(channel.dedupe.find(message))
        if given:
            return given
        subject = topic if isinstance(channel.freshness, str) else "*"
        if channel.freshness_of(subject) in _HASHED:
            return body_key(message.body + b"\0" + message.query.encode())
        return self.world.new_id("one")


def _opened(message: Message, channel: Channel, settings: Settings) -> Message | None:
    """A message out of its envelope; None where that cannot be undone: it is kept, and fails with the reason."""
    if channel.open is None:
        return message
    found = msgspec.structs.replace(message, topic=clean(channel.topic.find(message)))
    try:
        return channel.open(found, settings)
    except Unreadable:
        return None


def head(message: Message, *, rank: int = 0, quiet: bool = False) -> Head:
    """A message's envelope as it is kept: without what would let others speak as its sender."""
    return Head(
        headers=tuple((name, clean(value)) for name, value in message.headers.pairs if name not in _PRIVATE),
        method=message.method,
        url=message.url,
        path=message.path,
        query=message.query,
        rank=rank,
        quiet=quiet,
    )


def inflate(body: bytes, cap: int) -> bytes:
    """A gzip body, up to the cap; what is not gzip stays as it came."""
    out, left, parts = b"", body, 0
    while left:  # a gzip body may have several parts; each costs a copy of the rest, before any proof
        parts += 1
        if parts > _PARTS:
            raise TooLarge(f"a message may have {_PARTS} gzip parts")
        reader = zlib.decompressobj(wbits=31)
        try:
            out += reader.decompress(left, cap + 1 - len(out))
        except zlib.error:
            return body
        if len(out) > cap or reader.unconsumed_tail:
            raise TooLarge(f"a message may inflate to {cap} bytes")
        if not reader.eof:
            return body
        left = reader.unused_data
    return out


def _plain(status: int, text: str, headers: dict[str, str] | None = None) -> Response:
    return Response(
        status=status, headers=Headers({"content-type": "text/plain", **(headers or {})}), body=text.encode()
    )


def _json(status: int, value: Any) -> Response:
    body = msgspec.json.encode(value)
    return Response(status=status, headers=Headers({"content-type": "application/json"}), body=body)


async def _answer(send: Send, response: Response) -> None:
    headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in response.headers.pairs]
    headers.append((b"content-length", str(len(response.body)).encode()))
    await send({"type": "http.response.start", "status": response.status, "headers": headers})
    await send({"type": "http.response.body", "body": response.body})

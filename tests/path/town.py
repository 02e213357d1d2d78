"""A town for one test: a hub in a still world, shops and trackers that push signed messages, partners that verify."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from typing import Any

import msgspec
import uvicorn
from standardwebhooks import Webhook as StandardWebhook
from svix.webhooks import Webhook as SvixWebhook

from hub.contract.given import read_settings
from hub.contract.message import Headers, Message
from hub.contract.proof import Stamp
from hub.directory import Connection, Endpoint, Thing, seal_settings
from hub.inbound.intake import Intake
from hub.outbound.signing import new_secret
from hub.run import Hub
from hub.store.engine import Unit

SHOP = "lantern-and-loom.myshopify.com"
ORDER = "6120110011001"
"""The order that most of Shopify's fixtures speak of."""
DHL = "00340434161094042557"
"""The number of its first parcel."""


@dataclass
class Answer:
    """What the hub answered to a message."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        """The body, read."""
        return json.loads(self.body)


async def knock(app: Intake, message: Message, path: str, *, chunks: int = 1) -> Answer:
    """Speak to an ASGI application as a server would; the body comes in so many pieces."""
    size = max(1, -(-len(message.body) // chunks))
    pieces = [message.body[at : at + size] for at in range(0, len(message.body), size)] or [b""]
    answer = Answer(0, {}, b"")

    async def receive() -> dict[str, Any]:
        piece = pieces.pop(0)
        return {"type": "http.request", "body": piece, "more_body": bool(pieces)}

    async def send(event: Any) -> None:
        if event["type"] == "http.response.start":
            answer.status = event["status"]
            answer.headers = {name.decode(): value.decode() for name, value in event["headers"]}
        else:
            answer.body += event.get("body", b"")

    headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in message.headers.pairs]
    await app(
        {"type": "http", "method": message.method, "path": path, "query_string": message.query.encode(),
         "headers": headers, "scheme": "http"},
        receive, send,
    )  # fmt: skip
    return answer


@dataclass
class Hook:
    """A webhook as it arrived."""

    headers: dict[str, str]
    body: bytes

    @property
    def event(self) -> dict[str, Any]:
        """The event in it."""
        return msgspec.json.decode(self.body, type=dict[str, Any])


@dataclass
class Partner:
    """Receives webhooks as an ASGI application; every one has to pass two verifiers that are not ours."""

    endpoint: Endpoint
    secret: str
    got: list[Hook] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Take one."""
        body = b""
        while True:
            event = await receive()
            body += event.get("body", b"")
            if not event.get("more_body"):
                break
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        StandardWebhook(self.secret).verify(body, headers)
        SvixWebhook(self.secret).verify(body, headers)
        status = self.answers.pop(0) if self.answers else 200
        if status < 300:
            self.got.append(Hook(headers, body))
        await send({"type": "http.response.start", "status": status, "headers": [(b"content-length", b"0")]})
        await send({"type": "http.response.body", "body": b""})

    def take(self) -> list[Hook]:
        """What came since this was asked last."""
        got, self.got = self.got, []
        return got

    def told(self) -> list[str]:
        """The types of the events that came since this was asked last."""
        return [one.event["type"] for one in self.take()]


class _Server(uvicorn.Server):
    """A server that leaves signals alone."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@contextlib.asynccontextmanager
async def served(app: Any) -> AsyncIterator[str]:
    """The address of an application on a free port of this machine."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(64)
        server = _Server(uvicorn.Config(app, lifespan="off", log_level="critical", access_log=False))
        running = asyncio.ensure_future(server.serve([listener]))
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            await running


@dataclass
class Town:
    """A hub, and what is connected to it."""

    hub: Hub
    stack: contextlib.AsyncExitStack
    sent: int = 0

    async def put(self, thing: Thing) -> None:
        """Make a thing known, as it is told here, whatever it was."""
        known = self.hub.directory.by_id(type(thing), thing.id)
        one = msgspec.structs.replace(thing, position=known.position if known else 0)

        async def work(unit: Unit) -> None:
            await self.hub.directory.put(unit, one, self.hub.world.now())

        await self.hub.engine.transact(work)
        await self.hub.directory.refresh()
        self.hub.deliver.configure()

    async def connect(
        self, channel: str, *, name: str = "", settings: dict[str, Any] | None = None, **fields: Any
    ) -> Connection:
        """A connection with its channel's sample secret, so that it takes pushes and speaks to nobody, or with
        other settings."""
        registry = self.hub.registry
        if settings is None:
            settings = {"webhook_secret": registry.samples(channel).settings["webhook_secret"]}
        id_ = self.hub.world.new_id("con")
        accounts = {"shopify": SHOP}
        one = Connection(**{"id": id_, "name": name or channel, "channel": channel, "key": f"key-{id_}", "sweep": False,
                            "account": accounts.get(channel, ""), **fields})  # fmt: skip
        one.settings = seal_settings(
            read_settings(registry.channel(channel).settings, settings), self.hub.vault, id_
        )
        await self.put(one)
        return one

    async def partner(self, **fields: Any) -> Partner:
        """A partner that listens, by default to everything."""
        id_, secret = self.hub.world.new_id("end"), new_secret()
        sealed = {"sealed": self.hub.vault.seal(secret, id_)}
        partner = Partner(
            Endpoint(**{"id": id_, "name": id_, "url": "", "secrets": [sealed], **fields}), secret
        )
        partner.endpoint.url = f"{await self.stack.enter_async_context(served(partner))}/hooks"
        await self.put(partner.endpoint)
        return partner

    def fixture(self, channel: str, name: str) -> Message:
        """A sample message of a channel."""
        return next(one.message for one in self.hub.registry.samples(channel).fixtures if one.name == name)

    def signed(self, connection: Connection, message: Message) -> Message:
        """The message with the proof that its sender gives."""
        proof = self.hub.registry.channel(connection.channel).proof_for(
            self.hub.directory.settings(connection)
        )
        self.sent += 1
        stamp = Stamp(now=self.hub.world.now() // 1_000_000, nonce="n0nce", id=f"msg_{self.sent}")
        return proof.sign(message, self.hub.directory.settings(connection), stamp)

    async def push(self, connection: Connection, message: Message | str, **kinds: Any) -> Answer:
        """Sign a message, or the sample of this name, and let it knock."""
        found = self.fixture(connection.channel, message) if isinstance(message, str) else message
        return await knock(self.hub.intake, self.signed(connection, found), f"/in/{connection.key}", **kinds)

    async def say(self, connection: Connection, *messages: Message | str) -> None:
        """Push messages that are taken, and do all that follows."""
        for message in messages:
            self.hub.world.move(0.001)
            answer = await self.push(connection, message)
            assert answer.status in (200, 202), answer
        await self.hub.settle()

    async def orders(self, tenant: str = "main") -> list[dict[str, Any]]:
        """Every order as it stands."""
        rows = await self.hub.engine.fetch(
            "orders_list", tenant=tenant, after=0, state="", connection="", updated_after=0, most=1000
        )
        return [msgspec.json.decode(row[10]) for row in rows]

    async def order(self, tenant: str = "main") -> dict[str, Any]:
        """The only order there is."""
        (one,) = await self.orders(tenant)
        return one

    async def messages(self, tenant: str = "main") -> list[tuple[Any, ...]]:
        """Every message: position, id, …, status (8), …, error (11)."""
        return await self.hub.engine.fetch(
            "messages_list", tenant=tenant, after=0, connection="", status="", most=1000
        )

    async def statuses(self, tenant: str = "main") -> list[str]:
        """The status of every message, oldest first."""
        return [row[8] for row in await self.messages(tenant)]

    async def exceptions(self, state: str = "open", tenant: str = "main") -> list[dict[str, Any]]:
        """The exceptions in a state."""
        rows = await self.hub.engine.fetch("exceptions_list", tenant=tenant, after=0, state=state, most=100)
        return [{"count": row[5], **msgspec.json.decode(row[8])} for row in rows]

    async def events(self, order: str = "", tenant: str = "main") -> list[tuple[int, str]]:
        """Sequence and type of every event, or of one order's."""
        if order:
            rows = await self.hub.engine.fetch(
                "events_of_order", tenant=tenant, order_id=order, after=0, most=1000
            )
        else:
            rows = await self.hub.engine.fetch(
                "events_between", tenant=tenant, after=0, last=2**62, since=0, until=2**62, most=1000
            )
        return [(row[5], row[3]) for row in rows]


def changed(
    message: Message, *, topic: str = "", key: str = "", headers: dict[str, str] | None = None, **fields: Any
) -> Message:
    """A message with other values at the top of its JSON body, and another topic and delivery id of Shopify's."""
    body = message.body
    if fields:
        body = json.dumps({**json.loads(body), **fields}, ensure_ascii=False).encode()
    new = dict(headers or {})
    if topic:
        new["x-shopify-topic"] = topic
    new["x-shopify-webhook-id"] = key or f"again-{hash(body) & 0xFFFFFFFF:08x}-{topic}"
    pairs = [(name, value) for name, value in message.headers.pairs if name not in new]
    return msgspec.structs.replace(message, body=body, headers=Headers([*pairs, *new.items()]))

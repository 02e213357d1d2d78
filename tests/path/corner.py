"""A corner shop for tests: a channel of its own, the far side behind it, and a warehouse that reports shipments."""

from __future__ import annotations

import contextlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from hub.config import Config
from hub.contract import (
    Channel,
    Context,
    Conversation,
    Outcome,
    Page,
    Request,
    Secret,
    Settings,
    Task,
    Write,
    json_body,
)
from hub.contract.fact import ORDER_FACETS, Fact
from hub.contract.message import Message
from hub.contract.pick import const
from hub.contract.proof import Hmac
from hub.directory import Connection
from hub.inbound.report import Call
from hub.registry import load_registry
from hub.run import open_hub
from hub.world import World
from tests.path.town import Town, served

PLACED = "2026-02-01T00:00:00.000Z"


class CornerSettings(Settings, frozen=True, kw_only=True):
    """Where an invented shop lives."""

    base_url: str = ""
    webhook_secret: Secret = "a-secret-of-the-corner"


def read(message: Message) -> Iterator[Fact]:
    """The shop speaks in our own words."""
    told = message.json()
    facets = ORDER_FACETS if told["subject"] == "order" else {"*"}
    yield Fact(subject=told["subject"], ref=told["doc"]["ref"], doc=told["doc"], order=told.get("order"), account=told.get("account"),
               revision=told["at"], full=frozenset(facets))  # fmt: skip


def fulfil(ctx: Context[CornerSettings], task: Task) -> Conversation[Outcome]:
    """Makes a fulfilment; the shop has no key by which it would know it again."""
    body = json_body(
        {"order": task.ref, "note": task.subject["id"], "number": task.subject.get("tracking_number", "")}
    )
    answer = yield Request(method="POST", url=f"{ctx.settings.base_url}/fulfilments", body=body)
    assert answer is not None
    return Outcome(status="applied", ref=answer.json()["id"])


def find(ctx: Context[CornerSettings], task: Task) -> Conversation[Outcome]:
    """Looks for the fulfilment of an earlier try by our name of the shipment."""
    answer = yield Request(url=f"{ctx.settings.base_url}/fulfilments?note={task.subject['id']}")
    assert answer is not None
    found = answer.json()["found"]
    return Outcome(status="applied", ref=found[0]) if found else Outcome(status="unsupported")


def reread(ctx: Context[CornerSettings], _subject: str, ref: str) -> Conversation[None]:
    """Reads an order as it stands."""
    answer = yield Request(url=f"{ctx.settings.base_url}/orders?note={ref}")
    assert answer is not None
    yield Page(topic="news", body=answer.body)


CORNER = Channel(
    name="corner", title="Corner", kind="storefront", settings=CornerSettings, topic=const("news"),
    proof=Hmac("x-corner-signature", encoding="base64"),
    reads={"news": read}, fetch=reread, needs=("base_url",),
    writes={"fulfil": Write(do=fulfil, search=find, on=("shipment.shipped",), needs=("base_url",))},
)  # fmt: skip


@dataclass
class Shop:
    """The far side: keeps fulfilments, and pushes each as its own news when `echo` says so."""

    made: dict[str, dict[str, Any]] = field(default_factory=dict)
    before: Callable[[str], Awaitable[None]] | None = None
    broken: bool = False
    order: dict[str, Any] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        event = await receive()
        if scope["path"] == "/orders":
            self.asked.append(scope["query_string"].decode().removeprefix("note="))
            told: Any = self.order
        elif scope["method"] == "GET":
            note = scope["query_string"].decode().removeprefix("note=")
            told = {"found": [id_ for id_, one in self.made.items() if one["note"] == note]}
        else:
            id_ = f"F{len(self.made) + 1}"
            self.made[id_] = json.loads(event["body"])
            if self.before:
                await self.before(id_)
            told = {"id": id_}
        body = json.dumps(told).encode()
        status = 500 if self.broken and scope["method"] == "POST" else 200
        await send(
            {
                "type": "http.response.start",
                "status": status,
                "headers": [(b"content-length", b"%d" % len(body))],
            }
        )
        await send({"type": "http.response.body", "body": body})


@dataclass
class Corner:
    """A town with a corner shop, its far side, and a warehouse that reports shipments."""

    town: Town
    shop: Shop
    connection: Connection
    warehouse: Connection

    async def push(self, subject: str, doc: dict[str, Any], **more: Any) -> None:
        """The shop says something."""
        self.town.hub.world.move(1)
        told = {"subject": subject, "doc": doc, "at": self.town.hub.world.now(), **more}
        answer = await self.town.push(self.connection, Message(body=json.dumps(told).encode()))
        assert answer.status == 202

    async def order(self) -> None:
        """The shop tells its order."""
        rows = [{"ref": "l1", "quantity": {"original": "2", "ordered": "2"}}]
        await self.push("order", {"ref": "O1", "number": "C-1", "currency": "EUR", "placed_at": PLACED, "lines": rows,
                                  "source_payment_status": "paid"})  # fmt: skip
        await self.town.hub.settle()

    async def ship(self, number: str) -> None:
        """The warehouse reports what it sent."""
        doc = {"ref": "W1", "status": "shipped", "lines": [{"line": "l1", "quantity": "2"}]}
        if number:
            doc["tracking_number"] = number
        fact = Fact(subject="shipment", ref="W1", order="O1", account=f"connection:{self.connection.id}", doc=doc,
                    revision=self.town.hub.world.now(), full=frozenset({"*"}))  # fmt: skip
        await self.town.hub.reporter.tell(
            Call(connection=self.warehouse, topic="shipments", body=b"{}", facts=[fact], actor="warehouse")
        )

    async def echo(self, id_: str) -> None:
        """The shop's own news of a fulfilment, understood at once."""
        doc = {"ref": id_, "status": "shipped", "lines": [{"line": "l1", "quantity": "2"}]}
        if number := self.shop.made[id_]["number"]:
            doc["tracking_number"] = f" {number.lower()} "
        await self.push("shipment", doc, order="O1")
        await self.town.hub.normalise.step()


@contextlib.asynccontextmanager
async def opened(
    config: Config, world: World, shop: Shop, known: Corner | None = None
) -> AsyncIterator[Corner]:
    """A hub that knows the corner shop; over a store that has one already where it is `known`."""
    async with contextlib.AsyncExitStack() as stack:
        registry = load_registry()
        registry = replace(registry, channels={**registry.channels, "corner": CORNER})
        hub = await stack.enter_async_context(open_hub(config, world, registry))
        town = Town(hub, stack)
        if known is not None:
            yield Corner(town, shop, known.connection, known.warehouse)
            return
        url = await stack.enter_async_context(served(shop))
        connection = await town.connect("corner", settings={"base_url": url}, account="lamps")
        yield Corner(town, shop, connection, await town.connect("api", settings={}))

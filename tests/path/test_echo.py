"""Echo: what we wrote to a far side comes back as its own news, before its answer, after it, after a crash between.
In the end it is one shipment, and nothing was written twice."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from hub.config import Config
from hub.contract import Channel, Context, Conversation, Outcome, Request, Settings, Task, Write, json_body
from hub.contract.fact import ORDER_FACETS, Fact
from hub.contract.message import Message
from hub.contract.pick import const
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


def read(message: Message) -> Iterator[Fact]:
    """The shop speaks in our own words."""
    told = message.json()
    facets = ORDER_FACETS if told["subject"] == "order" else {"*"}
    yield Fact(subject=told["subject"], ref=told["doc"]["ref"], doc=told["doc"], order=told.get("order"),
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


CORNER = Channel(
    name="corner", title="Corner", kind="storefront", settings=CornerSettings, topic=const("news"),
    reads={"news": read}, writes={"fulfil": Write(do=fulfil, search=find, on=("shipment.shipped",), needs=("base_url",))},
)  # fmt: skip


@dataclass
class Shop:
    """The far side: keeps fulfilments, and pushes each as its own news when `echo` says so."""

    made: dict[str, dict[str, Any]] = field(default_factory=dict)
    before: Callable[[str], Awaitable[None]] | None = None
    broken: bool = False

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        event = await receive()
        if scope["method"] == "GET":
            note = scope["query_string"].decode().removeprefix("note=")
            told: Any = {"found": [id_ for id_, one in self.made.items() if one["note"] == note]}
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


@pytest.fixture
def world() -> Any:
    return World.still(time.time_ns() // 1000)


@pytest.fixture
async def corner(config: Config, world: World) -> AsyncIterator[Corner]:
    async with opened(config, world, Shop()) as one:
        await one.order()
        yield one


async def one_shipment(corner: Corner) -> dict[str, Any]:
    """The only shipment there is, known by both names, its goods counted once."""
    order = await corner.town.order()
    (shipment,) = order["shipments"]
    assert sorted(ref["id"] for ref in shipment["refs"]) == ["F1", "W1"]
    assert order["lines"][0]["quantity"]["shipped"] == "2"
    assert order["fulfillment_status"] == "fulfilled"
    assert "anomalies" not in order
    assert list(corner.shop.made) == ["F1"], "written once"
    return shipment


@pytest.mark.parametrize("number", ["N1", ""])
async def test_an_echo_after_the_answer_is_known_for_our_own(corner: Corner, number: str) -> None:
    await corner.ship(number)
    await corner.town.hub.settle()
    assert list(corner.shop.made) == ["F1"]
    await corner.echo("F1")
    await corner.town.hub.settle()

    await one_shipment(corner)


@pytest.mark.parametrize("number", ["N1", ""])
async def test_an_echo_before_the_answer_is_one_with_ours_in_the_end(corner: Corner, number: str) -> None:
    corner.shop.before = corner.echo
    await corner.ship(number)
    await corner.town.hub.settle()

    await one_shipment(corner)


@pytest.mark.parametrize("number", ["N1", ""])
@pytest.mark.parametrize("echoed", [True, False])
async def test_after_a_crash_between_writing_and_hearing_the_answer_it_is_found_and_not_made_again(
    config: Config, world: Any, number: str, echoed: bool
) -> None:
    shop = Shop()
    async with opened(config, world, shop) as corner:
        await corner.order()

        async def dies(_id: str) -> None:
            """The far side has made it; the process ends before it hears so."""
            for task in corner.town.hub.deliver._tasks:
                task.cancel()

        shop.before = dies
        await corner.ship(number)
        await corner.town.hub.deliver.step()
        assert list(shop.made) == ["F1"]
        shop.before = None
        world.move(120)
        async with served(shop) as url:
            if config.database.startswith("sqlite"):
                await corner.town.hub.engine.close()
            async with opened(config, world, shop, corner) as again:
                live = again.town.hub.directory.get(Connection, corner.connection.id)
                assert live is not None
                live.settings["base_url"] = url
                if echoed:
                    await again.echo("F1")
                await again.town.hub.settle()
                if not echoed:
                    await again.echo("F1")
                    await again.town.hub.settle()
                await one_shipment(again)
            if config.database.startswith("sqlite"):
                await corner.town.hub.engine.open()


async def test_a_write_that_failed_half_way_is_searched_before_it_is_made_again(corner: Corner) -> None:
    corner.shop.broken = True
    await corner.ship("N1")
    await corner.town.hub.settle()
    assert list(corner.shop.made) == ["F1"], "what may have been done is not done again at once"
    corner.shop.broken = False
    for _ in range(3):
        corner.town.hub.world.move(600)
        await corner.town.hub.settle()

    await corner.echo("F1")
    await corner.town.hub.settle()

    await one_shipment(corner)


async def test_what_the_shop_said_is_never_written_back_to_it(corner: Corner) -> None:
    await corner.push("shipment", {"ref": "F9", "status": "shipped", "tracking_number": "N9",
                                   "lines": [{"line": "l1", "quantity": "2"}]}, order="O1")  # fmt: skip
    await corner.town.hub.settle()

    assert corner.shop.made == {}


async def test_an_echo_makes_no_second_news_of_the_shipment(corner: Corner) -> None:
    partner = await corner.town.partner(events=["shipment.created", "shipment.shipped", "order.fulfilled"])
    corner.shop.before = corner.echo
    await corner.ship("N1")
    await corner.town.hub.settle()

    assert sorted(partner.told()) == ["order.fulfilled", "shipment.created", "shipment.shipped"]

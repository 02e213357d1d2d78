"""Routes: news goes to any connection; what it makes there is bound, and what became of it is news of its own."""

from __future__ import annotations

import dataclasses
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from typing import Any

import msgspec
import pytest

from hub.config import Config
from hub.contract import Channel, Context, Conversation, Settings, const
from hub.contract.errors import Refused
from hub.contract.fact import Fact
from hub.contract.flow import Outcome, Pause, Task, Write
from hub.contract.message import Message
from hub.contract.proof import StaticToken
from hub.directory import Connection, Route
from hub.inbound.keep import Letter
from hub.registry import load_registry
from hub.run import open_hub
from hub.store.rows import Head
from hub.world import World
from tests.outbound.desk import Desk, desk, event, put


class LedgerSettings(Settings, frozen=True, kw_only=True):
    """An invented ERP."""

    webhook_secret: str = "a-token-of-the-ledger"


@dataclass
class Ledger:
    """The ERP: what it holds by its own number, and what it was asked."""

    orders: dict[str, str] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    refuses: bool = False

    def search(self, _: Context[Any], task: Task) -> Conversation[Outcome]:
        """By our id of the order."""
        self.asked.append("search")
        yield Pause(0)
        known = next((number for number, ours in self.orders.items() if ours == task.order["id"]), "")
        return Outcome(status="applied", ref=known) if known else Outcome(status="unsupported")

    def create(self, _: Context[Any], task: Task) -> Conversation[Outcome]:
        """Gives it a number."""
        self.asked.append("create")
        yield Pause(0)
        if self.refuses:
            raise Refused("the period is closed", code="P9")
        number = f"E-{len(self.orders) + 1}"
        self.orders[number] = task.order["id"]
        return Outcome(status="applied", ref=number)

    def update(self, _: Context[Any], task: Task) -> Conversation[Outcome]:
        """By its number."""
        self.asked.append(f"update {task.ref}")
        yield Pause(0)
        return Outcome(status="applied", ref=task.ref)

    def read(self, message: Message) -> Iterator[Fact]:
        """It speaks in our words, under its own numbers."""
        doc = message.json()
        yield Fact(subject="order", ref=doc["ref"], doc=doc, full=frozenset(), revision=message.received_at)

    def channel(self) -> Channel:
        """As a channel."""
        return Channel(
            name="ledger", title="Ledger", kind="erp", settings=LedgerSettings, proof=StaticToken(),
            topic=const("orders"), freshness="arrival", reads={"orders": self.read},
            writes={"order.create": Write(do=self.create, search=self.search), "order.update": Write(do=self.update)},
        )  # fmt: skip


@dataclass
class Office:
    """A desk whose new orders go to the ledger."""

    desk: Desk
    ledger: Ledger

    async def routed(self, event: str, write: str, predicate: str = "") -> None:
        """One more route."""
        await put(self.desk.hub, Route(id=self.desk.hub.world.new_id("rou"), name=write, event=event,
                                       connection="con_erp", write=write, predicate=predicate))  # fmt: skip

    async def told(self) -> list[tuple[str, dict[str, Any]]]:
        """What the endpoint heard of writes."""
        await self.desk.hub.settle()
        found = [event(post) for post in self.desk.script.take()]
        return [(one["type"], one["data"]) for one in found if one["type"].startswith("writeback.")]


@pytest.fixture
async def office(config: Config) -> AsyncIterator[Office]:
    ledger = Ledger()
    packaged = load_registry()
    registry = dataclasses.replace(packaged, channels={**packaged.channels, "ledger": ledger.channel()},
                                   packages={**packaged.packages, "ledger": "adapters.api"})  # fmt: skip
    async with open_hub(config, World.still(), registry) as hub:
        d = await desk(hub)
        await put(
            hub,
            Connection(
                id="con_erp", name="erp", channel="ledger", key="erp-key", account="books", sweep=False
            ),
        )
        await d.endpoint(events=["writeback.*"])
        yield Office(d, ledger)


async def test_a_new_order_is_made_in_the_erp_and_known_by_its_number_from_then_on(office: Office) -> None:
    await office.routed("order.created", "order.create")
    await office.routed("order.updated", "order.update")
    await office.desk.tell("A", "new")
    told = await office.told()

    assert office.ledger.orders.keys() == {"E-1"}
    assert [(type_, data["write"], data["ref"], data["type"]) for type_, data in told][:1] == [
        ("writeback.applied", "order.create", "E-1", "order.created")
    ]
    ((order,),) = [(row[4],) for row in await office.desk.hub.engine.fetch(
        "identities_find", [("main", "ledger:books", "order", "E-1")])]  # fmt: skip
    assert order == office.ledger.orders["E-1"]

    await office.desk.tell("A", "changed")
    await office.told()
    assert office.ledger.asked == ["search", "create", "update E-1"], (
        "its own binding is not written back to it"
    )


async def test_what_the_erp_says_of_its_number_is_said_of_our_order(office: Office) -> None:
    await office.routed("order.created", "order.create")
    await office.desk.tell("A", "new")
    await office.told()
    hub = office.desk.hub
    await hub.keeper.keep(Letter(
        tenant="main", connection="con_erp", transport="webhook", topic="orders", key="1", head=Head(),
        body=b'{"ref": "E-1", "customer_note": "picked in hall 3"}', received_at=hub.world.now(),
    ))  # fmt: skip
    await hub.settle()

    rows = await hub.engine.fetch(
        "orders_list", tenant="main", after=0, state="", connection="", updated_after=0, most=9
    )
    assert [msgspec.json.decode(bytes(row[10]))["customer_note"] for row in rows] == ["picked in hall 3"]
    assert "create" in office.ledger.asked


async def test_a_try_whose_answer_was_lost_is_found_and_not_made_again(office: Office) -> None:
    await office.routed("order.created", "order.create")
    await office.desk.tell("A", "new")
    ((_, _, order, *_),) = [
        row for row in (await office.desk.deliveries()).values() if row[0].startswith("con_erp")
    ]
    office.ledger.orders["E-7"] = order  # a process that died after it was made
    told = await office.told()

    assert office.ledger.asked == ["search"]
    assert [(type_, data["ref"]) for type_, data in told] == [("writeback.applied", "E-7")]


async def test_a_predicate_keeps_news_from_a_route(office: Office) -> None:
    await office.routed("order.created", "order.create", "data.number == 'B'")
    await office.desk.tell("A", "new")
    await office.desk.tell("B", "new")
    await office.told()

    assert len(office.ledger.orders) == 1


async def test_a_no_is_told_with_its_reason_and_stands_in_the_exceptions(office: Office) -> None:
    await office.routed("order.created", "order.create")
    office.ledger.refuses = True
    await office.desk.tell("A", "new")
    told = await office.told()

    assert [(type_, data["reason"]) for type_, data in told] == [
        ("writeback.rejected", "the period is closed")
    ]
    (trouble,) = await office.desk.troubles()
    assert "refused" in trouble["title"]


async def test_an_order_that_came_back_before_the_answer_is_named_to_a_person(office: Office) -> None:
    await office.routed("order.created", "order.create")
    hub = office.desk.hub
    await hub.keeper.keep(Letter(
        tenant="main", connection="con_erp", transport="webhook", topic="orders", key="1", head=Head(),
        body=b'{"ref": "E-1", "currency": "EUR", "lines": []}', received_at=hub.world.now(),
    ))  # fmt: skip
    await hub.normalise.step()
    await office.desk.tell("A", "new")
    await office.told()

    titles = [one["title"] for one in await office.desk.troubles()]
    assert ["told us of it as of another" in title for title in titles] == [True]

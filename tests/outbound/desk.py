"""A desk from which the deliverer is tried: endpoints, orders that make news, and a sender that answers by a script."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import msgspec
import pytest

from hub.contract.fact import Fact
from hub.directory import Connection, Endpoint
from hub.inbound.report import Call
from hub.outbound.sender import Answer, Post
from hub.outbound.signing import new_secret
from hub.run import Hub
from hub.store.engine import Unit

on_one_engine = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
"""For what the store has no part in."""

OK = Answer(status=200)
NO = Answer(status=404)
DOWN = Answer(error="connect")
SECOND = 1_000_000
MINUTE, HOUR, DAY = 60, 3600, 86_400


@dataclass
class Script:
    """A sender that answers as told and remembers what it was given. `says` is an answer for everything, or
    chooses one by the post; `gate` holds all answers back while it is closed."""

    says: Answer | Callable[[Post], Answer] = OK
    posts: list[Post] = field(default_factory=list)
    gate: asyncio.Event | None = None
    under_way: int = 0
    most: int = 0

    async def send(self, post: Post) -> Answer:
        self.posts.append(post)
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        await (self.gate.wait() if self.gate else asyncio.sleep(0))
        self.under_way -= 1
        return self.says if isinstance(self.says, Answer) else self.says(post)

    def take(self) -> list[Post]:
        """What came since this was asked last."""
        posts, self.posts = self.posts, []
        return posts


def turns(*answers: Answer) -> Callable[[Post], Answer]:
    """These answers one after the other; the last one stays."""
    left = list(answers)
    return lambda _post: left.pop(0) if len(left) > 1 else left[0]


def event(post: Post) -> dict[str, Any]:
    """The event in a post's body."""
    told: dict[str, Any] = msgspec.json.decode(post.body)
    return told


def ids(posts: Iterable[Post]) -> list[str]:
    """Their webhook ids, in the order they were sent."""
    return [post.headers["webhook-id"] for post in posts]


def said(posts: Iterable[Post]) -> list[tuple[str, str]]:
    """Which news of which order each post told: the order's number and its first tag (orders are told apart by
    number, their versions by tag)."""
    told = [event(post)["data"] for post in posts]
    return [(one["number"], one.get("tags", [""])[0]) for one in told]


@dataclass
class Desk:
    """A hub with a shop whose orders are told by hand."""

    hub: Hub
    script: Script
    shop: Connection

    async def endpoint(self, **fields: Any) -> Endpoint:
        """An endpoint; by default it hears of new and updated orders only."""
        id_ = self.hub.world.new_id("end")
        secret = {"sealed": self.hub.vault.seal(new_secret(), id_)}
        given = {"id": id_, "name": id_, "url": "https://partner.example/hooks", "secrets": [secret],
                 "events": ["order.created", "order.updated"]}  # fmt: skip
        one = Endpoint(**{**given, **fields})
        await put(self.hub, one)
        return one

    async def tell(self, number: str, *tags: str, shop: Connection | None = None, **more: Any) -> None:
        """An order's next version for each tag: the first makes it, each makes one event."""
        for tag in tags:
            at = self.hub.world.now()
            self.hub.world.move(0.001)
            doc = {"ref": number, "number": number, "currency": "EUR", "tags": [tag], "lines": [],
                   "placed_at": "2026-01-01T00:00:00.000Z", **more}  # fmt: skip
            fact = Fact(subject="order", ref=number, doc=doc, revision=at, full=frozenset({"order", "lines"}))
            call = Call(connection=shop or self.shop, topic="orders", body=b"", facts=[fact], actor="source")
            await self.hub.reporter.tell(call)

    async def deliveries(self, **filters: str) -> dict[int, tuple[Any, ...]]:
        """Deliveries by position: target, event, order, status, due, attempts."""
        asked = {"target": "", "status": "", "event": "", "order_id": "", **filters}
        rows = await self.hub.engine.fetch("deliveries_list", tenant="main", after=0, most=5000, **asked)
        return {row[0]: row[1:7] for row in rows}

    async def statuses(self) -> list[str]:
        """The status of every delivery, oldest first."""
        return [row[3] for row in (await self.deliveries()).values()]

    async def troubles(self, state: str = "open") -> list[dict[str, Any]]:
        """The exceptions in a state."""
        rows = await self.hub.engine.fetch("exceptions_list", tenant="main", after=0, state=state, most=100)
        return [{"severity": row[4], "count": row[5], **msgspec.json.decode(row[8])} for row in rows]

    async def attempts(self, position: int) -> list[dict[str, Any]]:
        """The log of a delivery, oldest first."""
        rows = await self.hub.engine.fetch("attempts_of", delivery=position)
        return [{"at": row[1], "outcome": row[2], **msgspec.json.decode(row[3])} for row in rows]

    async def again(self, position: int) -> None:
        """Redeliver one."""
        now = self.hub.world.now()

        async def work(unit: Unit) -> None:
            unit.add("deliveries_again", tenant="main", position=position, now=now)

        await self.hub.engine.transact(work)

    async def pass_by(self, seconds: float, *, step: float = 60.0) -> None:
        """Let time pass as a running hub would: its stages get their turn every so often."""
        left = seconds
        while left > 0:
            self.hub.world.move(min(step, left))
            left -= step
            await self.hub.deliver.unblock()
            await self.hub.settle()


async def put(hub: Hub, thing: Any) -> None:
    """Make a thing known, as it is told here, whatever it was."""
    known = hub.directory.by_id(type(thing), thing.id)
    one = msgspec.structs.replace(thing, position=known.position if known else 0)

    async def work(unit: Unit) -> None:
        await hub.directory.put(unit, one, hub.world.now())

    await hub.engine.transact(work)
    await hub.directory.refresh()
    hub.deliver.configure()


async def desk(hub: Hub, says: Answer | Callable[[Post], Answer] = OK) -> Desk:
    """The desk over a hub."""
    shop = Connection(id=hub.world.new_id("con"), name="shop", channel="shopify", key="door", account="lamps.example",
                      sweep=False)  # fmt: skip
    await put(hub, shop)
    script = Script(says)
    hub.deliver.sender = script
    return Desk(hub, script, shop)

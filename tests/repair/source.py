"""A shop that can be read: it lists what changed, shows one order, keeps fulfilments, and loses a push now and then."""

from __future__ import annotations

import contextlib
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import parse_qs

import msgspec

from hub.config import Config
from hub.contract import Context, Conversation, Page, Refused, Request, Since, Subscription
from hub.contract.clock import micros, text
from hub.registry import load_registry
from hub.run import open_hub
from hub.world import Still
from tests.path.corner import CORNER, Corner, CornerSettings, Shop
from tests.path.town import Town, served

DAY = 86_400.0


def sweep(ctx: Context[CornerSettings], cursor: str) -> Conversation[None]:
    """Everything that changed since the cursor, oldest first, two to a list."""
    since = cursor or text(ctx.now - int(DAY * 1_000_000))
    after = ""
    while True:
        answer = yield Request(url=f"{ctx.settings.base_url}/changed?since={since}&after={after}")
        assert answer is not None
        found = answer.json()
        for one in found:
            yield Page(
                topic="news",
                body=json.dumps(one).encode(),
                cursor=text(one["at"]),
                ref=f"order:{one['doc']['ref']}",
            )
            after = f"{text(one['at'])}/{one['doc']['ref']}"
        if len(found) < 2:
            return


def reread(ctx: Context[CornerSettings], subject: str, ref: str) -> Conversation[None]:
    """One order as it stands."""
    answer = yield Request(url=f"{ctx.settings.base_url}/one?ref={ref}")
    assert answer is not None
    if answer.status == 404:
        raise Refused(f"there is no order {ref}", code="not_found")
    yield Page(topic="news", body=answer.body, ref=f"order:{ref}")


def ensure(ctx: Context[CornerSettings]) -> Conversation[dict[str, str]]:
    """Registers what is missing."""
    answer = yield Request(method="POST", url=f"{ctx.settings.base_url}/hooks")
    assert answer is not None
    hooks: dict[str, str] = answer.json()
    return hooks


READABLE = msgspec.structs.replace(
    CORNER, poll=sweep, fetch=reread, since=Since(cursor=text), subscription=Subscription(ensure=ensure)
)


@dataclass
class Source(Shop):
    """The far side: its orders by id, how often it was listed, and its registrations."""

    orders: dict[str, dict[str, Any]] = field(default_factory=dict)
    listed: int = 0
    hooks: dict[str, str] = field(default_factory=dict)
    registered: int = 0
    most: int = 2
    down: int = 0

    def put(self, ref: str, at: int, **fields: Any) -> dict[str, Any]:
        """An order is made or changes."""
        known = self.orders.get(ref, {}).get("doc", {})
        rows = [{"ref": "l1", "quantity": {"original": "2", "ordered": "2"}}]
        doc = (
            {"ref": ref, "number": f"C-{ref}", "currency": "EUR", "placed_at": text(at), "lines": rows}
            | known
            | fields
        )
        doc["source_revision"] = text(at)
        self.orders[ref] = {"subject": "order", "doc": doc, "at": at // 1000 * 1000}
        return self.orders[ref]

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        asked = {name: values[0] for name, values in parse_qs(scope["query_string"].decode()).items()}
        if scope["path"] not in ("/changed", "/one", "/hooks"):
            await super().__call__(scope, receive, send)
            return
        told: Any
        status = 200
        if scope["path"] == "/hooks":
            if "news" not in self.hooks:
                self.registered += 1
                self.hooks["news"] = f"hook-{self.registered}"
            told = self.hooks
        elif scope["path"] == "/one":
            told = self.orders.get(asked["ref"])
            status = 200 if told else 404
        elif self.listed and self.down:
            self.down -= 1
            told, status = {}, 503
        else:
            self.listed += 1
            since, after = micros(asked["since"]), asked.get("after", "")
            found = sorted(self.orders.values(), key=lambda one: (text(one["at"]), one["doc"]["ref"]))
            found = [
                one
                for one in found
                if one["at"] >= since and f"{text(one['at'])}/{one['doc']['ref']}" > after
            ]
            told = found[: self.most]
        body = json.dumps(told).encode()
        length = [(b"content-length", b"%d" % len(body))]
        await send({"type": "http.response.start", "status": status, "headers": length})
        await send({"type": "http.response.body", "body": body})


@contextlib.asynccontextmanager
async def readable(
    config: Config, world: Still, source: Source, known: Corner | None = None, **fields: Any
) -> AsyncIterator[Corner]:
    """A hub and the shop that it can read; over a store that has it already where it is `known`."""
    async with contextlib.AsyncExitStack() as stack:
        registry = load_registry()
        registry = replace(registry, channels={**registry.channels, "corner": READABLE})
        hub = await stack.enter_async_context(open_hub(config, world, registry))
        town = Town(hub, stack)
        url = await stack.enter_async_context(served(source))
        if known is not None:
            one = known.connection
            fields = {"id": one.id, "key": one.key, "created_at": one.created_at, **fields}
        connection = await town.connect(
            "corner", settings={"base_url": url}, **{"account": "lamps", "sweep": True, **fields}
        )
        yield Corner(
            town, source, connection, known.warehouse if known else await town.connect("api", settings={})
        )

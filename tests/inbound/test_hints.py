"""A push that nobody vouches for is only a hint; what a channel remembers is sealed."""

from __future__ import annotations

import dataclasses
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import msgspec
import pytest

from hub.contract import Channel, Context, Conversation, Fact, Keep, Page, Request, Secret, Settings, const
from hub.contract.flow import Step
from hub.contract.message import Message
from hub.contract.proof import Hmac, StaticToken
from hub.directory import Connection, seal_settings
from hub.inbound.keep import Letter
from hub.registry import load_registry
from hub.run import Hub, open_hub
from hub.store.engine import Unit
from hub.store.rows import Head
from hub.world import World

TRUTH = b'{"ref": "P-1", "number": "1Z999AA10123456784", "status": "in_transit"}'
CLAIM = b'{"ref": "P-1", "number": "1Z999AA10123456784", "status": "delivered"}'


class DepotSettings(Settings, frozen=True, kw_only=True):
    """What a made-up carrier wants to be told."""

    webhook_secret: Secret = "a-token-of-the-depot"
    api_key: Secret | None = None


def read(message: Message) -> Iterator[Fact]:
    """A parcel as it stands."""
    doc = message.json()
    yield Fact(subject="tracking", ref=doc["ref"], doc=doc, full=frozenset({"*"}))


def fetch(ctx: Context[Any], subject: str, ref: str) -> Conversation[None]:
    """Ask the depot itself."""
    answer = yield Request(url=f"https://depot.example/parcels/{ref}")
    assert answer is not None
    yield Page(topic="parcel", body=answer.body)


DEPOT = Channel(
    name="depot", title="Depot", kind="carrier", settings=DepotSettings, proof=StaticToken(), topic=const("parcel"),
    freshness="arrival", reads={"parcel": read}, fetch=fetch, needs=("api_key",),
)  # fmt: skip


@pytest.fixture
async def depot(request: pytest.FixtureRequest, config: Any) -> AsyncIterator[Hub]:
    """A hub whose only channel is the depot; its API answers the truth."""
    channel: Channel = getattr(request, "param", DEPOT)
    registry = dataclasses.replace(
        load_registry(), channels={"depot": channel}, packages={"depot": "adapters.api"}
    )
    async with open_hub(config, World.still(), registry) as hub:
        hub.converser.client = httpx.AsyncClient(
            transport=httpx.MockTransport(lambda _: httpx.Response(200, content=TRUTH))
        )
        yield hub
        await hub.converser.client.aclose()


async def connect(hub: Hub, settings: DepotSettings) -> Connection:
    """A connection to the depot."""
    one = Connection(id=hub.world.new_id("con"), name="depot", channel="depot", key="depot-key", sweep=False)
    one.settings = seal_settings(settings, hub.vault, one.id)

    async def work(unit: Unit) -> None:
        await hub.directory.put(unit, one, hub.world.now())

    await hub.engine.transact(work)
    await hub.directory.refresh()
    return one


async def push(hub: Hub, one: Connection) -> None:
    """The depot's push arrives, and all that follows is done."""
    letter = Letter("main", one.id, "webhook", "parcel", "push-1", Head(), CLAIM, hub.world.now())
    await hub.keeper.keep(letter)
    await hub.settle()
    await hub.sweeper.step()
    await hub.settle()


async def statuses(hub: Hub) -> list[str]:
    """The statuses that facts tell, oldest first."""
    rows = await hub.engine.fetch("facts_unmatched", tenant="main", after=0, most=10)
    facts = [
        await hub.engine.fetch("facts_page_of_message", tenant="main", message=row[1], after=0, most=10)
        for row in rows
    ]
    return [msgspec.json.decode(fact[9])["doc"]["status"] for found in facts for fact in found]


async def test_a_push_that_only_a_token_vouches_for_is_read_again_before_it_is_believed(depot):
    one = await connect(depot, DepotSettings(api_key="k"))

    await push(depot, one)

    assert await statuses(depot) == ["in_transit"]


async def test_where_the_source_cannot_be_asked_the_push_is_all_there_is(depot):
    one = await connect(depot, DepotSettings())

    await push(depot, one)

    assert await statuses(depot) == ["delivered"]


@pytest.mark.parametrize(
    "depot", [msgspec.structs.replace(DEPOT, proof=Hmac("x-depot-signature"))], indirect=True, ids=["signed"]
)
async def test_a_push_whose_body_is_signed_speaks_for_itself(depot):
    one = await connect(depot, DepotSettings(api_key="k"))

    await push(depot, one)

    assert await statuses(depot) == ["delivered"]


async def test_what_a_channel_remembers_between_conversations_is_sealed_at_rest(depot):
    one = await connect(depot, DepotSettings())

    def remember() -> Iterator[Step]:
        yield Keep({"token": "a-credential-of-an-app"})

    await depot.converser.run(one, remember())

    rows = await depot.engine.fetch("memories_all", owner=f"state:{one.id}", now=depot.world.now())
    assert b"a-credential" not in bytes(rows[0][1])
    assert (await depot.converser.context(one)).state == {"token": "a-credential-of-an-app"}
